"""Tells SQLite how a large installation looks, since it plans without numbers of its own.

Every index leads with the tenant; without numbers SQLite takes that one column for selective and
reads all rows of a tenant. PostgreSQL gathers its numbers by itself.
"""

from __future__ import annotations

import sqlalchemy as sa

#: rows of a table, and of an index with a condition; of one whose condition hardly any row fulfils
_ALL, _SOME, _RARE = 1_000_000, 100_000, 100
_RARELY = {"ix_user_task_long_name"}
#: how many rows share the same value so far, column by column; of all others: one
_SHARED = {
    "process_id": 10_000, "state": 50_000, "kind": 50_000, "name": 1_000, "priority": 90_000,
    "assignee": 1_000, "root_id": 5, "deployment_id": 5, "key": 3, "subject": 3,
}  # fmt: skip
_INDEXES = """
SELECT t.name, i.name, i.origin, i.partial, t.sql LIKE '%WITHOUT ROWID%'
FROM sqlite_schema t JOIN pragma_index_list(t.name) i
WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name <> 'alembic_version'
"""


def describe(connection: sa.Connection) -> None:
    """Write down numbers for the indexes that have none yet."""
    # on an empty table it only makes the place for them
    connection.exec_driver_sql("ANALYZE meta")
    known = {
        (table, index)
        for table, index in connection.exec_driver_sql("SELECT tbl, idx FROM sqlite_stat1")
    }
    for table, index, origin, partial, bare in connection.exec_driver_sql(_INDEXES).fetchall():
        # the key of a table without rowid has the name of the table
        name = table if bare and origin == "pk" else index
        columns = connection.exec_driver_sql("SELECT name FROM pragma_index_info(?)", (index,))
        if (table, name) not in known:
            rows = _RARE if name in _RARELY else _SOME if partial else _ALL
            numbers = _numbers(list(columns.scalars()), rows)
            connection.exec_driver_sql(
                "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)",
                (table, name, " ".join(str(number) for number in numbers)),
            )
    # makes this connection read them again; all others do so because the schema has changed
    connection.exec_driver_sql("ANALYZE sqlite_schema")


def _numbers(columns: list[str], rows: int) -> list[int]:
    """Return the number of rows, then how many share the first one, two, three columns."""
    found = [rows]
    for column in columns:
        shared = found[-1] if column == "tenant" else _SHARED.get(column, 1)
        found.append(min(found[-1], shared))
    return found
