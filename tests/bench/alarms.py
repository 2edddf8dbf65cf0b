"""Row 9: 10,000 timers that are due at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from engine import worker
from engine.clock import VirtualClock
from tests.bench import drawings
from tests.bench.figure import Figure, cpu_s, milliseconds
from tests.bench.house import House, house
from tests.bench.rounds import Bench


def measure(bench: Bench) -> list[Figure]:
    """Return how many firings were missed or doubled."""
    count = 1000 if bench.quick else 10_000
    clock = VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))
    with house(clock) as made:
        made.deploy(drawings.alarm())
        made.start("alarm", count, span="PT1H")
        clock.advance(timedelta(hours=2).total_seconds())
        spent = cpu_s(lambda: _drain(made))
        wrong = _missed(made, count) + _doubled(made)
    return [
        Figure(
            name=f"9 {count:,} timers due at once: missed or fired twice", value=wrong,
            unit="timers", goal="= 0", detail=f"{milliseconds(spent / count)} CPU per timer",
        )
    ]  # fmt: skip


def _drain(made: House) -> None:
    worker.drain(made.engine, registry=made.registry)


def _missed(made: House, count: int) -> int:
    ((ended,),) = made.ask("SELECT count(*) FROM instance WHERE state = 'completed'")
    assert isinstance(ended, int)
    return count - ended


def _doubled(made: House) -> int:
    ((fired, cases),) = made.ask(
        "SELECT count(*), count(DISTINCT root_id) FROM history WHERE kind = 'timer.fired'"
    )
    assert isinstance(fired, int)
    assert isinstance(cases, int)
    return fired - cases


def profile(made: House, bench: Bench) -> None:
    """Do what is measured, for a profile."""
    made.deploy(drawings.alarm())
    made.start("alarm", bench.count, span="PT0S")
    _drain(made)
