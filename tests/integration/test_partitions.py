"""On PostgreSQL the history stands in one table a month, and nobody notices how it got there."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from engine import clock as ids
from engine.clock import VirtualClock
from engine.dispatch import LocalDispatcher
from engine.dispatch.cluster import ClusterDispatcher
from engine.registry import Registry
from engine.runtime import Engine
from engine.store import archive, history, month, partitions, retention
from engine.store.connect import Database
from engine.store.month import BEFORE, REST
from engine.store.partitions import Kept
from engine.store.statement import Statement
from tests.integration import drawings
from tests.integration.conftest import MakeEngine, kinds

pytestmark = pytest.mark.postgres
Keep = Callable[[Database], Kept]
#: by the clock of a node that nobody looks after
FAR = datetime(2099, 5, 17, tzinfo=UTC)
OLD = datetime(2020, 1, 1, tzinfo=UTC)
DAY = 86400


@pytest.fixture
def database_url(empty_postgres_url: str) -> str:
    """Return the URL of an empty PostgreSQL database: SQLite keeps one table."""
    return empty_postgres_url


@pytest.fixture
def older(make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Return a node of the version before, which knows nothing of months, and cases of its own."""
    with monkeypatch.context() as before:
        before.setattr(partitions, "ready", lambda database: Kept())
        engine = make_engine()
    engine.deploy({"a.bpmn": drawings.scripts(2)}, by="ann")
    engine.deploy({"b.bpmn": drawings.waits_for_message("paid")}, by="ann")
    for n in range(5):
        engine.start("p", {"a": n})
    assert partitions.parts(engine.database) == []
    return engine


