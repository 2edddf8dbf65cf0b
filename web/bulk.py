"""Long work of the command line: count what was done, list what was refused, wait when asked to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from engine.errors import EngineError, TooBusy
from web.output import Output
from web.problems import describe

Result = TypeVar("Result")

#: how often one line waits for a busy service before it counts as refused
WAITS = 12
#: refusals printed one by one; more are only counted
SHOWN = 50


class Tally:
    """What became of many lines, for the one answer at the end."""

    def __init__(self, outcomes: Sequence[str]) -> None:
        self._ids: dict[str, list[str]] = {outcome: [] for outcome in outcomes}
        self._refused: list[dict[str, Any]] = []

    def done(self, outcome: str, name: str) -> None:
        """Note one success."""
        self._ids[outcome].append(name)

    @contextmanager
    def refusals(self, place: str) -> Iterator[None]:
        """Note a refusal inside the block, with its place, and go on with the next line."""
        try:
            yield
        except EngineError as error:
            self._refused.append({"place": place, **describe(error)})

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
