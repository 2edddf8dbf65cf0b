"""Row 4: a loop of user tasks does not grow dearer with its turns."""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench import drawings
from tests.bench.figure import Figure, cpu_s, median, milliseconds
from tests.bench.house import WHO, House, house
from tests.bench.rounds import Bench

#: turns around which the cost is taken: 10, and the last
_EARLY = slice(5, 25)


def measure(bench: Bench) -> list[Figure]:
    """Return cost and size of a late turn against an early one."""
    turns = 400 if bench.quick else 2000
    with house() as made:
        made.deploy(drawings.turns())
        costs, sizes = play(made, turns)
    early, late = median(costs[_EARLY]), median(costs[-20:])
    detail = f"{milliseconds(late)} / {milliseconds(early)} CPU per turn"
    grown = sizes[-1] / sizes[_EARLY.start]
    name = f"4 loop of user tasks, turn {turns:,} / turn 10"
    size = f"{sizes[-1]} / {sizes[_EARLY.start]} bytes"
    return [
        Figure(name=f"{name}, cost", value=late / early, unit="x", goal="<= 1.2", detail=detail),
        Figure(name=f"{name}, snapshot", value=grown, unit="x", goal="<= 1.2", detail=size),
    ]


def play(made: House, turns: int) -> tuple[Sequence[float], Sequence[int]]:
    """Return CPU seconds and snapshot bytes of each turn."""
    (case,) = made.start("turns", 1)
    costs, sizes = [], []
    complete = made.engine.complete
    for _ in range(turns):
        (task,) = made.engine.tasks(instance_id=case)
        costs.append(cpu_s(lambda task=task: complete(task.id, {"more": True}, by=WHO)))  # type: ignore[misc]
        ((size,),) = made.ask("SELECT length(snapshot) FROM instance")
        assert isinstance(size, int)
        sizes.append(size)
    return costs, sizes


def profile(made: House, bench: Bench) -> None:
    """Do what is measured, for a profile."""
    made.deploy(drawings.turns())
    play(made, bench.count)
