"""What one evaluation carries along: scope, clock moment, limits, diagnostics, nested frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.errors import FeelError

#: a compiled part of an expression; its argument is the `Run` itself at the top of the text and a
#: `Frame` within loops, filters, contexts and functions (typed Any: both have `run` and `up`)
Code = Callable[[Any], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one evaluation may use before it ends in FeelError."""

    #: turns of loops, items of filters, calls; and each 64 items or characters that a call goes
    #: through or makes
    steps: int = 1_000_000
    #: items of one list
    items: int = 100_000
    #: characters of one string
    characters: int = 1_000_000
    #: calls of FEEL functions inside each other
    calls: int = 100
    #: seconds for one regular expression; all of an evaluation have ten times as many
    regex_s: float = 0.5


DEFAULT_LIMITS = Limits()
#: diagnostics of one evaluation
MAX_NOTES = 100
_SIZED = frozenset({str, list, tuple, dict})


class Run:
    """One evaluation of one expression; also its outermost frame."""

    up = None
    now: datetime | None = None
    diagnostics: list[tuple[str, int | None]] | None = None
    strict = False
    limits = DEFAULT_LIMITS
    steps = 0
    calls = 0
    #: seconds that regular expressions have taken
    waited = 0.0

    def __init__(self, scope: Mapping[str, Any]) -> None:
        self.scope = scope

    @property
    def run(self) -> Run:
        """The run itself, so that code need not know whether it sits in a frame."""
        return self

    def fail(self, message: str, at: int | None) -> Any:
        """Note a diagnostic and return null; FeelError in strict mode."""
        if self.strict:
            raise FeelError(message, at)
        if self.diagnostics is not None and len(self.diagnostics) < MAX_NOTES:
            self.diagnostics.append((message, at))
        return None

    @property
    def listens(self) -> bool:
        """Tell whether anybody hears of what does not fit, so that a costly message is written."""
        return self.strict or (self.diagnostics is not None and len(self.diagnostics) < MAX_NOTES)

    def count(self, steps: int, at: int | None = None) -> None:
        """Count work; FeelError when it is too much."""
        self.steps += steps
        if self.steps > self.limits.steps:
            raise FeelError(f"the expression needs more than {self.limits.steps} steps", at)

    @property
    def patience(self) -> float:
        """Seconds that the next regular expression may take; FeelError where none are left."""
        left = 10 * self.limits.regex_s - self.waited
        if left <= 0:
            raise FeelError("the regular expressions take too long")
        return min(left, self.limits.regex_s)

    def weigh(self, value: Any, at: int | None = None) -> None:
        """Count the work of going through a string, list or context once."""
        if type(value) in _SIZED and len(value) >= 64:
            self.count(len(value) >> 6, at)

    def room(self, items: int, at: int | None = None) -> None:
        """Check the length of a list that is being built."""
        if items > self.limits.items:
            raise FeelError(f"a list has more than {self.limits.items} items", at)

    def checked(self, value: Any, at: int | None = None) -> Any:
        """Return a value that was just built, unless it is too long; count the work of it."""
        self.weigh(value, at)
        if isinstance(value, str):
            if len(value) > self.limits.characters:
                raise FeelError(f"a text has more than {self.limits.characters} characters", at)
        elif isinstance(value, (list, tuple)):
            self.room(len(value), at)
        return value


class Frame:
    """One level of local variables."""

    __slots__ = ("run", "up", "value")

    def __init__(self, up: Run | Frame, run: Run, value: Any) -> None:
        self.up = up
        self.run = run
        #: variables by name; within a filter the item
        self.value = value
