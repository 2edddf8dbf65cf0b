"""Errors, escalations and terminate end events at every place, over several levels.

BPMN 2.0.2: 8.4.3 and 8.4.4 (errors, escalations), 10.5.6 (who catches), 13.5.6 (end events).
"""

from __future__ import annotations

import pytest

from engine.model import InstanceState
from tests.drawing import (
    about,
    boundary,
    call,
    end,
    error,
    escalation,
    gateway,
    message,
    node,
    path,
    process,
    repeat,
    script,
    service,
    start,
    sub,
    throw,
    user,
)
from tests.unit.kernel.places import Place, everywhere, in_three_places

ROOTS = (
    error("E1", "one"),
    error("E1_again", "one"),
    error("E2", "two"),
    escalation("X1", "one"),
    escalation("X1_again", "one"),
    escalation("X2", "two"),
    message("m", "go"),
)
LETTER = {"error": "E", "escalation": "X"}
faults = pytest.mark.parametrize("kind", LETTER)


def caught(id: str, host: str, kind: str, code: str = "", *, cancels: bool = True) -> str:
    """Return a boundary event with a script behind it, named after the event."""
    name = f"{id}_caught"
    return (
        boundary(id, host, about(kind, code), cancels=cancels)
        + script(name, "1", "x")
        + end(f"{id}_end")
        + path(id, name, f"{id}_end")
    )


def guard(id: str, definition: str, *inside: str, interrupting: bool = True) -> str:
    """Return an event sub-process with a script, or with what is given."""
    event = node("startEvent", f"{id}_s", definition, isInterrupting=str(interrupting).lower())
    body = inside or (
        script(f"{id}_caught", "1", "x"),
        end(f"{id}_end"),
        path(f"{id}_s", f"{id}_caught", f"{id}_end"),
    )
    return node("subProcess", id, event, *body, triggeredByEvent="true")


def thrower(kind: str, code: str, inside: str = "") -> str:
    """Return the inside of a scope that ends by throwing."""
    return start("t_s") + end("t_e", about(kind, code)) + path("t_s", "t_e") + inside


@everywhere
@faults
def test_the_nearest_scope_that_listens_catches_and_no_other(place: Place, kind: str) -> None:
    # 10.5.6: propagated from the innermost enclosing scope outwards, until caught
    letter = LETTER[kind]
    inner = sub("low", thrower(kind, f"{letter}1"))
    middle = sub(
        "mid",
        start("ms"),
        inner,
        end("me"),
        path("ms", "low", "me"),
        caught("near", "low", kind, f"{letter}1"),
    )
    body = (
        start("s")
        + middle
        + script("after", "1", "y")
        + end("e")
        + path("s", "mid", "after", "e")
        + caught("far", "mid", kind, f"{letter}1")
        + caught("far_all", "mid", kind)
    )
    stage = place.play(body, *ROOTS)
    assert stage.bag("near_caught", "far_caught", "far_all_caught", "after") == [
        "after",
        "near_caught",
    ]
    assert place.over(stage)
    assert stage.idle


@everywhere
@faults
def test_a_scope_without_the_code_lets_it_pass_outwards(place: Place, kind: str) -> None:
    # 10.5.6: a listener of another code does not catch; the same code of another element does
    letter = LETTER[kind]
    inner = sub("low", thrower(kind, f"{letter}1"))
    middle = sub(
        "mid",
        start("ms"),
        inner,
        end("me"),
        path("ms", "low", "me"),
        caught("near", "low", kind, f"{letter}2"),
    )
    body = (
        start("s")
        + middle
        + script("after", "1", "y")
        + end("e")
        + path("s", "mid", "after", "e")
        + caught("far", "mid", kind, f"{letter}1_again")
    )
    stage = place.play(body, *ROOTS)
    assert stage.ran("near_caught", "far_caught", "after") == ["far_caught"]
    assert place.over(stage)


@everywhere
@faults
def test_the_exact_code_is_caught_before_a_catch_all_of_the_same_scope(
    place: Place, kind: str
) -> None:
    letter = LETTER[kind]
    for drawn, expected in ((1, "exact_caught"), (2, "all_caught")):
        body = (
            start("s")
            + sub("low", thrower(kind, f"{letter}{drawn}"))
            + end("e")
            + path("s", "low", "e")
            + caught("all", "low", kind)
            + caught("exact", "low", kind, f"{letter}1")
        )
        stage = place.play(body, *ROOTS)
        assert stage.ran("exact_caught", "all_caught") == [expected]
        assert place.over(stage)


