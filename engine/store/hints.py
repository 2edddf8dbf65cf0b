"""Announcements to other machines: jobs of Procrastinate, in a PostgreSQL schema of their own.

A job says that a queue has work, and nothing more; the rows of `work` are the truth. So its tables
may be emptied or dropped at any time, which costs other nodes a second. Nothing here is ever
migrated: another version of Procrastinate's tables is another PostgreSQL schema beside the old one.

Jobs are put in by Procrastinate's own manager, on the connection of the caller's transaction. What
it offers one by one only, or as a scan of all events, is done here by statements on its tables; its
version is pinned for that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from engine.errors import SettingsError
from engine.store.connect import Connection, Database, Disconnected
from engine.store.drivers import signs_of_life

if TYPE_CHECKING:
    from procrastinate.manager import JobManager

#: how the server names the connections that listen
APPLICATION = "caseway-hints"
#: name of the one task
TASK = "caseway.look"
#: a channel has at most 63 bytes, of which Procrastinate takes 23; the hash takes 9
_NAME_BYTES = 31
#: a worker without a sign of life for so long is gone; it gives one every 10 s
_SILENT_S = 30.0
#: an announcement that nobody took for so long is dropped: due rows are announced again
_STALE_S = 60.0


#: SQLSTATE of what is not found, or not allowed: a schema, a table, a function
_GONE = ("3F000", "42P01", "42704", "42883", "42501")


class HintsGone(Disconnected):
    """The tables of announcements cannot be used; the transaction is lost with them.

    Who tries again without announcing loses nothing: due rows are found by the sweep of each node.
    """


def queue(tenant: str, kind: str, topic: str) -> str:
    """Return the queue of one kind of work; readable, and short enough for a channel."""
    digest = hashlib.blake2b(f"{tenant}\0{kind}\0{topic}".encode(), digest_size=4).hexdigest()
    readable = f"{kind}:{topic}" if topic else kind
    plain = "".join(c if c.isascii() and (c.isalnum() or c in ".:_-") else "_" for c in readable)
    return f"{plain[:_NAME_BYTES]}.{digest}"


@cache
def schema() -> str:
    """Return the PostgreSQL schema of the tables. Raises SettingsError without Procrastinate."""
    try:
        from procrastinate.schema import SchemaManager
    except ImportError:
        raise SettingsError(
            "dispatcher is `cluster`, which needs the extra: pip install 'caseway[cluster]'"
        )
    folder = Path(SchemaManager.get_migrations_path())
    last = max(path.name for path in folder.glob("*.sql"))
    version, number, *_ = last.split("_")
    return f"caseway_hints_{version.replace('.', '')}_{number}"


def require(database: Database) -> None:
    """Raise SettingsError if announcements cannot be made on this database."""
    if database.dialect.name != "postgresql":
        raise SettingsError(
            "dispatcher is `cluster`, which needs PostgreSQL: name one by database_url"
        )
    schema()


def there(connection: sa.Connection) -> bool:
    """Tell whether the tables are there."""
    found = connection.scalar(sa.text("SELECT to_regnamespace(:name)"), {"name": schema()})
    return found is not None


def create(connection: sa.Connection) -> None:
    """Make the tables if they are not there; the caller holds the lock of migrations."""
    from procrastinate.schema import SchemaManager

    if there(connection):
        return
    name = schema()
    connection.exec_driver_sql(f'CREATE SCHEMA "{name}"')
    connection.exec_driver_sql(f'SET LOCAL search_path = "{name}"')
    # straight to the driver without parameters: the text has percent signs and many statements
    driver: Any = connection.connection.driver_connection
    driver.execute(SchemaManager.get_schema())


def join(database: Database) -> None:
    """Let the connections of a database find the tables, behind everything else."""
    require(database)
    name = schema()

    def extend(driver: Any, record: object) -> None:
        before, driver.autocommit = driver.autocommit, True
        driver.execute(
            "SELECT set_config('search_path', current_setting('search_path') || %s, false)",
            [f', "{name}"'],
        )
        driver.autocommit = before

    sa.event.listen(database.db, "connect", extend)
    database.db.dispose()


def arguments(database: Database) -> dict[str, Any]:
    """Return how Procrastinate's own connections are opened."""
    url = database.db.url
    given = {**signs_of_life(url), **database.db.dialect.create_connect_args(url)[1]}
    given["application_name"] = APPLICATION
    return {**given, "options": f'-c search_path="{schema()}" -c timezone=UTC'}


