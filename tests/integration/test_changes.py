"""Running cases change: they go to another version, and are repaired, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from engine.clock import VirtualClock
from engine.errors import BadInput, ChangeRefused, Conflict, NotFound
from engine.model import Begin, InstanceState
from engine.runtime import Engine
from engine.store import instances
from tests.drawing import (
    about,
    boundary,
    call,
    catch,
    diagram,
    end,
    extension,
    message,
    node,
    path,
    process,
    service,
    start,
    timer,
    user,
)
from tests.integration.conftest import MakeEngine, Traced, claim, kinds, run_internal

HOUR = timer("Duration", '=duration("PT1H")')


def line(*elements: str, ids: str = "", more: str = "", roots: str = "") -> bytes:
    """Draw the process p: start, some elements, end."""
    names = ids.split() or [part.split('id="')[1].split('"')[0] for part in elements]
    inside = (start("s"), *elements, end("e"), path("s", *names, "e"), more)
    return diagram(roots, process("p", *inside))


def deploy(engine: Engine, drawing: bytes) -> int:
    """Deploy a version of p; return its number."""
    return engine.deploy({"p.bpmn": drawing}, by="ann").definitions[0].version


def test_an_open_task_goes_on_with_its_person_in_the_version_that_is_active(
    engine: Engine,
) -> None:
    # given
    deploy(engine, line(user("a")))
    case = engine.start("p", {"n": 1})
    (task,) = engine.tasks()
    engine.claim(task.id, by="bob")
    deploy(engine, line(user("a"), user("b")))
    # when
    moved = engine.migrate_case(case.id, by="ann", why="a second look")
    # then
    assert (moved.version, moved.revision) == (2, case.revision + 2)
    assert moved == engine.case(case.id)
    assert engine.task(task.id).assignee == "bob"
    engine.complete(task.id, {}, by="bob")
    assert [one.element_id for one in engine.tasks()] == ["b"]
    row = next(row for row in engine.history(case.id) if row.kind == "instance.migrated")
    assert (row.actor, row.value) == (
        "ann", {"from": 1, "to": 2, "why": "a second look", "mapping": {}},
    )  # fmt: skip
    (act,) = engine.acts_on([case.id])
    assert (act.verb, act.by, act.why) == ("migrate", "ann", "a second look")
    kinds(engine, case.id)


def test_the_task_has_the_name_and_the_form_of_the_new_version(engine: Engine) -> None:
    # given
    def drawn(name: str, form: str) -> bytes:
        key = extension(f'<zeebe:formDefinition formKey="{form}"/>')
        return line(node("userTask", "a", key, name=name))

    deploy(engine, drawn("Look", "old"))
    case = engine.start("p")
    deploy(engine, drawn("Look well", "new"))
    # when
    engine.migrate_case(case.id, by="ann")
    # then
    (task,) = engine.tasks()
    assert (task.name, task.form_key) == ("Look well", "new")


def test_rows_of_all_kinds_follow_the_mapping(engine: Engine, clock: VirtualClock) -> None:
    # given
    def drawn(mark: str) -> bytes:
        parts = [user(f"u{mark}"), service(f"w{mark}", "job"), catch(f"t{mark}", HOUR),
                 catch(f"c{mark}", about("message", "m"))]  # fmt: skip
        ways = [path(f"g{mark}", f"{name}{mark}", "e") for name in "uwtc"]
        inside = (start("s"), node("parallelGateway", f"g{mark}"), *parts, end("e"),
                  path("s", f"g{mark}"), *ways)  # fmt: skip
        return diagram(message("m", "answer", "key"), process("p", *inside))

    deploy(engine, drawn("1"))
    case = engine.start("p", {"key": "k"})
    deploy(engine, drawn("2"))
    due = {w.element_id: w.at for w in engine.case_view(case.id).waits}["t1"]
    # when
    mapping = {f"{name}1": f"{name}2" for name in "uwtc"}
    engine.migrate_case(case.id, 2, mapping, by="ann")
    # then
    waits = {w.element_id: w.at for w in engine.case_view(case.id).waits}
    assert set(waits) == {"w2", "t2", "c2"}
    assert waits["t2"] == due
    (task,) = engine.tasks()
    assert task.element_id == "u2"
    engine.complete(task.id, {}, by="bob")
    (item,) = claim(engine, kinds=("service",))
    assert item.key == f"{case.id}/w2/{item.token}"
    assert engine.settle(item, {})
    assert engine.correlate("answer", key="k").outcome == "delivered"
    clock.advance(3600)
    run_internal(engine)
    assert engine.case(case.id).state is InstanceState.COMPLETED


def test_the_result_of_work_that_is_leased_during_the_move_is_taken(engine: Engine) -> None:
    # given
    deploy(engine, line(service("a", "job")))
    case = engine.start("p")
    (item,) = claim(engine)
    deploy(engine, line(service("a", "other"), user("b")))
    # when
    engine.migrate_case(case.id, by="ann")
    # then
    assert engine.settle(item, {"x": 1}) is True
    assert [one.element_id for one in engine.tasks()] == ["b"]
    assert kinds(engine, case.id).count("work.settled") == 1


def test_work_that_was_begun_keeps_its_id_since_callees_know_it_by_that(engine: Engine) -> None:
    # given
    deploy(engine, line(service("a", "job")))
    case = engine.start("p")
    (item,) = claim(engine)
    deploy(engine, line(service("z", "job")))
    # when
    plan = engine.plan_migration(case.id, mapping={"a": "z"})
    with pytest.raises(ChangeRefused) as refused:
        engine.migrate_case(case.id, mapping={"a": "z"}, by="ann")
    # then
    assert [(p.element, p.rule) for p in plan.problems] == [("a", "migration-work-begun")]
    assert refused.value.problems == plan.problems
    assert engine.case(case.id) == case
    assert engine.settle(item, {}) is True


@pytest.mark.parametrize("how", ["tried again by hand", "given back by a worker that stops"])
def test_work_keeps_its_id_also_when_its_attempts_count_from_nothing_again(
    engine: Engine, how: str
) -> None:
    """What the handler has done for the old key, it would do once more for a new one."""
    # given
    deploy(engine, line(service("a", "job")))
    case = engine.start("p")
    (item,) = claim(engine)
    if how == "tried again by hand":
        engine.fail(item, "no", "", retry_at=None)
        (incident,) = engine.incidents()
        engine.retry(incident.id, by="ann")
    else:
        engine.release([item])
    deploy(engine, line(service("z", "job")))
    # when
    with pytest.raises(ChangeRefused) as refused:
        engine.migrate_case(case.id, mapping={"a": "z"}, by="ann")
    # then
    assert [(p.element, p.rule) for p in refused.value.problems] == [("a", "migration-work-begun")]
    (again,) = claim(engine)
    assert again.key == item.key


@pytest.mark.parametrize("after", ["a\0b", "x" * 2000, 7])
def test_a_page_of_cases_begins_behind_an_id_only(engine: Engine, after: Any) -> None:
    deploy(engine, line(user("a")))
    deploy(engine, line(user("b")))
    for act in (engine.plan_migrations, partial(engine.migrate_cases, by="ann")):
        with pytest.raises(BadInput, match="after"):
            act("p", 1, after=after)


def test_a_message_on_its_way_reaches_the_catch_in_the_new_version(engine: Engine) -> None:
    # given a message that a process has sent: it is delivered in a transaction of its own
    def drawn(name: str) -> bytes:
        return line(catch(name, about("message", "m")), roots=message("m", "answer", "key"))

    deploy(engine, drawn("c"))
    case = engine.start("p", {"key": "k"})
    sender = diagram(message("m", "answer", '"k"'), process(
        "q", start("s"), node("intermediateThrowEvent", "t", about("message", "m")), end("e"),
        path("s", "t", "e")))  # fmt: skip
    engine.deploy({"q.bpmn": sender}, by="ann")
    engine.start("q")
    deploy(engine, drawn("d"))
    # when
    engine.migrate_case(case.id, 2, {"c": "d"}, by="ann")
    run_internal(engine)
    # then
    assert engine.case(case.id).state is InstanceState.COMPLETED


def test_a_called_instance_goes_on_its_own(engine: Engine) -> None:
    # given
    def inner(*ids: str) -> bytes:
        parts = [user(id) for id in ids]
        return diagram(process("inner", start("s"), *parts, end("e"), path("s", *ids, "e")))

    engine.deploy({"inner.bpmn": inner("a")}, by="ann")
    deploy(engine, line(call("c", "inner")))
    case = engine.start("p")
    (called,) = engine.case_view(case.id).called
    engine.deploy({"inner.bpmn": inner("a", "b")}, by="ann")
    # when
    moved = engine.migrate_case(called.id, by="ann")
    # then
    assert (moved.version, engine.case(called.id).version, engine.case(case.id).version) == (
        2, 2, 1,
    )  # fmt: skip
    for _ in range(2):
        engine.complete(engine.tasks()[0].id, {}, by="bob")
    assert engine.case(case.id).state is InstanceState.COMPLETED


def test_all_running_cases_go_in_steps_and_the_report_says_which_could_not(
    engine: Engine,
) -> None:
    # given
    deploy(engine, line(user("a"), user("b")))
    cases = [engine.start("p", business_key=f"K{n}") for n in range(5)]
    engine.complete(engine.tasks(instance_id=cases[2].id)[0].id, {}, by="bob")
    engine.cancel(cases[4].id, by="ann")
    deploy(engine, line(user("a")))
    # when
    plan = engine.plan_migrations("p", 1, limit=3)
    first = engine.migrate_cases("p", 1, by="ann", why="shorter", limit=3)
    second = engine.migrate_cases("p", 1, by="ann", why="shorter", after=first.next, limit=3)
    # then
    assert (plan.moved, plan.refused, plan.dry) == (first.moved, first.refused, True)
    assert first.moved == (cases[0].id, cases[1].id)
    assert [(r.instance_id, r.business_key, r.problems[0].element) for r in first.refused] == [
        (cases[2].id, "K2", "b")
    ]
    assert (second.moved, second.next) == ((cases[3].id,), None)
    assert [engine.case(one.id).version for one in cases] == [2, 2, 1, 2, 1]


def test_what_a_case_waits_for_is_there_for_the_next_process(
    engine: Engine, make_engine: MakeEngine, clock: VirtualClock
) -> None:
    # given
    late = boundary("b", "a", HOUR) + end("late") + path("b", "late")
    deploy(engine, line(user("a")))
    case = engine.start("p")
    deploy(engine, line(user("a"), more=late))
    engine.migrate_case(case.id, by="ann")
    # when
    other = make_engine()
    clock.advance(3600)
    run_internal(other)
    # then
    assert other.case(case.id).state is InstanceState.COMPLETED
    assert not other.tasks()


def test_bad_calls_are_refused_with_the_reason(engine: Engine) -> None:
    deploy(engine, line(user("a")))
    case = engine.start("p")
    with pytest.raises(Conflict, match="runs in version 1 already"):
        engine.migrate_case(case.id, by="ann")
    with pytest.raises(NotFound, match="no version 7"):
        engine.migrate_case(case.id, 7, by="ann")
    with pytest.raises(NotFound, match="no case"):
        engine.migrate_case("nobody", by="ann")
    with pytest.raises(BadInput, match="mapping"):
        engine.migrate_case(case.id, 1, ["a"], by="ann")  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="run in version 1 already"):
        engine.migrate_cases("p", 1, by="ann")
    with pytest.raises(BadInput, match="what to cancel"):
        engine.modify(case.id, by="ann")
    with pytest.raises(BadInput, match="is a list"):
        engine.modify(case.id, cancel="a", by="ann")
    engine.cancel(case.id, by="ann")
    deploy(engine, line(user("b")))
    with pytest.raises(Conflict, match="has ended"):
        engine.migrate_case(case.id, by="ann")
    with pytest.raises(Conflict, match="has ended"):
        engine.modify(case.id, cancel=["a"], by="ann")


# ------------------------------------------------------------------ repairs


def test_a_repair_removes_the_rows_of_what_it_cancels_and_is_recorded(engine: Engine) -> None:
    # given
    late = boundary("late", "a", HOUR) + end("f") + path("late", "f")
    deploy(engine, line(service("a", "job"), user("b"), more=late))
    case = engine.start("p")
    (item,) = claim(engine)
    engine.fail(item, "no", "", retry_at=None)
    # when
    moved = engine.modify(
        case.id, cancel=["a"], start_before=["b"], by="ann", why="done by telephone"
    )
    # then
    assert moved == engine.case(case.id)
    assert [one.element_id for one in engine.tasks()] == ["b"]
    assert not engine.case_view(case.id).waits
    assert not engine.incidents(open=True)
    assert engine.settle(item, {}) is False
    row = next(row for row in engine.history(case.id) if row.kind == "instance.modified")
    assert (row.actor, row.value["why"]) == ("ann", "done by telephone")
    assert [act.verb for act in engine.acts_on([case.id])] == ["modify"]


def test_an_incident_goes_with_the_work_that_an_event_interrupts(
    engine: Engine, clock: VirtualClock
) -> None:
    # given
    deploy(engine, line(service("a", "job"), user("b"), more=boundary("t", "a", HOUR)
                        + path("t", "b")))  # fmt: skip
    engine.start("p")
    (item,) = claim(engine)
    engine.fail(item, "no", "", retry_at=None)
    # when
    clock.advance(3600)
    run_internal(engine)
    # then
    assert [one.element_id for one in engine.tasks()] == ["b"]
    assert not engine.incidents(open=True)


def test_a_repair_that_cannot_be_done_changes_nothing(engine: Engine) -> None:
    # given
    deploy(engine, line(user("a"), user("b")))
    case = engine.start("p")
    before = engine.history(case.id)
    # when
    with pytest.raises(ChangeRefused) as refused:
        engine.modify(case.id, cancel=["a"], start_before=[Begin("b", inside=9)], by="ann")
    # then
    assert [p.rule for p in refused.value.problems] == [
        "modification-wrong-scope", "modification-nothing-left",
    ]  # fmt: skip
    assert engine.case(case.id) == case
    assert engine.history(case.id) == before


def test_a_case_may_end_if_that_is_said(engine: Engine) -> None:
    deploy(engine, line(user("a")))
    case = engine.start("p")
    ended = engine.modify(case.id, cancel=["a"], ends=True, by="ann")
    assert ended.state is InstanceState.CANCELLED
    assert not engine.tasks()


# ------------------------------------------------------------------ statements


def test_a_plan_writes_nothing_and_waits_for_nobody(
    engine: Engine, make_engine: MakeEngine, traced: Callable[[Engine], Traced]
) -> None:
    # given another node holds the case
    deploy(engine, line(user("a")))
    case = engine.start("p")
    deploy(engine, line(user("b")))
    sent = traced(engine)
    # when
    with make_engine().transaction() as tx:
        instances.lock(tx.connection, case.id)
        plan = engine.plan_migration(case.id, mapping={"a": "b"})
        tx.abandon()
    # then
    assert plan.possible
    assert not [text for text in sent.statements if not text.startswith("SELECT")]
    assert sent.commits == 0


@pytest.mark.parametrize("many", [1, 40])
def test_the_statements_of_a_change_do_not_grow_with_the_case(
    engine: Engine, traced: Callable[[Engine], Traced], many: int
) -> None:
    # given
    def drawn(mark: str) -> bytes:
        loop = (f'<multiInstanceLoopCharacteristics><loopCardinality>={many}</loopCardinality>'
                "</multiInstanceLoopCharacteristics>")  # fmt: skip
        return line(user(f"a{mark}", loop), service(f"b{mark}", "job", loop))

    deploy(engine, drawn("1"))
    case = engine.start("p")
    deploy(engine, drawn("2"))
    engine.plan_migration(case.id, mapping={"a1": "a2"})
    sent = traced(engine)

    # the case, the version, the row, its tasks, open incidents, the save, history, the record
    engine.migrate_case(case.id, mapping={"a1": "a2"}, by="ann")

    assert len(sent.statements) <= 9
    assert sent.commits == 1
