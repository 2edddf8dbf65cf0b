"""Prices in exact decimals: lines, discount, tax; what was accepted keeps a fingerprint."""

from __future__ import annotations

import hashlib
import json
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Any, TypedDict

from engine import BpmnError, HandlerContext, handler
from handlers import records as tables
from handlers.intake import digest
from handlers.records import Records

_CENT = Decimal("0.01")
_HUNDRED = Decimal(100)
#: percent; the task header `discount_limit` sets another
_DISCOUNT_LIMIT = Decimal(50)


class Priced(TypedDict):
    """What `quote.price` returns."""

    #: quote_id, lines (title, count, price, amount), net, discount_rate, discount, tax, total
    quote: dict[str, Any]


class Accepted(TypedDict):
    """What `quote.accept` returns."""

    document_hash: str


@handler("quote.price", title="Price the quote", title_zh="计算报价")
def price_quote(
    context: HandlerContext,
    lines: Annotated[list[dict[str, Any]], "title, count, price of each line"],
    discount: Annotated[Decimal, "percent off the sum"] = Decimal(0),
    tax_percent: Annotated[Decimal, "percent on top of the net sum"] = Decimal(13),
    case_number: Annotated[str | None, "number of the case"] = None,
) -> Priced:
    """Sum the lines, take the discount off, add the tax; every amount is rounded to the cent.

    Drawn errors: EMPTY_QUOTE without lines, DISCOUNT_LIMIT above the limit of the task header
    `discount_limit` (50 percent without one).
    """
    if not lines:
        raise BpmnError("EMPTY_QUOTE", "a quote needs at least one line")
    limit = Decimal(context.headers.get("discount_limit", _DISCOUNT_LIMIT))
    if not 0 <= discount <= limit:
        raise BpmnError("DISCOUNT_LIMIT", f"a discount is between 0 and {limit} percent")
    priced = [_line(number, line) for number, line in enumerate(lines, 1)]
    gross = sum((line["amount"] for line in priced), Decimal(0))
    off = _cents(gross * discount / _HUNDRED)
    net = gross - off
    tax = _cents(net * tax_percent / _HUNDRED)
    quote = {
        "quote_id": digest(context.key), "lines": priced, "gross": gross, "discount": off,
        "discount_rate": discount / _HUNDRED, "net": net, "tax": tax, "total": net + tax,
    }  # fmt: skip
    Records.of(context.settings).once(tables.quote, context.key, lambda _: {
        "id": quote["quote_id"], "case_number": case_number, "content": canonical(quote),
        "total": str(quote["total"]), "state": "offered", "created_at": context.now.isoformat(),
    })  # fmt: skip
    return {"quote": quote}


@handler("quote.accept", title="Record the agreement", title_zh="登记协议")
def accept_quote(
    context: HandlerContext,
    quote_id: Annotated[str, "which quote"],
    accepted_by: Annotated[str | None, "who accepted it"] = None,
) -> Accepted:
    """Freeze an accepted quote with the SHA-256 of its content, once."""
    records = Records.of(context.settings)
    found = records.get(tables.quote, id=quote_id)
    if found is None:
        raise ValueError(f"there is no quote {quote_id!r}")
    fingerprint = hashlib.sha256(found["content"].encode()).hexdigest()
    records.change(
        tables.quote, {"id": quote_id, "state": "offered"}, state="accepted",
        accepted_by=accepted_by, accepted_at=context.now.isoformat(), document_hash=fingerprint,
    )  # fmt: skip
    return {"document_hash": fingerprint}


@handler("quote.void", title="Void a quote", title_zh="撤销报价")
def void_quote(
    context: HandlerContext,
    quote_id: Annotated[str | None, "which quote; none does nothing"] = None,
) -> None:
    """Take a quote back; undoes `quote.accept`."""
    if quote_id is not None:
        Records.of(context.settings).change(tables.quote, {"id": quote_id}, state="void")


def canonical(value: Any) -> str:
    """Return one text for equal values, whatever the order of their members."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)


def _line(number: int, line: dict[str, Any]) -> dict[str, Any]:
    count, price = _number(number, line, "count"), _number(number, line, "price")
    amount = _cents(count * price)
    return {"title": str(line.get("title") or number), "count": count, "price": price,
            "amount": amount}  # fmt: skip


def _number(number: int, line: dict[str, Any], name: str) -> Decimal:
    value = line.get(name, 1 if name == "count" else None)
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or value < 0:
        raise ValueError(f"line {number} of the quote: {name} is {value!r}, not a number from 0")
    return Decimal(value)


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, ROUND_HALF_UP)
