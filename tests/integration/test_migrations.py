from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from alembic import command, script

from engine.errors import SchemaTooNew, SettingsError
from engine.runtime import Engine
from engine.store import migrate
from engine.store.connect import Database
from engine.store.tables import metadata
from tests.integration.conftest import MakeEngine


def test_the_migrated_schema_is_the_one_in_the_code(engine: Engine) -> None:
    with engine.database.db.connect() as connection:
        command.check(migrate.config(connection))


def test_every_index_of_the_code_was_migrated_with_its_condition(engine: Engine) -> None:
    found = sa.inspect(engine.database.db)

    for table in metadata.sorted_tables:
        stored = {index["name"]: index for index in found.get_indexes(table.name)}
        for index in table.indexes:
            there = stored[index.name]
            assert there["column_names"] == [column.name for column in index.columns]
            assert bool(there["unique"]) == bool(index.unique)
            options = there.get("dialect_options", {})
            where = options.get("sqlite_where", options.get("postgresql_where"))
            assert (where is None) == (index.dialect_options["sqlite"]["where"] is None)


def test_the_number_of_the_schema_counts_the_migrations(engine: Engine) -> None:
    with engine.database.db.connect() as connection:
        scripts = script.ScriptDirectory.from_config(migrate.config(connection))

    assert len(list(scripts.walk_revisions())) == migrate.SCHEMA
    assert migrate.found(engine.database) == migrate.SCHEMA


def test_migrating_again_does_nothing(engine: Engine) -> None:
    engine.migrate()

    assert migrate.found(engine.database) == migrate.SCHEMA


def test_a_newer_schema_is_refused(engine: Engine, make_engine: MakeEngine) -> None:
    with engine.database.writing() as connection:
        connection.run_text(f"UPDATE meta SET value = '{migrate.SCHEMA + 1}'")
        connection.commit()

    with pytest.raises(SchemaTooNew, match="upgrade"):
        make_engine()


def test_several_nodes_may_migrate_at_once(database_url: str) -> None:
    nodes = [Database(database_url) for _ in range(3)]

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(migrate.migrate, nodes))

    assert [migrate.found(node) for node in nodes] == [migrate.SCHEMA] * 3
    for node in nodes:
        node.close()


def test_another_kind_of_database_is_refused() -> None:
    with pytest.raises(SettingsError, match="mysql"):
        Database("mysql://somewhere/x")
