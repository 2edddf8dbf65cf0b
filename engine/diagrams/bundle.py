"""A bundle of files, read: its hash, all its problems, and its definitions if nothing stops it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from types import MappingProxyType

from lxml.etree import _Element as Element

from engine import dmn, kernel
from engine.diagrams.checks import check
from engine.diagrams.checks_bundle import (
    Surroundings,
    check_bundle,
    keys_of,
    read_form,
    unique_form,
)
from engine.diagrams.checks_decisions import check_calls, read_models
from engine.diagrams.diagram import Diagram
from engine.diagrams.global_tasks import global_tasks
from engine.diagrams.imports import adopt
from engine.diagrams.names import BPMN, line, local, namespace
from engine.diagrams.report import Report
from engine.diagrams.rewrite import rewrite
from engine.diagrams.rewrite_data import data_names
from engine.diagrams.xml import MAX_BYTES, read_xml
from engine.errors import BadInput
from engine.languages import Languages
from engine.model import Problem, Severity
from engine.sentences import phrase

_KINDS = {
    ".bpmn": "bpmn",
    ".bpmn2": "bpmn",
    ".bpmn20.xml": "bpmn",
    ".xml": "bpmn",
    ".dmn": "dmn",
    ".form": "form",
    ".json": "form",
}
_DMN = "omg.org/spec/DMN/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What became of a set of files."""

    #: content hash over names and bytes, whatever their order
    hash: str
    #: the files, byte for byte
    files: Mapping[str, bytes]
    #: name of a file -> bpmn | dmn | form | other
    kinds: Mapping[str, str]
    #: every objection to any file, by file and line
    problems: tuple[Problem, ...]
    #: decision models by file
    models: Mapping[str, dmn.Model]
    #: by process id; empty if a problem stops the deployment
    definitions: Mapping[str, kernel.Definition]

    @property
    def stops(self) -> bool:
        """Tell whether the bundle cannot be deployed."""
        return any(problem.stops for problem in self.problems)


def bundle_hash(files: Mapping[str, bytes]) -> str:
    """Return the content hash of a set of files."""
    digest = hashlib.sha256()
    for name in sorted(files):
        encoded = name.encode()
        digest.update(len(encoded).to_bytes(4, "big") + encoded)
        digest.update(hashlib.sha256(files[name]).digest())
    return digest.hexdigest()


def kind_of(name: str) -> str:
    """Return what a file is for, by its name."""
    lowered = name.lower()
    return next((kind for end, kind in _KINDS.items() if lowered.endswith(end)), "other")


def read(
    files: Mapping[str, bytes],
    *,
    languages: Languages,
    default_language: str | None = None,
    known_topics: Collection[str] | None = None,
    known_processes: Collection[str] = (),
    known_decisions: Collection[str] = (),
    max_bytes: int = MAX_BYTES,
) -> Bundle:
    """Check a set of files and build its definitions; problems are returned, never raised.

    `default_language` is that of unmarked texts (None: that of `languages`), `known_topics` are the
    names of the handlers (None: not checked), `known_processes` and `known_decisions` what is
    deployed already. A file of more than `max_bytes` is refused unread.
    """
    default = default_language or languages.default
    kept = MappingProxyType(dict(files))
    kinds = {name: kind_of(name) for name in kept}
    reports = {name: Report(name) for name in sorted(kept)}
    roots, form_ids = _read_files(kept, kinds, reports, max_bytes)
    for name, root in roots.items():
        adopt(root, reports[name], python=languages.has("python"), files=kept)
    diagrams = {name: Diagram(name, root) for name, root in roots.items()}
    for name, diagram in diagrams.items():
        check(diagram, reports[name], languages=languages, default=default)
    surroundings = Surroundings(
        files=kept.keys(), form_ids=form_ids, topics=known_topics, processes=known_processes,
        form_keys={key for name, data in kept.items() if kinds[name] == "form"
                   for key in keys_of(data)},
        default=default,
    )  # fmt: skip
    reported = [(diagram, reports[name]) for name, diagram in diagrams.items()]
    check_bundle(reported, surroundings)
    models = _models(kept, kinds, reports)
    check_calls(reported, models, known_decisions)
    problems = _all_problems(reports, kinds)
    definitions: dict[str, kernel.Definition] = {}
    if not any(problem.stops for problem in problems):
        definitions, faults = _all_definitions(diagrams, languages, default)
        problems += faults
    return Bundle(
        hash=bundle_hash(kept),
        files=kept,
        kinds=MappingProxyType(kinds),
        problems=tuple(problems),
        models=MappingProxyType(models),
        definitions=MappingProxyType(definitions),
    )


