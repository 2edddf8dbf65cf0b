"""Long work of the command line: count what was done, list what was refused, wait when asked to."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from engine.errors import EngineError, TooBusy
from web.output import Output
from web.problems import describe

Result = TypeVar("Result")

#: how often one line waits for a busy service before it counts as refused
WAITS = 12
#: refusals printed one by one; more are only counted
SHOWN = 50


class Refusals:
    """A `with` block that notes a refusal of the engine instead of passing it on."""

    def __init__(self, place: str, noted: list[dict[str, Any]]) -> None:
        self._place = place
        self._noted = noted

    def __enter__(self) -> None:
        """Begin the block."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        """Note a refusal; anything else goes on its way."""
        if not isinstance(error, EngineError):
            return False
        self._noted.append({"place": self._place, **describe(error)})
        return True


class Tally:
    """What became of many lines, for the one answer at the end."""

    def __init__(self, outcomes: Sequence[str]) -> None:
        self._ids: dict[str, list[str]] = {outcome: [] for outcome in outcomes}
        self._refused: list[dict[str, Any]] = []

    def done(self, outcome: str, name: str) -> None:
        """Note one success."""
        self._ids[outcome].append(name)

    def refusals(self, place: str) -> Refusals:
        """Return a block: a refusal inside it is noted with its place, and the work goes on."""
        return Refusals(place, self._refused)

    def report(self, out: Output) -> int:
        """Print the outcome and return the exit status: 1 if any line was refused."""
        for refused in self._refused[:SHOWN]:
            out.say(f"{refused['place']}: {refused['detail']}")
        if len(self._refused) > SHOWN:
            out.say(f"... and {len(self._refused) - SHOWN} more")
        words = [f"{len(ids)} {outcome}" for outcome, ids in self._ids.items()]
        text = ", ".join([*words, f"{len(self._refused)} refused"])
        lists = {outcome.replace(" ", "_"): ids for outcome, ids in self._ids.items()}
        out.one(lists | {"refused": self._refused}, text)
        return 1 if self._refused else 0


def patiently(
    verb: Callable[..., Result],
    *arguments: Any,
    tell: Callable[[str], None],
    wait: Callable[[float], None] = time.sleep,
    **named: Any,
) -> Result:
    """Call a verb; while the service says that it is too busy, wait as long as it asks for."""
    for _ in range(WAITS):
        try:
            return verb(*arguments, **named)
        except TooBusy as busy:
            tell(f"{busy}; waiting {busy.retry_after_s:g} s (is a worker running?)")
            wait(busy.retry_after_s)
    return verb(*arguments, **named)
