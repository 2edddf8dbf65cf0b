"""Cron as Camunda 8 writes it: six fields, seconds first, both day fields count (Spring's form)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ExecutionFault
from engine.kernel import parse_cycle
from engine.kernel.cron import Cron, parse_cron
from engine.kernel.triggers import next_due

#: a Thursday
BEGIN = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


def turns(text: str, number: int = 3, begin: datetime = BEGIN) -> list[str]:
    """Return the first moments behind a moment, in UTC."""
    cron, found = parse_cron(text), [begin]
    for _ in range(number):
        found.append(cron.after(found[-1]))
    return [f"{moment:%Y-%m-%d %H:%M:%S}" for moment in found[1:]]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("0 0 9-17 * * MON-FRI", ["2026-01-01 13:00:00", "2026-01-01 14:00:00"]),
        ("*/20 * * * * *", ["2026-01-01 12:00:20", "2026-01-01 12:00:40"]),
        ("0 15/20 * * * *", ["2026-01-01 12:15:00", "2026-01-01 12:35:00"]),
        ("0 0 0 1,15 * ?", ["2026-01-15 00:00:00", "2026-02-01 00:00:00"]),
        ("0 0 0 L * *", ["2026-01-31 00:00:00", "2026-02-28 00:00:00"]),
        ("0 0 0 L-3 * *", ["2026-01-28 00:00:00", "2026-02-25 00:00:00"]),
        ("0 0 0 LW * *", ["2026-01-30 00:00:00", "2026-02-27 00:00:00"]),
        # the weekday nearest to the first: a Sunday moves on, and never into another month
        ("0 0 0 1W 2,3,8 *", ["2026-02-02 00:00:00", "2026-03-02 00:00:00"]),
        ("0 0 0 ? * 5L", ["2026-01-30 00:00:00", "2026-02-27 00:00:00"]),
        ("0 0 0 ? * mon#2", ["2026-01-12 00:00:00", "2026-02-09 00:00:00"]),
        ("0 0 0 ? * SUN", ["2026-01-04 00:00:00", "2026-01-11 00:00:00"]),
        ("0 0 0 ? * 0", ["2026-01-04 00:00:00", "2026-01-11 00:00:00"]),
        ("0 0 0 ? * 7", ["2026-01-04 00:00:00", "2026-01-11 00:00:00"]),
        ("0 0 0 ? * SUN-TUE", ["2026-01-04 00:00:00", "2026-01-05 00:00:00"]),
        ("0 0 0 ? * FRI-7", ["2026-01-02 00:00:00", "2026-01-03 00:00:00"]),
        # a Friday that is a 13th: both fields of the day count
        ("0 0 0 13 * FRI", ["2026-02-13 00:00:00", "2026-03-13 00:00:00"]),
        ("0 0 0 29 FEB *", ["2028-02-29 00:00:00", "2032-02-29 00:00:00"]),
        ("@hourly", ["2026-01-01 13:00:00", "2026-01-01 14:00:00"]),
        ("@daily", ["2026-01-02 00:00:00", "2026-01-03 00:00:00"]),
        ("@midnight", ["2026-01-02 00:00:00", "2026-01-03 00:00:00"]),
        ("@weekly", ["2026-01-04 00:00:00", "2026-01-11 00:00:00"]),
        ("@monthly", ["2026-02-01 00:00:00", "2026-03-01 00:00:00"]),
        ("@yearly", ["2027-01-01 00:00:00", "2028-01-01 00:00:00"]),
        ("@annually", ["2027-01-01 00:00:00", "2028-01-01 00:00:00"]),
    ],
)
def test_the_turns_of_a_cron(text: str, wanted: list[str]) -> None:
    assert turns(text, len(wanted)) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "", "* * * * *", "0 0 9 * * * 2026", "60 * * * * *", "* 60 * * * *", "* * 24 * * *",
        "0 0 0 0 * *", "0 0 0 32 * *", "0 0 0 * 13 *", "0 0 0 * * 8", "0 0 0 * * MON#6",
        "0 0 0 * * MON#0", "a * * * * *", "5-3 * * * * *", "*/0 * * * * *", "1, * * * * *",
        "0 0 0 31 2 *", "0 0 0 LL * *", "0 0 0 L-31 * *", "0 0 0 * * L", "? * * * * *",
        "@never", "CRON_TZ=Nowhere/Land 0 0 9 * * *", "CRON_TZ= 0 0 9 * * *", "- * * * * *",
        "0 0 0 1W-3 * *", "١ * * * * *",
    ],
)  # fmt: skip
def test_what_is_no_cron_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ExecutionFault, match="cron"):
        parse_cron(text)


def test_the_sentence_names_the_field_and_the_text() -> None:
    said = re.escape("the hour of the cron '0 0 24 * * *' cannot be '24'")
    with pytest.raises(ExecutionFault, match=said):
        parse_cron("0 0 24 * * *")


def test_a_cron_is_a_cycle_without_an_end() -> None:
    cycle = parse_cycle("0 0 9 * * MON-FRI")

    assert isinstance(cycle, Cron)
    assert cycle.times is None
    assert cycle.first(BEGIN) == datetime(2026, 1, 2, 9, 0, tzinfo=UTC)


def test_a_repetition_with_blanks_is_still_one() -> None:
    cycle = parse_cycle("R3 / 2026-01-31T09:00:00Z / PT1H")

    assert cycle.times == 3
    assert cycle.first(BEGIN) == datetime(2026, 1, 31, 9, tzinfo=UTC)


# ------------------------------------------------------------------ zones


def test_without_a_zone_hours_are_those_of_utc_and_with_one_those_of_a_place() -> None:
    assert turns("0 0 9 * * *", 1) == ["2026-01-02 09:00:00"]
    assert turns("CRON_TZ=Asia/Shanghai 0 0 9 * * *", 1) == ["2026-01-02 01:00:00"]


def test_days_are_those_of_the_place() -> None:
    # one o'clock of a Monday in Shanghai is a Sunday in UTC
    assert turns("CRON_TZ=Asia/Shanghai 0 0 1 ? * MON", 1) == ["2026-01-04 17:00:00"]


def test_a_time_that_the_clocks_leave_out_comes_as_much_later() -> None:
    # at two o'clock of 2026-03-29 the clocks of Berlin are put forward to three
    before = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)

    found = turns("CRON_TZ=Europe/Berlin 0 30 2 * * *", 2, before)

    assert found == ["2026-03-29 01:30:00", "2026-03-30 00:30:00"]


def test_a_time_that_the_clocks_show_twice_comes_once() -> None:
    # at three o'clock of 2026-10-25 the clocks of Berlin are put back to two
    before = datetime(2026, 10, 24, 12, 0, tzinfo=UTC)

    found = turns("CRON_TZ=Europe/Berlin 0 30 2 * * *", 2, before)

    assert found == ["2026-10-25 00:30:00", "2026-10-26 01:30:00"]


@pytest.mark.parametrize("begin", [(2026, 3, 28, 22), (2026, 10, 24, 22)])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe"])
def test_what_comes_every_hour_comes_however_the_clocks_are_put(
    zone: str, begin: tuple[int, int, int, int]
) -> None:
    cron = parse_cron(f"CRON_TZ={zone} 0 */15 * * * *")
    moment = datetime(*begin, tzinfo=UTC)
    for _ in range(60):
        following = cron.after(moment)
        assert following - moment == timedelta(minutes=15)
        moment = following


# ------------------------------------------------------------------ turns that were missed


def test_a_cron_that_slept_goes_on_with_its_next_turn() -> None:
    last, now = datetime(2026, 1, 1, 9, tzinfo=UTC), datetime(2026, 1, 4, 10, tzinfo=UTC)

    assert next_due(last, "0 0 9 * * *", now, True) == datetime(2026, 1, 5, 9, tzinfo=UTC)


def test_a_cron_that_is_on_time_misses_nothing() -> None:
    last = datetime(2026, 1, 1, 9, tzinfo=UTC)
    late = last + timedelta(seconds=0.4)

    assert next_due(last, "* * * * * *", late, True) == last + timedelta(seconds=1)


# ------------------------------------------------------------------ beside another program


def _field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    # croniter takes 0-0 for every number
    two = st.tuples(number, number).filter(lambda two: two[0] < two[1])
    reach = two.map(lambda two: f"{two[0]}-{two[1]}")
    step = st.tuples(reach, st.integers(1, 20)).map(lambda two: f"{two[0]}/{two[1]}")
    every = st.integers(1, 20).map(lambda by: f"*/{by}")
    one = st.one_of(number.map(str), reach, step, every)
    return st.one_of(st.just("*"), st.lists(one, min_size=1, max_size=3).map(",".join))


@given(
    fields=st.tuples(_field(0, 59), _field(0, 59), _field(0, 23), _field(1, 28), _field(1, 12)),
    weekday=_field(0, 6),
    by_weekday=st.booleans(),
    second=st.integers(0, 2_800_000_000),
)
def test_turns_are_those_of_another_program(
    fields: tuple[str, ...], weekday: str, by_weekday: bool, second: int
) -> None:
    # one field of the day only: croniter takes either of two, Spring both
    *time, day, month = fields
    days = ("*", month, weekday) if by_weekday else (day, month, "*")
    text = " ".join((*time, *days))
    begin = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
    theirs = croniter(text, begin, second_at_beginning=True)

    ours = parse_cron(text)
    for wanted in islice(iter(lambda: theirs.get_next(datetime), None), 3):
        begin = ours.after(begin)
        assert begin == wanted.astimezone(UTC)


def test_the_day_of_a_place_is_looked_at_where_clocks_change_at_midnight() -> None:
    # in Havana the day of 2026-03-08 begins at one o'clock
    cron = parse_cron("CRON_TZ=America/Havana 0 0 * * * *")
    moment = datetime(2026, 3, 8, 3, 30, tzinfo=UTC)

    shown = []
    for _ in range(3):
        moment = cron.after(moment)
        shown.append(f"{moment.astimezone(ZoneInfo('America/Havana')):%d %H:%M}")

    assert shown == ["07 23:00", "08 01:00", "08 02:00"]
