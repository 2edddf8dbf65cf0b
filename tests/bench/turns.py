"""Row 4: a loop of user tasks does not grow dearer with its turns."""

from __future__ import annotations

from tests.bench import drawings
from tests.bench.figure import Figure, cpu_s, median, milliseconds
from tests.bench.house import WHO, House, house
from tests.bench.rounds import Bench

#: turns around the tenth that one young case is used for
_YOUNG = range(5, 15)
#: pairs of an early and a late turn
_PAIRS = 100


def measure(bench: Bench) -> list[Figure]:
    """Return cost and size of a late turn against an early one.

    Early and late turns alternate, on the same database: taken one after the other they would
    differ by whatever else the machine did meanwhile. The size of the database is row 6.
    """
    turns = 400 if bench.quick else 2000
    with house() as made:
        made.deploy(drawings.turns())
        old = _case_at(made, turns - _PAIRS)
        pairs: list[tuple[float, float]] = []
        sizes = (0, 0)
        while len(pairs) < _PAIRS:
            young = _case_at(made, _YOUNG.start)
            for _ in _YOUNG:
                pairs.append((_turn_s(made, young), _turn_s(made, old)))
            sizes = _size(made, young), _size(made, old)
    early, late = (median(side) for side in zip(*pairs, strict=True))
    name = f"4 loop of user tasks, turn {turns:,} / turn 10"
    detail = f"{milliseconds(late)} / {milliseconds(early)} CPU per turn"
    size = f"{sizes[1]} / {sizes[0]} bytes"
    grown = sizes[1] / sizes[0]
    return [
        Figure(name=f"{name}, cost", value=late / early, unit="x", goal="<= 1.2", detail=detail),
        Figure(name=f"{name}, snapshot", value=grown, unit="x", goal="<= 1.2", detail=size),
    ]


def _case_at(made: House, turns: int) -> str:
    """Return a case that has had so many turns."""
    (case,) = made.start("turns", 1)
    for _ in range(turns):
        _turn(made, case)
    return case


def _turn(made: House, case: str) -> None:
    (task,) = made.engine.tasks(instance_id=case)
    made.engine.complete(task.id, {"more": True}, by=WHO)


def _turn_s(made: House, case: str) -> float:
    """Return the CPU seconds of one completion; finding the task is row 6."""
    (task,) = made.engine.tasks(instance_id=case)
    return cpu_s(lambda: made.engine.complete(task.id, {"more": True}, by=WHO))


def _size(made: House, case: str) -> int:
    ((size,),) = made.ask(f"SELECT length(snapshot) FROM instance WHERE id = '{case}'")
    assert isinstance(size, int)
    return size


def profile(made: House, bench: Bench) -> None:
    """Do what is measured, for a profile."""
    made.deploy(drawings.turns())
    _case_at(made, bench.count)
