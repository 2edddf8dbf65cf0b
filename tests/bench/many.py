"""Row 5: a parallel multi-instance of 1,000 costs per instance what one of 10 costs."""

from __future__ import annotations

from tests.bench import drawings
from tests.bench.figure import Figure, cpu_s, median, milliseconds
from tests.bench.house import WHO, House, house
from tests.bench.rounds import Bench

SMALL, LARGE = 10, 1000


def measure(bench: Bench) -> list[Figure]:
    """Return both ways: run at once, and one by one by people (for which no goal is set)."""
    with house() as made:
        made.deploy(drawings.many_scripts(), drawings.many_people())
        pairs = [(at_once(made, SMALL), at_once(made, LARGE)) for _ in range(bench.rounds)]
        small, large = (median(side) for side in zip(*pairs, strict=True))
        singles = one_by_one(made, SMALL, 100), one_by_one(made, LARGE, 100)
    detail = f"{milliseconds(large)} / {milliseconds(small)} CPU per instance"
    people = f"{milliseconds(singles[1])} / {milliseconds(singles[0])} CPU per completion"
    what = f"multi-instance of {LARGE:,} / of {SMALL}"
    return [
        Figure(
            name=f"5 {what}, script tasks", value=large / small, unit="x", goal="<= 1.5",
            detail=detail,
        ),
        Figure(
            name=f"5 {what}, user tasks completed singly", value=singles[1] / singles[0],
            unit="x", detail=people,
        ),
    ]  # fmt: skip


def at_once(made: House, size: int) -> float:
    """Return the CPU seconds per instance of script tasks."""
    cases = LARGE // size
    items = list(range(size))
    return cpu_s(lambda: made.start("many_scripts", cases, items=items)) / LARGE


def one_by_one(made: House, size: int, count: int) -> float:
    """Return the CPU seconds of one completion while up to `size` tasks of a case are open."""
    costs: list[float] = []
    complete = made.engine.complete
    while len(costs) < count:
        (case,) = made.start("many_people", 1, items=list(range(size)))
        for task in made.engine.tasks(instance_id=case, limit=min(size - 1, count)):
            costs.append(cpu_s(lambda task=task: complete(task.id, by=WHO)))  # type: ignore[misc]
        made.engine.cancel(case, by=WHO)
    return median(costs)


def profile(made: House, bench: Bench) -> None:
    """Do what is measured, for a profile."""
    made.deploy(drawings.many_scripts())
    for _ in range(5):
        at_once(made, LARGE)
