"""Tasks under pressure: taking over, more time with the timers at the border, who was told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.clock import VirtualClock
from engine.errors import BadInput, Conflict
from engine.runtime import Engine
from tests.drawing import boundary, diagram, end, node, path, process, start, user

TIMER = node(
    "timerEventDefinition", "t", '<timeDuration xsi:type="tFormalExpression">PT2H</timeDuration>'
)
LATE = diagram(
    process(
        "p", start("s"), user("ask"), end("e"), path("s", "ask", "e"),
        boundary("late", "ask", TIMER), user("lead"), end("e2"), path("late", "lead", "e2"),
    )
)  # fmt: skip


@pytest.fixture
def task_id(engine: Engine) -> str:
    """Return an open task with a boundary timer of two hours."""
    engine.deploy({"p.bpmn": LATE}, by="ann")
    engine.start("p")
    return engine.tasks()[0].id


def test_task_is_taken_over_from_who_has_it(engine: Engine, task_id: str) -> None:
    engine.claim(task_id, by="bob")

    taken = engine.take_over(task_id, by="lea", why="bob is ill")

    assert taken.assignee == "lea"
    story = [(row.kind, row.actor, row.name) for row in engine.story(taken.root_id)]
    assert story[:2] == [("task.claimed", "lea", "lea"), ("task.unclaimed", "lea", "bob")]
    act = engine.acts_on([taken.root_id])[0]
    assert (act.verb, act.by, act.why) == ("take_over", "lea", "bob is ill")


def test_more_time_moves_the_timers_at_the_border(
    engine: Engine, task_id: str, clock: VirtualClock
) -> None:
    first = engine.next_due()
    assert first is not None

    engine.postpone(task_id, clock.now() + timedelta(hours=5), by="lea", why="parts are missing")

    # then the timer that would have fired after two hours fires after five
    assert engine.next_due() == first + timedelta(hours=3)
    assert engine.task(task_id).due_at == clock.now() + timedelta(hours=5)
    assert engine.acts_on([engine.task(task_id).root_id])[0].why == "parts are missing"


def test_more_time_needs_a_reason_and_a_later_moment(
    engine: Engine, task_id: str, clock: VirtualClock
) -> None:
    with pytest.raises(BadInput):
        engine.postpone(task_id, clock.now() + timedelta(hours=5), by="lea", why=" ")
    with pytest.raises(BadInput):
        engine.postpone(task_id, clock.now() + timedelta(hours=1), by="lea", why="why not")
    engine.complete(task_id, by="bob")
    with pytest.raises(Conflict):
        engine.postpone(task_id, clock.now() + timedelta(hours=9), by="lea", why="late")


def test_who_was_told_stands_in_the_story(engine: Engine, task_id: str) -> None:
    engine.notified(task_id, whom="max", by="lea", why="two hours left")

    row = engine.story(engine.task(task_id).root_id)[0]
    assert (row.kind, row.name, row.value) == ("task.notified", "max", "two hours left")


def test_pressing_tasks_are_what_is_due_and_what_is_on_the_ladder(
    engine: Engine, task_id: str, clock: VirtualClock
) -> None:
    soon = clock.now() + timedelta(hours=4)
    assert engine.pressing("another", until=soon) == []
    assert [task.id for task in engine.pressing("p", until=soon)] == [task_id]

    engine.postpone(task_id, clock.now() + timedelta(hours=3), by="lea", why="late")

    assert [task.id for task in engine.pressing("another", until=soon)] == [task_id]
