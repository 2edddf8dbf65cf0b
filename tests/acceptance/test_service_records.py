"""The business tables on both databases, with several writers at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

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
        Records(settings.url, settings.tenant).migrate()

    with records.writing() as connection:
        numbers = [row[0] for row in connection.execute(tables.schema.select())]
    assert numbers == [SCHEMA]


def test_tables_of_a_newer_version_are_refused(settings: Settings, records: Records) -> None:
    with records.writing() as connection:
        connection.execute(tables.schema.insert().values(number=SCHEMA + 1))

    with pytest.raises(ValueError, match="records_schema"):
        Records(settings.url, settings.tenant).migrate()


def test_tenants_do_not_see_each_other(settings: Settings, records: Records) -> None:
    other = Records(settings.url, "other")

    assert reserve_number(records, "a", NOW) == reserve_number(other, "a", NOW) == "2026-000001"
    records.close_case("2026-000001", "done", NOW)

    row = other.get(tables.case, id="2026-000001")
    assert row is not None
    assert row["state"] == "open"