@contextmanager
def at(moment: datetime, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let ids be made at another moment."""
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(ids, "_last", 0)
        elsewhere.setattr(time, "time_ns", lambda: int(moment.timestamp()) * 10**9)
        yield


def names(database: Database) -> list[str]:
    return [part.name for part in partitions.parts(database)]


def rows(database: Database, table: str) -> int:
    with database.db.connect() as connection:
        return int(connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one())


def send(database: Database, *statements: str) -> None:
    with database.db.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def table_of(begin: datetime) -> str:
    return f"history_{begin:%Y_%m}"


def expected() -> list[str]:
    coming = [table_of(one) for one in month.coming(datetime.now(UTC))]
    return [BEFORE, *coming, REST]


def told(engine: Engine) -> dict[str, Any]:
    """Return the histories of all cases, each without a gap."""
    cases = [case.id for case in engine.cases(limit=10_000)]
    assert all(kinds(engine, case)[0] == "instance.started" for case in cases)
    return {case: engine.history(case) for case in cases}


# ------------------------------------------------------------------ the way there


def test_a_new_database_has_this_month_and_those_ahead(engine: Engine) -> None:
    assert names(engine.database) == expected()

    engine.deploy({"a.bpmn": drawings.scripts(1)}, by="ann")
    case = engine.start("p", {"a": 1})

    assert rows(engine.database, table_of(datetime.now(UTC))) == len(engine.history(case.id))


def test_opening_again_changes_nothing(engine: Engine, make_engine: MakeEngine) -> None:
    before = partitions.parts(engine.database)

    make_engine()
    assert partitions.keep(engine.database) == Kept()

    assert partitions.parts(engine.database) == before


def test_a_small_history_of_the_version_before_is_divided_at_the_first_start(
    older: Engine, make_engine: MakeEngine
) -> None:
    before = told(older)

    engine = make_engine()

    assert names(engine.database)[0] == BEFORE
    assert told(engine) == before
    assert rows(engine.database, BEFORE) == sum(map(len, before.values()))
    # and the node of before goes on, with the statements that it has prepared
    assert kinds(older, older.start("p").id)[0] == "instance.started"


def test_a_large_history_is_left_to_the_upkeep(
    older: Engine, make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "SMALL", 0)
    before = told(older)

    engine = make_engine()
    assert names(engine.database) == []
    assert engine.keep_months().done

    assert names(engine.database)[0] == BEFORE
    assert told(engine) == before


def test_those_who_write_and_read_meanwhile_are_not_disturbed(
    older: Engine, make_engine: MakeEngine
) -> None:
    # given three nodes of the version before that start, wait, complete and read all the while
    stop = threading.Event()
    started: list[str] = []
    failed: list[BaseException] = []

    def act(engine: Engine, number: int) -> None:
        try:
            while not stop.is_set():
                case = engine.start("p", {"a": 1}, start_key=f"{number}/{len(started)}").id
                assert kinds(engine, case)[-1] == "instance.completed"
                engine.erase(case, ["a"], by="ann")
                waiting = engine.start("waits", {"number": case}).id
                engine.correlate("paid", key=case)
                started.extend([case, waiting])
        except BaseException as error:
            failed.append(error)
            raise

    threads = [threading.Thread(target=act, args=(older, number)) for number in range(3)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(started) >= 30 or bool(failed))

    # when another node divides the history
    wait_until(lambda: partitions.keep(older.database).done or bool(failed))
    reached = len(started)
    wait_until(lambda: len(started) >= reached + 30 or bool(failed))
    stop.set()
    for thread in threads:
        thread.join()

    # then nobody has noticed, and all of it is there
    assert failed == []
    assert names(older.database)[0] == BEFORE
    assert set(started) <= set(told(older))


def wait_until(fulfilled: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not fulfilled():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_node_whose_clock_is_far_ahead_loses_nothing_at_any_step(
    older: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a case that began far ahead, before anything is divided
    def begin() -> str:
        with at(FAR, monkeypatch):
            return older.start("waits", {"number": str(len(cases)), "secret": "yes"}).id

    cases: list[str] = []
    cases.append(begin())

    # when steps are done one by one, each followed by more of such cases and their changes
    failing = 0
    while not stopped_at(older.database, failing, monkeypatch):
        failing += 1
        cases.append(begin())
        older.correlate("paid", key=str(failing - 1))
        assert older.erase(cases[-2], ["secret"], by="ann") == 1
        assert kinds(older, cases[-2])[-2:] == ["instance.completed", "history.erased"]
        assert set(cases) <= set(told(older))

    # then all of them stand in the rest, and go into their month when it comes
    assert failing > 10
    there = rows(older.database, REST)
    assert there == sum(len(older.history(case)) for case in cases)
    with older.database.db.begin() as connection:
        made = month.make(connection, month.beginning(FAR))
    assert (rows(older.database, REST), rows(older.database, made)) == (0, there)
    assert set(cases) <= set(told(older))


def test_the_rows_of_every_tenant_go_where_they_belong(
    older: Engine, make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(partitions, "ready", lambda database: Kept())
        nodes = [older, *(make_engine(tenant=tenant) for tenant in ("another", "zoo"))]
    far = []
    for node in nodes:
        node.deploy({"a.bpmn": drawings.scripts(1)}, by="ann")
        node.start("p", {"a": 1})
        with at(FAR, monkeypatch):
            far.append(node.start("p", {"a": 1}).id)
    there = [told(node) for node in nodes]

    assert partitions.keep(older.database).done

    assert [told(node) for node in nodes] == there
    of_far = sum(len(found[case]) for found, case in zip(there, far, strict=True))
    assert rows(older.database, REST) == of_far


class _Killed(Exception):
    """Stands for the end of the process."""


def stopped_at(database: Database, number: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Divide the history, but end at a statement; True if there are fewer."""
    sent = 0

    def count(*given: Any) -> None:
        nonlocal sent
        sent += 1
        if sent > number:
            raise _Killed

    sa.event.listen(database.db, "before_cursor_execute", count)
    try:
        return partitions.keep(database).done
    except _Killed:
        return False
    finally:
        sa.event.remove(database.db, "before_cursor_execute", count)


def test_several_nodes_may_divide_at_once(older: Engine, database_url: str) -> None:
    before = told(older)
    nodes = [Database(database_url) for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(partitions.keep, nodes))
    while not partitions.keep(older.database).done:
        pass

    assert names(older.database)[0] == BEFORE
    assert told(older) == before
    for node in nodes:
        node.close()


def test_what_reads_for_long_is_waited_for_and_holds_nobody_up(older: Engine) -> None:
    # given somebody who reads all the time, as a backup does
    with older.database.db.connect() as reader:
        reader.execute(sa.text("SELECT count(*) FROM history"))

        # when it is to be divided
        kept = partitions.keep(older.database)

        # then that is left for later, and cases begin
        assert not kept.done
        assert names(older.database) == []
        assert kinds(older, older.start("p", {"a": 1}).id)

    assert partitions.keep(older.database).done
    assert names(older.database)[0] == BEFORE


def test_behind_what_has_been_read_for_long_nobody_waits_at_all(
    older: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(month, "_LONG", "0s")
    sent: list[str] = []
    sa.event.listen(
        older.database.db, "before_cursor_execute", lambda *given: sent.append(given[2])
    )
    with older.database.db.connect() as reader:
        reader.execute(sa.text("SELECT count(*) FROM history"))

        assert not partitions.keep(older.database).done

    assert "LOCK TABLE ONLY history IN SHARE UPDATE EXCLUSIVE MODE" in sent
    assert not any("ACCESS EXCLUSIVE" in text for text in sent)


def test_rights_that_others_have_on_the_table_go_on(older: Engine) -> None:
    role = f"reports_{older.start('p').id[-12:]}"
    send(older.database, f"CREATE ROLE {role}", f"GRANT SELECT ON history TO {role}")

    partitions.keep(older.database)

    with older.database.db.connect() as connection:
        may = "SELECT has_table_privilege(:role, 'history', :right)"
        rights = [
            connection.scalar(sa.text(may), {"role": role, "right": right})
            for right in ("SELECT", "DELETE")
        ]
    assert rights == [True, False]
    send(older.database, f"DROP OWNED BY {role}", f"DROP ROLE {role}")


# ------------------------------------------------------------------ months that come


@pytest.mark.parametrize(
    ("now", "wanted"),
    [
        ("2026-11-22", ["2026-11", "2026-12", "2027-01", "2027-02"]),
        ("2027-02-01", ["2027-02", "2027-03", "2027-04", "2027-05"]),
    ],
)
def test_this_month_and_three_more_are_wanted(now: str, wanted: list[str]) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)

    assert [f"{one:%Y-%m}" for one in partitions.missing([], moment)] == wanted


def test_months_are_made_ahead_by_any_node_and_only_once(engine: Engine, database_url: str) -> None:
    # given that two months are missing, and rows that had to go into the rest
    before = names(engine.database)
    *_, first, second, _ = before
    send(engine.database, f"DROP TABLE {first}", f"DROP TABLE {second}")

    # when several nodes look at once
    nodes = [Database(database_url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        kept = list(pool.map(partitions.keep, nodes))
    partitions.keep(engine.database)

    # then each has been made by one of them
    assert names(engine.database) == before
    made = [name for one in kept for name in one.made]
    assert len(made) == len(set(made))
    for node in nodes:
        node.close()


@pytest.mark.parametrize("kind", ["local", "cluster"])
def test_the_maintenance_of_a_worker_makes_what_is_missing(
    make_engine: MakeEngine, kind: str
) -> None:
    if kind == "cluster":
        pytest.importorskip("procrastinate", reason="the extra `cluster` is not installed")
    engine = make_engine(dispatcher=kind)
    before = names(engine.database)
    send(engine.database, f"DROP TABLE {before[-2]}")
    registry = Registry.load(engine.settings)
    make: type[LocalDispatcher] = LocalDispatcher if kind == "local" else ClusterDispatcher
    worker = make(engine, registry)

    worker.look_after()

    wait_until(lambda: names(engine.database) == before)


def test_a_case_without_a_month_goes_into_the_rest_until_its_month_is_made(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.deploy({"a.bpmn": drawings.scripts(1)}, by="ann")
    coming = month.coming(datetime.now(UTC))[-1]
    send(engine.database, f"DROP TABLE {table_of(coming)}")
    with at(coming + timedelta(days=3), monkeypatch):
        case = engine.start("p", {"a": 1}).id
    before = told(engine)
    assert rows(engine.database, REST) == len(before[case])

    assert partitions.keep(engine.database).made == (table_of(coming),)

    assert rows(engine.database, REST) == 0
    assert rows(engine.database, table_of(coming)) == len(before[case])
    assert told(engine) == before


def test_a_table_that_has_the_name_of_a_month_keeps_nobody_from_starting(
    engine: Engine, make_engine: MakeEngine
) -> None:
    *_, last, _ = names(engine.database)
    send(engine.database, f"ALTER TABLE history DETACH PARTITION {last}")

    again = make_engine()

    assert "already exists" in again.keep_months().refused
    assert rows(again.database, last) == 0


def test_an_account_that_may_not_change_tables_goes_on_with_the_rest(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    *_, last, _ = names(engine.database)
    send(engine.database, f"DROP TABLE {last}")
    role = f"worker_{engine.database.db.url.database}"
    send(engine.database, f"CREATE ROLE {role} LOGIN")
    restricted = Database(
        engine.database.db.url.set(username=role).render_as_string(hide_password=False)
    )

    kept = partitions.keep(restricted)

    # nothing is lost, so that an hour's wait is right, and the log says what to do
    assert kept.done
    assert "permission denied" in kept.refused or "must be owner" in kept.refused
    assert "caseway migrate" in caplog.text
    assert last not in names(engine.database)
    restricted.close()
    send(engine.database, f"DROP ROLE {role}")


# ------------------------------------------------------------------ months that go


@pytest.fixture
def long_ago(engine: Engine) -> list[str]:
    """Return the tables of three months of 2020, as if the installation were that old."""
    first = month.first_id(OLD)
    send(
        engine.database,
        f"ALTER TABLE history DETACH PARTITION {BEFORE}",
        f"ALTER TABLE history ATTACH PARTITION {BEFORE} FOR VALUES FROM (MINVALUE) TO ('{first}')",
    )
    made = []
    for number in range(3):
        with engine.database.db.begin() as connection:
            made.append(month.make(connection, month.later(OLD, number)))
    engine.deploy({"a.bpmn": drawings.scripts(1)}, by="ann")
    engine.deploy({"b.bpmn": drawings.waits_for_message("paid")}, by="ann")
    return made


@pytest.fixture
def clock(clock: VirtualClock) -> VirtualClock:
    """Return a clock at which what began in 2020 and ended now is over for long."""
    clock.move_to(datetime.now(UTC))
    return clock


def test_a_month_goes_when_its_last_row_has_gone(
    engine: Engine, long_ago: list[str], clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("arro3.io", reason="the extra `archive` is not installed")
    # given a case that ended long ago, one that ended lately and one that runs, a month each
    cases = []
    for number, process in enumerate(("p", "p", "waits")):
        with at(month.later(OLD, number), monkeypatch):
            cases.append(engine.start(process, {"a": 1, "number": "7"}).id)
        clock.advance((40 - 39 * number) * DAY)
    before = told(engine)
    assert partitions.keep(engine.database).dropped == ()

    # when what is old is moved into a file
    moved = engine.archive(clock.now() - timedelta(days=30))

    # then its month goes, the others stay, and every case reads the same
    assert moved is not None
    assert moved.cases == 1
    assert partitions.keep(engine.database).dropped == (long_ago[0],)
    assert names(engine.database)[1:3] == long_ago[1:]
    assert told(engine) == before

    # when the case that ended later has been kept long enough
    clock.advance(40 * DAY)
    with engine.transaction() as tx:
        assert retention.drop_cases(tx.connection, clock.now() - timedelta(days=30), 100) == 2

    # then its month goes as well
    assert partitions.keep(engine.database).dropped == (long_ago[1],)
    assert kinds(engine, cases[2])[0] == "instance.started"


def test_the_erasure_of_an_archived_case_is_noted_where_its_month_is_gone(
    engine: Engine, long_ago: list[str], clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("arro3.io", reason="the extra `archive` is not installed")
    with at(OLD, monkeypatch):
        case = engine.start("p", {"a": 1, "secret": "yes"}).id
    clock.advance(40 * DAY)
    engine.archive(clock.now() - timedelta(days=30))
    assert long_ago[0] in partitions.keep(engine.database).dropped

    assert engine.erase(case, ["secret"], by="ann") == 1

    assert kinds(engine, case)[-1] == "history.erased"
    assert rows(engine.database, REST) == 1


def test_a_row_that_comes_between_the_look_and_the_lock_keeps_its_month(
    engine: Engine, long_ago: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with at(OLD, monkeypatch):
        case = engine.start("p", {"a": 1}).id
    monkeypatch.setattr(partitions, "_has_rows", lambda database, name: False)

    dropped = partitions.keep(engine.database).dropped

    assert dropped == tuple(long_ago[1:])
    assert kinds(engine, case)[0] == "instance.started"


def test_a_month_that_somebody_reads_goes_later(engine: Engine, long_ago: list[str]) -> None:
    with engine.database.db.connect() as reader:
        reader.execute(sa.text(f"SELECT count(*) FROM {long_ago[1]}"))
        assert partitions.keep(engine.database).dropped == ()
        assert kinds(engine, engine.start("p", {"a": 1}).id)

    assert partitions.keep(engine.database).dropped == tuple(long_ago)


def test_what_was_there_before_the_months_gives_its_room_back(
    engine: Engine, long_ago: list[str], clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a case older than all months, removed
    monkeypatch.setattr(partitions, "SMALL", 0)
    with at(OLD - timedelta(days=90), monkeypatch):
        engine.start("p", {"a": 1})
    assert rows(engine.database, BEFORE)
    clock.advance(DAY)
    with engine.transaction() as tx:
        assert retention.drop_cases(tx.connection, clock.now(), 100) == 1
    (before,) = (part for part in partitions.parts(engine.database) if part.name == BEFORE)

    # when the months are kept
    partitions.keep(engine.database)

    # then it is there, and takes no more room than an empty table
    (after,) = (part for part in partitions.parts(engine.database) if part.name == BEFORE)
    assert after.heap == 0
    assert after.bytes < before.bytes


def test_a_month_that_somebody_has_built_on_stays(
    engine: Engine, long_ago: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    send(engine.database, f"CREATE VIEW ours AS SELECT * FROM {long_ago[0]}")

    kept = partitions.keep(engine.database)

    assert kept == Kept(dropped=tuple(long_ago[1:]))
    assert "view ours depends on" in caplog.text


# ------------------------------------------------------------------ only one month is looked at


def planned(engine: Engine, statement: Statement[Any], *, generic: bool, **given: Any) -> str:
    """Return how PostgreSQL executes a statement, with the plan of its values or one for all."""
    ready = statement.ready(engine.database.dialect)
    values = ready.values(given, engine.database.tenant)
    with engine.database.db.connect() as connection:
        mode = "force_generic_plan" if generic else "force_custom_plan"
        driver: Any = connection.connection.driver_connection
        driver.execute(f"SET LOCAL plan_cache_mode = {mode}")
        found = driver.execute(f"EXPLAIN (ANALYZE) {ready.text}", values, prepare=True).fetchall()
        driver.rollback()
    return "\n".join(row[0] for row in found)


def touched(plan: str) -> set[str]:
    """Return the partitions that a plan has executed."""
    done = [line for line in plan.splitlines() if "never executed" not in line]
    return {
        word for line in done for word in line.replace(")", " ").split()
        if word.startswith("history_")
    }  # fmt: skip


@pytest.fixture
def started(engine: Engine) -> list[str]:
    """Return cases of this month."""
    engine.deploy({"a.bpmn": drawings.scripts(2)}, by="ann")
    return [engine.start("p", {"a": n}).id for n in range(3)]


@pytest.mark.parametrize("generic", [False, True])
def test_what_reads_or_changes_a_case_looks_at_its_month_alone(
    engine: Engine, started: list[str], generic: bool
) -> None:
    this = {table_of(datetime.now(UTC))}
    root, tenant = started[0], engine.database.tenant
    asked: list[tuple[Statement[Any], dict[str, Any]]] = [
        (history._PAGE, {"root_id": root, "after": 0, "limit": 9}),
        (history._PAGE_OF_CALLED,
         {"root_id": root, "instance_id": root, "after": 0, "limit": 9}),
        (history._WRITE_VALUE, {"tenant": tenant, "b_root": root, "b_seq": 1, "value": "1"}),
        (archive._LINES, {"ids": started}),
        (archive._DELETES[0], {"ids": started}),
        (retention._DELETES[0], {"ids": started}),
    ]  # fmt: skip

    plans = [planned(engine, one, generic=generic, **given) for one, given in asked]

    assert [touched(plan) & set(names(engine.database)) for plan in plans] == [this] * len(asked)


def test_what_is_written_reaches_into_one_month_alone(engine: Engine, started: list[str]) -> None:
    query = (
        "SELECT DISTINCT relname FROM pg_locks JOIN pg_class c ON c.oid = relation"
        " WHERE pid = pg_backend_pid() AND relkind = 'r' AND relname LIKE 'history%'"
    )
    assert started
    with engine.database.writing() as connection:
        row = ("default", started[0], 999, datetime.now(UTC), "x", started[0], None, None, None,
               None, None, None, False)  # fmt: skip
        connection.rows(history._INSERT, [row, (*row[:2], 1000, *row[3:])])
        locked = connection.driver.execute(query).fetchall()

    assert [name for (name,) in locked] == [table_of(datetime.now(UTC))]


# ------------------------------------------------------------------ what an operator sees


def test_the_months_are_listed_with_what_stands_where(
    engine: Engine, long_ago: list[str], clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("arro3.io", reason="the extra `archive` is not installed")
    with at(OLD, monkeypatch):
        case = engine.start("p", {"a": 1}).id
    count = len(engine.history(case))
    clock.advance(40 * DAY)
    engine.archive(clock.now() - timedelta(days=30))

    found = engine.months()

    assert [one.month for one in found][:2] == ["before 2020-01", "2020-01"]
    assert found[-1].month == "rest"
    assert sum(one.files for one in found) == 1
    assert sum(one.archived_rows for one in found) == count
    assert all(one.bytes is not None for one in found)
    assert len(long_ago) == 3
