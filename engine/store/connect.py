"""Connections to SQLite and PostgreSQL: pragmas, one writer, separate readers, statements sent.

`runtime/transaction.py` decides when a transaction begins and ends; nothing else calls `writing`.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Dialect, make_url
from sqlalchemy.pool import PoolProxiedConnection

from engine import watch
from engine.errors import Conflict, OutcomeUnknown, SettingsError, Unavailable
from engine.store.drivers import postgres, sqlite
from engine.store.statement import Statement

R = TypeVar("R")

#: idle connections for reading that are kept at hand on SQLite
READERS = 8

_UNKNOWN = (
    "the connection was lost while a change was being stored, and nobody knows whether it was "
    "stored: look, or make the same call again with the same start_key or message_id ({})"
)
#: SQLSTATE of PostgreSQL, or words of SQLite, about the disk -> what an operator can do
_DISK = {
    "database or disk is full": "the disk of the database is full: make room",
    "53100": "the disk of the database is full: make room",
    "readonly database": "the database may only be read: look at the owner and rights of its file",
    "25006": "the database may only be read: is this the address of a stand-by server?",
    "disk I/O error": "the disk of the database does not work: look at the log of the system",
    "58030": "the disk of the database does not work: look at the log of the system",
}


class Disconnected(Unavailable):
    """The database is away, locked, or broke a deadlock; nothing was stored. Try again later.

    No EngineError: the caller has done nothing wrong, and a worker must keep its result.
    """


class Duplicate(Conflict):
    """A row with the same unique key is there already; the verb says what that means."""


class Connection:
    """One driver connection in use: sends statements of the store and gives rows back."""

    __slots__ = ("_cursor", "_database", "_driver", "dialect", "tenant")

    def __init__(self, database: Database, driver: Any) -> None:
        self._database = database
        self._driver = driver
        self._cursor = driver.cursor()
        #: which SQL it speaks
        self.dialect: Dialect = database.dialect
        #: whose rows; the parameter `tenant` of every statement
        self.tenant = database.tenant

    def all(self, statement: Statement[R], **values: Any) -> list[R]:
        """Return every row of a query."""
        ready = statement.ready(self.dialect)
        rows = self._send(ready.text, ready.values(values, self.tenant)).fetchall()
        make, load = statement.make, ready.load
        return [make(*load(row)) for row in rows]

    def one(self, statement: Statement[R], **values: Any) -> R | None:
        """Return the first row, None without one."""
        ready = statement.ready(self.dialect)
        row = self._send(ready.text, ready.values(values, self.tenant)).fetchone()
        return None if row is None else statement.make(*ready.load(row))

    def run(self, statement: Statement[Any], **values: Any) -> int:
        """Return how many rows a writing statement touched."""
        ready = statement.ready(self.dialect)
        touched: int = self._send(ready.text, ready.values(values, self.tenant)).rowcount
        return touched

    def many(self, statement: Statement[Any], rows: Iterable[dict[str, Any]]) -> None:
        """Send one statement for many rows."""
        ready, tenant = statement.ready(self.dialect), self.tenant
        self.rows(statement, [ready.values(row, tenant) for row in rows])

    def rows(self, statement: Statement[Any], rows: Sequence[Sequence[Any]]) -> None:
        """Send one statement for many rows whose values are in the driver's form and order."""
        if len(rows) == 1:
            self._send(statement.ready(self.dialect).text, rows[0])
        elif rows:
            self._send(statement.ready(self.dialect).text, rows, many=True)

    def run_text(self, text: str, values: Sequence[Any] = ()) -> int:
        """Send SQL as it stands; for maintenance and tests."""
        touched: int = self._send(text, values).rowcount
        return touched

    @property
    def driver(self) -> Any:
        """The connection of the driver, for a library that joins its transaction."""
        return self._driver

    def translated(self, error: Exception) -> Exception:
        """Return the error of ours that a driver's error means, or the error itself."""
        return self._database.translate(error)

    def plan(self, text: str, values: Sequence[Any]) -> list[str]:
        """Return how SQLite would execute a statement, for the test of the indexes."""
        rows = self._send(f"EXPLAIN QUERY PLAN {text}", values).fetchall()
        return [str(row[3]) for row in rows]

    def server_time(self) -> datetime | None:
        """Return the time of the database server; None where there is no server."""
        if self.dialect.name == "sqlite":
            return None
        told: datetime = self._send("SELECT clock_timestamp()", (), counted=False).fetchone()[0]
        return told

    @property
    def in_transaction(self) -> bool:
        """Tell if a transaction is still open."""
        if self.dialect.name == "sqlite":
            return bool(self._driver.in_transaction)
        return not self._driver.closed and self._driver.info.transaction_status != 0

    def begin(self, *, write: bool) -> None:
        """Begin a transaction; on SQLite a writer takes the lock at once."""
        if self.dialect.name == "sqlite":
            self._send("BEGIN IMMEDIATE" if write else "BEGIN", (), counted=False)
        elif not write:
            self._send("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", (), counted=False)
        # before what a writer sends first, psycopg sends BEGIN by itself

    def commit(self) -> None:
        """Make the transaction last."""
        with _translated(self._database, committing=True):
            self._driver.commit()
        if self._database.trace is not None:
            self._database.trace("COMMIT")

    def rollback(self) -> None:
        """Undo the transaction; a connection that is gone has undone it already."""
        if self._database.trace is not None:
            self._database.trace("ROLLBACK")
        with _quiet(self._database):
            self._driver.rollback()

    def _send(
        self, text: str, values: Sequence[Any], *, many: bool = False, counted: bool = True
    ) -> Any:
        """Hand a statement to the driver: the one place where statements go out."""
        database = self._database
        watch.sent.statements += 1
        if counted and database.trace is not None:
            database.trace(text)
        try:
            if many:
                self._cursor.executemany(text, values)
            else:
                self._cursor.execute(text, values)
        except database.driver_error as error:
            raise database.translate(error) from error
        return self._cursor


