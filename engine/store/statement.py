"""A Core statement compiled once per dialect, then sent to the driver as plain text and values.

SQLAlchemy's own execution costs more CPU than the database does; compiled once, it costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler

Row = tuple[Any, ...]
R = TypeVar("R")
_Convert = Callable[[Any], Any]
#: begins the names of constants, which no caller gives
_OWN = "="


def _plain(*values: Any) -> Row:
    return values


class Ready:
    """The text of a statement for one dialect, and how values go in and come out."""

    __slots__ = ("_constants", "_converts", "_loads", "_take", "text")

    def __init__(self, core: Executable, dialect: Dialect) -> None:
        compiled = core.compile(dialect=dialect)  # type: ignore[attr-defined]
        assert isinstance(compiled, SQLCompiler)
        #: SQL with the placeholders of the driver
        self.text: str = compiled.string
        binds = [_bind(compiled, name, dialect) for name in compiled.positiontup or ()]
        # one call takes all values out of what is given; few of them have to be converted
        self._take = _taking([name for name, _, _ in binds])
        self._converts = [(n, bind[1]) for n, bind in enumerate(binds) if bind[1] is not None]
        self._constants = {name: value for name, _, value in binds if name.startswith(_OWN)}
        self._loads = _loads(core, dialect)

    def values(self, given: dict[str, Any], tenant: str) -> list[Any]:
        """Return the values in the order of the placeholders; a missing one is a KeyError."""
        given["tenant"] = tenant
        if self._constants:
            given |= self._constants
        values = list(self._take(given))
        for place, convert in self._converts:
            values[place] = convert(values[place])
        return values

    def load(self, row: Sequence[Any]) -> Sequence[Any]:
        """Return a row of the driver as the types of the columns say."""
        if not self._loads:
            return row
        loaded = list(row)
        for place, convert in self._loads:
            loaded[place] = convert(loaded[place])
        return loaded


class Statement(Generic[R]):
    """One statement of the store; `make` builds the value that a row stands for."""

    __slots__ = ("_ready", "core", "make")

    def __init__(self, core: Executable, make: Callable[..., R] | None = None) -> None:
        #: the SQLAlchemy Core expression
        self.core = core
        #: gets the columns of a row as positional arguments
        self.make: Callable[..., R] = make if make is not None else _plain  # type: ignore[assignment]
        self._ready: dict[str, Ready] = {}

    def ready(self, dialect: Dialect) -> Ready:
        """Return the compiled form for a dialect, compiled at its first use."""
        found = self._ready.get(dialect.name)
        if found is None:
            found = self._ready[dialect.name] = Ready(self.core, dialect)
        return found


def inserting(table: sa.Table) -> sa.Insert:
    """Return an INSERT of all columns of a table, the values named as the columns are."""
    return sa.insert(table).values({column.name: sa.bindparam(column.name) for column in table.c})


def _bind(compiled: SQLCompiler, name: str, dialect: Dialect) -> tuple[str, _Convert | None, Any]:
    """Return under which name a value is given, what converts it, and the value of a constant."""
    bind = compiled.binds[name]
    convert = bind.type.bind_processor(dialect)
    if bind.required:
        return name, convert, None
    # a constant of the statement itself, converted here once
    constant = bind.effective_value
    return _OWN + name, None, constant if convert is None else convert(constant)


def _taking(names: list[str]) -> Callable[[dict[str, Any]], Sequence[Any]]:
    if len(names) > 1:
        return itemgetter(*names)
    return lambda given: [given[name] for name in names]


def _loads(core: Executable, dialect: Dialect) -> list[tuple[int, _Convert]]:
    columns = getattr(core, "exported_columns", None)
    if columns is None:
        return []
    found = enumerate(column.type.result_processor(dialect, None) for column in columns)
    return [(place, convert) for place, convert in found if convert is not None]
