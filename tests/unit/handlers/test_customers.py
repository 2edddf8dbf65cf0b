"""Intake, and who asks."""

from __future__ import annotations

from decimal import Decimal

import pytest

from handlers import records as tables
from handlers.customers import identities, match_customer
from handlers.intake import record_intake
from handlers.records import Records
from tests.unit.handlers.conftest import NOW, MakeContext

LI = {"name": "李雷", "email": "Li@Example.com", "phone": "+86 139 0000 0001"}


def test_contact_is_stored_once_with_its_channel(context: MakeContext, records: Records) -> None:
    for _ in range(2):
        taken = record_intake(
            context(),
            case_number="2026-000001",
            text="漏水了，请尽快",
            channel="wechat",
            contact=LI,
        )

    assert taken["language"] == "zh"
    (row,) = records.all(tables.message)
    assert (row["channel"], row["direction"], row["address"]) == ("wechat", "in", "Li@Example.com")


def test_unknown_contact_becomes_a_customer_once(context: MakeContext, records: Records) -> None:
    first = match_customer(context(), contact=LI, language="zh", channel="phone")
    again = match_customer(context(), contact=LI, language="zh", channel="phone")

    assert first == again
    assert first["match"] == "created"
    assert len(records.all(tables.customer)) == 1


@pytest.mark.parametrize(
    "contact",
    [
        {"email": " li@example.COM "},
        {"phone": "0086-139-0000-0001"},
        {"phone": "13900000001", "name": "别人"},
    ],
)
def test_customer_is_found_by_address(
    context: MakeContext, contact: dict[str, str], records: Records
) -> None:
    known = match_customer(context("a/1/1"), contact=LI)["customer"]

    found = match_customer(context("b/1/1"), contact=contact)

    assert (found["match"], found["customer"]) == ("found", known)


def test_second_channel_belongs_to_the_same_customer(context: MakeContext) -> None:
    known = match_customer(context("a/1/1"), contact={"name": "李雷", "phone": "13900000001"})
    match_customer(context("b/1/1"), contact=LI)

    by_mail = match_customer(context("c/1/1"), contact={"email": "li@example.com"})

    assert by_mail["customer"]["id"] == known["customer"]["id"]


def test_addresses_of_two_customers_are_ambiguous(context: MakeContext, records: Records) -> None:
    match_customer(context("a/1/1"), contact={"name": "A", "email": "a@example.com"})
    match_customer(context("b/1/1"), contact={"name": "B", "phone": "13900000002"})

    found = match_customer(
        context("c/1/1"), contact={"name": "C", "email": "a@example.com", "phone": "13900000002"}
    )

    assert found["match"] == "ambiguous"
    assert sorted(one["name"] for one in found["candidates"]) == ["A", "B"]
    stored = records.get(tables.customer, id=found["customer"]["id"])
    assert stored is not None
    assert stored["state"] == "provisional"


def test_name_alone_is_never_enough(context: MakeContext) -> None:
    match_customer(context("a/1/1"), contact=LI)

    assert match_customer(context("b/1/1"), contact={"name": "李雷"})["match"] == "ambiguous"


def test_nobody_in_particular_is_a_new_customer(context: MakeContext) -> None:
    assert match_customer(context("a/1/1"))["match"] == "created"
    assert match_customer(context("b/1/1"), contact={})["match"] == "created"


def test_short_number_identifies_nobody() -> None:
    assert identities({"phone": "110", "name": " "}) == []


def test_customer_comes_with_the_orders_of_the_last_year(
    context: MakeContext, records: Records
) -> None:
    who = match_customer(context(), contact=LI)["customer"]
    assert (who["revenue"], who["orders"]) == (0, 0)

    for number, (total, state, at) in enumerate(
        [
            ("100.50", "accepted", "2026-02-01T00:00:00+00:00"),
            ("20", "accepted", "2025-03-02T09:00:00+00:00"),
            ("4000", "accepted", "2025-03-02T08:59:59+00:00"),
            ("5000", "void", "2026-02-01T00:00:00+00:00"),
            ("6000", "offered", None),
        ]
    ):
        case_number = records.number_case(f"case/{number}", NOW)
        records.change(tables.case, {"id": case_number}, customer_id=who["id"])
        row = {"id": f"q{number}", "case_number": case_number, "total": total, "state": state,
               "accepted_at": at}  # fmt: skip
        records.once(tables.quote, f"quote/{number}", lambda _, row=row: row)  # type: ignore[misc]

    # then neither what is older than a year counts, nor what was taken back or never accepted
    found = match_customer(context("again"), contact=LI)["customer"]
    assert (found["revenue"], found["orders"]) == (Decimal("120.50"), 2)


def test_orders_of_others_do_not_count(context: MakeContext, records: Records) -> None:
    other = match_customer(context("a"), contact={"email": "han@example.com"})["customer"]
    case_number = records.number_case("case", NOW)
    records.change(tables.case, {"id": case_number}, customer_id=other["id"])
    records.once(tables.quote, "q", lambda _: {
        "id": "q", "case_number": case_number, "total": "90", "state": "accepted",
        "accepted_at": NOW.isoformat(),
    })  # fmt: skip

    assert match_customer(context("b"), contact=LI)["customer"]["orders"] == 0
    assert (
        match_customer(context("c"), contact={"email": "han@example.com"})["customer"]["orders"]
        == 1
    )
