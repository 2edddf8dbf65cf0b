from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect

from engine.store.columns import Json, Moment
from engine.store.statement import Ready, Statement, inserting

SQLITE: Dialect = sqlite.dialect()
POSTGRES: Dialect = postgresql.dialect(paramstyle="format")  # type: ignore[no-untyped-call]
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
things = sa.Table(
    "things",
    sa.MetaData(),
    sa.Column("tenant", sa.Text),
    sa.Column("id", sa.Text),
    sa.Column("at", Moment),
    sa.Column("content", Json),
)


def test_values_come_in_the_order_of_the_places_and_converted() -> None:
    ready = Ready(inserting(things), SQLITE)

    values = ready.values({"content": {"a": 1}, "at": NOON, "id": "x"}, "us")

    assert values == ["us", "x", "2026-03-02T12:00:00.000000Z", '{"a":1}']


def test_a_constant_of_the_statement_keeps_its_place() -> None:
    query = sa.select(things.c.id).where(
        things.c.id > sa.bindparam("after"), things.c.content == {}, things.c.tenant == "us"
    )
    ready = Ready(query.limit(3), SQLITE)

    for after in ("a", "b"):
        assert ready.values({"after": after}, "us") == [after, "{}", "us", 3, 0]


def test_a_value_that_nobody_gives_is_refused() -> None:
    for statement in (inserting(things), sa.select(things).where(things.c.id == sa.bindparam("i"))):
        with pytest.raises(KeyError):
            Ready(statement, SQLITE).values({"at": NOON}, "us")


def test_a_row_becomes_what_its_columns_say() -> None:
    ready = Ready(sa.select(things.c.id, things.c.at, things.c.content), SQLITE)

    assert ready.load(("x", "2026-03-02T12:00:00.000000Z", "{}")) == ["x", NOON, {}]


def test_each_database_has_a_text_of_its_own() -> None:
    statement = Statement[object](sa.select(things.c.id).where(things.c.id == sa.bindparam("i")))

    assert statement.ready(SQLITE).text.endswith("= ?")
    assert statement.ready(POSTGRES).text.endswith("= %s::VARCHAR")
    assert statement.ready(SQLITE) is statement.ready(SQLITE)
