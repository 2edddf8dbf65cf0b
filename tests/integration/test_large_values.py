"""Large values stand beside the state of a case: stored once, seen everywhere, erased and swept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import pytest

from engine.model import InstanceState
from engine.runtime import Engine
from engine.store import blobs
from tests.integration import drawings
from tests.integration.conftest import MakeEngine, Traced, claim, kinds

Listen = Callable[[Engine], Traced]

#: far over the limit of these tests, and of more kinds than JSON knows
LETTER = {"text": "dear ann, " * 400, "price": Decimal("1.50"), "pages": [1, 2, 3]}


@pytest.fixture
def engine(make_engine: MakeEngine) -> Engine:
    """Return an engine for which a kilobyte is large."""
    return make_engine(large_value_limit=1000, history_value_limit=1000)


def _stored(engine: Engine, root_id: str) -> tuple[int, int, int]:
    """Return bytes of the snapshot, number of large values, and bytes of work inputs of a case."""
    with engine.database.db.connect() as connection:
        snapshot = connection.exec_driver_sql(
            f"SELECT snapshot FROM instance WHERE id = '{root_id}'"
        ).scalar()
        blobs = connection.exec_driver_sql(
            f"SELECT count(*) FROM blob WHERE root_id = '{root_id}'"
        ).scalar()
        inputs = connection.exec_driver_sql(
            f"SELECT coalesce(sum(length(inputs)), 0) FROM work WHERE root_id = '{root_id}'"
        ).scalar()
    return len(snapshot or b""), int(blobs or 0), int(inputs or 0)


def test_a_large_value_is_stored_once_and_seen_everywhere(engine: Engine) -> None:
    # given a case with a large variable, which waits for a handler
    body = (
        drawings.start() + drawings.user_task("read")
        + drawings.extended(
            "scriptTask", "count",
            '<zeebe:script expression="=string length(letter.text)" resultVariable="size"/>',
        )
        + drawings.service("pack") + drawings.END
        + drawings.line("begin", "read", "count", "pack", "end")
    )  # fmt: skip
    engine.deploy({"a.bpmn": drawings.drawn(body)}, by="ann")
    case = engine.start("p", {"letter": LETTER, "short": "x"})
    (task,) = engine.tasks()

    # then pages and FEEL see it, although the snapshot is small
    assert engine.variables(case.id) == {"letter": LETTER, "short": "x"}
    assert engine.scopes(case.id)[0]["variables"]["letter"] == LETTER
    assert engine.task_view(task.id).variables["letter"] == LETTER
    engine.complete(task.id, {}, by="bob")
    assert engine.variables(case.id)["size"] == 4000
    snapshot, blobs, inputs = _stored(engine, case.id)
    assert snapshot < 600
    assert blobs == 1
    assert inputs < 300
    # and so does the handler, in a type of its own
    (item,) = claim(engine)
    assert item.inputs["letter"] == LETTER
    assert engine.settle(item, {})
    assert engine.case(case.id).state is InstanceState.COMPLETED
    assert engine.variables(case.id)["letter"] == LETTER
    assert "work.settled" in kinds(engine, case.id)


def test_another_process_reads_what_it_does_not_remember(
    engine: Engine, make_engine: MakeEngine
) -> None:
    engine.deploy({"a.bpmn": drawings.services(["pack", "ship"])}, by="ann")
    case = engine.start("p", {"letter": LETTER})
    other = make_engine(large_value_limit=1000, history_value_limit=1000)

    (item,) = claim(other)
    assert item.inputs["letter"] == LETTER
    assert other.settle(item, {"letter": {**LETTER, "pages": []}})
    (item,) = claim(engine)

    assert item.inputs["letter"]["pages"] == []
    assert engine.variables(case.id)["letter"]["pages"] == []
    assert _stored(engine, case.id)[1] == 2


def test_a_step_does_not_read_or_write_it_again(engine: Engine, traced: Listen) -> None:
    engine.deploy({"a.bpmn": drawings.two_tasks(groups="")}, by="ann")
    engine.start("p", {"letter": LETTER})
    (task,) = engine.tasks()
    sent = traced(engine)

    engine.complete(task.id, {}, by="bob")

    assert [text for text in sent.statements if " blob " in text] == []


def test_a_case_without_large_values_pays_nothing(engine: Engine, traced: Listen) -> None:
    engine.deploy({"a.bpmn": drawings.services(["pack"])}, by="ann")
    sent = traced(engine)

    engine.start("p", {"letter": "short"})
    (item,) = claim(engine)
    engine.settle(item, {})

    assert [text for text in sent.statements if " blob " in text] == []


def test_erasing_reaches_a_large_value_when_the_case_has_ended(engine: Engine) -> None:
    engine.deploy({"a.bpmn": drawings.two_tasks(groups="")}, by="ann")
    case = engine.start("p", {"letter": LETTER})
    (task,) = engine.tasks()

    # what the running case still needs stays
    engine.erase(case.id, ["letter"], by="eve")
    assert engine.variables(case.id)["letter"] == LETTER
    assert _stored(engine, case.id)[1] == 1

    # its end sweeps what nothing refers to any more
    engine.complete(task.id, {}, by="bob")
    (task,) = engine.tasks()
    engine.complete(task.id, {}, by="bob")
    assert _stored(engine, case.id)[1] == 0
    assert engine.variables(case.id)["letter"] is None


def test_erasing_after_the_end_removes_it(engine: Engine) -> None:
    engine.deploy({"a.bpmn": drawings.services(["pack"])}, by="ann")
    case = engine.start("p", {"letter": LETTER})
    (item,) = claim(engine)
    engine.settle(item, {})
    assert _stored(engine, case.id)[1] == 1

    engine.erase(case.id, ["letter"], by="eve")

    assert _stored(engine, case.id)[1] == 0


def test_a_value_of_an_inner_scope_stands_beside_too(engine: Engine) -> None:
    mapping = (
        '<zeebe:taskDefinition type="pack"/>'
        '<zeebe:ioMapping><zeebe:input source="=letter.text" target="body"/></zeebe:ioMapping>'
    )
    body = (
        drawings.start() + drawings.extended("serviceTask", "pack", mapping) + drawings.END
        + drawings.line("begin", "pack", "end")
    )  # fmt: skip
    engine.deploy({"a.bpmn": drawings.drawn(body)}, by="ann")
    case = engine.start("p", {"letter": LETTER})

    assert _stored(engine, case.id)[0] < 600
    (item,) = claim(engine)
    assert item.inputs["body"] == LETTER["text"]
    engine.settle(item, {})
    # the end sweeps what only the state referred to
    assert engine.case(case.id).state is InstanceState.COMPLETED
    assert engine.variables(case.id)["letter"] == LETTER


def test_who_looks_at_a_case_sees_one_moment_of_it(
    engine: Engine, make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a case with a large value, and a process that does not remember it
    engine.deploy({"a.bpmn": drawings.two_tasks()}, by="ann")
    case = engine.start("p", {"letter": LETTER})
    (task,) = engine.tasks()
    other = make_engine(large_value_limit=1000, history_value_limit=1000)
    read = blobs.read

    def read_late(*given: Any) -> Mapping[str, bytes]:
        """Read when the value has been removed: after the look at the snapshot."""
        with engine.database.writing() as connection:
            connection.run_text(f"DELETE FROM blob WHERE root_id = '{case.id}'")
            connection.commit()
        return read(*given)

    monkeypatch.setattr(blobs, "read", read_late)
    # when, then
    assert other.task_view(task.id).variables["letter"] == LETTER
    monkeypatch.undo()


def test_work_whose_large_input_is_gone_becomes_an_incident_and_stops_nobody(
    engine: Engine, make_engine: MakeEngine
) -> None:
    # given two cases that wait for a handler, and a database that has lost the value of the first
    engine.deploy({"a.bpmn": drawings.services(["pack"])}, by="ann")
    spoilt = engine.start("p", {"letter": LETTER})
    whole = engine.start("p", {"letter": {**LETTER, "pages": [4]}})
    with engine.database.writing() as connection:
        connection.run_text(f"DELETE FROM blob WHERE root_id = '{spoilt.id}'")
        connection.commit()
    # when a process claims that does not remember it
    other = make_engine(large_value_limit=1000, history_value_limit=1000)
    claimed = claim(other, 5)
    # then the second one is done, and the first one says what it lacks and what to do
    assert [item.root_id for item in claimed] == [whole.id]
    (incident,) = other.incidents()
    assert incident.root_id == spoilt.id
    assert "“letter”" in incident.message
    assert "from a backup" in incident.message