class Database:
    """One database: the SQLAlchemy engines for writing and reading, and what drivers differ in."""

    def __init__(self, url: str, tenant: str = "default") -> None:
        parsed = make_url(url)
        self._sqlite = parsed.get_backend_name() == "sqlite"
        memory = self._sqlite and parsed.database in (None, "", ":memory:")
        if self._sqlite:
            self.db, self.reading_db = sqlite(parsed, memory=memory)
        elif parsed.get_backend_name() == "postgresql":
            self.db = self.reading_db = postgres(parsed)
        else:
            raise SettingsError(f"database_url: {parsed.drivername} is not supported")
        self.dialect: Dialect = self.db.dialect
        #: whose rows its connections see
        self.tenant = tenant
        #: base class of the errors of the driver
        self.driver_error: type[Exception] = self.dialect.loaded_dbapi.Error
        #: everything that says that the database, not the program, has failed
        self.faults: tuple[type[Exception], ...] = (
            self.driver_error, sa.exc.DBAPIError, Unavailable,
        )  # fmt: skip
        #: gets the text of every statement, and COMMIT or ROLLBACK; for tests and benchmarks
        self.trace: Callable[[str], None] | None = None
        # SQLite has one writer: threads queue here instead of sleeping in its busy handler.
        # An in-memory database is one connection, so its readers queue as well.
        self._one_writer = threading.RLock() if self._sqlite else None
        self._one_reader = self._one_writer if memory else None
        # connections of SQLite stay out of their pool: to fetch one costs more than a small
        # statement. The one writer, and the readers that nobody uses at the moment.
        self._writer: _Fetched | None = None
        self._readers: deque[_Fetched] = deque()

    def writing(self) -> AbstractContextManager[Connection]:
        """Yield a connection in a writing transaction; without a commit everything is undone."""
        if self._one_writer is None:
            return self._opened()
        return _Writing(self, self._one_writer)

    def reading(
        self, *, queries: int = 2, one_moment: bool = False
    ) -> AbstractContextManager[Connection]:
        """Yield a connection for queries; it waits for no writer.

        On SQLite all of them see the same moment; for a single query, which always does, no
        transaction is begun. On PostgreSQL each query sees its own moment, as `read committed` is,
        and none needs a transaction, unless `one_moment` asks for one: two round trips more.
        """
        if self._one_writer is None:
            return self._opened_for_reading(one_moment=one_moment)
        return _Reading(self, self._one_reader, transaction=queries > 1)

    def close(self) -> None:
        """Close the idle connections."""
        kept, self._writer = self._writer, None
        if kept is not None:
            kept.pooled.close()
        while self._readers:
            self._readers.pop().pooled.close()
        self.db.dispose()
        self.reading_db.dispose()

    @contextmanager
    def _opened(self) -> Iterator[Connection]:
        """Yield a connection of PostgreSQL in a transaction, which begins with its first use."""
        pooled = self._checkout(self.db)
        connection = Connection(self, pooled.driver_connection)
        try:
            yield connection
        finally:
            if connection.in_transaction:
                connection.rollback()
            pooled.close()

    @contextmanager
    def _opened_for_reading(self, *, one_moment: bool) -> Iterator[Connection]:
        """Yield a connection of PostgreSQL whose every query is a transaction: one round trip."""
        pooled = self._checkout(self.reading_db)
        connection = Connection(self, pooled.driver_connection)
        driver: Any = connection.driver
        try:
            with _translated(self, committing=False):
                driver.autocommit = True
            if one_moment:
                connection.begin(write=False)
            yield connection
        finally:
            if one_moment and connection.in_transaction:
                connection.rollback()
            if driver.closed or connection.in_transaction:
                # broken, or left in the middle of a query: nobody else may get it
                pooled.invalidate()
            else:
                driver.autocommit = False
                pooled.close()

    def _fetch_writer(self) -> Connection:
        if self._writer is None:
            self._writer = self._fetched(self.db)
        return self._writer.connection

    def _fetch_reader(self) -> _Fetched:
        try:
            return self._readers.pop()
        except IndexError:
            return self._fetched(self.reading_db)

    def _give_back(self, reader: _Fetched) -> None:
        if len(self._readers) < READERS:
            self._readers.append(reader)
        else:
            reader.pooled.close()

    def _fetched(self, db: sa.Engine) -> _Fetched:
        pooled = self._checkout(db)
        return _Fetched(pooled, Connection(self, pooled.driver_connection))

    def _checkout(self, db: sa.Engine) -> PoolProxiedConnection:
        try:
            return db.raw_connection()
        except (sa.exc.DBAPIError, self.driver_error) as error:
            # a pool raises the driver's error as it is, what listens to it wraps it
            cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
            raise Disconnected(f"the database cannot be reached: {cause}") from error

    def translate(self, error: Exception, *, committing: bool = False) -> Exception:
        """Return the error of ours that a driver's error means, or the error itself."""
        if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
            return Disconnected("another process has been writing for too long")
        state = getattr(error, "sqlstate", None) or ""
        if isinstance(error, self.dialect.loaded_dbapi.IntegrityError):
            unique = state == "23505" or "UNIQUE" in str(error)
            return Duplicate(str(error)) if unique else error
        if state in ("40P01", "40001"):
            return Disconnected(f"the database ended the transaction: {error}")
        lost = isinstance(error, self.dialect.loaded_dbapi.OperationalError) and not self._sqlite
        if lost and (not state or state[:2] in ("08", "57")):
            self.db.dispose()
            # after a lost COMMIT nobody knows whether it counted: no silent second attempt
            if committing:
                return OutcomeUnknown(_UNKNOWN.format(error))
            return Disconnected(f"the connection was lost: {error}")
        return self._not_now(error)

    def _not_now(self, error: Exception) -> Exception:
        """Return what an error of the disk means; nothing of the transaction is stored."""
        state = getattr(error, "sqlstate", None)
        for told, meant in _DISK.items():
            if state == told or (self._sqlite and told in str(error)):
                return Unavailable(f"{meant}; nothing was stored ({error})")
        return error


