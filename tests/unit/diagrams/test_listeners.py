"""Events that no occurrence is left for, and scopes in which nothing can happen."""

from __future__ import annotations

import pytest

from engine.model import Severity
from tests.drawing import (
    about,
    boundary,
    diagram,
    end,
    error,
    escalation,
    message,
    node,
    path,
    process,
    signal,
    start,
    sub,
    user,
)
from tests.unit.diagrams.gate import read

NAMES = (
    message("m", "paid")
    + message("m2", "paid")
    + message("keyed", "paid", "order")
    + signal("sg", "stop")
    + error("er", "E")
    + error("er2", "E")
    + error("other", "F")
    + escalation("es", "X")
)


def handler(id: str, trigger: str, *, interrupts: bool = True) -> str:
    """Return an event sub-process with the start event `<id>-start`."""
    begin = node(
        "startEvent", f"{id}-start", trigger, isInterrupting="true" if interrupts else "false"
    )
    done = end(f"{id}-end")
    return node(
        "subProcess", id, begin, done, path(f"{id}-start", f"{id}-end"), triggeredByEvent="true"
    )


def rules(*inside: str, severity: Severity = Severity.ERROR) -> dict[str, str | None]:
    """Return element -> rule of what is wrong with a user task u and what is drawn around it."""
    drawn = process("p", start("s"), user("u"), end("e"), path("s", "u", "e"), *inside)
    found = read(diagram(NAMES, drawn)).problems
    return {p.rule: p.element for p in found if p.severity == severity}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (about("message", "m"), about("message", "m")),
        (about("message", "m"), about("message", "m2")),
        (about("signal", "sg"), about("signal", "sg")),
        (about("error", "er"), about("error", "er2")),
        (about("error"), about("error")),
        (about("escalation", "es"), about("escalation", "es")),
        (about("signal", "sg") + about("error", "er"), about("error", "er")),
    ],
)
def test_one_declaration_interrupts_a_scope_by_one_event_sub_process(one: str, other: str) -> None:
    # when
    found = rules(handler("first", one), handler("second", other))
    # then
    assert found == {"listener-never-hears": "second-start"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (about("message", "m"), about("message", "keyed")),
        (about("error", "er"), about("error", "other")),
        (about("error", "er"), about("error")),
        (about("escalation", "es"), about("error", "er")),
        (about("error", "er"), about("signal", "sg") + about("error", "er")),
    ],
)
def test_other_declarations_stand_beside_each_other(one: str, other: str) -> None:
    assert rules(handler("first", one), handler("second", other)) == {}


def test_what_does_not_interrupt_leaves_the_occurrence_to_others() -> None:
    plain = about("signal", "sg")
    assert rules(handler("first", plain, interrupts=False), handler("second", plain)) == {}
    assert rules(handler("first", plain), handler("second", plain, interrupts=False)) == {}


def test_the_same_declaration_may_be_heard_in_every_scope() -> None:
    # given
    guard = handler("inner", about("signal", "sg"))
    inside = sub("q", start("qs"), user("v"), end("qe"), path("qs", "v", "qe"), guard)
    # when / then
    assert rules(inside, path("u", "q", "e"), handler("outer", about("signal", "sg"))) == {}


def test_a_scope_is_compensated_by_one_event_sub_process() -> None:
    # given
    two = handler("c1", about("compensate")) + handler("c2", about("compensate"))
    inside = sub("q", start("qs"), user("v"), end("qe"), path("qs", "v", "qe"), two)
    # when / then
    assert rules(inside, path("u", "q", "e")) == {"listener-never-hears": "c2-start"}


@pytest.mark.parametrize("code", ["er", ""])
def test_two_boundary_events_do_not_catch_one_error(code: str) -> None:
    # given
    two = "".join(boundary(b, "u", about("error", code)) + path(b, "e") for b in ("b1", "b2"))
    # when / then
    assert rules(two) == {"listener-never-hears": "b2"}


def test_an_error_and_all_others_are_caught_side_by_side() -> None:
    one, rest = boundary("b1", "u", about("error", "er")), boundary("b2", "u", about("error"))
    assert rules(one, rest, path("b1", "e"), path("b2", "e")) == {}


def test_two_boundary_events_of_one_message_are_mentioned() -> None:
    # given
    two = "".join(boundary(b, "u", about("message", "m")) + path(b, "e") for b in ("b1", "b2"))
    # when / then
    assert rules(two) == {}
    assert rules(two, severity=Severity.WARNING)["listener-doubled"] == "b2"


# ------------------------------------------------------------------ empty scopes


def scoped(tag: str, *inside: str) -> dict[str, str | None]:
    """Return the rules broken by a scope x, errors and warnings."""
    drawn = process("p", start("s"), node(tag, "x", *inside), end("e"), path("s", "x", "e"))
    found = read(diagram(NAMES, drawn)).problems
    return {
        p.rule: p.element for p in found if p.severity in (Severity.ERROR, Severity.WARNING)
    }  # fmt: skip


@pytest.mark.parametrize("inside", ["", '<exclusiveGateway id="g"/>'])
def test_an_ad_hoc_sub_process_holds_an_activity(inside: str) -> None:
    assert scoped("adHocSubProcess", inside) == {"ad-hoc-without-activity": "x"}
    assert scoped("adHocSubProcess", inside, user("a")) == {}


@pytest.mark.parametrize("tag", ["subProcess", "transaction"])
def test_a_sub_process_without_work_is_mentioned(tag: str) -> None:
    # given
    plain = start("a") + end("b") + path("a", "b")
    failing = start("a") + end("b", about("error", "er")) + path("a", "b")
    # then
    assert scoped(tag) == {"sub-process-empty": "x"}
    assert scoped(tag, plain) == {"sub-process-empty": "x"}
    assert "sub-process-empty" not in scoped(tag, failing)


def test_cancelling_a_transaction_that_nobody_leaves_is_mentioned() -> None:
    # given
    body = start("a") + user("v") + end("b", about("cancel")) + path("a", "v", "b")
    leave = boundary("c", "x", about("cancel")) + path("c", "e")
    drawn = (start("s"), node("transaction", "x", body), end("e"), path("s", "x", "e"))
    # when
    found = {p.rule for p in read(diagram(process("p", *drawn, leave))).problems}
    # then
    assert scoped("transaction", body) == {"cancel-without-boundary": "b"}
    assert "cancel-without-boundary" not in found
