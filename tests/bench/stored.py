"""Fills a database with many cases: copies, inside the database, of a few that were really run.

A copy differs from its template in its ids, its business key, who has its task and when it is due.
Nothing is played; the rows are those that the engine itself has written.
"""

from __future__ import annotations

import sqlalchemy as sa

from engine.store import tables as t

#: what belongs to a case, and the column that says to which
_OF_CASE = (
    (t.instance, "root_id"), (t.user_task, "root_id"), (t.work, "root_id"),
    (t.subscription, "root_id"), (t.history, "root_id"), (t.blob, "root_id"),
)  # fmt: skip
#: columns that hold ids of rows of the case
_IDS = {"id", "root_id", "instance_id", "parent_id", "task_id"}
#: tasks one person has
_EACH = 25
#: groups that the unclaimed tasks are spread over
_GROUPS = 40
#: due times are spread over so many hours behind that of the template; a third is due at no time
_HOURS = 97
#: copies begin with a number that is older than any id of today (UUIDv7: time first)
_OLDEST = 0x01000000


def copy(database: sa.Engine, template: str, first: int, count: int) -> None:
    """Store copies of a case, numbered from `first`; ids of the copies begin with their number."""
    with database.begin() as connection:
        for table, owner in _OF_CASE:
            rows = f"r.{owner} = :template"
            connection.execute(
                sa.text(_insert(table, rows, connection.dialect.name)),
                {"template": template, "first": first, "last": first + count - 1},
            )
        asked = "r.task_id IN (SELECT id FROM user_task WHERE root_id = :template)"
        connection.execute(
            sa.text(_insert(t.candidate, asked, connection.dialect.name)),
            {"template": template, "first": first, "last": first + count - 1},
        )


def _insert(table: sa.Table, rows: str, dialect: str) -> str:
    names = [column.name for column in table.columns]
    values = ", ".join(_value(table.name, name, dialect) for name in names)
    # the names of tables and columns are those of our own schema
    return (
        "WITH RECURSIVE n(i) AS (SELECT CAST(:first AS INTEGER) UNION ALL"
        " SELECT i + 1 FROM n WHERE i < :last)"
        f" INSERT INTO {table.name} ({', '.join(names)})"
        f" SELECT {values} FROM n CROSS JOIN {table.name} r WHERE {rows}"
    )


def _value(table: str, column: str, dialect: str) -> str:
    if column in _IDS:
        number = f"(n.i + {_OLDEST})"
        hexed = {
            "sqlite": f"printf('%08x', {number})",
            "postgresql": f"lpad(to_hex({number}), 8, '0')",
        }[dialect]
        return f"{hexed} || substr(r.{column}, 9)"
    if column == "business_key":
        return "'K' || n.i"
    if (table, column) == ("user_task", "assignee"):
        return f"CASE WHEN r.assignee IS NULL THEN NULL ELSE 'user' || (n.i / {_EACH}) END"
    if (table, column) == ("user_task", "due_at"):
        later = {
            "sqlite": "strftime('%Y-%m-%dT%H:%M:%S.000000Z', r.due_at,"
            f" (n.i % {_HOURS}) || ' hours')",
            "postgresql": f"r.due_at + (n.i % {_HOURS}) * interval '1 hour'",
        }[dialect]
        return f"CASE WHEN n.i % 3 = 0 THEN NULL ELSE {later} END"
    if (table, column) == ("candidate", "name"):
        return f"'group:g' || (n.i % {_GROUPS})"
    return f"r.{column}"


def settle(database: sa.Engine) -> None:
    """Let the database gather its numbers, as it does by itself after a while.

    PostgreSQL also cleans what was loaded, or it would do so while others are measured.
    """
    if database.dialect.name == "postgresql":
        with database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("VACUUM (ANALYZE)"))
            connection.execute(sa.text("CHECKPOINT"))
