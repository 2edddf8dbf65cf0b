"""All that is known of a run, as tables of one SQLite database, so that one SQL asks about it.

Copied are the product's own tables, the callee's, and the journal of the clients.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tests.chaos.drawing import AWAIT, DECIDE, PAUSE, SERVICES
from tests.chaos.handlers import callee
from tests.chaos.scenes import SERVICES as MORE_SERVICES

#: of the product's tables, what the questions need; the names are those of engine/store/tables.py
PRODUCT = {
    "instance": "id, root_id, parent_id, process_id, start_key, state, ended_at, history_seq",
    "history": "root_id, seq, at, kind, instance_id, element_id, token, actor, name, value, blob",
    "work": "id, root_id, element_id, token, kind, state, attempt",
    "user_task": "id, root_id, element_id, token, state, ended_by",
    "candidate": "name, task_id",
    "subscription": "id, root_id, element_id, token, kind, message_id",
    "message": "id, name, key, state, instance_id",
    "incident": "id, root_id, element_id, token, kind, message, work_id, resolved_at",
}
CALLEE = {
    "attempt": "ticket, key, element_id, attempt, round, pid, begun, returned",
    "effect": "key, number",
}
JOURNAL = {
    "start_ack": "start_key, number, instance_id, created",
    "complete_ack": "task_id, name, status",
    "message_ack": "message_id, outcome",
    "refusal": "what, status, told",
    "trouble": "what",
}
ELEMENTS = {
    "service": (*SERVICES, *MORE_SERVICES),
    "person": (DECIDE,),
    "timer": (PAUSE,),
    "letter": (AWAIT,),
}
_ONE_STATE = {
    "sqlite": "BEGIN",
    "postgresql": "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
}
#: what several questions ask about
VIEWS = """
CREATE INDEX history_at ON history (kind, root_id, token);
CREATE INDEX attempt_key ON attempt (key);
-- a service element that a token has reached, and the key that its callee sees
CREATE VIEW activation AS
    SELECT root_id, element_id, token, root_id || '/' || element_id || '/' || token AS key
    FROM history JOIN element USING (element_id)
    WHERE kind = 'element.activated' AND element.type = 'service';
CREATE VIEW settled AS
    SELECT root_id, element_id, token, root_id || '/' || element_id || '/' || token AS key,
        json_extract(value, '$.attempt') AS attempt, json_extract(value, '$.attempts') AS attempts
    FROM history WHERE kind = 'work.settled';
CREATE VIEW exhausted AS
    SELECT root_id, element_id, token FROM history
    WHERE kind = 'work.failed' AND json_extract(value, '$.retry_at') IS NULL;
-- the result that a case has taken from a service: the ticket of an attempt
CREATE VIEW taken AS
    SELECT root_id, name AS element_id, CAST(value AS INTEGER) AS ticket FROM history
    WHERE kind = 'variable.set' AND element_id IN (name, 'is_refused')
        AND name IN (SELECT element_id FROM element WHERE type = 'service');
CREATE VIEW ended AS SELECT * FROM instance WHERE state <> 'running';
"""


def gather(product_url: str, callee_path: Path, journal_path: Path) -> sqlite3.Connection:
    """Return a database in memory with everything; the product may be running meanwhile."""
    gathered = sqlite3.connect(":memory:")
    engine = sa.create_engine(product_url)
    try:
        with engine.connect() as connection:
            # one state of the database for all tables
            connection.execute(sa.text(_ONE_STATE[connection.dialect.name]))
            for table, columns in PRODUCT.items():
                rows = connection.execute(sa.text(f"SELECT {columns} FROM {table}"))
                _copy(gathered, table, columns, rows)
    finally:
        engine.dispose()
    for path, tables in ((callee_path, CALLEE), (journal_path, JOURNAL)):
        with callee.opened(path) as other:
            for table, columns in tables.items():
                _copy(gathered, table, columns, other.execute(f"SELECT {columns} FROM {table}"))
    elements = [(id_, kind) for kind, ids in ELEMENTS.items() for id_ in ids]
    _copy(gathered, "element", "element_id, type", elements)
    gathered.executescript(VIEWS)
    return gathered


def _copy(into: sqlite3.Connection, table: str, columns: str, rows: Iterable[Any]) -> None:
    into.execute(f"CREATE TABLE {table} ({columns})")
    marks = ", ".join("?" * len(columns.split(",")))
    into.executemany(f"INSERT INTO {table} VALUES ({marks})", map(_plain, rows))


def _plain(row: Sequence[Any]) -> list[Any]:
    """Return a row in the types of SQLite; moments of PostgreSQL become texts that sort."""
    return [
        value if value is None or isinstance(value, str | int | float) else
        f"{value.isoformat(timespec='microseconds')[:26]}Z"
        for value in row
    ]  # fmt: skip
