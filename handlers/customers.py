"""Who asks: customers are found by e-mail address, telephone number and name, or created."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, TypedDict

from engine import HandlerContext, handler
from handlers import records as tables
from handlers.intake import digest
from handlers.records import Records, Row

_LEAST_DIGITS = 5
#: how far back the orders of a customer count
_YEAR = timedelta(days=365)


class Matched(TypedDict):
    """What `customer.match` returns."""

    #: id, name, email, phone, tier (as agreed), language, preferred_channel; revenue and orders of
    #: the last twelve months
    customer: dict[str, Any]
    match: Literal["found", "created", "ambiguous"]
    #: who else it may be, if ambiguous
    candidates: list[dict[str, Any]]


@handler("customer.match", title="Match the customer", title_zh="匹配客户")
def match_customer(
    context: HandlerContext,
    contact: Annotated[dict[str, Any] | None, "name, email, phone of who asks"] = None,
    case_number: Annotated[str | None, "number of the case"] = None,
    language: Annotated[Literal["zh", "en"] | None, "language of the request"] = None,
    channel: Annotated[str | None, "how the request came in"] = None,
) -> Matched:
    """Find the one customer that an address belongs to, or create a customer.

    Addresses of two customers, or a name alone, are ambiguous: the candidates are reported with a
    provisional entry, and a person decides.
    """
    records = Records.of(context.settings)
    given = contact or {}
    addresses = identities(given)
    strong = [one for one in addresses if one[0] != "name"]
    hits = [row for row in records.known_by(strong) if row["key"] != context.key]
    if len(hits) == 1:
        records.add_identities(context.key, hits[0]["id"], strong)
        return _answer(context, records, "found", hits[0], [], case_number)
    if not hits:
        named = records.known_by([one for one in addresses if one[0] == "name"])
        hits = [] if strong else [row for row in named if row["key"] != context.key]
    made = _made(context, given, language, channel, provisional=bool(hits))
    # a provisional entry is known by nothing: the address belongs to one of the candidates
    row = records.add_customer(context.key, made, [] if hits else addresses, digest(context.key))
    return _answer(context, records, "ambiguous" if hits else "created", row, hits, case_number)


def identities(contact: dict[str, Any]) -> list[tuple[str, str]]:
    """Return (kind, value) of the addresses of a contact, as they are compared."""
    found = []
    if email := _line(contact.get("email")).lower():
        found.append(("email", email))
    digits = re.sub(r"\D", "", _line(contact.get("phone")))
    if len(digits) >= _LEAST_DIGITS:
        # the trunk prefix and the country code are written or left out at will
        found.append(("phone", digits.removeprefix("00").removeprefix("86").lstrip("0")))
    if name := _line(contact.get("name")).casefold():
        found.append(("name", name))
    return found


def _made(
    context: HandlerContext, given: dict[str, Any], language: str | None, channel: str | None,
    *, provisional: bool,
) -> Row:  # fmt: skip
    return {
        "name": _line(given.get("name")) or _line(given.get("email")) or _line(given.get("phone")),
        "email": _line(given.get("email")) or None,
        "phone": _line(given.get("phone")) or None,
        "tier": "standard",
        "language": language,
        "preferred_channel": channel,
        "state": "provisional" if provisional else "known",
        "created_at": context.now.isoformat(),
    }


def _answer(
    context: HandlerContext, records: Records, match: Literal["found", "created", "ambiguous"],
    row: Row, candidates: list[Row], case_number: str | None,
) -> Matched:  # fmt: skip
    if case_number is not None:
        records.change(tables.case, {"id": case_number}, customer_id=row["id"])
    since = context.now - _YEAR
    return {
        "customer": _shown(records, row, since), "match": match,
        "candidates": [_shown(records, one, since) for one in candidates],
    }  # fmt: skip


def _shown(records: Records, row: Row, since: datetime) -> dict[str, Any]:
    names = ("id", "name", "email", "phone", "tier", "language", "preferred_channel")
    ordered = records.ordered_by(row["id"], since)
    figures = {"revenue": sum(ordered, Decimal(0)), "orders": len(ordered)}
    return {name: row[name] for name in names} | figures


def _line(value: object) -> str:
    return " ".join(str(value or "").split())
