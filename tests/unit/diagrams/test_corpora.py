"""Public diagrams: one rule broken and the right place named, or nothing to object to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from lxml import etree

from engine.diagrams import support
from engine.model import Problem, Severity
from tests.unit.diagrams.gate import PYTHON, read, shared


@pytest.fixture(autouse=True)
def everything_supported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the rules stand alone: no refusal for want of support hides a missing one."""
    for feature in support.SUPPORTED:
        monkeypatch.setitem(support.SUPPORTED, feature, support.YES)
    monkeypatch.setattr("engine.diagrams.bundle._all_definitions", lambda *_: ({}, []))


def problems(drawing: bytes) -> tuple[Problem, ...]:
    return read(drawing, languages=PYTHON).problems


def records(expect: str) -> Iterator[tuple[dict[str, Any], bytes]]:
    folder = shared("betsy")
    for line in (folder / "constraints.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        if record["expect"] == expect:
            yield record, (folder / record["file"]).read_bytes()


def hits(problem: Problem, violation: dict[str, Any]) -> bool:
    if problem.element is not None:
        return problem.element in violation["elements"]
    first, last = violation["lines"]
    return problem.line is not None and first <= problem.line <= last


def test_every_diagram_that_breaks_a_rule_is_refused_at_its_place() -> None:
    missed = []
    for record, drawing in records("refused"):
        found = [problem for problem in problems(drawing) if problem.stops]
        places = record.get("violations")
        if places is None:
            right = any(problem.severity == Severity.ERROR for problem in found)
        else:
            right = any(hits(problem, place) for problem in found for place in places)
        missed += [] if right else [record["name"]]
    assert not missed


def test_no_valid_diagram_gets_an_error() -> None:
    alarms = [
        (record["name"], problem.element, problem.message)
        for record, drawing in records("accepted")
        for problem in problems(drawing)
        if problem.severity == Severity.ERROR
    ]
    assert not alarms


@pytest.mark.parametrize("corpus", ["betsy/bpmn", "probes/records"])
def test_no_process_test_is_stopped_by_a_rule(corpus: str) -> None:
    alarms = []
    folder = shared(*corpus.split("/"))
    refused = (
        {
            record["name"]
            for line in (folder.parent / "tests.jsonl").read_text(encoding="utf-8").splitlines()
            if "rejected" in (record := json.loads(line))["cases"][0]["outcomes"]
        }
        if corpus.startswith("betsy")
        else set()
    )
    for file in sorted(folder.iterdir()):
        if file.name == "index.json" or file.stem in refused:
            continue  # these may be refused: they break a rule on purpose
        drawing = file.read_bytes()
        if file.suffix == ".json":
            drawing = json.loads(drawing)["bpmn"].encode()
        alarms += [(file.stem, p.element, p.message) for p in problems(drawing) if p.stops]
    assert not alarms


def test_two_flows_that_end_nowhere_are_both_named_in_every_drawing() -> None:
    missed = []
    for file in sorted(shared("miwg").rglob("*.bpmn")):
        root = etree.parse(str(file)).getroot()
        flows = [flow for flow in root.iter("{*}sequenceFlow") if flow.get("id")]
        if len(flows) < 2:
            continue
        for flow in (flows[0], flows[-1]):
            flow.set("targetRef", "no_such_element")
        named = {problem.element for problem in problems(etree.tostring(root)) if problem.stops}
        missed += [file.name for flow in (flows[0], flows[-1]) if flow.get("id") not in named]
    assert not missed


def test_every_problem_of_every_drawing_names_a_place_that_exists() -> None:
    for file in sorted(shared("miwg").rglob("*.bpmn")):
        drawing = file.read_bytes()
        root = etree.fromstring(drawing)
        ids = {element.get("id") for element in root.iter("{*}*")}
        for problem in problems(drawing):
            assert problem.message
            assert problem.element is None or problem.element in ids
            assert problem.line in range(1, drawing.count(b"\n") + 2)
