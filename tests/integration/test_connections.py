from __future__ import annotations

import contextlib
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from engine.errors import Conflict, NotFound
from engine.runtime import Engine
from engine.store import hints, tasks
from engine.store.connect import READERS, Connection, Database, Disconnected
from tests.integration import drawings
from tests.integration.conftest import MakeEngine, claim


def test_a_reader_does_not_wait_for_a_writer(engine: Engine) -> None:
    engine.deploy({"a.bpmn": drawings.two_tasks()}, by="ann")
    engine.start("p")

    with engine.database.writing() as connection:
        connection.run_text("UPDATE user_task SET name = 'changed'")

        assert [task.name for task in engine.tasks()] == ["offer"]

    # without a commit nothing has happened
    assert [task.name for task in engine.tasks()] == ["offer"]


def test_only_several_queries_of_sqlite_need_a_transaction(engine: Engine) -> None:
    begun = []
    for queries in (1, 2):
        with engine.database.reading(queries=queries) as connection:
            connection.run_text("SELECT 1")
            begun.append(connection.in_transaction)

    # PostgreSQL would show each query its own moment in a transaction too
    assert begun == [False, connection.dialect.name == "sqlite"]
    engine.deploy({"a.bpmn": drawings.two_tasks()}, by="ann")
    with engine.database.writing() as connection:
        connection.run_text("UPDATE deployment SET comment = 'changed'")
        assert connection.in_transaction


def test_a_reader_who_asks_for_it_sees_one_moment(engine: Engine) -> None:
    engine.deploy({"a.bpmn": drawings.two_tasks()}, by="ann")

    def look() -> None:
        with engine.database.reading(one_moment=True) as connection:
            before = tasks.open_tasks(connection)
            engine.start("p")
            assert tasks.open_tasks(connection) == before == 0
            raise NotFound("as a page of what is not there")

    # when, then
    with pytest.raises(NotFound):
        look()
    # and nothing of it is left for who comes next
    with engine.database.reading(queries=1) as connection:
        assert not connection.in_transaction
        assert tasks.open_tasks(connection) == 1


def test_a_reader_that_could_not_be_rolled_back_is_given_to_nobody(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    if engine.database.dialect.name != "sqlite":
        pytest.skip("a connection of PostgreSQL reads without a transaction")
    # as after an error of the disk, which a rollback does not tell
    with monkeypatch.context() as patch:
        patch.setattr(Connection, "rollback", lambda self: None)
        with engine.database.reading() as stuck:
            stuck.run_text("SELECT 1")

    with engine.database.reading() as connection:
        assert connection is not stuck
        assert tasks.open_tasks(connection) == 0


def test_readers_beyond_those_kept_are_closed_again(engine: Engine) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(READERS + 2):
            connection = stack.enter_context(engine.database.reading())
            connection.run_text("SELECT 1")

    assert len(engine.database._readers) <= READERS
    assert engine.next_due() is None


def test_a_failing_verb_leaves_nothing_behind(engine: Engine) -> None:
    engine.deploy({"a.bpmn": drawings.services(["pack"])}, by="ann")
    heard: list[object] = []
    engine.announce = heard.append

    def change_and_fail() -> None:
        with engine.transaction() as tx:
            tx.add_work(
                id="w", root_id="r", instance_id="r", element_id="e", kind="service", topic="x"
            )
            tx.flush()
            raise Conflict("changed my mind")

    with pytest.raises(Conflict):
        change_and_fail()

    assert claim(engine) == []
    assert heard == []


def test_the_pragmas_make_commits_durable(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    with database.db.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "wal_autocheckpoint")
        }
    with database.reading_db.connect() as connection:
        read_only = connection.exec_driver_sql("PRAGMA query_only").scalar()
    database.close()

    assert pragmas == {
        "journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "wal_autocheckpoint": 4000
    }  # fmt: skip
    assert read_only == 1


@pytest.mark.postgres
def test_a_verb_survives_a_database_that_was_restarted(
    make_engine: MakeEngine, postgres_url: str, database_url: str
) -> None:
    if not database_url.startswith("postgresql"):
        pytest.skip("SQLite has no connection that could be lost")
    engine = make_engine()
    engine.deploy({"a.bpmn": drawings.two_tasks()}, by="ann")
    engine.start("p")
    admin = sa.create_engine(database_url)

    with admin.connect() as connection:
        connection.execute(
            sa.text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )

    case = engine.start("p")
    assert engine.case(case.id) == case
    admin.dispose()


def test_a_server_that_is_not_there_is_named_as_such(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    database = Database(f"postgresql+psycopg://nobody@/nothing?host={tmp_path}")

    with pytest.raises(Disconnected, match="cannot be reached"), database.writing():
        pass
    with pytest.raises(Disconnected, match="cannot be reached"), database.reading():
        pass

    database.close()


@pytest.mark.postgres
def test_a_lost_connection_is_named_as_such(database_url: str) -> None:
    if not database_url.startswith("postgresql"):
        pytest.skip("SQLite has no connection that could be lost")
    database = Database(database_url)

    with pytest.raises(Disconnected), database.writing() as connection:
        connection.run_text("SELECT pg_terminate_backend(pg_backend_pid())")

    database.close()


@pytest.mark.postgres
def test_a_connection_notices_that_nobody_is_at_its_other_end(database_url: str) -> None:
    if not database_url.startswith("postgresql"):
        pytest.skip("SQLite has no connection that could be lost")
    chosen = sa.make_url(database_url).update_query_dict({"keepalives_idle": "33"})
    database = Database(chosen.render_as_string(hide_password=False))

    with database.writing() as connection:
        used = connection.driver.info.get_parameters()
    listening = hints.arguments(database)
    database.close()

    # what the operator says in the URL counts
    assert used["keepalives_idle"] == str(listening["keepalives_idle"]) == "33"
    for name in ("tcp_user_timeout", "connect_timeout"):
        assert int(used[name]) == int(listening[name]) > 0


def test_threads_share_an_engine(engine: Engine) -> None:
    engine.deploy({"a.bpmn": drawings.scripts(3)}, by="ann")
    made: list[str] = []

    def begin() -> None:
        for _ in range(5):
            made.append(engine.start("p", {"a": 1}).id)

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {case.id for case in engine.cases()} == set(made)
    assert len(made) == 20
