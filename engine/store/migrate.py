"""Brings the schema up to date with Alembic; refuses a database of a newer Caseway."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from engine.errors import SchemaTooNew
from engine.store import statistics
from engine.store.tables import meta

if TYPE_CHECKING:
    from alembic.config import Config

    from engine.store.connect import Database

#: counts up with each file in migrations/versions; kept in the database under `meta.schema`
SCHEMA = 7
#: any number, the same for all nodes: two of them never migrate a PostgreSQL database at once
_LOCK = 7_116_931_045


def migrate(database: Database) -> None:
    """Bring an empty or older database up to date. Raises SchemaTooNew for a newer one."""
    if found(database) == SCHEMA:
        return
    # Alembic takes 0.2 s to import, a start that has nothing to migrate does not pay it
    from alembic import command

    with database.db.connect() as connection:
        if database.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        command.upgrade(config(connection), "head")
        if database.dialect.name == "sqlite":
            statistics.describe(connection)
        connection.execute(sa.delete(meta).where(meta.c.name == "schema"))
        connection.execute(sa.insert(meta).values(name="schema", value=str(SCHEMA)))
        connection.commit()


def found(database: Database) -> int:
    """Return the number of the schema in the database, 0 for none. Raises SchemaTooNew."""
    with database.reading_db.connect() as connection:
        if not sa.inspect(connection).has_table(meta.name):
            return 0
        stored = connection.scalar(sa.select(meta.c.value).where(meta.c.name == "schema"))
    number = int(stored or 0)
    if number > SCHEMA:
        raise SchemaTooNew(
            f"the database has schema {number}, this Caseway knows schema {SCHEMA}: upgrade it"
        )
    return number


def config(connection: sa.Connection) -> Config:
    """Return the Alembic configuration: the migrations lie in this package, wheel or checkout."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    made.attributes["connection"] = connection
    return made