class _Fetched(NamedTuple):
    """A connection that was fetched from its pool, and what is sent through it."""

    pooled: PoolProxiedConnection
    connection: Connection


class _Writing:
    """The turn of the one writer of SQLite. A class: a generator costs more than a statement."""

    __slots__ = ("_connection", "_database", "_lock")

    _connection: Connection

    def __init__(self, database: Database, lock: threading.RLock) -> None:
        self._database = database
        self._lock = lock

    def __enter__(self) -> Connection:
        self._lock.acquire()
        try:
            connection = self._connection = self._database._fetch_writer()
            connection.begin(write=True)
        except BaseException:
            self._lock.release()
            raise
        return connection

    def __exit__(self, *raised: object) -> None:
        try:
            if self._connection.in_transaction:
                self._connection.rollback()
        finally:
            self._lock.release()


class _Reading:
    """A reader of SQLite, in a transaction if it has several queries."""

    __slots__ = ("_database", "_fetched", "_lock", "_transaction")

    _fetched: _Fetched

    def __init__(
        self, database: Database, lock: threading.RLock | None, *, transaction: bool
    ) -> None:
        self._database = database
        self._lock = lock
        self._transaction = transaction

    def __enter__(self) -> Connection:
        if self._lock is not None:
            self._lock.acquire()
        try:
            self._fetched = self._database._fetch_reader()
            if self._transaction:
                self._fetched.connection.begin(write=False)
        except BaseException:
            self._release()
            raise
        return self._fetched.connection

    def __exit__(self, *raised: object) -> None:
        try:
            connection = self._fetched.connection
            if connection.in_transaction:
                connection.rollback()
            if connection.in_transaction:
                self._fetched.pooled.invalidate()
            else:
                self._database._give_back(self._fetched)
        finally:
            self._release()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()


@contextmanager
def _translated(database: Database, *, committing: bool) -> Iterator[None]:
    try:
        yield
    except database.driver_error as error:
        raise database.translate(error, committing=committing) from error


@contextmanager
def _quiet(database: Database) -> Iterator[None]:
    try:
        yield
    except database.driver_error:
        return
