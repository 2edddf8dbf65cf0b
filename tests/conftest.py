"""What every test may use: a database of its own, and none of the settings of whoever runs it."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import psycopg
import pytest
from sqlalchemy.engine import make_url

from engine.runtime import Engine
from engine.settings import Settings
from tests import scratch
from tests.postgres import VARIABLE

scratch.use()

# the same examples in every run: a red test is red for everybody
hypothesis.settings.register_profile("caseway", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("caseway")

for _name in [name for name in os.environ if name.startswith("CASEWAY_") and name != VARIABLE]:
    del os.environ[_name]


@pytest.fixture(scope="session")
def postgres_server() -> str:
    """Return the SQLAlchemy URL of a PostgreSQL server that databases may be made in."""
    url = os.environ.get(VARIABLE)
    if url:
        return url
    if os.environ.get("CI") == "true":
        pytest.fail(f"{VARIABLE} is not set, and CI leaves nothing out")
    pytest.skip(f"{VARIABLE} is not set; `make test` sets it")


@pytest.fixture
def empty_postgres_url(postgres_server: str) -> Iterator[str]:
    """Return the SQLAlchemy URL of an empty PostgreSQL database, dropped after the test."""
    with postgres_database(postgres_server, like="template1") as url:
        yield url


@pytest.fixture(scope="session")
def migrated_postgres(
    postgres_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Return the name of a PostgreSQL database of the present schema; nobody may connect to it."""
    with postgres_database(postgres_server, like="template1") as url:
        migrate(Settings(data_dir=tmp_path_factory.mktemp("migrated"), database_url=url))
        yield str(make_url(url).database)


@pytest.fixture
def postgres_url(postgres_server: str, migrated_postgres: str) -> Iterator[str]:
    """Return the SQLAlchemy URL of a PostgreSQL database of the present schema, without rows."""
    with postgres_database(postgres_server, like=migrated_postgres) as url:
        yield url


@contextmanager
def postgres_database(server: str, *, like: str) -> Iterator[str]:
    """Yield the SQLAlchemy URL of a copy of a database, dropped afterwards."""
    address = make_url(server)
    name = f"test_{uuid.uuid4().hex}"
    as_libpq = address.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(as_libpq, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{like}"'.encode())
        yield address.set(database=name).render_as_string(hide_password=False)
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    """Return the SQLAlchemy URL of a SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'caseway.db'}"


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a SQLite file of the present schema, `caseway.db`; do not write to it."""
    folder = tmp_path_factory.mktemp("migrated")
    migrate(Settings(data_dir=folder))
    return folder / "caseway.db"


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """Return the SQLAlchemy URL of a SQLite file of the present schema, without rows."""
    return f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path)}"


def migrate(settings: Settings) -> None:
    """Bring a database to the present schema, once for all the tests that begin with one."""
    engine = Engine(settings)
    engine.migrate()
    engine.close()


_KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=_KINDS)
def database_url(request: pytest.FixtureRequest) -> str:
    """Return the URL of a database of the present schema, without rows.

    The test runs once for SQLite, once for PostgreSQL.
    """
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(params=_KINDS)
def empty_database_url(request: pytest.FixtureRequest) -> str:
    """Return the URL of a database without tables, for tests of how they are made."""
    url: str = request.getfixturevalue(f"empty_{request.param}_url")
    return url
