"""Row 3: ten service tasks as separate durable work items, by one worker that does nothing else."""

from __future__ import annotations

from engine import worker
from tests.bench import drawings, straight
from tests.bench.figure import Figure, milliseconds
from tests.bench.house import House, house
from tests.bench.rounds import Bench, timed

#: results that are settled in one transaction
BATCH = 16


def measure(bench: Bench) -> list[Figure]:
    """Return the cost of both ways of settling, in units of row 1 of the same rounds."""
    with house() as made:
        made.deploy(drawings.services(), drawings.scripts())
        line_1, single, batched = bench.in_turns(
            timed(lambda n: straight.play(made, n)),
            timed(lambda n: play(made, n, 1)),
            timed(lambda n: play(made, n, BATCH)),
        )
    return [
        _figure("one by one", single, line_1, "<= 15"),
        _figure(f"{BATCH} in a batch", batched, line_1, "<= 6"),
    ]


def _figure(how: str, cost: float, line_1: float, goal: str) -> Figure:
    return Figure(
        name=f"3 ten service tasks, settled {how} / row 1",
        value=cost / line_1,
        unit="x",
        goal=goal,
        detail=f"{milliseconds(cost)} / {milliseconds(line_1)} CPU per instance",
    )


def play(made: House, count: int, batch: int) -> None:
    """Start so many cases and do all their work."""
    made.start("services", count)
    ran = worker.drain(made.engine, registry=made.registry, batch=batch)
    assert ran == count * drawings.TASKS, ran


def profile(made: House, bench: Bench) -> None:
    """Do what is measured, for a profile: in batches."""
    made.deploy(drawings.services())
    play(made, bench.count, BATCH)
