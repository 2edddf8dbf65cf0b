"""What is correct, but not executed yet, is refused by name and with advice."""

from __future__ import annotations

import pytest

from engine.diagrams import support
from engine.diagrams.schema import ROWS
from engine.model import Severity
from tests.drawing import diagram, end, gateway, node, path, process, start, user
from tests.unit.diagrams.gate import objections, read, stopping


def test_every_entry_is_yes_or_an_advice() -> None:
    for feature, advice in support.SUPPORTED.items():
        assert advice == support.YES or len(advice) > 10, feature


def test_every_activity_and_gateway_of_bpmn_has_an_entry() -> None:
    # given
    others = {"subProcess", "receiveTask", "businessRuleTask", "eventBasedGateway"}
    # then
    for name, row in ROWS.items():
        if row.kinds & {"task", "gateway"} and name != "gateway":
            assert name in support.SUPPORTED or name in others


def test_what_is_not_executed_is_named_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    monkeypatch.setitem(support.SUPPORTED, "inclusiveGateway", "use an exclusive gateway")
    drawing = diagram(
        process("p", start("s"), gateway("inclusive", "g"), end("e"), path("s", "g", "e"))
    )
    # when
    (problem,) = stopping(drawing)
    # then
    assert (problem.element, problem.severity) == ("g", Severity.UNSUPPORTED)
    assert problem.advice == "use an exclusive gateway"


def test_an_entry_set_to_yes_is_let_through(monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    monkeypatch.setitem(support.SUPPORTED, "userTask", "not yet")
    drawing = diagram(process("p", start("s"), user("u"), end("e"), path("s", "u", "e")))
    assert read(drawing).stops
    # when
    monkeypatch.setitem(support.SUPPORTED, "userTask", support.YES)
    # then
    assert not read(drawing).stops


def test_what_a_drawing_only_shows_is_mentioned() -> None:
    # given
    owner = node("potentialOwner", "who")
    drawing = diagram(process("p", start("s"), user("u", owner), end("e"), path("s", "u", "e")))
    # when / then
    assert objections(drawing, Severity.WARNING)[0][0] == "who"
