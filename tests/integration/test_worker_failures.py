"""Handlers that fail, on the real engine: retries, then one incident, while neighbours go on."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.clock import VirtualClock
from engine.dispatch.local import LocalDispatcher
from engine.errors import BpmnError, Retry
from engine.model import InstanceState
from engine.registry import HandlerContext, Registry, handler
from engine.runtime import Engine
from engine.settings import Settings
from engine.worker import drain
from tests.drawing import (
    about,
    boundary,
    catch,
    diagram,
    end,
    error,
    path,
    process,
    service,
    start,
    timer,
)

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PATIENCE_S = 60.0
DRAWING = diagram(
    process("fine", start("s"), service("work", "fine"), end("e"), path("s", "work", "e")),
    process("bad", start("s2"), service("work2", "bad"), end("e2"), path("s2", "work2", "e2")),
    process(
        "later",
        start("s3"),
        catch("wait", timer("Duration", '=duration("PT1H")')),
        service("work3", "fine"),
        end("e3"),
        path("s3", "wait", "work3", "e3"),
    ),
)

Body = Callable[[HandlerContext], Any]


class House:
    """An engine with two handlers: `fine` notes its keys, `bad` does what the test says."""

    def __init__(self, tmp_path: Path, url: str, **settings: Any) -> None:
        self.settings = Settings(data_dir=tmp_path, retries=2, backoff_base_s=10, **settings)
        self.clock = VirtualClock(NOON)
        self.keys: list[str] = []
        #: set when `fine` was called so often
        self.awaited = 0
        self.reached = threading.Event()
        self.bad: Body = lambda context: None
        self.registry = Registry.of(*self._handlers(), settings=self.settings)
        self.url = url
        self.engine = self.open(self.clock)
        self.engine.migrate()
        self.engine.deploy({"house.bpmn": DRAWING}, by="test")

    def open(self, clock: VirtualClock | None = None) -> Engine:
        """Return an engine on the same database."""
        return Engine(self.settings, clock=clock, registry=self.registry, url=self.url)

    def drain(self, for_: timedelta = DAY) -> int:
        return drain(self.engine, self.clock.now() + for_, registry=self.registry)

    def states(self) -> Counter[InstanceState]:
        return Counter(case.state for case in self.engine.cases(limit=1000))

    def _handlers(self) -> list[Callable[..., Any]]:
        lock = threading.Lock()

        @handler("fine")
        def fine(context: HandlerContext) -> None:
            with lock:
                self.keys.append(context.key)
                if len(self.keys) == self.awaited:
                    self.reached.set()

        @handler("bad")
        def bad(context: HandlerContext) -> Any:
            return self.bad(context)

        return [fine, bad]


@pytest.fixture
def house(tmp_path: Path, database_url: str) -> Iterator[House]:
    house = House(tmp_path, database_url)
    yield house
    house.engine.close()


def raise_value_error(context: HandlerContext) -> None:
    raise ValueError("no such customer")


def ask_for_another_try(context: HandlerContext) -> None:
    raise Retry(30, "busy")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (raise_value_error, "ValueError: no such customer"),
        (ask_for_another_try, "busy"),
        (lambda context: 7, "returned int, not a dict"),
        (lambda context: {"a": object()}, "output.a: a value of type object"),
    ],
)
def test_failing_handler_ends_in_one_incident_and_neighbours_go_on(
    house: House, body: Body, said: str
) -> None:
    # given a case whose handler fails, between two others
    house.bad = body
    house.engine.start("fine")
    case = house.engine.start("bad")
    house.engine.start("fine")

    # when all is drained for a day
    ran = house.drain()

    # then the two are over, the one was tried three times and left one incident
    assert house.states() == {InstanceState.COMPLETED: 2, InstanceState.RUNNING: 1}
    assert ran == 2 + 3
    [incident] = house.engine.incidents()
    assert said in incident.message
    assert (incident.instance_id, incident.element_id) == (case.id, "work2")
    assert house.drain() == 0


def test_output_over_the_limit_is_an_incident_without_another_attempt(house: House) -> None:
    house.bad = lambda context: {"a": "x" * 10_000_000}
    house.engine.start("bad")

    assert house.drain() == 1

    [incident] = house.engine.incidents()
    assert "returned 10000008 bytes of JSON, result_limit allows 262144" in incident.message


def test_incident_that_is_retried_gets_all_its_attempts_again(house: House) -> None:
    # given an incident whose cause has been mended
    attempts: list[int] = []
    house.bad = raise_value_error
    case = house.engine.start("bad")
    house.drain()
    [incident] = house.engine.incidents()

    # when somebody tries again
    house.bad = lambda context: attempts.append(context.attempt)
    house.engine.retry(incident.id, by="ann")
    house.drain()

    # then the case is over, and its first attempt counted as the first
    assert house.engine.case(case.id).state is InstanceState.COMPLETED
    assert house.engine.incidents() == []
    assert attempts == [1]


def test_key_is_the_same_in_every_attempt(house: House) -> None:
    keys: list[str] = []

    def fail(context: HandlerContext) -> None:
        keys.append(context.key)
        raise ValueError

    house.bad = fail
    house.engine.start("bad")
    house.drain()

    assert len(keys) == 3
    assert len(set(keys)) == 1


def test_result_goes_into_the_case(house: House) -> None:
    house.bad = lambda context: {"price": Decimal("0.10"), "名称": "热水器"}
    case = house.engine.start("bad")

    house.drain()

    rows = house.engine.history(case.id)
    assert {row.name: row.value for row in rows if row.kind.startswith("variable")} == {
        "price": Decimal("0.10"),
        "名称": "热水器",
    }


def test_drawn_error_leaves_by_its_boundary_event(house: House) -> None:
    drawing = diagram(
        error("sold_out", "E1"),
        process(
            "order",
            start("s"),
            service("work", "bad"),
            end("e"),
            boundary("caught", "work", about("error", "sold_out")),
            end("other"),
            path("s", "work", "e"),
            path("caught", "other"),
        ),
    )
    house.engine.deploy({"order.bpmn": drawing}, by="test")

    def raise_drawn(context: HandlerContext) -> None:
        raise BpmnError("E1", "sold out", {"left": 0})

    house.bad = raise_drawn
    case = house.engine.start("order")

    assert house.drain() == 1
    ended = {
        row.element_id for row in house.engine.history(case.id) if row.kind == "element.completed"
    }
    assert "other" in ended
    assert "e" not in ended


def test_result_of_a_cancelled_case_is_dropped(house: House) -> None:
    def cancel(context: HandlerContext) -> None:
        house.engine.cancel(context.instance_id, by="ann")

    house.bad = cancel
    case = house.engine.start("bad")

    house.drain()

    assert house.engine.case(case.id).state is InstanceState.CANCELLED
    assert house.engine.incidents() == []


def test_item_whose_process_died_each_time_becomes_one_incident(house: House) -> None:
    # given an item that workers claim and never come back with
    house.engine.start("bad")
    for _ in range(3):
        [_] = house.engine.claim_work(owner="dies", limit=16, lease_s=30)
        house.clock.advance(31)

    # when another worker comes
    ran = house.drain()

    # then its handler is not called a fourth time
    [incident] = house.engine.incidents()
    assert "process ended" in incident.message
    assert ran <= 1


# ------------------------------------------------------------------ many timers


def fire_all(house: House, number: int) -> None:
    """Start cases that wait an hour, drain that hour, and check that none was missed or doubled."""
    cases = [house.engine.start("later") for _ in range(number)]
    assert house.drain(timedelta(minutes=59)) == 0

    ran = house.drain(timedelta(minutes=1))

    # a timer and a handler for each
    assert ran == 2 * number
    assert len(house.keys) == len(set(house.keys)) == number
    assert {key.split("/")[0] for key in house.keys} == {case.id for case in cases}
    assert house.engine.next_due() is None


def test_timers_due_at_once_fire_once_each(house: House) -> None:
    fire_all(house, 100)


@pytest.mark.slow
def test_ten_thousand_timers_due_at_once_fire_once_each(tmp_path: Path, sqlite_url: str) -> None:
    house = House(tmp_path, sqlite_url, max_due_age_s=86400.0)

    fire_all(house, 10_000)


def test_two_dispatchers_lose_and_double_nothing(tmp_path: Path, sqlite_url: str) -> None:
    # given due cases, and two dispatchers on the same database
    house = House(tmp_path, sqlite_url)
    number = 100
    for _ in range(number):
        house.engine.start("later")
    house.clock.advance(3600)
    house.awaited = number
    engines = [house.open(house.clock) for _ in range(2)]
    dispatchers = [LocalDispatcher(engine, house.registry) for engine in engines]
    for engine, dispatcher in zip(engines, dispatchers, strict=True):
        engine.announce = dispatcher.announce

    # when both run
    for dispatcher in dispatchers:
        dispatcher.start()
    over = house.reached.wait(PATIENCE_S)
    stopped = [dispatcher.stop(PATIENCE_S) for dispatcher in dispatchers]

    # then every case has ended, each handler was called once, and both stopped cleanly
    assert over
    assert stopped == [True, True]
    house.drain()
    assert len(house.keys) == len(set(house.keys)) == number
    assert house.states() == {InstanceState.COMPLETED: number}
    for engine in [*engines, house.engine]:
        engine.close()
