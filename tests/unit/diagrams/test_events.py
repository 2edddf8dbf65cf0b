"""Events in their places, what their triggers need, and pairs of links."""

from __future__ import annotations

import pytest

from engine.model import Severity
from tests.drawing import (
    about,
    boundary,
    catch,
    diagram,
    end,
    error,
    escalation,
    extension,
    message,
    node,
    path,
    process,
    start,
    sub,
    task,
    throw,
    user,
)
from tests.unit.diagrams.gate import accepted, objections, read


def found(*inside: str, before: str = "", severity: Severity = Severity.ERROR) -> dict[str, str]:
    drawing = diagram(before, process("p", *inside))
    return {str(element): text for element, text in objections(drawing, severity)}


def time(form: str, text: str) -> str:
    inside = f'<time{form} xsi:type="tFormalExpression">{text}</time{form}>'
    return f"<timerEventDefinition>{inside}</timerEventDefinition>"


@pytest.mark.parametrize("kind", ["error", "escalation", "compensate", "cancel", "terminate"])
def test_a_process_is_not_started_by_what_comes_from_inside(kind: str) -> None:
    # given
    problems = found(start("s", about(kind)), end("e"), path("s", "e"))
    # then
    assert "is a start event of a process" in problems["s"]


def test_a_sub_process_starts_plainly() -> None:
    # given
    inner = sub("sp", start("is", time("Duration", "PT1H")), end("ie"), path("is", "ie"))
    # when
    problems = found(start("s"), inner, end("e"), path("s", "sp", "e"))
    # then
    assert "is a start event of a sub-process" in problems["is"]


def test_an_event_sub_process_needs_one_start_with_a_trigger() -> None:
    # given
    inner = node(
        "subProcess", "es", start("is"), end("ie"), path("is", "ie"), triggeredByEvent="true"
    )
    # when
    problems = found(start("s"), inner, end("e"), path("s", "e"))
    # then
    assert "does not say what it waits for" in problems["is"]


def test_an_error_always_interrupts() -> None:
    # given
    problems = found(
        start("s"),
        user("u"),
        boundary("b", "u", about("error"), cancels=False),
        end("e"),
        path("s", "u", "e"),
        path("b", "e"),
    )
    # then
    assert "its trigger “error” always does" in problems["b"]


def test_a_boundary_event_stays_with_its_activity() -> None:
    # given
    inner = sub("sp", start("is"), user("u"), end("ie"), path("is", "u", "ie"))
    # when
    problems = found(
        start("s"),
        inner,
        boundary("b", "u", time("Duration", "PT1H")),
        end("e"),
        path("s", "sp", "e"),
        path("b", "e"),
    )
    # then
    assert "stands in another sub-process" in problems["b"]


def test_only_a_transaction_is_cancelled() -> None:
    # given
    problems = found(start("s"), end("e", about("cancel")), path("s", "e"))
    # then
    assert "does not stand in one" in problems["e"]


@pytest.mark.parametrize(
    ("event", "what"),
    [
        (throw("x", about("message")), "no message"),
        (throw("x", about("signal")), "no signal"),
        (throw("x", about("escalation")), "no escalation code"),
        (catch("x", "<timerEventDefinition/>"), "no time"),
    ],
)
def test_a_trigger_that_says_too_little_is_named(event: str, what: str) -> None:
    # given
    problems = found(
        start("s"), event, end("e"), path("s", "x", "e"), severity=Severity.UNSUPPORTED
    )
    # then
    assert what in problems["x"]


def test_what_is_thrown_needs_a_code_and_what_is_caught_does_not() -> None:
    # given
    before = error("none", "") + error("some", "E1") + escalation("esc", "X1")
    problems = found(
        start("s"),
        task("t"),
        user("u"),
        boundary("any", "u", about("error")),
        end("bad", about("error", "none")),
        end("good", about("error", "some")),
        path("s", "t", "u", "good"),
        path("t", "bad"),
        path("any", "good"),
        before=before,
        severity=Severity.UNSUPPORTED,
    )
    # then
    assert problems == {"bad": "The end event “bad” has no error code"}


