"""Numbers of cases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from engine import HandlerContext
from engine.settings import Settings
from handlers.numbering import number_case, reserve_number
from handlers.records import Records
from tests.unit.handlers.conftest import NOW, MakeContext


def test_numbers_count_up_within_a_year(context: MakeContext) -> None:
    numbers = [number_case(context(f"case-{n}/number/1"))["case_number"] for n in range(3)]

    assert numbers == ["2026-000001", "2026-000002", "2026-000003"]
    later = context("case-9/number/1", now=datetime(2027, 1, 1, tzinfo=UTC))
    assert number_case(later)["case_number"] == "2027-000001"


def test_second_attempt_has_the_number_of_the_first(context: MakeContext) -> None:
    first, again = (number_case(context("same/number/1")) for _ in range(2))

    assert first == again


def test_number_of_the_intake_stays(context: MakeContext, records: Records) -> None:
    given = reserve_number(records, "mail/1", NOW)

    assert number_case(context("a/number/1"), case_number=given)["case_number"] == given
    assert reserve_number(records, "mail/1", NOW) == given
    assert number_case(context("b/number/1"))["case_number"] == "2026-000002"


def test_given_number_leaves_a_gap(context: MakeContext) -> None:
    number_case(context("a/number/1"), case_number="2026-000041")

    assert number_case(context("b/number/1"))["case_number"] == "2026-000042"


@pytest.mark.parametrize("wrong", ["42", "2026-1", "2026-000001; drop", ""])
def test_what_is_no_number_is_refused(context: MakeContext, wrong: str) -> None:
    with pytest.raises(ValueError, match="no case number"):
        number_case(context(), case_number=wrong)


def test_no_number_is_given_twice_at_the_same_moment(records: Records) -> None:
    with ThreadPoolExecutor(4) as threads:
        numbers = list(threads.map(lambda n: reserve_number(records, str(n), NOW), range(12)))

    assert len(set(numbers)) == 12


def test_number_of_another_case_is_refused(context: MakeContext, settings: Settings) -> None:
    number_case(context("a/number/1"), case_number="2026-000007")
    other = HandlerContext(key="b/number/1", root_id="another", settings=settings, now=NOW)

    with pytest.raises(ValueError, match="belongs to another case"):
        number_case(other, case_number="2026-000007")
