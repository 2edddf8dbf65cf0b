from __future__ import annotations

import ast
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command, script

from engine import kernel
from engine.errors import SchemaTooNew, SettingsError
from engine.runtime import Engine
from engine.store import migrate
from engine.store.connect import Database
from engine.store.tables import metadata
from tests.integration.conftest import MakeEngine


@pytest.fixture
def database_url(empty_database_url: str) -> str:
    """Return the URL of a database without tables: here they are made."""
    return empty_database_url


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


def test_a_schema_whose_programs_know_more_is_refused(
    engine: Engine, make_engine: MakeEngine
) -> None:
    newer = migrate.SCHEMA + 1
    say(engine, schema=newer, schema_oldest=newer)

    with pytest.raises(SchemaTooNew, match=f"schema {newer}.*knows schema {migrate.SCHEMA}"):
        make_engine()


def test_a_schema_that_only_gained_something_is_worked_with_and_left_alone(
    engine: Engine, make_engine: MakeEngine
) -> None:
    say(engine, schema=migrate.SCHEMA + 1, schema_oldest=migrate.SCHEMA)

    older = make_engine()

    assert older.cases() == []
    assert migrate.found(older.database) == migrate.SCHEMA + 1


def test_a_newer_schema_that_does_not_say_who_may_work_with_it_is_refused(
    engine: Engine, make_engine: MakeEngine
) -> None:
    say(engine, schema=migrate.SCHEMA + 1, schema_oldest=None)

    with pytest.raises(SchemaTooNew):
        make_engine()


def test_cases_in_a_format_that_is_not_read_here_are_refused(
    engine: Engine, make_engine: MakeEngine
) -> None:
    say(engine, snapshot_format=kernel.FORMAT + 1)

    with pytest.raises(SchemaTooNew, match=f"reads up to format {kernel.FORMAT}: upgrade it"):
        make_engine()


def test_nodes_keep_the_format_of_before_until_the_upgrade_is_finished(
    database_url: str, engine: Engine, make_engine: MakeEngine
) -> None:
    say(engine, snapshot_format=kernel.FORMAT - 1)

    with_older_nodes = make_engine()
    with_older_nodes.finish_upgrade()
    finished = make_engine()

    # one machine has no older nodes
    is_alone = database_url.startswith("sqlite")
    limit = engine.settings.large_value_limit
    assert with_older_nodes.limits.large_value == (limit if is_alone else 0)
    assert finished.limits.large_value == limit


#: what a migration may call although the programs of before read the tables it is done to
_ADDING = {"create_table", "add_column", "create_index", "drop_index", "execute", "f", "get_bind"}


def test_what_a_migration_takes_away_is_listed_with_who_may_run_beside_it() -> None:
    taking = {}
    for file in sorted((Path(migrate.__file__).parent / "migrations/versions").glob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        found = {name for call in calls if (name := alembic_verb(call)) not in _ADDING | {None}}
        texts = " ".join(
            node.value.upper() for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        )  # fmt: skip
        found |= {word for word in ("DROP TABLE", "DROP COLUMN", "RENAME ") if word in texts}
        found |= {f"column {n} without a default" for n in map(must_be_given, calls) if n}
        if found:
            taking[file.name[:4]] = found

    assert {k: v for k, v in taking.items() if k not in migrate.CONTRACTS} == {}
    assert set(migrate.CONTRACTS) <= set(taking), "a contract step that takes nothing away"
    assert all(oldest <= migrate.SCHEMA for oldest in migrate.CONTRACTS.values())


def alembic_verb(call: ast.Call) -> str | None:
    """Return `drop_column` for `op.drop_column(...)` or `batch.drop_column(...)`."""
    func = call.func
    is_of_alembic = isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name)
    if is_of_alembic and func.value.id in ("op", "batch"):  # type: ignore[attr-defined]
        return str(func.attr)  # type: ignore[attr-defined]
    return None


def must_be_given(call: ast.Call) -> str | None:
    """Return the column that `add_column` adds and that an older program would not fill."""
    if alembic_verb(call) != "add_column":
        return None
    column = call.args[1]
    assert isinstance(column, ast.Call), "write the column into the call, so that this test sees it"
    said = {keyword.arg: ast.unparse(keyword.value) for keyword in column.keywords}
    is_free = said.get("nullable", "True") == "True" or "server_default" in said
    return None if is_free else ast.unparse(column.args[0])


def test_several_nodes_may_migrate_at_once(database_url: str) -> None:
    nodes = [Database(database_url) for _ in range(3)]

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(partial(migrate.migrate, newest_format=kernel.FORMAT), nodes))

    assert [migrate.found(node) for node in nodes] == [migrate.SCHEMA] * 3
    for node in nodes:
        node.close()


def test_another_kind_of_database_is_refused() -> None:
    with pytest.raises(SettingsError, match="mysql"):
        Database("mysql://somewhere/x")


def say(engine: Engine, **rows: int | None) -> None:
    """Change what a database says of itself."""
    with engine.database.writing() as connection:
        for name, value in rows.items():
            connection.run_text(f"DELETE FROM meta WHERE name = '{name}'")
            if value is not None:
                connection.run_text(f"INSERT INTO meta (name, value) VALUES ('{name}', '{value}')")
        connection.commit()