def test_a_message_event_with_a_handler_needs_no_message() -> None:
    # given
    job = extension('<zeebe:taskDefinition type="mail"/>')
    drawing = diagram(process("p", start("s"), end("e", job, about("message")), path("s", "e")))
    # when / then
    assert accepted(drawing)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("Duration", "PT1H30M"),
        ("Duration", "=wait"),
        ("Date", "2026-02-01T08:00:00+08:00"),
        ("Cycle", "R3/PT10M"),
    ],
)
def test_times_of_the_standard_are_accepted(form: str, text: str) -> None:
    # given
    event = catch("c", time(form, text))
    drawing = diagram(process("p", start("s"), event, end("e"), path("s", "c", "e")))
    # when / then
    assert accepted(drawing)


@pytest.mark.parametrize(
    ("form", "text"),
    [("Duration", "5 minutes"), ("Duration", "PT"), ("Date", "tomorrow"), ("Cycle", "0 0 * * *")],
)
def test_other_times_are_refused_with_an_example(form: str, text: str) -> None:
    # given
    problems = found(start("s"), catch("c", time(form, text)), end("e"), path("s", "c", "e"))
    # then
    assert f"The time “{text}” of the catch event “c” is not a " in problems["c"]


def test_a_link_needs_its_other_end_in_the_same_place() -> None:
    # given the catching end inside a sub-process
    inner = sub("sp", start("is"), end("ie"), path("is", "ie"), catch("c", about("link", "x")))
    # when
    problems = found(
        start("s"), inner, throw("t", about("link", "x")), end("e"), path("s", "sp", "t"),
        path("s", "e"),
    )  # fmt: skip
    # then
    assert "has no catching link" in problems["t"]


def test_two_catching_ends_of_one_name_are_refused() -> None:
    # given
    problems = found(
        start("s"),
        throw("t", about("link", "x")),
        catch("c1", about("link", "x")),
        catch("c2", about("link", "x")),
        end("e"),
        path("s", "t"),
        path("c1", "e"),
        path("c2", "e"),
    )
    # then
    assert "has several catching links" in problems["t"]


def test_a_message_without_a_key_is_mentioned() -> None:
    # given
    inside = (start("s"), catch("c", about("message", "m")), end("e"), path("s", "c", "e"))
    # when
    without = found(*inside, before=message("m", "Paid"), severity=Severity.INFO)
    keyed = found(*inside, before=message("m", "Paid", "order"), severity=Severity.INFO)
    # then
    assert "takes every message “Paid”" in without["c"]
    assert not keyed


def test_codes_by_expression_are_refused() -> None:
    # given
    problems = found(
        start("s"),
        end("e", about("error", "x")),
        path("s", "e"),
        before=error("x", "=code"),
        severity=Severity.UNSUPPORTED,
    )
    # then
    assert "is an expression, which is not evaluated" in problems["x"]


# ------------------------------------------------------------------ variables for what was caught


def catching(name: str, value: str, definition: str) -> set[tuple[str, Severity]]:
    said = f'<zeebe:properties><zeebe:property name="{name}" value="{value}"/></zeebe:properties>'
    drawing = diagram(
        process(
            "p", start("s"), user("u"), end("e"), boundary("b", "u", extension(said), definition),
            path("s", "u", "e"), path("b", "e"),
        )
    )  # fmt: skip
    rules = ("caught-without-effect", "zeebe-variable-name")
    return {(p.rule, p.severity) for p in read(drawing).problems if p.rule in rules}


def test_what_was_caught_may_be_kept_in_variables() -> None:
    assert catching("caught.code", "reason", "<errorEventDefinition/>") == set()
    assert catching("caught.message", "words", "<escalationEventDefinition/>") == set()


def test_a_name_that_no_variable_can_have_is_refused() -> None:
    found = catching("caught.code", "a b", "<errorEventDefinition/>")

    assert found == {("zeebe-variable-name", Severity.ERROR)}


def test_a_variable_of_an_event_that_catches_no_code_is_mentioned() -> None:
    assert catching("caught.code", "a", time("Duration", "PT1H")) == {
        ("caught-without-effect", Severity.WARNING)
    }
