"""What every test may use: a database of its own, and none of the settings of whoever runs it."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import psycopg
import pytest
from sqlalchemy.engine import make_url

from tests.postgres import VARIABLE

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
def postgres_url(postgres_server: str) -> Iterator[str]:
    """Return the SQLAlchemy URL of an empty PostgreSQL database, dropped after the test."""
    server = make_url(postgres_server)
    name = f"test_{uuid.uuid4().hex}"
    as_libpq = server.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(as_libpq, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"'.encode())
        yield server.set(database=name).render_as_string(hide_password=False)
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Return the SQLAlchemy URL of a SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'caseway.db'}"


@pytest.fixture(
    params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)],
)
def database_url(request: pytest.FixtureRequest) -> str:
    """Return the URL of an empty database; the test runs once for SQLite, once for PostgreSQL."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url
