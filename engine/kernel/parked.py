"""Tokens that stay as the rows of the snapshot until somebody asks for them.

Of a thousand instances of a multi-instance activity a command ends one: the others need not be made
and written down again. Whoever looks at all tokens of a process or scope gets all of them, so that
nothing else in the kernel knows of this.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from typing import TYPE_CHECKING, Any

from engine.kernel.tokens import READY

if TYPE_CHECKING:
    from engine.kernel.process import Process
    from engine.kernel.tokens import Token

#: fewer are made at once: to park them would cost more
PARKED_FROM = 32
#: places in the row of a token: nothing behind its memo says that nothing has stopped it
_ID, _SCOPE, _STATE, _HOST, _BODY, _WAITS, _MEMO, _LENGTH = 0, 1, 3, 4, 5, 6, 8, 9
#: what an instance of an activity remembers while it waits
_INDEX = {"index"}

Row = list[Any]


def divide(rows: list[Row], owners: Container[int]) -> tuple[list[Row], list[Row]]:
    """Return the rows of tokens to make at once, and those that may wait; `owners` own scopes.

    Only instances of a repeated activity wait, those that a person or a handler has to do.
    """
    if len(rows) < PARKED_FROM:
        return rows, []
    found = {
        row[_ID]: row
        for row in rows
        if len(row) == _LENGTH
        and row[_BODY]
        and row[_HOST] is None
        and (row[_WAITS] == "task" or row[_WAITS] == "work")
        and row[_STATE] != READY
        and row[_MEMO].keys() == _INDEX
    }
    if len(found) < PARKED_FROM:
        return rows, []
    rest = [row for row in rows if row[_ID] not in found]
    scope_of = {row[_ID]: row[_SCOPE] for row in rest}
    # what others stand on, and what owns a scope, is made at once; and its body with each
    needed = {row[_BODY] for row in found.values()}
    needed.update(row[place] for row in rest for place in (_HOST, _BODY) if len(row) > place)
    waiting = {
        number: row
        for number, row in found.items()
        if number not in needed and number not in owners and scope_of.get(row[_BODY]) == row[_SCOPE]
    }
    return [row for row in rows if row[_ID] not in waiting], list(waiting.values())


class Parked:
    """The waiting rows of one process."""

    def __init__(
        self, process: Process, rows: Iterable[Row], make: Callable[[Process, Row], Token]
    ) -> None:
        self._process = process
        self._rows = {row[_ID]: row for row in rows}
        self._make = make

    def rows(self) -> Iterable[Row]:
        """Return the rows as they were read."""
        return self._rows.values()

    def take(self, number: int) -> Token | None:
        """Make one token; None if it is none of these."""
        row = self._rows.pop(number, None)
        return None if row is None else self._make(self._process, row)

    def take_all(self) -> None:
        """Make all of them; then all tokens stand in the order in which they were made first."""
        process = self._process
        process.parked = None
        for row in self._rows.values():
            self._make(process, row)
        process.known = dict(sorted(process.known.items()))
        for scope in process.subprocesses.values():
            scope.known = dict(sorted(scope.known.items()))
