"""What has been kept long enough is removed, a few at a time, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from engine.clock import VirtualClock, new_id
from engine.errors import NotFound
from engine.runtime import Engine
from engine.store.tables import metadata
from tests.integration import drawings
from tests.integration.conftest import MakeEngine, claim

DAY = 86400


@pytest.fixture
def clock(clock: VirtualClock) -> VirtualClock:
    """Return a clock that is ahead of the ids, which come from the system."""
    clock.move_to(clock.now() + timedelta(days=36500))
    return clock


def _rows(engine: Engine, root_id: str) -> dict[str, int]:
    """Return how many rows of a case each table has."""
    found = {}
    with engine.database.db.connect() as connection:
        for table in metadata.sorted_tables:
            if "root_id" in table.c:
                query = sa.select(sa.func.count()).where(table.c.root_id == root_id)
                found[table.name] = connection.execute(query.select_from(table)).scalar_one()
    return {name: count for name, count in found.items() if count}


def test_a_case_is_removed_some_days_after_its_end(
    make_engine: MakeEngine, clock: VirtualClock
) -> None:
    # given a case with tasks, a large value and an incident that ended, one that ends later, and
    # one that runs
    engine = make_engine(history_days=30, history_value_limit=64)
    engine.deploy({"a.bpmn": drawings.two_tasks(groups="")}, by="ann")
    engine.deploy({"b.bpmn": drawings.services(["pack"])}, by="ann")
    old, later, running = (engine.start("p", {"text": "x" * 100}).id for _ in range(3))
    (item,) = (item for item in claim(engine, 10) if item.root_id == old)
    engine.fail(item, "no", "", retry_at=None)
    engine.cancel(old, by="bob")
    clock.advance(20 * DAY)
    engine.cancel(later, by="bob")

    # when its time is over
    clock.advance(11 * DAY)
    assert engine.reap() == 1

    # then nothing of it is left, and the others are whole
    with pytest.raises(NotFound):
        engine.case(old)
    assert _rows(engine, old) == {}
    assert engine.history(later)
    assert engine.history(running)
    assert engine.reap() == 0
    clock.advance(20 * DAY)
    assert engine.reap() == 1
    assert _rows(engine, later) == {}
    assert engine.case(running).id == running


def test_cases_are_kept_unless_a_setting_says_otherwise(
    make_engine: MakeEngine, clock: VirtualClock
) -> None:
    engine = make_engine()
    engine.deploy({"a.bpmn": drawings.scripts(1)}, by="ann")
    case = engine.start("p", {"a": 1})

    clock.advance(10_000 * DAY)

    assert engine.reap() == 0
    assert engine.history(case.id)


def test_no_more_than_a_hundred_cases_go_at_once(
    make_engine: MakeEngine, clock: VirtualClock
) -> None:
    engine = make_engine(history_days=1)
    engine.deploy({"a.bpmn": drawings.scripts(1)}, by="ann")
    for _ in range(105):
        engine.start("p", {"a": 1})
    clock.advance(2 * DAY)

    assert [engine.reap(), engine.reap(), engine.reap()] == [100, 5, 0]


def test_the_id_of_a_message_is_known_for_a_while(
    make_engine: MakeEngine, clock: VirtualClock
) -> None:
    engine = make_engine(message_id_days=7)
    engine.deploy({"a.bpmn": drawings.begins_by_message("order")}, by="ann")
    sent = new_id()
    assert engine.correlate("order", message_id=sent).outcome == "started"

    clock.advance(6 * DAY)
    assert engine.reap() == 0
    assert engine.correlate("order", message_id=sent).outcome == "duplicate"

    clock.advance(2 * DAY)
    assert engine.reap() == 1
    assert engine.correlate("order", message_id=sent).outcome == "started"
