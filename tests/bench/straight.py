"""Row 1: ten script tasks straight through."""

from __future__ import annotations

from tests.bench import drawings
from tests.bench.figure import Figure, milliseconds
from tests.bench.house import House, house
from tests.bench.rounds import Bench, timed

NAME = "1 ten script tasks, durable with history / stock bare"


def measure(bench: Bench) -> list[Figure]:
    """Return the ratio to the baseline."""
    with house() as made:
        made.deploy(drawings.scripts())
        ours, theirs = bench.beside_stock("scripts", timed(lambda n: play(made, n)))
    detail = f"{milliseconds(ours)} / {milliseconds(theirs)} CPU per instance"
    return [Figure(name=NAME, value=ours / theirs, unit="x", goal="<= 1.0", detail=detail)]


def play(made: House, count: int) -> None:
    """Start so many cases; each ends within its start."""
    made.start("scripts", count, n=0)


def profile(made: House, bench: Bench) -> None:
    """Do what is measured, for a profile."""
    made.deploy(drawings.scripts())
    play(made, bench.count * 3)
