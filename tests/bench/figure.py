"""One measured line, and how it is told."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table."""

    #: begins with the number of the row
    name: str
    #: None if it could not be measured
    value: float | None
    unit: str
    #: such as `<= 1.0`; empty if nothing is to be reached
    goal: str = ""
    #: the absolute figures behind a ratio
    detail: str = ""

    @property
    def row(self) -> int:
        """Return the number of the row."""
        return int(self.name.split()[0])

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None if there is no goal or no value."""
        if self.value is None or not self.goal:
            return None
        sign, _, limit = self.goal.partition(" ")
        wanted = float(limit)
        return {
            "<=": self.value <= wanted,
            "<": self.value < wanted,
            ">=": self.value >= wanted,
            "=": self.value == wanted,
        }[sign]

    def line(self) -> dict[str, Any]:
        """Return the line for build/bench.json."""
        return {**asdict(self), "goal": self.goal or None, "met": self.met}


def read(line: Mapping[str, Any]) -> Figure:
    """Return the figure of a line of build/bench.json."""
    return Figure(
        name=line["name"], value=line["value"], unit=line["unit"], goal=line["goal"] or "",
        detail=line["detail"],
    )  # fmt: skip


def beside(new: Sequence[Figure], old: Sequence[Figure]) -> list[Figure]:
    """Return the old figures with the measured rows anew, in the order of the rows."""
    measured = {figure.row for figure in new}
    kept = [figure for figure in old if figure.row not in measured]
    return sorted([*kept, *new], key=lambda figure: figure.row)


def not_built(name: str, unit: str, goal: str) -> Figure:
    """Return the line of a row whose subject does not exist yet."""
    return Figure(name=f"{name} (not built yet)", value=None, unit=unit, goal=goal)


def cpu_s(act: Callable[[], object]) -> float:
    """Return the CPU seconds of this process, all threads, for one act."""
    gc.collect()
    begin = time.process_time()
    act()
    return time.process_time() - begin


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def milliseconds(seconds: float) -> str:
    """Return a duration for people."""
    return f"{seconds * 1000:.3f} ms"
