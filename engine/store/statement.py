"""A Core statement compiled once per dialect, then sent to the driver as plain text and values.

SQLAlchemy's own execution costs more CPU than the database does; compiled once, it costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler

Row = tuple[Any, ...]
R = TypeVar("R")
_Convert = Callable[[Any], Any]


def _plain(*values: Any) -> Row:
    return values


class Ready:
    """The text of a statement for one dialect, and how values go in and come out."""

    __slots__ = ("_binds", "_loads", "text")

    def __init__(self, core: Executable, dialect: Dialect) -> None:
        compiled = core.compile(dialect=dialect)  # type: ignore[attr-defined]
        assert isinstance(compiled, SQLCompiler)
        #: SQL with the placeholders of the driver
        self.text: str = compiled.string
        self._binds = [_bind(compiled, name, dialect) for name in compiled.positiontup or ()]
        self._loads = _loads(core, dialect)

    def values(self, given: dict[str, Any], tenant: str) -> list[Any]:
        """Return the values in the order of the placeholders; a missing one is a KeyError."""
        given["tenant"] = tenant
        return [
            constant if name is None else given[name] if convert is None else convert(given[name])
            for name, convert, constant in self._binds
        ]

    def load(self, row: Sequence[Any]) -> list[Any]:
        """Return a row of the driver as the types of the columns say."""
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


def _bind(
    compiled: SQLCompiler, name: str, dialect: Dialect
) -> tuple[str | None, _Convert | None, Any]:
    bind = compiled.binds[name]
    convert = bind.type.bind_processor(dialect)
    if bind.required:
        return name, convert, None
    # a constant of the statement itself, converted here once
    constant = bind.effective_value
    return None, None, constant if convert is None else convert(constant)


def _loads(core: Executable, dialect: Dialect) -> list[tuple[int, _Convert]]:
    columns = getattr(core, "exported_columns", None)
    if columns is None:
        return []
    found = enumerate(column.type.result_processor(dialect, None) for column in columns)
    return [(place, convert) for place, convert in found if convert is not None]
