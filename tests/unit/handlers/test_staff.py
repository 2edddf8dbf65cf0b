"""Who does the work, and what was done."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from engine import BpmnError
from handlers import records as tables
from handlers.closing import close_case
from handlers.numbering import number_case
from handlers.records import Records
from handlers.staff import Worker, assign_staff, employ, on_shift
from handlers.work_orders import record_work_order
from tests.unit.handlers.conftest import MakeContext

CASE = "2026-000001"


@pytest.fixture(autouse=True)
def people(records: Records) -> None:
    """Two who repair, one who does not."""
    employ(records, Worker(user="tom", skills=["repair"], teams=["field"], capacity_hours=8))
    employ(records, Worker(user="sam", skills=["repair"], teams=["field"], capacity_hours=8))
    employ(records, Worker(user="una", skills=["software"], capacity_hours=8))


def chosen(context: MakeContext, key: str, **wanted: object) -> str:
    given = {"case_number": CASE, "title": key, "skill": "repair", "hours": Decimal(3), **wanted}
    return str(assign_staff(context(f"{key}/assign/1"), **given)["assignment"]["user"])  # type: ignore[arg-type]


def test_least_loaded_of_who_can_gets_the_order(context: MakeContext) -> None:
    assert [chosen(context, str(n)) for n in range(4)] == ["sam", "tom", "sam", "tom"]


def test_full_staff_is_a_shortage(context: MakeContext) -> None:
    for n in range(4):
        chosen(context, str(n))

    with pytest.raises(BpmnError) as caught:
        chosen(context, "one too many")
    assert caught.value.code == "STAFF_SHORTAGE"
    assert "repair" in str(caught.value.variables["shortage"])


def test_second_attempt_changes_nothing(context: MakeContext, records: Records) -> None:
    assert chosen(context, "a") == chosen(context, "a")
    assert len(records.all(tables.work_order)) == 1


def test_team_and_skill_limit_the_choice(context: MakeContext) -> None:
    assert chosen(context, "a", skill="software", teams=["remote"]) == "una"
    with pytest.raises(BpmnError):
        chosen(context, "b", teams=["remote"])


def test_who_gave_the_order_back_is_not_asked_again(context: MakeContext, records: Records) -> None:
    assert chosen(context, "order") == "sam"

    given = assign_staff(
        context("order/assign/2"), case_number=CASE, title="order", skill="repair",
        hours=Decimal(3), excluded=["sam"],
    )  # fmt: skip

    assert given["assignment"]["user"] == "tom"
    states = {row["user"]: row["state"] for row in records.all(tables.work_order)}
    assert states == {"sam": "returned", "tom": "assigned"}


@pytest.mark.parametrize(
    ("at", "on"),
    [
        ("2026-03-02T00:30", False),  # 08:30 on Monday in Shanghai
        ("2026-03-02T01:00", True),
        ("2026-03-02T09:59", True),
        ("2026-03-02T10:00", False),
        ("2026-03-07T02:00", False),  # Saturday
    ],
)
def test_shift_is_local_time(records: Records, at: str, on: bool) -> None:
    employ(records, Worker(
        user="wei", skills=["repair"], shift=("09:00", "18:00"), days=(0, 1, 2, 3, 4),
        zone="Asia/Shanghai",
    ))  # fmt: skip
    person = records.get(tables.staff, id="wei")
    assert person is not None

    assert on_shift(person, datetime.fromisoformat(at).replace(tzinfo=UTC)) is on


@pytest.mark.parametrize(
    ("at", "on"),
    [("2026-03-06T23:00", True), ("2026-03-07T05:00", True), ("2026-03-08T05:00", False)],
)
def test_night_shift_belongs_to_the_day_it_began(records: Records, at: str, on: bool) -> None:
    employ(records, Worker(user="nia", shift=("22:00", "06:00"), days=(4,)))  # Friday night
    person = records.get(tables.staff, id="nia")
    assert person is not None

    assert on_shift(person, datetime.fromisoformat(at).replace(tzinfo=UTC)) is on


def test_finished_order_frees_who_did_it(context: MakeContext, records: Records) -> None:
    given = assign_staff(
        context("a/assign/1"), case_number=CASE, title="t", skill="repair", hours=Decimal(8)
    )["assignment"]

    result = record_work_order(
        context("a/record/2"), case_number=CASE, title="t",
        report={"by": "sam", "hours": Decimal("2.5"), "report": "done"},
        assignment_id=given["assignment_id"],
    )  # fmt: skip

    assert result["work_result"]["hours"] == Decimal("2.5")
    (row,) = records.all(tables.work_order)
    assert (row["state"], row["spent_hours"]) == ("done", "2.5")
    assert chosen(context, "next", hours=Decimal(8)) == "sam"


def test_what_a_lead_did_is_recorded_without_an_assignment(
    context: MakeContext, records: Records
) -> None:
    for _ in range(2):
        record_work_order(context(), case_number=CASE, title="t", report={"by": "lea", "hours": 1})

    (row,) = records.all(tables.work_order)
    assert (row["user"], row["state"]) == ("lea", "done")


def test_closed_case_lets_go_of_its_staff(context: MakeContext, records: Records) -> None:
    number_case(context("n/1/1"), case_number=CASE)
    chosen(context, "a", hours=Decimal(8))

    first = close_case(context("c/1/1"), CASE, "withdrawn")
    again = close_case(context("c/2/2"), CASE, "done")

    assert first == again == {"outcome": "withdrawn", "closed_at": first["closed_at"]}
    assert [row["state"] for row in records.all(tables.work_order)] == ["cancelled"]


def test_unknown_case_cannot_be_closed(context: MakeContext) -> None:
    with pytest.raises(ValueError, match="no case"):
        close_case(context(), "2026-999999")


def test_earlier_team_comes_before_a_later_one_however_busy_it_is(
    context: MakeContext, records: Records
) -> None:
    employ(records, Worker(user="vip", skills=["repair"], teams=["senior"], capacity_hours=8))
    assert chosen(context, "1", hours=Decimal(6), teams=["senior", "field"]) == "vip"

    # vip has two hours left, tom and sam have eight
    assert chosen(context, "2", hours=Decimal(2), teams=["senior", "field"]) == "vip"
    assert chosen(context, "3", hours=Decimal(2), teams=["senior", "field"]) == "sam"
    assert chosen(context, "4", hours=Decimal(2), teams=["field", "senior"]) == "tom"
