"""Decision models of a bundle: read with all their problems, and whether every call finds one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches

from lxml.etree import _Element as Element

from engine import dmn
from engine.diagrams.checks_activities import zeebe_of
from engine.diagrams.diagram import Diagram
from engine.diagrams.report import Report
from engine.sentences import Phrase, phrase

_MARK = b"omg.org/spec/DMN/"


def load_models(files: Mapping[str, bytes]) -> dict[str, dmn.Model]:
    """Read the decision models of a bundle that was accepted before."""
    marked = {name: data for name, data in files.items() if _MARK in data}
    return dmn.load_files(marked, checks=False)


def read_models(files: Mapping[str, bytes], reports: Mapping[str, Report]) -> dict[str, dmn.Model]:
    """Read decision models that may import each other, and report what is wrong with them."""
    models = dmn.load_files(files)
    seen: dict[str, str] = {}
    for name, model in models.items():
        for found in model.problems:
            reports[name].keep(found)
        for one in model.decisions:
            first = seen.setdefault(one.id, name)
            if first != name:
                reports[name].at_line(
                    one.line,
                    "the decision “{name}” has the id “{id}”, and so has one in {first}",
                    "give each decision of a bundle an id of its own",
                    element=one.id,
                    name=one.name,
                    id=one.id,
                    first=first,
                )
    return models


def check_calls(
    diagrams: Sequence[tuple[Diagram, Report]],
    models: Mapping[str, dmn.Model],
    deployed: Collection[str],
) -> None:
    """Check that every called decision is in the bundle or deployed."""
    here = {one.id for model in models.values() for one in model.decisions}
    for diagram, report in diagrams:
        for task, call, name in _calls(diagram):
            if name in here:
                continue
            if name not in deployed:
                report.error(
                    task,
                    "{task} calls the decision “{name}”, which is neither in this bundle nor"
                    " deployed",
                    _similar(name, {*here, *deployed}),
                    task=task,
                    name=name,
                )
            elif call.get("bindingType") == "deployment":
                report.error(
                    task,
                    "{task} calls the version of “{name}” in its own deployment, where it is not",
                    "add its file to the bundle, or set the binding to latest",
                    task=task,
                    name=name,
                )


def _calls(diagram: Diagram) -> Iterator[tuple[Element, Element, str]]:
    for task in diagram.all("businessRuleTask"):
        call = zeebe_of(task, "calledDecision")
        name = (call.get("decisionId") or "").strip() if call is not None else ""
        if call is not None and name and not name.startswith("="):
            yield task, call, name


def _similar(name: str, known: Collection[str]) -> Phrase:
    found = get_close_matches(name, sorted(known), n=3, cutoff=0.6)
    if found:
        return phrase("similar names are: {names}", names=", ".join(found))
    return phrase("add its file to the bundle, or deploy it first")
