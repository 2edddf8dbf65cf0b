"""A whole database as one file and back: SQLite by its backup API, PostgreSQL by its own programs.

Both copy one moment while others go on writing. What a restore replaces is set aside, not deleted.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from engine.errors import BadInput, EngineError, NotFound

#: begins the names of what a restore has set aside; no backup contains it
ASIDE = "before_restore_"
#: pages that SQLite copies at once; between them Ctrl-C is heard
_PAGES = 4096
#: lines of a failed program that are shown
_SHOWN = 5
_OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
)


def kind_of(url: str) -> str:
    """Return `sqlite` or `postgresql`."""
    return make_url(url).get_backend_name()


def sqlite_file(url: str) -> Path | None:
    """Return the file of a SQLite database, None for PostgreSQL; BadInput for one in memory."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return None
    if parsed.database in (None, "", ":memory:"):
        raise BadInput("a database in memory has no file: nothing of it can be kept")
    assert parsed.database is not None
    return Path(parsed.database).absolute()


def dump(url: str, target: Path) -> int:
    """Write the database as it is at one moment into a new file; return the number of its schema.

    Others may go on writing meanwhile. Raises NotFound without a database of ours, EngineError if
    PostgreSQL's programs are missing or refuse.
    """
    source = sqlite_file(url)
    if source is None:
        schema = _schema_of(make_url(url))
        _run("pg_dump", make_url(url), "--format=custom", "--no-owner", "--no-privileges",
             f"--exclude-schema={ASIDE}*", f"--file={target}")  # fmt: skip
    else:
        if not source.exists():
            raise NotFound(f"there is no database {source}")
        _copy_sqlite(source, target)
        schema = _schema_of(make_url(f"sqlite:///{target.as_posix()}"))
    if schema is None:
        raise NotFound("the database has no tables of Caseway: there is nothing to keep")
    return schema


def is_empty(url: str) -> bool:
    """Tell whether there is no database of ours yet; what cannot be read counts as one."""
    source = sqlite_file(url)
    if source is not None and not source.exists():
        return True
    try:
        return _schema_of(make_url(url)) is None
    except sa.exc.DatabaseError:
        if source is None:
            raise
        return False  # a damaged file: reason enough for a restore, and to be set aside


def in_use(url: str) -> bool:
    """Tell whether any process has the database open."""
    source = sqlite_file(url)
    if source is None:
        with _opened(make_url(url)) as server, server.connect() as connection:
            return bool(connection.scalar(sa.text(_OTHERS)))
    if not source.exists():
        return False
    with closing(sqlite3.connect(_uri(source), uri=True, isolation_level=None, timeout=0)) as db:
        try:
            # leaves the write-ahead log, which SQLite allows to the only connection there is
            (mode,) = db.execute("PRAGMA journal_mode=DELETE").fetchone()
        except sqlite3.OperationalError:
            return True
        except sqlite3.DatabaseError:
            return False  # damaged: nobody works with it
    return bool(mode != "delete")


def load_postgres(url: str, source: Path, aside: str) -> bool:
    """Fill a PostgreSQL database from a dump; tell whether what was there stands in schema `aside`.

    All of it comes in one transaction; if it fails, what was there is back in its place.
    """
    parsed = make_url(url)
    replaced = not is_empty(url)
    if replaced:
        _execute(parsed, f'ALTER SCHEMA public RENAME TO "{aside}"', "CREATE SCHEMA public")
    try:
        _run("pg_restore", parsed, "--single-transaction", "--exit-on-error", "--no-owner",
             "--no-privileges", str(source))  # fmt: skip
    except EngineError:
        if replaced:
            back = f'ALTER SCHEMA "{aside}" RENAME TO public'
            _execute(parsed, "DROP SCHEMA public CASCADE", back)
        raise
    return replaced


# ------------------------------------------------------------------ inside


def _copy_sqlite(source: Path, target: Path) -> None:
    with (
        closing(sqlite3.connect(_uri(source), uri=True, isolation_level=None)) as db,
        closing(sqlite3.connect(target, isolation_level=None)) as copy,
    ):
        # a reading transaction holds one moment; without it each write of another process would
        # make SQLite begin the copy anew, and under load it would never end
        db.execute("BEGIN")
        db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        db.backup(copy, pages=_PAGES, sleep=0)
        copy.execute("PRAGMA journal_mode=DELETE")
        (found,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise EngineError(f"the database {source} is damaged and was not kept: {found}")


def _uri(path: Path) -> str:
    return f"{path.as_uri()}?mode=rw"


def _schema_of(url: URL) -> int | None:
    """Return the number of the schema, None without our tables."""
    with _opened(url) as db, db.connect() as connection:
        if not sa.inspect(connection).has_table("meta"):
            return None
        found = connection.scalar(sa.text("SELECT value FROM meta WHERE name = 'schema'"))
    return int(found or 0)


@contextmanager
def _opened(url: URL) -> Iterator[sa.Engine]:
    """Yield a way to connect, closed afterwards."""
    driver = "postgresql+psycopg" if url.get_backend_name() == "postgresql" else "sqlite"
    db = sa.create_engine(url.set(drivername=driver), poolclass=sa.pool.NullPool)
    try:
        yield db
    finally:
        db.dispose()


def _execute(url: URL, *statements: str) -> None:
    with _opened(url) as db, db.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


def _run(program: str, url: URL, *arguments: str) -> None:
    """Run a program of PostgreSQL on a database; the password does not show in the process list."""
    words = url.set(drivername="postgresql").difference_update_query(["password"])
    plain = words._replace(password=None).render_as_string(hide_password=False)
    password = url.password or url.query.get("password")
    secret = {"PGPASSWORD": str(password)} if password else {}
    try:
        done = subprocess.run(
            [program, *arguments[:-1], f"--dbname={plain}", arguments[-1]],
            env={**os.environ, **secret},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        raise EngineError(
            f"{program} is not installed here: install the client programs of PostgreSQL, of the "
            "server's version or newer, or back the database up where they are"
        )
    if done.returncode:
        told = " / ".join(done.stderr.strip().splitlines()[-_SHOWN:])
        raise EngineError(f"{program} ended with status {done.returncode}: {told}")
