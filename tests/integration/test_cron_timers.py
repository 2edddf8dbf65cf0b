"""Cycles that are written as cron: cases begin by them, and tasks are watched by them."""

from __future__ import annotations

from datetime import UTC, datetime
from xml.sax.saxutils import escape

import pytest

from engine.clock import VirtualClock
from engine.errors import DeploymentRefused
from engine.runtime import Engine
from tests.drawing import boundary, diagram, end, path, process, start, task, user
from tests.integration.conftest import run_internal

#: a Thursday
BEGIN = datetime(2026, 3, 5, 6, 0, tzinfo=UTC)


def at(clock: VirtualClock, engine: Engine, day: int, hour: int) -> None:
    """Let it be an hour of March 2026, and do what is due."""
    clock.move_to(datetime(2026, 3, day, hour, tzinfo=UTC))
    run_internal(engine)


def cycle(text: str) -> str:
    """Return a timer definition whose cycle is marked as formal."""
    inside = f'<timeCycle xsi:type="tFormalExpression">{escape(text)}</timeCycle>'
    return f"<timerEventDefinition>{inside}</timerEventDefinition>"


def started(text: str) -> bytes:
    begin = start("s", cycle(text))
    return diagram(process("p", begin, user("u"), end("e"), path("s", "u", "e")))


def test_cases_begin_at_the_hours_of_working_days(engine: Engine, clock: VirtualClock) -> None:
    # given
    clock.move_to(BEGIN)
    engine.deploy({"p.bpmn": started("0 0 9,17 * * MON-FRI")}, by="ann")
    # when
    moments = []
    for _ in range(4):
        due = engine.next_due()
        assert due is not None
        moments.append((due.day, due.hour))
        at(clock, engine, due.day, due.hour)
    # then: Thursday and Friday, and nothing at the week-end
    assert moments == [(5, 9), (5, 17), (6, 9), (6, 17)]
    assert engine.next_due() == datetime(2026, 3, 9, 9, tzinfo=UTC)
    assert len(engine.cases(limit=10)) == 4


def test_a_service_that_was_down_begins_one_case_and_then_the_next_in_its_time(
    engine: Engine, clock: VirtualClock
) -> None:
    # given
    clock.move_to(BEGIN)
    engine.deploy({"p.bpmn": started("0 0 9 * * *")}, by="ann")
    # when
    at(clock, engine, 12, 12)
    # then
    assert len(engine.cases(limit=10)) == 1
    assert engine.next_due() == datetime(2026, 3, 13, 9, tzinfo=UTC)


@pytest.mark.parametrize("text", ["0 0 9 * * *", '="0 0 " + string(hour) + " * * *"'])
def test_a_task_is_watched_every_morning_until_it_is_done(
    engine: Engine, clock: VirtualClock, text: str
) -> None:
    # given
    watch = boundary("b", "u", cycle(text), cancels=False)
    drawn = diagram(
        process("p", start("s"), user("u"), end("e"), watch, task("remind"), end("r"),
                path("s", "u", "e"), path("b", "remind", "r"))
    )  # fmt: skip
    clock.move_to(BEGIN)
    engine.deploy({"p.bpmn": drawn}, by="ann")
    case = engine.start("p", {"hour": 9})
    # when
    for day in (5, 6, 7):
        at(clock, engine, day, 10)
    # then
    fired = [row for row in engine.history(case.id, limit=500) if row.kind == "timer.fired"]
    assert len(fired) == 3
    # when
    (todo,) = engine.tasks(limit=10)
    engine.claim(todo.id, by="bob")
    engine.complete(todo.id, {}, by="bob")
    # then
    assert engine.case(case.id).state == "completed"
    assert engine.next_due() is None


@pytest.mark.parametrize("text", ["0 0 25 * * *", "0 9 * * MON", "0 0 0 31 2 *"])
def test_a_cron_that_never_fires_is_refused_with_an_example(engine: Engine, text: str) -> None:
    with pytest.raises(DeploymentRefused) as refused:
        engine.deploy({"p.bpmn": started(text)}, by="ann")

    (problem,) = [p for p in refused.value.problems if p.stops]
    assert "a cron such as 0 0 9 * * MON-FRI" in problem.message
