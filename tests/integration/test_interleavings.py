"""Two commands at the same time: one is stopped before each of its statements in turn.

While it stands there the other one runs to its end, or until it waits for a lock; then the first
goes on. So every order of their statements is met in which one overtakes the other once, with
either of them in either part. SQLite has one writer: there a command is overtaken only as a whole.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from engine.clock import VirtualClock
from engine.errors import ChangeRefused, Conflict
from engine.model import InstanceState, Work
from engine.runtime import Engine
from tests.drawing import (
    about,
    boundary,
    catch,
    diagram,
    end,
    extension,
    gateway,
    message,
    node,
    path,
    process,
    service,
    start,
    timer,
    user,
)
from tests.integration.conftest import MakeEngine, kinds

#: longer than any of the commands; statements before which one is stopped
_MOST = 60
#: for threads that must come to an end
_PATIENCE_S = 60.0

Act = Callable[[Engine], object]


@dataclass(frozen=True)
class Pair:
    """Two commands that were prepared on a fresh case, and what must be true after both."""

    one: Act
    other: Act
    #: gets what came of both, in this order: a value, or the Conflict
    check: Callable[[Any, Any], None]


class Stage:
    """Two nodes on one database, and a look at who waits for whom."""

    def __init__(self, nodes: tuple[Engine, Engine], url: str) -> None:
        self.nodes = nodes
        self._postgres = url.startswith("postgresql")
        self._watch = sa.create_engine(url) if self._postgres else None

    def play(self, prepare: Callable[[Engine], Pair]) -> int:
        """Let either command overtake the other everywhere; return how many orders there were."""
        orders = 0
        for swapped in (False, True):
            for stop in range(_MOST if self._postgres else 1):
                pair = prepare(self.nodes[0])
                acts = (pair.other, pair.one) if swapped else (pair.one, pair.other)
                came, stopped = self._overtake(acts, stop)
                pair.check(*(reversed(came) if swapped else came))
                orders += 1
                if not stopped:
                    break  # the command has no statement more
        return orders

    def _overtake(self, acts: tuple[Act, Act], stop: int) -> tuple[list[Any], bool]:
        """Stop the first before its statement number `stop`; return what came of both."""
        reached, go_on = threading.Event(), threading.Event()
        sent = 0

        def trace(_: str) -> None:
            nonlocal sent
            sent += 1
            if sent == stop + 1:
                reached.set()
                assert go_on.wait(_PATIENCE_S)

        came: list[Any] = [None, None]
        threads = [
            threading.Thread(target=_note, args=(came, at, acts[at], self.nodes[at]), daemon=True)
            for at in (0, 1)
        ]
        # a command of SQLite holds the one lock at its first statement: it is overtaken before
        overtaken = self._postgres
        self.nodes[0].database.trace = trace if overtaken else None
        threads[0].start()
        while overtaken and threads[0].is_alive() and not reached.wait(0.001):
            pass
        if not overtaken:
            threads[0].join(_PATIENCE_S)
        threads[1].start()
        while threads[1].is_alive() and not self._is_waiting():
            threads[1].join(0.002)
        go_on.set()
        for thread in threads:
            thread.join(_PATIENCE_S)
            assert not thread.is_alive(), "two commands wait for each other"
        self.nodes[0].database.trace = None
        return came, reached.is_set()

    def _is_waiting(self) -> bool:
        if self._watch is None:
            return False
        query = (
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        with self._watch.connect() as connection:
            return bool(connection.scalar(sa.text(query)))

    def close(self) -> None:
        """Close the connection that watches."""
        if self._watch is not None:
            self._watch.dispose()


def _note(came: list[Any], at: int, act: Act, node: Engine) -> None:
    try:
        came[at] = act(node)
    except Conflict as refused:
        came[at] = refused


@pytest.fixture
def stage(make_engine: MakeEngine, database_url: str) -> Iterator[Stage]:
    """Return two nodes whose commands meet."""
    made = Stage((make_engine(), make_engine()), database_url)
    yield made
    made.close()


def _claimed(engine: Engine, root_id: str, count: int = 1) -> list[Work]:
    """Claim all that is due and return that of one case."""
    items = engine.claim_work(owner="w", limit=50, lease_s=3600)
    mine = [item for item in items if item.root_id == root_id]
    assert len(mine) == count
    return mine


def _refusals(*came: object) -> int:
    return sum(isinstance(each, Conflict) for each in came)


def _one_path(engine: Engine, case_id: str, *ways: str) -> str:
    """Return which of the ways a case has taken: exactly one."""
    left = {str(row.element_id) for row in engine.history(case_id)
            if row.kind == "element.completed"}  # fmt: skip
    (taken,) = left & set(ways)
    kinds(engine, case_id)
    return taken


def test_of_two_who_complete_a_task_one_does(stage: Stage) -> None:
    drawing = diagram(process("p", start("s"), user("u"), end("e"), path("s", "u", "e")))
    engine = stage.nodes[0]
    engine.deploy({"p.bpmn": drawing}, by="ann")

    def prepare(engine: Engine) -> Pair:
        case = engine.start("p")
        (task,) = engine.tasks(instance_id=case.id)

        def check(one: Any, other: Any) -> None:
            assert _refusals(one, other) == 1
            assert kinds(engine, case.id).count("task.completed") == 1
            assert engine.case(case.id).state == InstanceState.COMPLETED

        return Pair(
            lambda node: node.complete(task.id, {}, by="ann"),
            lambda node: node.complete(task.id, {}, by="bo"),
            check,
        )

    assert stage.play(prepare) >= 2


def test_a_task_is_completed_or_its_time_is_over(stage: Stage, clock: VirtualClock) -> None:
    drawing = diagram(
        process(
            "p", start("s"), user("u"), end("done"), path("s", "u", "done"),
            boundary("b", "u", timer("Duration", '=duration("PT1H")')), end("late"),
            path("b", "late"),
        )
    )  # fmt: skip
    stage.nodes[0].deploy({"p.bpmn": drawing}, by="ann")

    def prepare(engine: Engine) -> Pair:
        case = engine.start("p")
        (task,) = engine.tasks(instance_id=case.id)
        clock.advance(3601)
        (due,) = _claimed(engine, case.id)

        def check(completed: Any, fired: Any) -> None:
            by_hand = not isinstance(completed, Conflict)
            assert bool(fired) is not by_hand
            assert _one_path(engine, case.id, "done", "late") == ("done" if by_hand else "late")
            assert engine.case(case.id).state == InstanceState.COMPLETED

        return Pair(
            lambda node: node.complete(task.id, {}, by="ann"), lambda node: node.run(due), check
        )

    assert stage.play(prepare) >= 2


def test_a_message_or_the_time_out_goes_on_at_an_event_gateway(
    stage: Stage, clock: VirtualClock
) -> None:
    drawing = diagram(
        message("m", "answer", "key"),
        process(
            "p", start("s"), gateway("eventBased", "which"),
            catch("by_message", about("message", "m")),
            catch("by_time", timer("Duration", '=duration("PT1H")')), end("e"), end("late"),
            path("s", "which", "by_message", "e"), path("which", "by_time", "late"),
        ),
    )  # fmt: skip
    stage.nodes[0].deploy({"p.bpmn": drawing}, by="ann")
    keys = iter(range(1000))

    def prepare(engine: Engine) -> Pair:
        key = str(next(keys))
        case = engine.start("p", {"key": key})
        clock.advance(3601)
        (due,) = _claimed(engine, case.id)

        def check(sent: Any, fired: Any) -> None:
            way = _one_path(engine, case.id, "by_message", "by_time")
            assert (sent.outcome, bool(fired), way) in (
                ("delivered", False, "by_message"),
                ("buffered", True, "by_time"),
            )

        return Pair(
            lambda node: node.correlate("answer", key=key), lambda node: node.run(due), check
        )

    assert stage.play(prepare) >= 2


def test_a_join_is_passed_once_whoever_comes_last(stage: Stage) -> None:
    drawing = diagram(
        process(
            "p", start("s"), gateway("parallel", "open"), service("a", "x"), service("b", "x"),
            gateway("parallel", "close"), end("e"), path("s", "open", "a", "close", "e"),
            path("open", "b", "close"),
        )
    )  # fmt: skip
    stage.nodes[0].deploy({"p.bpmn": drawing}, by="ann")

    def prepare(engine: Engine) -> Pair:
        case = engine.start("p")
        a, b = _claimed(engine, case.id, 2)

        def check(one: Any, other: Any) -> None:
            assert (one, other) == (True, True)
            left = [r.element_id for r in engine.history(case.id) if r.kind == "element.completed"]
            assert left.count("e") == 1
            assert engine.case(case.id).state == InstanceState.COMPLETED

        return Pair(
            lambda node: node.settle(a, {}), lambda node: node.settle_many([(b, {})])[0], check
        )

    assert stage.play(prepare) >= 2


@pytest.mark.parametrize("same", [True, False], ids=["same", "different"])
def test_two_deployments_get_one_number_each(stage: Stage, same: bool) -> None:
    numbers = iter(range(1000))

    def prepare(engine: Engine) -> Pair:
        name = f"p{next(numbers)}"
        files = [
            {"p.bpmn": diagram(process(name, start("s"), end(e), path("s", e)))}
            for e in ("e", "e" if same else "f")
        ]

        def check(one: Any, other: Any) -> None:
            found = [each for each in engine.definitions() if each.process_id == name]
            assert sorted(each.version for each in found) == ([1] if same else [1, 2])
            assert sum(each.active for each in found) == 1
            assert (one.id == other.id) is same
            assert sorted([one.created, other.created]) == [not same, True]

        return Pair(
            lambda node: node.deploy(files[0], by="ann"),
            lambda node: node.deploy(files[1], by="bo"),
            check,
        )

    assert stage.play(prepare) >= 2


def test_what_is_cancelled_stays_cancelled(stage: Stage) -> None:
    drawing = diagram(
        process("p", start("s"), service("a", "x"), service("b", "x"), end("e"),
                path("s", "a", "b", "e"))
    )  # fmt: skip
    stage.nodes[0].deploy({"p.bpmn": drawing}, by="ann")

    def prepare(engine: Engine) -> Pair:
        case = engine.start("p")
        (item,) = _claimed(engine, case.id)

        def check(cancelled: Any, settled: Any) -> None:
            assert cancelled.state == InstanceState.CANCELLED
            assert engine.case(case.id).state == InstanceState.CANCELLED
            told = kinds(engine, case.id)
            assert told.count("work.settled") == bool(settled)
            assert told[-1] == "instance.cancelled"
            assert not [w for w in engine.claim_work(owner="w", limit=9, lease_s=1)]

        return Pair(
            lambda node: node.cancel(case.id, by="ann"), lambda node: node.settle(item, {}), check
        )

    assert stage.play(prepare) >= 2


def test_a_lane_goes_on_with_the_next_one_whoever_enters_meanwhile(stage: Stage) -> None:
    lane = extension(
        '<zeebe:taskDefinition type="x"/>',
        '<zeebe:properties><zeebe:property name="lane" value="=customer"/></zeebe:properties>',
    )
    drawing = diagram(
        process("p", start("s"), node("serviceTask", "a", lane), end("e"), path("s", "a", "e"))
    )
    stage.nodes[0].deploy({"p.bpmn": drawing}, by="ann")
    numbers = iter(range(1000))

    def prepare(engine: Engine) -> Pair:
        customer = {"customer": f"c{next(numbers)}"}
        case = engine.start("p", customer)
        (item,) = _claimed(engine, case.id)

        def check(settled: Any, begun: Any) -> None:
            assert settled is True
            (following,) = _claimed(engine, begun.id)
            assert engine.settle(following, {})

        return Pair(
            lambda node: node.settle(item, {}), lambda node: node.start("p", customer), check
        )

    assert stage.play(prepare) >= 2


def test_a_row_is_claimed_by_one_worker(stage: Stage) -> None:
    drawing = diagram(process("p", start("s"), service("a", "x"), end("e"), path("s", "a", "e")))
    stage.nodes[0].deploy({"p.bpmn": drawing}, by="ann")

    def prepare(engine: Engine) -> Pair:
        engine.start("p")

        def check(one: Any, other: Any) -> None:
            (item,) = list(one) + list(other)
            assert engine.settle(item, {})

        return Pair(
            lambda node: node.claim_work(owner="1", limit=5, lease_s=30),
            lambda node: node.claim_work(owner="2", limit=5, lease_s=30),
            check,
        )

    assert stage.play(prepare) >= 2


def test_a_late_result_changes_nothing_however_it_meets_the_next_claim(
    stage: Stage, clock: VirtualClock
) -> None:
    drawing = diagram(process("p", start("s"), service("a", "x"), end("e"), path("s", "a", "e")))
    stage.nodes[0].deploy({"p.bpmn": drawing}, by="ann")

    def prepare(engine: Engine) -> Pair:
        case = engine.start("p")
        (early,) = engine.claim_work(owner="1", limit=1, lease_s=5)
        clock.advance(6)

        def check(settled: Any, claimed: Any) -> None:
            # the result is taken if nobody has claimed the row again, else it is for the new owner
            if not settled:
                (late,) = claimed
                assert engine.settle(late, {})
            elif claimed:
                # a claim that was counted before the result was taken holds nothing
                assert not engine.settle(claimed[0], {})
            assert kinds(engine, case.id).count("work.settled") == 1
            assert engine.case(case.id).state == InstanceState.COMPLETED

        return Pair(
            lambda node: node.settle(early, {}),
            lambda node: node.claim_work(owner="2", limit=1, lease_s=5),
            check,
        )

    assert stage.play(prepare) >= 2


def test_an_incident_is_retried_once(stage: Stage) -> None:
    drawing = diagram(process("p", start("s"), service("a", "x"), end("e"), path("s", "a", "e")))
    stage.nodes[0].deploy({"p.bpmn": drawing}, by="ann")

    def prepare(engine: Engine) -> Pair:
        case = engine.start("p")
        (item,) = _claimed(engine, case.id)
        engine.fail(item, "no", "", retry_at=None)
        (incident,) = engine.incidents(open=True)

        def check(one: Any, other: Any) -> None:
            assert _refusals(one, other) == 1
            (again,) = _claimed(engine, case.id)
            assert again.attempt == 1
            assert engine.settle(again, {})

        return Pair(
            lambda node: node.retry(incident.id, by="ann"),
            lambda node: node.retry(incident.id, by="bo"),
            check,
        )

    assert stage.play(prepare) >= 2


# ------------------------------------------------------------------ a case goes to another version


def _versions(engine: Engine, *drawings: bytes) -> None:
    for drawing in drawings:
        engine.deploy({"p.bpmn": drawing}, by="ann")


def _is_whole(engine: Engine, case_id: str) -> list[str]:
    """Check that a case went to the second version; return the kinds of its history."""
    assert engine.case(case_id).version == 2
    told = kinds(engine, case_id)
    assert told.count("instance.migrated") == 1
    return told


def test_a_task_is_completed_in_one_version_or_the_other(stage: Stage) -> None:
    def drawn(*ids: str) -> bytes:
        parts = [user(id) for id in ids]
        return diagram(process("p", start("s"), *parts, end("e"), path("s", *ids, "e")))

    _versions(stage.nodes[0], drawn("a", "c"), drawn("a", "b", "c"))

    def prepare(engine: Engine) -> Pair:
        case = engine.start("p", version=1)
        (task,) = engine.tasks(instance_id=case.id)

        def check(moved: Any, completed: Any) -> None:
            assert _refusals(moved, completed) == 0
            assert _is_whole(engine, case.id).count("task.completed") == 1
            (now,) = engine.tasks(instance_id=case.id)
            # the version that the case was in when it was completed says what comes next
            first = [
                k for k in kinds(engine, case.id) if k in ("instance.migrated", "task.completed")
            ]
            assert now.element_id == ("b" if first[0] == "instance.migrated" else "c")

        return Pair(
            lambda node: node.migrate_case(case.id, by="ann"),
            lambda node: node.complete(task.id, {}, by="bo"),
            check,
        )

    assert stage.play(prepare) >= 2


def test_a_result_is_taken_in_one_version_or_the_other(stage: Stage) -> None:
    def drawn(*ids: str) -> bytes:
        parts = [user(id) for id in ids]
        return diagram(process("p", start("s"), service("w", "x"), *parts, end("e"),
                               path("s", "w", *ids, "e")))  # fmt: skip

    _versions(stage.nodes[0], drawn("c"), drawn("b", "c"))

    def prepare(engine: Engine) -> Pair:
        case = engine.start("p", version=1)
        (item,) = _claimed(engine, case.id)

        def check(moved: Any, settled: Any) -> None:
            assert _refusals(moved, settled) == 0
            assert settled is True
            told = _is_whole(engine, case.id)
            assert told.count("work.settled") == 1
            (now,) = engine.tasks(instance_id=case.id)
            was_first = told.index("instance.migrated") < told.index("work.settled")
            assert now.element_id == ("b" if was_first else "c")

        return Pair(
            lambda node: node.migrate_case(case.id, by="ann"),
            lambda node: node.settle(item, {"n": 1}),
            check,
        )

    assert stage.play(prepare) >= 2


def test_a_timer_fires_or_the_move_takes_it_away(stage: Stage, clock: VirtualClock) -> None:
    def drawn(*more: str) -> bytes:
        return diagram(process("p", start("s"), user("a"), user("late"), end("e"),
                               path("s", "a", "e"), path("late", "e"), *more))  # fmt: skip

    hour = boundary("b", "a", timer("Duration", '=duration("PT1H")')) + path("b", "late")
    _versions(stage.nodes[0], drawn(hour), drawn(path("a", "late")))

    def prepare(engine: Engine) -> Pair:
        case = engine.start("p", version=1)
        clock.advance(3601)
        (due,) = _claimed(engine, case.id)

        def check(moved: Any, fired: Any) -> None:
            assert not isinstance(moved, Conflict)
            _is_whole(engine, case.id)
            (now,) = engine.tasks(instance_id=case.id)
            assert now.element_id == ("late" if fired else "a")
            assert not engine.case_view(case.id).waits

        return Pair(
            lambda node: node.migrate_case(case.id, by="ann"), lambda node: node.run(due), check
        )

    assert stage.play(prepare) >= 2


def test_work_that_is_claimed_while_its_case_moves_has_one_key(stage: Stage) -> None:
    def drawn(id: str) -> bytes:
        return diagram(process("p", start("s"), service(id, "x"), end("e"), path("s", id, "e")))

    _versions(stage.nodes[0], drawn("a"), drawn("z"))

    def move(node: Engine, case_id: str) -> object:
        try:
            return node.migrate_case(case_id, mapping={"a": "z"}, by="ann")
        except ChangeRefused as refused:
            return refused

    def prepare(engine: Engine) -> Pair:
        case = engine.start("p", version=1)

        def check(moved: Any, claimed: Any) -> None:
            went = not isinstance(moved, ChangeRefused)
            # a worker that has it as `a` keeps it so: the move was refused
            assert [item.element_id for item in claimed] in ([], ["z" if went else "a"])
            assert engine.case(case.id).version == (2 if went else 1)
            (item,) = claimed or _claimed(engine, case.id)
            assert item.key == f"{case.id}/{'z' if went else 'a'}/{item.token}"
            assert engine.settle(item, {})

        return Pair(
            lambda node: move(node, case.id),
            lambda node: node.claim_work(owner="1", limit=5, lease_s=30),
            check,
        )

    assert stage.play(prepare) >= 2


def test_a_repair_and_a_completion_follow_one_another(stage: Stage) -> None:
    parts = [user(id) for id in "abc"]
    drawing = diagram(process("p", start("s"), *parts, end("e"), path("s", *"abc", "e")))
    _versions(stage.nodes[0], drawing)

    def prepare(engine: Engine) -> Pair:
        case = engine.start("p")
        (task,) = engine.tasks(instance_id=case.id)

        def repair(node: Engine) -> object:
            try:
                return node.modify(case.id, cancel=["a"], start_before=["c"], by="ann")
            except ChangeRefused as refused:
                return refused

        def check(repaired: Any, completed: Any) -> None:
            # who comes second finds the token gone, and has changed nothing
            first = isinstance(completed, Conflict)
            assert isinstance(repaired, ChangeRefused) is not first
            (now,) = engine.tasks(instance_id=case.id)
            assert now.element_id == ("c" if first else "b")
            kinds(engine, case.id)

        return Pair(repair, lambda node: node.complete(task.id, {}, by="bo"), check)

    assert stage.play(prepare) >= 2
