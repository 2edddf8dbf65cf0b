"""The business tables on both databases, with several writers at once."""

from __future__ import annotations

import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from engine import BpmnError, HandlerContext
from engine.settings import Settings
from handlers import records as tables
from handlers.customers import match_customer
from handlers.numbering import reserve_number
from handlers.records import SCHEMA, Records
from handlers.staff import Worker, assign_staff, employ

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Return an installation on one of the databases."""
    return Settings(data_dir=tmp_path, database_url=database_url)


@pytest.fixture
def records(settings: Settings) -> Records:
    """Return its business tables."""
    return Records.of(settings)


def test_numbers_given_at_the_same_moment_differ(records: Records) -> None:
    with ThreadPoolExecutor(6) as threads:
        numbers = list(threads.map(lambda n: reserve_number(records, str(n), NOW), range(30)))

    assert sorted(numbers) == [f"2026-{n:06d}" for n in range(1, 31)]


def test_attempts_at_the_same_moment_write_once(settings: Settings, records: Records) -> None:
    context = HandlerContext(key="root/match/1", root_id="root", settings=settings, now=NOW)
    with ThreadPoolExecutor(4) as threads:
        found = list(
            threads.map(
                lambda _: match_customer(context, contact={"email": "a@example.com"}), range(8)
            )
        )

    assert len(records.all(tables.customer)) == len(records.all(tables.identity)) == 1
    assert len({one["customer"]["id"] for one in found}) == 1


def test_two_orders_never_share_the_same_hours(settings: Settings, records: Records) -> None:
    employ(records, Worker(user="tom", skills=["repair"], capacity_hours=8))

    def assign(number: int) -> bool:
        context = HandlerContext(key=f"root/assign/{number}", settings=settings, now=NOW)
        try:
            assign_staff(context, "2026-000001", str(number), "repair", Decimal(3))
        except BpmnError:
            return False
        return True

    with ThreadPoolExecutor(6) as threads:
        assert sum(threads.map(assign, range(6))) == 2


def test_tables_are_made_once_and_keep_their_number(settings: Settings, records: Records) -> None:
    for _ in range(2):
        with closing(Records(settings.url, settings.tenant)) as again:
            again.migrate()

    with records.writing() as connection:
        numbers = [row[0] for row in connection.execute(tables.schema.select())]
    assert numbers == [SCHEMA]


def test_tables_of_a_newer_version_are_refused(settings: Settings, records: Records) -> None:
    with records.writing() as connection:
        connection.execute(tables.schema.insert().values(number=SCHEMA + 1))

    older = closing(Records(settings.url, settings.tenant))
    with older as opened, pytest.raises(ValueError, match="records_schema"):
        opened.migrate()


def test_tenants_do_not_see_each_other(settings: Settings, records: Records) -> None:
    with closing(Records(settings.url, "other")) as other:
        given = [reserve_number(one, "a", NOW) for one in (records, other)]
        assert given == ["2026-000001", "2026-000001"]
        records.close_case("2026-000001", "done", NOW)

        row = other.get(tables.case, id="2026-000001")

    assert row is not None
    assert row["state"] == "open"


def test_a_connection_is_kept_between_transactions(records: Records) -> None:
    opened: list[object] = []

    def note(connection: object, _: object) -> None:
        opened.append(connection)

    records.all(tables.case)
    sa.event.listen(sa.Pool, "connect", note)
    try:
        for number in range(5):
            reserve_number(records, str(number), NOW)
            records.all(tables.case)
    finally:
        sa.event.remove(sa.Pool, "connect", note)

    assert opened == []


def test_a_connection_that_the_server_has_ended_is_replaced(
    settings: Settings, records: Records
) -> None:
    if settings.url.startswith("sqlite"):
        pytest.skip("SQLite has no server")
    reserve_number(records, "a", NOW)
    with closing(Records(settings.url)) as other, other.reading() as admin:
        ended = sa.text(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert admin.scalar(ended)

    assert reserve_number(records, "a", NOW) == "2026-000001"
    assert reserve_number(records, "b", NOW) == "2026-000002"


def test_a_look_waits_for_no_writer(records: Records) -> None:
    reserve_number(records, "a", NOW)

    with records.writing() as connection:
        connection.execute(tables.case.update().values(state="closed"))
        (seen,) = records.all(tables.case)

    assert seen["state"] == "open"


def test_a_customer_and_its_addresses_are_one_transaction(records: Records) -> None:
    commits: list[object] = []
    sa.event.listen(records._db, "commit", commits.append)
    known_by = [("email", "a@example.com"), ("phone", "13800000000"), ("name", "ann")]

    row = records.add_customer("k", {"name": "Ann"}, known_by, "c1")
    again = records.add_customer("k", {"name": "Ann"}, known_by, "c2")

    assert again["id"] == row["id"] == "c1"
    assert [one["id"] for one in records.known_by(known_by)] == ["c1"]
    assert len(commits) == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_leaves_the_connections_to_its_parent(records: Records) -> None:
    reserve_number(records, "a", NOW)
    with warnings.catch_warnings():
        # the threads of other tests: none of them holds anything that the child asks for
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        try:
            made = reserve_number(records, "b", NOW)
            os._exit(0 if made == "2026-000002" else 1)
        finally:
            os._exit(2)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert reserve_number(records, "c", NOW) == "2026-000003"
