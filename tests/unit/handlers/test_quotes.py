"""Prices: exact, limited, kept."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from engine import BpmnError
from handlers import records as tables
from handlers.quotes import accept_quote, price_quote, void_quote
from handlers.records import Records
from tests.unit.handlers.conftest import MakeContext

LINES: list[dict[str, Any]] = [
    {"title": "人工", "count": 3, "price": Decimal("33.33")},
    {"title": "配件", "count": Decimal("0.5"), "price": Decimal("0.05")},
]


def test_quote_is_exact_to_the_cent(context: MakeContext) -> None:
    quote = price_quote(context(), LINES, discount=Decimal(10))["quote"]

    assert [line["amount"] for line in quote["lines"]] == [Decimal("99.99"), Decimal("0.03")]
    assert (quote["gross"], quote["discount"]) == (Decimal("100.02"), Decimal("10.00"))
    assert (quote["net"], quote["tax"]) == (Decimal("90.02"), Decimal("11.70"))
    assert quote["total"] == quote["net"] + quote["tax"] == Decimal("101.72")
    assert quote["discount_rate"] == Decimal("0.1")


def test_second_attempt_is_the_same_quote(context: MakeContext, records: Records) -> None:
    assert price_quote(context(), LINES) == price_quote(context(), LINES)
    assert len(records.all(tables.quote)) == 1


def test_quote_without_lines_is_a_drawn_error(context: MakeContext) -> None:
    with pytest.raises(BpmnError) as caught:
        price_quote(context(), [])
    assert caught.value.code == "EMPTY_QUOTE"


@pytest.mark.parametrize("discount", [Decimal(-1), Decimal("50.01")])
def test_discount_has_a_limit(context: MakeContext, discount: Decimal) -> None:
    with pytest.raises(BpmnError) as caught:
        price_quote(context(), LINES, discount=discount)
    assert caught.value.code == "DISCOUNT_LIMIT"


def test_limit_is_a_task_header(context: MakeContext) -> None:
    assert price_quote(context(discount_limit="60"), LINES, discount=Decimal(60))
    with pytest.raises(BpmnError):
        price_quote(context("b/1/1", discount_limit="5"), LINES, discount=Decimal(6))


@pytest.mark.parametrize("price", [None, "12", -1, True])
def test_line_without_a_price_is_named(context: MakeContext, price: object) -> None:
    with pytest.raises(ValueError, match="line 1 of the quote: price"):
        price_quote(context(), [{"title": "x", "price": price}])


def test_accepted_quote_keeps_its_fingerprint(context: MakeContext, records: Records) -> None:
    quote_id = price_quote(context("a/1/1"), LINES)["quote"]["quote_id"]

    first = accept_quote(context("a/2/2"), quote_id, accepted_by="李雷")
    again = accept_quote(context("a/2/2"), quote_id, accepted_by="somebody else")

    assert first == again
    row = records.get(tables.quote, id=quote_id)
    assert row is not None
    assert (row["state"], row["accepted_by"]) == ("accepted", "李雷")


def test_void_takes_a_quote_back(context: MakeContext, records: Records) -> None:
    quote_id = price_quote(context(), LINES)["quote"]["quote_id"]

    void_quote(context("a/2/2"), quote_id)
    void_quote(context("a/3/3"))

    row = records.get(tables.quote, id=quote_id)
    assert row is not None
    assert row["state"] == "void"


def test_unknown_quote_is_accepted_by_nobody(context: MakeContext) -> None:
    with pytest.raises(ValueError, match="no quote"):
        accept_quote(context(), "nothing")
