"""What all rows share: how long to measure, the baseline, and rounds beside the baseline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from tests.bench.figure import cpu_s, median
from tests.bench.stock import Stock


@dataclass
class Bench:
    """One run of the benchmarks."""

    #: fewer and shorter rounds
    quick: bool = False
    #: commit to compare rows 1 and 2 with; empty: the one that `before.py` names
    against: str = ""
    #: row 6 with a million cases
    full: bool = False

    @property
    def rounds(self) -> int:
        """How many rounds the medians are taken of."""
        return 3 if self.quick else 9

    @property
    def count(self) -> int:
        """How many instances one round plays."""
        return 60 if self.quick else 200

    @cached_property
    def stock(self) -> Stock:
        """The process of the baseline, started when it is first asked."""
        return Stock()

    def close(self) -> None:
        """End the baseline if it was started."""
        if "stock" in self.__dict__:
            self.stock.__exit__(None, None, None)

    def beside_stock(self, name: str, play: Callable[[int], float]) -> tuple[float, float]:
        """Return the median CPU seconds per instance of ours and of stock, in turns.

        `play(count)` plays so many instances and returns the CPU seconds.
        """
        play(self.count // 4)
        self.stock.cpu_s(name, self.count // 4)
        ours, theirs = [], []
        for _ in range(self.rounds):
            ours.append(play(self.count) / self.count)
            theirs.append(self.stock.cpu_s(name, self.count) / self.count)
        return median(ours), median(theirs)

    def in_turns(self, *plays: Callable[[int], float]) -> list[float]:
        """Return the median CPU seconds per instance of several plays of ours, in turns.

        Half as many instances: these wait for the disk with each of their many work items.
        """
        count = self.count // 2
        for play in plays:
            play(count // 4)
        rounds = [[play(count) / count for play in plays] for _ in range(self.rounds)]
        return [median(costs) for costs in zip(*rounds, strict=True)]


def timed(act: Callable[[int], object]) -> Callable[[int], float]:
    """Return `act` as a play: its CPU seconds for a count."""
    return lambda count: cpu_s(lambda: act(count))
