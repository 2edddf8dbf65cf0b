"""Message flows begin where something is sent and end where something is received (table 7.4)."""

from __future__ import annotations

import pytest

from engine.model import Severity
from tests.drawing import (
    about,
    boundary,
    catch,
    diagram,
    end,
    message,
    node,
    path,
    process,
    start,
    throw,
    user,
)
from tests.unit.diagrams.gate import accepted, read

NODES = {
    "s": start("s"),
    "sm": start("sm", about("message", "m")),
    "u": user("u"),
    "b": boundary("b", "u", about("message", "m")),
    "c": catch("c", about("message", "m")),
    "t": throw("t", about("message", "m")),
    "e": end("e", about("message", "m")),
}


def flows(source: str, target: str) -> set[str]:
    """Return the rules that a message flow between two processes breaks."""
    one = process("p", *NODES.values(), path("s", "u", "c", "t", "e"), path("sm", "u"),
                  path("b", "e"))  # fmt: skip
    pools = (
        '<collaboration id="k"><participant id="a" processRef="p"/><participant id="z"/>'
        f'<messageFlow id="f" sourceRef="{source}" targetRef="{target}"/></collaboration>'
    )
    drawn = diagram(message("m", "go", "=key"), pools, one)
    return {p.rule for p in read(drawn).problems if p.element == "f" and p.stops}


@pytest.mark.parametrize("source", ["s", "sm", "b", "c"])
def test_what_only_receives_sends_nothing(source: str) -> None:
    assert flows(source, "z") == {"message-flow-source"}


@pytest.mark.parametrize("target", ["t", "e"])
def test_what_only_sends_receives_nothing(target: str) -> None:
    assert flows("z", target) == {"message-flow-target"}


@pytest.mark.parametrize("ends", [("u", "z"), ("t", "z"), ("e", "z"), ("z", "sm"), ("z", "c"),
                                  ("z", "b"), ("z", "u")])  # fmt: skip
def test_what_sends_and_what_receives_may_be_tied(ends: tuple[str, str]) -> None:
    assert flows(*ends) == set()


def test_two_pools_of_one_collaboration_that_name_the_same_process_are_mentioned() -> None:
    # given
    one = node("participant", "one", processRef="p")
    two = node("participant", "two", processRef="p")
    other = node("collaboration", "other", node("participant", "again", processRef="p"))
    body = process("p", start("s"), user("u"), end("e"), path("s", "u", "e"))
    drawing = diagram(node("collaboration", "c", one, two), other, body)
    # when
    found = [p for p in read(drawing).problems if p.rule == "pools-of-one-process"]
    # then
    assert [(p.element, p.severity) for p in found] == [("two", Severity.WARNING)]
    assert accepted(drawing)
