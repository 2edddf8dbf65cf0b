"""One work item: kinds of failure, back-off, incidents; and the draining of all that is due."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from engine.clock import SystemClock
from engine.errors import BpmnError, Conflict, Retry, Unavailable
from engine.model import Work
from engine.registry import HandlerContext, Registry, handler
from engine.settings import Settings
from engine.worker import Done, backoff_s, conclude, conclude_many, drain, execute
from tests.unit.fake_engine import NOON, FakeEngine

SETTINGS = Settings(retries=2, backoff_base_s=10, backoff_cap_s=60, result_limit=1000)


def registry_of(body: Any, **options: Any) -> Registry:
    """Return a registry with one handler `h` that calls `body`."""

    @handler("h", **options)
    def h(context: HandlerContext) -> dict[str, Any] | None:
        result: dict[str, Any] | None = body(context)
        return result

    return Registry.of(h, settings=SETTINGS)


def raising(error: BaseException) -> Any:
    """Return a handler body that raises."""

    def body(context: HandlerContext) -> None:
        raise error

    return body


def run_once(engine: FakeEngine, registry: Registry) -> bool:
    """Claim one item and execute it, without chance in the back-off."""
    [work] = engine.claim_work(owner="me", limit=1, lease_s=30)
    return execute(engine, work, registry, jitter=lambda: 1.0)


def test_result_of_the_handler_is_settled() -> None:
    engine = FakeEngine()
    name = engine.add("h")

    assert run_once(engine, registry_of(lambda context: {"key": context.key}))

    assert engine.booked == [("settle", name, {"key": f"r/e/{name}"})]


def test_handler_is_told_its_attempt_and_headers() -> None:
    engine = FakeEngine()
    engine.add("h", headers={"to": "x"}, attempt=1)

    run_once(
        engine, registry_of(lambda c: {"n": c.attempt, "to": c.headers["to"], "t": c.now == NOON})
    )

    assert engine.details("settle") == [{"n": 2, "to": "x", "t": True}]


def test_drawn_error_goes_to_the_diagram() -> None:
    engine = FakeEngine()
    engine.add("h")

    run_once(engine, registry_of(raising(BpmnError("E1", "no stock", {"left": 0}))))

    assert engine.details("throw") == [("E1", "no stock", {"left": 0})]


def test_drawn_error_with_unfit_variables_is_a_failure() -> None:
    engine = FakeEngine()
    engine.add("h")

    run_once(engine, registry_of(raising(BpmnError("E1", "", {"x": object()}))))

    [(error, _)] = engine.details("retry")
    assert "variables of BpmnError 'E1'" in error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("wrong\nfigures"), "ValueError: wrong"),
        (SystemExit(3), "SystemExit: 3"),
        (RecursionError("deep"), "RecursionError: deep"),
        (MemoryError(), "MemoryError"),
        (Conflict("taken"), "taken"),
    ],
)
def test_any_exception_is_tried_again_later(error: BaseException, said: str) -> None:
    engine = FakeEngine()
    engine.add("h")

    run_once(engine, registry_of(raising(error)))

    [(message, retry_at)] = engine.details("retry")
    assert message.startswith(said)
    assert retry_at == NOON + timedelta(seconds=10)


def test_exception_that_cannot_be_shown_is_a_failure_like_any_other() -> None:
    class Unspeakable(Exception):
        def __str__(self) -> str:
            raise ValueError

    engine = FakeEngine()
    engine.add("h")

    run_once(engine, registry_of(raising(Unspeakable())))

    assert engine.verbs("w1") == ["retry"]


def test_failures_end_in_exactly_one_incident_with_its_trace() -> None:
    # given a handler that always raises, and two retries
    engine = FakeEngine()
    name = engine.add("h")

    # when all is drained for a day
    ran = drain(engine, NOON + timedelta(days=1), registry=registry_of(raising(ValueError("no"))))

    # then there were three attempts, the waits doubled, and one incident is left
    assert ran == 3
    assert engine.verbs(name) == ["retry", "retry", "incident"]
    assert [at for _, at in engine.details("retry")] == [
        NOON + timedelta(seconds=10),
        NOON + timedelta(seconds=30),
    ]
    [(error, trace)] = engine.details("incident")
    assert error == "ValueError: no"
    assert "in raising" in trace or "in body" in trace


@pytest.mark.parametrize(
    ("drawn", "marked", "attempts"), [(None, None, 3), (None, 1, 2), (0, 1, 1), (4, 1, 5)]
)
def test_diagram_overrides_handler_overrides_settings(
    drawn: int | None, marked: int | None, attempts: int
) -> None:
    engine = FakeEngine()
    engine.add("h", retries=drawn)

    registry = registry_of(raising(ValueError()), retries=marked)

    assert drain(engine, NOON + timedelta(days=1), registry=registry) == attempts


@pytest.mark.parametrize(
    ("after_s", "waited_s"),
    [(90, 90), (0, 10), (-1, 10), (float("nan"), 10), ("soon", 10), (float("inf"), 366 * 86400)],
)
def test_retry_comes_when_the_handler_says(after_s: Any, waited_s: float) -> None:
    engine = FakeEngine()
    engine.add("h")

    run_once(engine, registry_of(raising(Retry(after_s, "busy"))))

    assert engine.details("retry") == [("busy", NOON + timedelta(seconds=waited_s))]


def test_retry_counts_as_an_attempt() -> None:
    engine = FakeEngine()
    name = engine.add("h")

    drain(engine, NOON + timedelta(days=1), registry=registry_of(raising(Retry(5))))

    assert engine.verbs(name) == ["retry", "retry", "incident"]


@pytest.mark.parametrize("result", [7, "text", {"a": object()}, {"a": object(), "b": "x" * 2000}])
def test_unfit_output_is_a_failure_with_a_clear_message(result: Any) -> None:
    engine = FakeEngine()
    name = engine.add("h")

    drain(engine, NOON + timedelta(days=1), registry=registry_of(lambda context: result))

    assert engine.verbs(name) == ["retry", "retry", "incident"]
    [(error, _)] = engine.details("incident")
    assert "handler 'h'" in error


def test_output_over_the_limit_is_an_incident_at_once_that_names_both_sizes() -> None:
    engine = FakeEngine()
    name = engine.add("h")

    drain(
        engine,
        NOON + timedelta(days=1),
        registry=registry_of(lambda context: {"a": "ä" * 1000}),
    )

    # another attempt would return as much, and its effects would be doubled for nothing
    assert engine.verbs(name) == ["incident"]
    [(error, _)] = engine.details("incident")
    assert "handler 'h' returned 2008 bytes" in error
    assert "result_limit allows 1000" in error


def test_missing_handler_is_a_failure_that_names_it() -> None:
    engine = FakeEngine()
    name = engine.add("nobody")

    drain(engine, NOON + timedelta(days=1), registry=registry_of(raising(ValueError())))

    assert engine.verbs(name) == ["retry", "retry", "incident"]
    assert "no handler is named 'nobody'" in engine.details("incident")[0][0]


def test_item_whose_process_died_each_time_becomes_an_incident() -> None:
    # given an item that was claimed as often as allowed, and never came back
    engine = FakeEngine()
    name = engine.add("h", attempt=3)

    # when it is claimed once more, then its handler is not called again
    run_once(engine, registry_of(lambda context: pytest.fail("was called")))

    assert engine.verbs(name) == ["incident"]
    assert "process ended" in engine.details("incident")[0][0]


def test_stale_result_changes_nothing() -> None:
    engine = FakeEngine()
    name = engine.add("h")

    def steal(context: HandlerContext) -> None:
        engine.release([engine.rows[name].work])

    assert not run_once(engine, registry_of(steal))
    assert engine.verbs(name) == ["release", "stale"]


def test_backoff_doubles_up_to_the_cap_and_half_of_it_is_chance() -> None:
    registry = registry_of(raising(ValueError()))

    def waits(chance: float) -> list[float]:
        return [backoff_s(n, None, registry, lambda: chance) for n in (1, 2, 3, 4, 5000)]

    assert waits(1.0) == [10, 20, 40, 60, 60]
    assert waits(0.0) == [5, 10, 20, 30, 30]


def test_backoff_of_the_handler_counts() -> None:
    engine = FakeEngine()
    engine.add("h")

    run_once(engine, registry_of(raising(ValueError()), backoff_s=3))

    assert engine.details("retry")[0][1] == NOON + timedelta(seconds=3)


# ------------------------------------------------------------------ booking


def test_result_that_the_step_refuses_is_a_failed_attempt() -> None:
    engine = FakeEngine()
    name = engine.add("h")
    engine.faults["settle"] = [KeyError("bug in a step")]

    run_once(engine, registry_of(lambda context: {}))

    assert engine.verbs(name) == ["retry"]
    assert "bug in a step" in engine.details("retry")[0][0]


def test_database_that_is_away_loses_no_result() -> None:
    engine = FakeEngine()
    name = engine.add("h")
    engine.faults["settle"] = [OSError("away"), OSError("away")]
    [work] = engine.claim_work(owner="me", limit=1, lease_s=30)
    registry = registry_of(lambda context: {})

    assert conclude(engine, work, Done({"a": 1}), registry, waits_s=(0.0, 0.0))

    assert engine.booked == [("settle", name, {"a": 1})]


def test_batch_that_fails_is_booked_one_by_one() -> None:
    engine = FakeEngine()
    names = [engine.add("h") for _ in range(3)]
    works = engine.claim_work(owner="me", limit=3, lease_s=30)
    engine.faults["settle_many"] = [ValueError("one of them")]

    done = [(work, Done({})) for work in works]
    conclude_many(engine, done, registry_of(lambda context: {}))

    assert [(verb, name) for verb, name, _ in engine.booked] == [("settle", n) for n in names]


def test_results_wait_together_while_the_database_is_away() -> None:
    # given three results, and a database that comes back after two attempts
    engine = FakeEngine()
    names = [engine.add("h") for _ in range(3)]
    works = engine.claim_work(owner="w", limit=3, lease_s=30)
    engine.faults["settle_many"] = [Unavailable("away"), Unavailable("away")]
    done = [(work, Done({})) for work in works]

    conclude_many(engine, done, registry_of(lambda context: {}), waits_s=(0.0, 0.0))

    assert engine.batches == [3]
    assert [name for _, name, _ in engine.booked] == names


def test_results_are_not_waited_for_one_by_one_while_the_database_stays_away() -> None:
    engine = FakeEngine()
    for _ in range(3):
        engine.add("h")
    works = engine.claim_work(owner="w", limit=3, lease_s=30)
    engine.faults["settle_many"] = [Unavailable("away")] * 3
    done = [(work, Done({})) for work in works]

    with pytest.raises(Unavailable):
        conclude_many(engine, done, registry_of(lambda context: {}), waits_s=(0.0, 0.0))

    assert engine.booked == []


def test_fault_in_the_engines_own_work_ends_in_an_incident() -> None:
    engine = FakeEngine()
    name = engine.add(kind="timer")

    def fail(work: Work) -> None:
        raise ZeroDivisionError

    engine.on_run = fail
    drain(engine, NOON + timedelta(days=1), registry=registry_of(raising(ValueError())))

    assert engine.verbs(name) == ["retry", "retry", "incident"]


def test_own_work_is_left_alone_while_the_database_is_away() -> None:
    # given
    engine = FakeEngine()
    name = engine.add(kind="continue")

    def away(work: Work) -> None:
        raise Unavailable("the database cannot be reached")

    engine.on_run = away

    # when / then: no failed attempt is booked, the lease just ends
    with pytest.raises(Unavailable):
        drain(engine, registry=registry_of(raising(ValueError())))
    assert engine.verbs(name) == []


# ------------------------------------------------------------------ draining


def test_drain_runs_in_the_order_of_due_times_with_the_clock_there() -> None:
    # given timers and a service task, added in no order
    engine = FakeEngine()
    for seconds in (300, 20, 100):
        engine.add(kind="timer", due_s=seconds)
    engine.add("h", due_s=50)
    seen: list[Any] = []

    def see(context: HandlerContext) -> None:
        seen.append((context.now - NOON).total_seconds())

    # when a virtual clock is drained up to a moment
    until = NOON + timedelta(seconds=200)
    ran = drain(engine, until, registry=registry_of(see))

    # then each was done at its own time, and the clock stands at the end
    assert ran == 3
    assert [at - NOON for at in engine.details("run")] == [
        timedelta(seconds=20),
        timedelta(seconds=100),
    ]
    assert seen == [50]
    assert engine.clock.now() == until


def test_drain_without_a_moment_leaves_the_clock() -> None:
    engine = FakeEngine()
    engine.add(kind="timer")
    engine.add(kind="timer", due_s=1)

    assert drain(engine, registry=registry_of(raising(ValueError()))) == 1
    assert engine.clock.now() == NOON


def test_drain_with_the_system_clock_runs_only_what_is_due() -> None:
    engine = FakeEngine(SystemClock())
    engine.add(kind="timer")
    engine.add(kind="timer", due_s=3600)
    later = engine.clock.now() + timedelta(days=1)

    assert drain(engine, later, registry=registry_of(raising(ValueError()))) == 1


def test_drain_goes_on_with_work_that_arises() -> None:
    engine = FakeEngine()
    engine.add(kind="continue")

    def go_on(work: Work) -> None:
        engine.add(kind="continue")

    engine.on_run = go_on

    assert drain(engine, registry=registry_of(raising(ValueError())), limit=50) == 50


def test_drain_books_results_in_batches() -> None:
    engine = FakeEngine()
    for _ in range(20):
        engine.add("h")

    ran = drain(engine, registry=registry_of(lambda context: {}), batch=8)

    assert ran == 20
    assert engine.batches == [8, 8, 4]


def test_drain_of_nothing_ends_at_once() -> None:
    assert drain(FakeEngine(), registry=registry_of(raising(ValueError()))) == 0
