"""A diagram of another dialect as a file of Camunda 8, for people who move over.

The drawing stays where it is; where there is none, or tasks were added, one is made. Forms become
files of their own. Everything that could not be carried over is listed.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from lxml import etree
from lxml.etree import _Element as Element

from engine.diagrams.checks import check
from engine.diagrams.diagram import Diagram
from engine.diagrams.expressions import texts
from engine.diagrams.imports import EMBEDDED, adopt, embedded
from engine.diagrams.imports.passage import NO_FILES, Files, detach, drop, extensions_of, tidy
from engine.diagrams.layout import is_drawn, lay_out
from engine.diagrams.names import (
    BPMN,
    BPMN_DI,
    CAMUNDA,
    DD_DC,
    DD_DI,
    MODELER,
    SPIFF,
    TODO,
    XSI,
    ZEEBE,
    attributes,
    bpmn,
    local,
    namespace,
    zeebe,
)
from engine.diagrams.report import Report
from engine.diagrams.xml import read_xml
from engine.errors import BadInput
from engine.languages import Languages
from engine.model import Problem

#: what the Camunda Modeler asks of a file
PLATFORM, PLATFORM_VERSION = "Camunda Cloud", "8.9.0"
_LEFT_BEHIND = (CAMUNDA, SPIFF)
_PREFIXES = {"zeebe": ZEEBE, "modeler": MODELER, "bpmndi": BPMN_DI, "dc": DD_DC, "di": DD_DI,
             "xsi": XSI}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """A converted diagram."""

    #: the diagram as a file
    diagram: bytes
    #: forms by file name
    forms: Mapping[str, bytes]
    #: what could not be carried over, or differs
    problems: tuple[Problem, ...]
    #: the drawing was made anew
    laid_out: bool


def convert(name: str, content: bytes, files: Files = NO_FILES) -> Converted:
    """Return a diagram in the zeebe dialect; `files` are the others of its bundle.

    Raises BadInput if the file is no diagram.
    """
    report = Report(name)
    root = read_xml(content, report, max_bytes=len(content) + 1)
    if root is None or local(root) != "definitions" or namespace(str(root.tag)) != BPMN:
        reasons = "; ".join(problem.message for problem in report.problems)
        raise BadInput(f"{name} is no BPMN diagram{': ' + reasons if reasons else ''}")
    passage = adopt(root, report, python=False, files=files)
    lost = [problem for problem in report.problems if problem.stops]
    check(Diagram(name, root), report, languages=Languages(), default="feel")
    forms = _forms_apart(root, passage.forms)
    _leave_behind(root)
    _mark_expressions(name, root)
    _note(root, lost)
    again = bool(passage.added) or not is_drawn(root)
    whole = _with_prefixes(root)
    if again:
        lay_out(whole)
    etree.indent(whole, "  ")
    return Converted(
        diagram=etree.tostring(whole, xml_declaration=True, encoding="UTF-8") + b"\n",
        forms=forms,
        problems=tuple(report.problems),
        laid_out=again,
    )


def _note(root: Element, lost: Collection[Problem]) -> None:
    """Write at each element what was not carried over: the gate refuses the file until it is done.

    Otherwise a file that lacks work would deploy and run without it.
    """
    ids = {element.get("id"): element for element in root.iter(bpmn("*"))}
    first = next(root.iter(bpmn("process")), root)
    for problem in lost:
        owner = ids.get(problem.element, first)
        note = etree.SubElement(extensions_of(owner), f"{{{TODO}}}todo", nsmap={"todo": TODO})
        note.text = problem.message


def _forms_apart(root: Element, made: Collection[str]) -> dict[str, bytes]:
    """Take the forms that were made out of the file; the tasks name them by their ids."""
    found = {f"{name}.form": form for name, form in embedded(root).items() if name in made}
    for one in [one for one in root.iter(zeebe("userTaskForm")) if one.get("id") in made]:
        owner = one.getparent()
        detach(one)
        process = None if owner is None else owner.getparent()
        if process is not None:
            tidy(process)
    for one in root.iter(zeebe("formDefinition")):
        key = one.get("formKey") or ""
        if key.removeprefix(EMBEDDED) in made:
            del one.attrib["formKey"]
            one.set("formId", key.removeprefix(EMBEDDED))
    return {name: _pretty(form) for name, form in found.items()}


def _pretty(form: bytes) -> bytes:
    return json.dumps(json.loads(form), ensure_ascii=False, indent=2).encode() + b"\n"


def _leave_behind(root: Element) -> None:
    """Drop what other engines read and nothing here does; it has been reported."""
    for element in list(root.iter("{*}*")):
        if namespace(str(element.tag)) in _LEFT_BEHIND:
            detach(element)
            continue
        for name in attributes(element):
            if namespace(name) in _LEFT_BEHIND:
                del element.attrib[name]
    for element in list(root.iter(bpmn("*"))):
        tidy(element)
    for task in root.iter(bpmn("userTask")):
        _as_user_task(task)


def _as_user_task(task: Element) -> None:
    """Camunda 8 runs a user task itself only if it carries this mark."""
    block = task.find(bpmn("extensionElements"))
    if block is not None and block.find(zeebe("userTask")) is None:
        block.insert(0, etree.Element(zeebe("userTask")))


def _mark_expressions(name: str, root: Element) -> None:
    """Put `=` before expressions that are FEEL without saying so."""
    for text in list(texts(Diagram(name, root), "feel")):
        parent = text.holder.getparent()
        plain = text.attribute is None and not text.script and not text.marked
        if plain and text.language == "feel" and text.text and parent is not None:
            text.holder.text = f"={text.text}"
            drop(text.holder, "language")


def _with_prefixes(root: Element) -> Element:
    """Return the same file with the prefixes of Camunda 8 at its root."""
    used: dict[Any, str] = {
        prefix: space for prefix, space in root.nsmap.items() if space not in _LEFT_BEHIND
    }
    for prefix, space in _PREFIXES.items():
        if space not in used.values():
            used[prefix if prefix not in used else f"{prefix}8"] = space
    whole = etree.Element(root.tag, nsmap=used)
    for name in attributes(root):
        whole.set(name, str(root.get(name)))
    whole.set(f"{{{MODELER}}}executionPlatform", PLATFORM)
    whole.set(f"{{{MODELER}}}executionPlatformVersion", PLATFORM_VERSION)
    whole.text = root.text
    for child in list(root):
        whole.append(deepcopy(child))
    kept = [prefix for prefix in used if prefix]
    etree.cleanup_namespaces(whole, keep_ns_prefixes=kept)
    return whole
