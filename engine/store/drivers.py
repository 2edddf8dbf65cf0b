"""How SQLite and PostgreSQL are opened: pools, pragmas, options of a session."""

from __future__ import annotations

import sqlite3
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

#: a server or network that is gone without a word is noticed within half a minute, not after the
#: quarter of an hour or two hours of the operating system; seconds, and milliseconds for the last
_SIGNS_OF_LIFE = {
    "connect_timeout": 10, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}  # fmt: skip
#: how long a writer waits for another process to finish its transaction
_BUSY_MS = 10_000
#: pages of the journal after which they are copied into the database. Most pages of a case are
#: written again by its next steps: the more of them wait here, the fewer are copied
_CHECKPOINT_PAGES = 4000


def sqlite(url: sa.URL, *, memory: bool) -> tuple[sa.Engine, sa.Engine]:
    """Return a pool for writing and one for reading; in memory both are one connection."""
    options: dict[str, Any] = {
        "connect_args": {
            # no transaction is begun behind our back
            "isolation_level": None,
            "check_same_thread": False,
            "cached_statements": 256,
            "timeout": _BUSY_MS / 1000,
        },
    }
    if memory:
        db = sa.create_engine(url, poolclass=StaticPool, **options)
        sa.event.listen(db, "connect", _pragmas)
        return db, db
    # `_opened` has rolled back already when a connection goes back to its pool
    options["pool_reset_on_return"] = None
    db = sa.create_engine(url, pool_size=2, max_overflow=8, **options)
    reading = sa.create_engine(url, pool_size=8, max_overflow=24, **options)
    sa.event.listen(db, "connect", _pragmas)
    sa.event.listen(reading, "connect", _reading_pragmas)
    return db, reading


def _pragmas(connection: sqlite3.Connection, record: object) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    # FULL: an acknowledged case survives a power cut, not only a crash of the process
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA temp_store=MEMORY")
    connection.execute("PRAGMA cache_size=-16384")


def _reading_pragmas(connection: sqlite3.Connection, record: object) -> None:
    _pragmas(connection, record)
    connection.execute("PRAGMA query_only=ON")


def postgres(url: sa.URL) -> sa.Engine:
    """Return the pool for a PostgreSQL database."""
    # no pool_pre_ping: it doubles the round trips; the runtime repeats a verb once instead
    return sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        paramstyle="format",
        pool_size=8,
        max_overflow=24,
        pool_reset_on_return=None,
        connect_args={
            "options": "-c timezone=UTC -c default_transaction_isolation=read\\ committed",
            **signs_of_life(url),
        },
    )


def signs_of_life(url: sa.URL) -> dict[str, int]:
    """Return how a connection notices that nobody is at its other end; the URL's word counts."""
    return {name: value for name, value in _SIGNS_OF_LIFE.items() if name not in url.query}