def announce(connection: Connection, hints: Iterable[tuple[str, str]]) -> None:
    """Put one job for each (queue, lock), in the transaction of the connection.

    The lock is new, such as the id of a work row, so that no transaction waits for another one.
    """
    jobs = [_job(queue, lock) for queue, lock in hints]
    if not jobs:
        return
    from procrastinate.exceptions import ConnectorException

    try:
        _manager().batch_defer_jobs(jobs, connection=connection.driver)
    except ConnectorException as error:
        cause = error.__cause__
        if getattr(cause, "sqlstate", None) in _GONE:
            raise HintsGone(f"work cannot be announced to other machines: {cause}") from error
        raise connection.translated(cause) if isinstance(cause, Exception) else error


def announce_again(connection: Connection, queues: Iterable[str]) -> int:
    """Put a job for each queue that has no second announcement waiting; return how many."""
    put = 0
    for name in sorted(queues):
        lock = f"again/{name}"
        if not connection.run_text(_WAITS.format(schema()), [lock]):
            announce(connection, [(name, lock)])
            put += 1
    return put


def swallow(connection: Connection, queues: Sequence[str], limit: int) -> int:
    """Delete so many waiting announcements of some queues: one look answers all of them."""
    return connection.run_text(_SWALLOW.format(schema()), [list(queues), limit])


def clean(connection: Connection) -> int:
    """Delete what dead workers held and what nobody took; return how many announcements.

    Raises HintsGone if there are no tables.
    """
    name = schema()
    if not connection.run_text("SELECT WHERE to_regnamespace(%s) IS NOT NULL", [name]):
        raise HintsGone("announcements cannot be cleaned: their tables are gone")
    connection.run_text(_SILENT.format(name), [_SILENT_S])
    held = connection.run_text(_HELD.format(name))
    return held + connection.run_text(_STALE.format(name), [_STALE_S])


_WAITS = """
SELECT 1 FROM "{0}".procrastinate_jobs WHERE status = 'todo' AND queueing_lock = %s
"""
_SWALLOW = """
DELETE FROM "{0}".procrastinate_jobs WHERE id IN (
    SELECT id FROM "{0}".procrastinate_jobs
    WHERE status = 'todo' AND queue_name = ANY(%s)
    ORDER BY priority DESC, id LIMIT %s FOR UPDATE SKIP LOCKED)
"""
_SILENT = """
DELETE FROM "{0}".procrastinate_workers
WHERE last_heartbeat < now() - make_interval(secs => %s)
"""
#: a job that is neither waiting nor with a living worker has told what it had to tell
_HELD = """
DELETE FROM "{0}".procrastinate_jobs WHERE status <> 'todo' AND worker_id IS NULL
"""
_STALE = """
DELETE FROM "{0}".procrastinate_jobs WHERE status = 'todo' AND id IN (
    SELECT job_id FROM "{0}".procrastinate_events
    WHERE type = 'deferred' AND at < now() - make_interval(secs => %s))
"""


@cache
def _manager() -> JobManager:
    from procrastinate import SyncPsycopgConnector
    from procrastinate.manager import JobManager

    return JobManager(SyncPsycopgConnector())


def _job(name: str, lock: str) -> Any:
    from procrastinate.jobs import Job

    return Job(queue=name, lock=None, queueing_lock=lock, task_name=TASK)
