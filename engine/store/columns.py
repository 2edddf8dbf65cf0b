"""The column types of our own: moments, JSON texts and lists of texts, on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from engine import codec


def moment_text(moment: datetime) -> str:
    """Return the fixed-width UTC text of a moment; texts sort as the moments do."""
    global _last
    known, text = _last
    if moment is known:
        return text
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone cannot be stored")
    text = moment.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"
    _last = moment, text
    return text


#: the moment that was stored last: that of a transaction is stored in most of its rows
_last: tuple[datetime | None, str] = (None, "")


class Moment(TypeDecorator[datetime]):
    """An aware UTC time: `timestamptz` on PostgreSQL, sortable text on SQLite."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type of the database at hand."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(sa.String(27))
        return dialect.type_descriptor(sa.DateTime(timezone=True))

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """Return what turns an aware moment into what the driver stores; None: it takes it."""
        return _moment_in if dialect.name == "sqlite" else None

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        """Return what turns that which the driver read into an aware UTC moment."""
        return _moment_out


def _moment_in(moment: datetime | None) -> str | None:
    return None if moment is None else moment_text(moment)


def _moment_out(value: Any) -> datetime | None:
    if value is None:
        return None
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    return value.astimezone(UTC)  # type: ignore[no-any-return]


_EMPTY = "{}"


class Json(TypeDecorator[Any]):
    """A value in the engine's own JSON (Decimal and temporals included), kept as text.

    Text and not JSONB: what is read must be what was written, to the digit.
    """

    impl = sa.Text
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], str]:
        """Return what encodes; None becomes the JSON null."""
        return _json_in

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[str | None], Any]:
        """Return what decodes; SQL NULL becomes None."""
        return _json_out


def _json_in(value: Any) -> str:
    # most rows have nothing to say here
    return _EMPTY if value == {} else codec.encode(value).decode()


def _json_out(text: str | None) -> Any:
    if text is None:
        return None
    return {} if text == _EMPTY else codec.decode(text.encode())


class Ids(TypeDecorator[Sequence[str]]):
    """A list of texts as one parameter, for `among`: an array, or JSON on SQLite."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type of the database at hand."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(sa.Text())
        return dialect.type_descriptor(postgresql.ARRAY(sa.Text))

    def process_bind_param(self, value: Sequence[str] | None, dialect: Dialect) -> Any:
        """Turn the list into what the driver takes."""
        listed = list(value or ())
        return codec.encode(listed).decode() if dialect.name == "sqlite" else listed


class among(ColumnElement[bool]):  # noqa: N801 (reads as a function, as SQLAlchemy's own do)
    """`column IN (a list as one parameter)`, so that the text of the statement never changes."""

    inherit_cache = False
    type = sa.Boolean()

    def __init__(self, column: ColumnElement[Any], name: str) -> None:
        self.column = column
        self.given = sa.bindparam(name, type_=Ids())

    def self_group(self, against: Any = None) -> among:
        """Stay as it is: SQLAlchemy would write `... = 1` on SQLite, which no index serves."""
        return self


@compiles(among, "sqlite")
def _among_sqlite(element: among, compiler: SQLCompiler, **kw: Any) -> str:
    column, given = compiler.process(element.column, **kw), compiler.process(element.given, **kw)
    return f"{column} IN (SELECT value FROM json_each({given}))"  # noqa: S608 (parts of SQLAlchemy)


@compiles(among)
def _among(element: among, compiler: SQLCompiler, **kw: Any) -> str:
    column, given = compiler.process(element.column, **kw), compiler.process(element.given, **kw)
    return f"{column} = ANY ({given})"


class random_hex(ColumnElement[str]):  # noqa: N801
    """32 random hexadecimal digits, fresh for each row: for ids that SQL has to make."""

    inherit_cache = False
    type = sa.Text()


@compiles(random_hex, "sqlite")
def _random_sqlite(element: random_hex, compiler: SQLCompiler, **kw: Any) -> str:
    return "lower(hex(randomblob(16)))"


@compiles(random_hex)
def _random(element: random_hex, compiler: SQLCompiler, **kw: Any) -> str:
    return "replace(gen_random_uuid()::text, '-', '')"


def fresh_id(stamp: str) -> ColumnElement[str]:
    """Return SQL for a UUIDv7; `stamp` names the parameter with the first 15 characters of one."""
    digits = random_hex()
    head = sa.bindparam(stamp, type_=sa.Text())
    parts = [head, sa.func.substr(digits, 1, 3), "-a", sa.func.substr(digits, 4, 3), "-",
             sa.func.substr(digits, 7, 12)]  # fmt: skip
    whole: ColumnElement[Any] = sa.literal_column("''", sa.Text())
    for part in parts:
        text = sa.literal_column(f"'{part}'", sa.Text()) if isinstance(part, str) else part
        whole = whole.concat(text)
    return whole