@everywhere
@faults
def test_an_event_sub_process_catches_before_the_boundary_of_its_scope(
    place: Place, kind: str
) -> None:
    # 10.5.6: the event sub-process stands inside the scope, the boundary event around it
    letter = LETTER[kind]
    inside = thrower(kind, f"{letter}1", guard("in", about(kind, f"{letter}1")))
    body = (
        start("s")
        + sub("low", inside)
        + script("after", "1", "y")
        + end("e")
        + path("s", "low", "after", "e")
        + caught("out", "low", kind, f"{letter}1")
    )
    stage = place.play(body, *ROOTS)
    assert stage.ran("in_caught", "out_caught", "after") == ["in_caught", "after"]
    assert place.over(stage)


@everywhere
@faults
@pytest.mark.parametrize("again", ["same code", "other code"])
def test_what_a_handler_throws_goes_out_of_its_scope(place: Place, kind: str, again: str) -> None:
    # 10.5.6, 13.5.4: a handler is not caught by listeners of the scope it belongs to
    letter = LETTER[kind]
    code = f"{letter}1" if again == "same code" else f"{letter}2"
    handler = (end("g_e", about(kind, code)), path("in_s", "g_e"))
    inside = thrower(
        kind,
        f"{letter}1",
        guard("in", about(kind, f"{letter}1"), *handler) + guard("all", about(kind)),
    )
    body = (
        start("s")
        + sub("low", inside)
        + script("after", "1", "y")
        + end("e")
        + path("s", "low", "after", "e")
        + caught("out", "low", kind, code)
    )
    stage = place.play(body, *ROOTS)
    assert stage.ran("all_caught", "out_caught", "after") == ["out_caught"]
    assert place.over(stage)


@in_three_places
@pytest.mark.parametrize(
    "host", ["call", "parallel", "sequential", "loop", "transaction", "ad hoc"]
)
@faults
def test_it_is_caught_at_the_border_of_every_kind_of_scope(
    place: Place, host: str, kind: str
) -> None:
    # 13.5.3: the boundary event cancels the whole activity, all instances of a repeated one
    code = f"{LETTER[kind]}1"
    inside = (
        start("t_s")
        + user("work")
        + user("fail")
        + end("w_e")
        + end("t_e", about(kind, code))
        + path("t_s", "work", "w_e")
        + path("t_s", "fail", "t_e")
    )
    below = ""
    if host == "call":
        drawn, below = call("low", "below"), process("below", inside)
    elif host in ("parallel", "sequential"):
        drawn = sub("low", repeat("[1,2,3]", "i", sequential=host == "sequential"), inside)
    elif host == "loop":
        drawn = sub("low", '<standardLoopCharacteristics loopMaximum="3"/>', inside)
    elif host == "transaction":
        drawn = node("transaction", "low", inside)
    else:
        drawn = node("adHocSubProcess", "low", sub("part", inside), user("more"))
    body = (
        start("s")
        + drawn
        + script("after", "1", "y")
        + end("e")
        + path("s", "low", "after", "e")
        + caught("out", "low", kind, code)
    )
    stage = place.play(body, *ROOTS, below)
    assert "fail" in stage.open
    stage.complete("fail")
    assert stage.ran("out_caught", "after", "work") == ["out_caught"]
    assert place.over(stage)
    assert stage.idle


@everywhere
def test_an_escalation_that_does_not_interrupt_is_caught_each_time_and_all_go_on(
    place: Place,
) -> None:
    inside = (
        start("t_s")
        + throw("x1", about("escalation", "X1"))
        + script("mid", "1", "z")
        + throw("x2", about("escalation", "X1_again"))
        + end("t_e", about("escalation", "X2"))
        + path("t_s", "x1", "mid", "x2", "t_e")
    )
    body = (
        start("s")
        + sub("low", inside)
        + script("after", "1", "y")
        + end("e")
        + path("s", "low", "after", "e")
        + caught("out", "low", "escalation", "X1", cancels=False)
    )
    stage = place.play(body, *ROOTS)
    assert stage.bag("out_caught", "mid", "after") == ["after", "mid", "out_caught", "out_caught"]
    assert place.over(stage)


@everywhere
def test_no_throw_no_handler(place: Place) -> None:
    # the diagrams above with their throws taken out: nothing may be caught
    inside = start("t_s") + end("t_e") + path("t_s", "t_e") + guard("in_e", about("error", "E1"))
    inside += guard("in_x", about("escalation"), interrupting=False)
    body = (
        start("s")
        + sub("low", inside)
        + script("after", "1", "y")
        + end("e")
        + path("s", "low", "after", "e")
        + caught("b_e", "low", "error")
        + caught("b_x", "low", "escalation")
    )
    stage = place.play(body, *ROOTS)
    names = "in_e_caught", "in_x_caught", "b_e_caught", "b_x_caught"
    assert stage.ran(*names, "after") == ["after"]
    assert place.over(stage)
    assert stage.idle


