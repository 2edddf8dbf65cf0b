"""Row 2: start, one user task, complete."""

from __future__ import annotations

from tests.bench import drawings
from tests.bench.figure import Figure, cpu_s, milliseconds
from tests.bench.house import WHO, House, house
from tests.bench.rounds import Bench

NAME = "2 start, one user task, complete / stock bare"


def measure(bench: Bench) -> list[Figure]:
    """Return the ratio to the baseline. Finding the task is not counted: that is row 6."""
    with house() as made:
        made.deploy(drawings.person())
        ours, theirs = bench.beside_stock("person", lambda count: play(made, count))
    detail = f"{milliseconds(ours)} / {milliseconds(theirs)} CPU per case"
    return [Figure(name=NAME, value=ours / theirs, unit="x", goal="<= 9", detail=detail)]


def play(made: House, count: int) -> float:
    """Return the CPU seconds of so many starts and completions."""
    begun = cpu_s(lambda: made.start("person", count))
    tasks = made.engine.tasks(limit=1000)
    assert len(tasks) == count

    def complete() -> None:
        for task in tasks:
            made.engine.complete(task.id, {"answer": "yes"}, by=WHO)

    return begun + cpu_s(complete)


def profile(made: House, bench: Bench) -> None:
    """Do what is measured, for a profile."""
    made.deploy(drawings.person())
    play(made, bench.count * 3)
