"""Moments and durations as text: what is read is written the same, and the calendar is right."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.feel.moments import (
    civil,
    days_of,
    iso_text,
    make_duration,
    parse_date,
    parse_duration,
    parse_literal,
    parse_moment,
    parse_time,
    shift_months,
)


@pytest.mark.parametrize(
    "text",
    [
        "2024-02-29",
        "-0044-03-15",
        "999999999-12-31",
        "10:30:00",
        "10:30:00.123456789",
        "10:30:00Z",
        "10:30:00-05:30",
        "10:30:00@Europe/Paris",
        "2024-02-29T10:30:00+01:00",
        "-2024-02-29T10:30:00.5@Asia/Tokyo",
        "P1Y2M",
        "-P3M",
        "P0M",
        "PT0S",
        "-P1DT2H3M4.5S",
        "PT0.000000001S",
    ],
)
def test_texts_come_back_as_they_were(text: str) -> None:
    assert iso_text(parse_literal(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "2024-1-1", "2023-02-29", "02024-01-01", "+2024-01-01", "2024-01-01T"),
        *("24:00:01", "10:60:00", "10:00", "10:00:00+19:00", "10:00:00@No/Where"),
        *("10:00:00@Europe", "2024-01-01T10:00:00@../x"),
        *("P", "PT", "-P", "PTS", "P1Y1D", "P1D1Y", "1D", "P1H"),
    ],
)
def test_other_texts_are_refused(text: str) -> None:
    for read in (parse_literal, parse_date, parse_time, parse_moment, parse_duration):
        with pytest.raises(ValueError, match=r"\w"):
            read(text)


@given(st.integers(-400_000_000_000, 400_000_000_000))
def test_days_and_dates_are_inverse(days: int) -> None:
    assert days_of(*civil(days)) == days


@given(st.dates())
def test_day_numbers_agree_with_python(day: date) -> None:
    assert days_of(day.year, day.month, day.day) == (day - date(1970, 1, 1)).days


@given(st.timedeltas())
def test_durations_keep_their_microseconds(span: timedelta) -> None:
    assert parse_duration(iso_text(span) or "") == span


@given(st.integers(-(10**20), 10**20))
def test_fine_durations_keep_their_nanoseconds(ns: int) -> None:
    span = make_duration(ns)

    assert parse_duration(iso_text(span) or "") == span


def test_months_end_where_the_month_ends() -> None:
    assert shift_months(date(2024, 1, 31), 1) == date(2024, 2, 29)
    assert shift_months(date(2024, 1, 31), -2) == date(2023, 11, 30)