@everywhere
def test_an_uncaught_error_ends_the_whole_instance_and_nothing_goes_on(place: Place) -> None:
    # 8.4.3: an error nobody catches is the end; the parallel branch does not run on
    body = (
        start("s")
        + user("other")
        + user("fail")
        + script("after", "1", "y")
        + end("e")
        + end("t_e", about("error", "E1"))
        + path("s", "other", "after", "e")
        + path("s", "fail", "t_e")
        + guard("in", about("error", "E2"))
    )
    stage = place.play(body, *ROOTS)
    stage.complete("fail")
    assert stage.state is InstanceState.FAILED
    assert stage.ran("after", "in_caught", "behind") == []
    assert stage.happened("incident.raised") == ["t_e"]


@everywhere
def test_an_escalation_nobody_catches_changes_nothing(place: Place) -> None:
    # 10.5.6: an uncaught escalation has no effect on the flow
    body = (
        start("s")
        + throw("x", about("escalation", "X1"))
        + script("after", "1", "y")
        + end("e", about("escalation", "X1"))
        + path("s", "x", "after", "e")
        + guard("in", about("escalation", "X2"), interrupting=False)
    )
    stage = place.play(body, *ROOTS)
    assert stage.ran("after", "in_caught", "e") == ["after", "e"]
    assert place.over(stage)


@everywhere
def test_an_error_of_a_handler_is_caught_like_a_drawn_one(place: Place) -> None:
    body = (
        start("s")
        + service("work", "topic")
        + user("other")
        + script("after", "1", "y")
        + end("e")
        + end("o_e")
        + path("s", "work", "after", "e")
        + path("s", "other", "o_e")
        + caught("hit", "work", "error", "E1")
        + caught("miss", "work", "error", "E2")
    )
    stage = place.play(body, *ROOTS)
    stage.throw("work", "one")
    assert stage.ran("hit_caught", "miss_caught", "after") == ["hit_caught"]
    stage.complete("other")  # the branch beside it was not touched
    assert place.over(stage)


@everywhere
@pytest.mark.parametrize("rounds", [1, 3])
def test_an_error_path_may_lead_back_to_the_activity(place: Place, rounds: int) -> None:
    # 13.5.3: each activation listens anew
    body = (
        start("s")
        + gateway("exclusive", "try")
        + sub(
            "low",
            start("t_s")
            + user("u")
            + gateway("exclusive", "ok", default="ok-t_e")
            + end("good")
            + end("t_e", about("error", "E1"))
            + path("t_s", "u", "ok", "t_e")
            + '<sequenceFlow id="fine" sourceRef="ok" targetRef="good">'
            "<conditionExpression>=good = true</conditionExpression></sequenceFlow>",
        )
        + script("after", "1", "y")
        + end("e")
        + path("s", "try", "low", "after", "e")
        + boundary("b", "low", about("error"))
        + script("retry", "1", "x")
        + path("b", "retry", "try")
    )
    stage = place.play(body, *ROOTS)
    for _ in range(rounds):
        stage.complete("u", good=False)
    assert stage.ran("retry", "after") == ["retry"] * rounds
    stage.complete("u", good=True)
    assert stage.ran("retry", "after") == ["retry"] * rounds + ["after"]
    assert place.over(stage)
    assert stage.idle


@everywhere
def test_a_guard_does_not_hear_its_own_handler(place: Place) -> None:
    # what a handler throws again goes on outwards, once
    handler = end("soft_end", about("escalation", "X1")), path("soft_s", "soft_end")
    inside = thrower("escalation", "X1") + guard(
        "soft", about("escalation", "X1"), *handler, interrupting=False
    )
    body = (
        start("s")
        + sub("low", inside)
        + script("after", "1", "y")
        + end("e")
        + path("s", "low", "after", "e")
        + caught("out", "low", "escalation", "X1", cancels=False)
    )
    stage = place.play(body, *ROOTS)
    assert stage.bag("soft_s", "out_caught", "after") == ["after", "out_caught", "soft_s"]
    assert place.over(stage)


@everywhere
@faults
def test_a_guard_hears_what_a_handler_beside_it_throws(place: Place, kind: str) -> None:
    # 10.5.6: a handler that did not interrupt runs inside the scope, whose other guards listen
    code = f"{LETTER[kind]}1"
    handler = end("soft_end", about(kind, code)), path("soft_s", "soft_end")
    body = (
        start("s")
        + user("a")
        + end("e")
        + path("s", "a", "e")
        + guard("soft", about("message", "m"), *handler, interrupting=False)
        + guard("beside", about(kind, code), interrupting=kind == "error")
    )
    stage = place.play(body, *ROOTS)
    assert stage.message("go")
    assert stage.ran("beside_caught") == ["beside_caught"]
    assert ("a" in stage.open) is (kind == "escalation")
    if kind == "escalation":
        stage.complete("a")
    assert place.over(stage)
    assert stage.idle
