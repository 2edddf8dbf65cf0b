"""One evaluation: its moment, its budget, and what it writes down for the explanation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from engine.errors import FeelError
from engine.feel.moments import iso_text
from engine.feel.values import Function, Range, text_of

#: calls of functions and turns of boxed loops in one evaluation
MAX_TURNS = 100_000
#: functions of the model inside each other
MAX_DEPTH = 100
#: tables of one decision that are explained (a function may be called in a loop)
MAX_TABLES = 20
#: notes of one decision
MAX_NOTES = 50

Scope = Mapping[str, object]
#: a compiled part of a model
Code = Callable[[Scope, "Evaluation"], object]


class Evaluation:
    """What all parts of one evaluation share."""

    __slots__ = ("depth", "entries", "entry", "now", "turns")

    def __init__(self, now: datetime | None) -> None:
        self.now = now
        self.turns = 0
        self.depth = 0
        #: explanation of the decisions, in the order in which they were made
        self.entries: list[dict[str, Any]] = []
        #: the one that is being made
        self.entry: dict[str, Any] = {}

    def count(self) -> None:
        """Count a call or a turn; FeelError when there are too many."""
        self.turns += 1
        if self.turns > MAX_TURNS:
            raise FeelError(f"the decision needs more than {MAX_TURNS} calls and turns")

    def enter(self) -> None:
        """Count a call that is being made; FeelError when it is nested too deeply."""
        self.count()
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise FeelError(f"more than {MAX_DEPTH} calls inside each other")

    def open(self, id: str, name: str) -> dict[str, Any]:
        """Begin the explanation of a decision, with what was noted about its inputs."""
        self.entry = {"decision": id, "name": name, "value": None, **self.entry}
        self.entries.append(self.entry)
        return self.entry

    def note(self, element: str | None, message: str) -> None:
        """Write down why something is null."""
        notes = self.entry.setdefault("notes", [])
        if len(notes) < MAX_NOTES:
            notes.append({"element": element, "message": message})

    def table(self, explained: dict[str, Any]) -> None:
        """Write down what a decision table did."""
        tables = self.entry.setdefault("tables", [])
        if len(tables) < MAX_TABLES:
            tables.append(explained)


def shown(value: object) -> Any:
    """Return a value as the explanation may hold it: functions and ranges become texts."""
    if isinstance(value, (list, tuple)):
        return [shown(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): shown(item) for key, item in value.items()}
    if isinstance(value, (Function, Range)):
        return repr(value) if isinstance(value, Function) else text_of(value)
    if value is None or isinstance(value, (str, int, float)) or hasattr(value, "as_tuple"):
        return value
    return value if iso_text(value) is not None else repr(value)
