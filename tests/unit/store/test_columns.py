from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect

from engine.clock import new_id
from engine.store.columns import Json, Moment, among, fresh_id, moment_text

SQLITE: Dialect = sqlite.dialect()
POSTGRES: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
MOMENTS = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=8))]))


@given(MOMENTS, MOMENTS)
def test_texts_of_moments_sort_as_the_moments_do(one: datetime, other: datetime) -> None:
    assert (moment_text(one) < moment_text(other)) == (one < other)
    assert len(moment_text(one)) == 27


@given(MOMENTS)
def test_a_moment_comes_back_as_the_same_moment(moment: datetime) -> None:
    back = stored_and_read(Moment(), moment)

    assert back == moment
    assert back is not None
    assert back.tzinfo is UTC


def stored_and_read(column: sa.types.TypeEngine[Any], value: Any) -> Any:
    """Return a value as SQLite gives it back."""
    store, read = column.bind_processor(SQLITE), column.result_processor(SQLITE, None)
    assert store is not None
    assert read is not None
    return read(store(value))


def test_a_moment_without_zone_is_not_stored() -> None:
    with pytest.raises(ValueError, match="time zone"):
        moment_text(datetime(2026, 3, 2))  # noqa: DTZ001


@pytest.mark.parametrize("value", [None, {}, [], {"a": [1, Decimal("1.50")]}, "text", 0])
def test_a_json_column_gives_back_what_it_got(value: Any) -> None:
    assert stored_and_read(Json(), value) == value


def test_a_list_is_one_parameter_on_both_databases() -> None:
    table = sa.table("t", sa.column("id", sa.Text))
    query = sa.select(table.c.id).where(among(table.c.id, "ids"))

    assert "json_each(?)" in str(query.compile(dialect=SQLITE))
    assert "= ANY (%(ids)s" in str(query.compile(dialect=POSTGRES))


def test_ids_made_by_the_database_are_version_seven() -> None:
    db = sa.create_engine("sqlite://")
    stamp = new_id()[:15]

    with db.connect() as connection:
        made = [connection.scalar(sa.select(fresh_id("stamp")), {"stamp": stamp}) for _ in "ab"]
    db.dispose()

    assert len(set(made)) == 2
    for one in made:
        assert isinstance(one, str)
        assert one.startswith(stamp)
        assert [len(part) for part in one.split("-")] == [8, 4, 4, 4, 12]
        assert one[14] == "7"
        assert one[19] == "a"