def load(
    files: Mapping[str, bytes], *, languages: Languages, default_language: str | None = None
) -> dict[str, kernel.Definition]:
    """Build the definitions of a bundle that was accepted before, without checking it again."""
    found: dict[str, kernel.Definition] = {}
    for name in sorted(files):
        if kind_of(name) != "bpmn":
            continue
        root = read_xml(files[name], Report(name), max_bytes=len(files[name]))
        if root is None:
            raise BadInput(f"the stored file {name} cannot be read")
        if local(root) == "definitions" and namespace(str(root.tag)) == BPMN:
            adopt(root, Report(name), python=languages.has("python"), files=files)
            found |= _definitions(Diagram(name, root), languages, default_language)
    return found


# ------------------------------------------------------------------ files


def _read_files(
    files: Mapping[str, bytes],
    kinds: dict[str, str],
    reports: Mapping[str, Report],
    max_bytes: int,
) -> tuple[dict[str, Element], set[str]]:
    """Return the roots of the diagrams and the ids of the forms; report what cannot be read."""
    roots: dict[str, Element] = {}
    forms: dict[str, str] = {}
    for name, report in reports.items():
        _name(name, report)
        if kinds[name] == "form":
            form = read_form(files[name], report)
            if form:
                unique_form(form, forms.setdefault(form, name), report)
        elif kinds[name] in ("bpmn", "dmn"):
            root = read_xml(files[name], report, max_bytes=max_bytes)
            if root is not None and _is_diagram(root, name, kinds, report):
                roots[name] = root
        else:
            report.at_line(
                None, "the file is kept with the others, but not read", "", Severity.INFO
            )
    return roots, set(forms)


def _models(
    files: Mapping[str, bytes], kinds: Mapping[str, str], reports: Mapping[str, Report]
) -> dict[str, dmn.Model]:
    wanted = [name for name in reports if kinds[name] == "dmn" and not reports[name].stops]
    return read_models({name: files[name] for name in wanted}, reports)


def _name(name: str, report: Report) -> None:
    parts = name.split("/")
    if not name or "\\" in name or not name.isprintable() or {"", ".", ".."} & set(parts):
        report.at_line(
            None,
            "the file name “{name}” cannot be used",
            "use a plain name, with / between folders",
            name=name[:80],
        )


def _is_diagram(root: Element, name: str, kinds: dict[str, str], report: Report) -> bool:
    space = namespace(str(root.tag))
    if local(root) == "definitions" and space == BPMN:
        kinds[name] = "bpmn"
        return True
    if _DMN in space:
        kinds[name] = "dmn"
        return False
    what = (
        phrase("“{tag}” of {space}", tag=local(root), space=space)
        if space
        else phrase("“{tag}” without a namespace", tag=local(root))
    )
    report.at_line(
        line(root),
        "the file is no BPMN diagram: it begins with {what}",
        "a diagram begins with “definitions” of {namespace}",
        what=what,
        namespace=BPMN,
    )
    return False


def _all_problems(reports: Mapping[str, Report], kinds: Mapping[str, str]) -> list[Problem]:
    problems = [problem for report in reports.values() for problem in report.problems]
    if not {"bpmn", "dmn"} & set(kinds.values()):
        report = Report("")
        report.at_line(None, "the bundle holds no diagram", "add at least one .bpmn or .dmn file")
        problems += report.problems
    return problems


# ------------------------------------------------------------------ definitions


def _all_definitions(
    diagrams: Mapping[str, Diagram], languages: Languages, default: str
) -> tuple[dict[str, kernel.Definition], list[Problem]]:
    """Return all definitions, or none and what the kernel objects to."""
    found: dict[str, kernel.Definition] = {}
    faults: list[Problem] = []
    for name, diagram in diagrams.items():
        try:
            found |= _definitions(diagram, languages, default)
        except kernel.ParseFault as fault:
            faults += [replace(problem, file=name) for problem in fault.problems]
    return ({}, faults) if faults else (found, [])


def _definitions(
    diagram: Diagram, languages: Languages, default: str | None
) -> dict[str, kernel.Definition]:
    """Build what can be executed in one file; the one place where the kernel is asked."""
    callable_ = [p for p in diagram.processes if diagram.is_executable(p)]
    ids = [str(found.get("id")) for found in (*callable_, *global_tasks(diagram.root))]
    default = default or languages.default
    tree = rewrite(deepcopy(diagram.root), file=diagram.file, default=default)
    languages = languages.knowing(data_names(diagram.root))
    return {
        process_id: kernel.parse(tree, process_id, languages=languages, file=diagram.file)
        for process_id in ids
    }
