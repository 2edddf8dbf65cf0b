"""Where a text stands: in which names of open tasks and in the numbers of which running cases.

Names are drawn, so there are few of them: they are looked through, one look at an index for each.
Numbers are many; they stand in parts (`numbers`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam

from engine.store import numbers
from engine.store.connect import Connection
from engine.store.statement import Row, Statement
from engine.store.tables import user_task
from engine.store.tables_search import NAME_LENGTH

#: different names that are looked through, and how many of them a list is put together from
NAMES, FITTING = 1000, 50
#: places in numbers of cases that a list is put together from
NUMBERS = 500


class Places(NamedTuple):
    """Where a text was found."""

    #: all that is in the names of open tasks, apart from names over NAME_LENGTH
    names: list[str]
    #: whether a task with a longer name is open
    long: bool
    #: ids of running cases; some of them may not have it
    cases: list[str]


_t = user_task.c
_length: sa.ColumnElement[int] = sa.literal_column(str(NAME_LENGTH))
#: which names an index knows, and which it does not
IS_SHORT = sa.func.length(_t.name) <= _length
IS_LONG = sa.func.length(_t.name) > _length


def contains(column: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Return the condition that a column has the parameter `pattern` in it, as `pattern` makes."""
    return sa.func.lower(column).like(
        sa.func.lower(bindparam("pattern", type_=sa.Text())), escape="\\"
    )


def pattern(text: str) -> str:
    """Return what LIKE finds a text by, its own % and _ taken as they are."""
    plain = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{plain}%"


def _names() -> sa.CompoundSelect[Any]:
    """Return the names that fit, the last one if there are more than NAMES, NULL for long ones."""
    # the least name behind the one before: not DISTINCT, which would read the whole index
    is_open = sa.and_(_t.tenant == bindparam("tenant"), _t.state == sa.literal_column("'open'"))
    next_name = (
        sa.select(_t.name).where(is_open, IS_SHORT).order_by(_t.name).limit(sa.literal_column("1"))
    )
    one = sa.literal_column("1", sa.Integer)
    first = sa.select(next_name.scalar_subquery().label("name"), one.label("place"))
    word = first.cte("word", recursive=True)
    behind = next_name.where(_t.name > word.c.name).correlate(word).scalar_subquery()
    most = sa.literal_column(str(NAMES), sa.Integer)
    word = word.union_all(
        sa.select(behind, word.c.place + one).where(word.c.name.is_not(None), word.c.place < most)
    )
    fitting = sa.select(word.c.name, word.c.place).where(
        word.c.name.is_not(None), sa.or_(contains(word.c.name), word.c.place == most)
    )
    long = sa.select(_t.id).where(is_open, IS_LONG).exists()
    nothing = sa.literal_column("CAST(NULL AS TEXT)", sa.Text)
    return sa.union_all(fitting, sa.select(nothing, sa.literal_column("0")).where(long))


_NAMES = Statement[Row](_names())


def places(connection: Connection, text: str) -> Places | None:
    """Return where a text stands; None if that is in too many places to be told one by one."""
    rows = connection.all(_NAMES, pattern=pattern(text))
    names = [row[0] for row in rows if row[0] is not None]
    if len(names) > FITTING or any(row[1] >= NAMES for row in rows):
        return None
    cases = numbers.containing(connection, text, NUMBERS)
    return None if cases is None else Places(names, len(names) < len(rows), cases)
