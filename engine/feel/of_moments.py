"""Built-in functions on dates, times and durations (DMN 1.5, 10.3.4.1, 10.3.4.7, 10.3.4.11)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta, timezone
from typing import TypeVar

from engine.feel import iso
from engine.feel.arithmetic import Number, Refused
from engine.feel.library import builtin
from engine.feel.moments import (
    AnyDate,
    AnyDateTime,
    AnyDuration,
    AnyTime,
    clock_ns,
    date_of,
    day_number,
    days_of,
    duration_ns,
    from_instant,
    instant_ns,
    make_date,
    make_moment,
    make_time,
    month_length,
    months_between,
    zone_of,
)
from engine.feel.run import Run
from engine.feel.values import NS

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

_T = TypeVar("_T")


def _parsed(read: Callable[[str], _T], text: str) -> _T:
    try:
        return read(text)
    except ValueError as cause:
        raise Refused(str(cause)) from cause


@builtin("date(from: string)")
def date_from_text(text: str) -> AnyDate:
    """Return the date of `yyyy-mm-dd`."""
    return _parsed(iso.parse_date, text)


@builtin("date(from: date|moment)")
def date_from(value: AnyDate | AnyDateTime) -> AnyDate:
    """Return the local date of a moment."""
    return date_of(value)


@builtin("date(year: integer, month: integer, day: integer)")
def date_from_parts(year: int, month: int, day: int) -> AnyDate:
    """Return the date."""
    try:
        return make_date(year, month, day)
    except ValueError as cause:
        raise Refused(f"there is no date {year}-{month}-{day}") from cause


@builtin("time(from: string)")
def time_from_text(text: str) -> AnyTime:
    """Return the time of `hh:mm:ss` with an optional zone."""
    return _parsed(iso.parse_time, text)


@builtin("time(from: time|date as moment)")
def time_from(value: AnyTime | AnyDateTime) -> AnyTime:
    """Return the local time of a moment with its zone."""
    return make_time(clock_ns(value), value.tzinfo)


def _clock(hour: int, minute: int, second: Number) -> int:
    if not (0 <= hour <= 23 and 0 <= minute <= 59 and 0 <= second < 60):
        raise Refused(f"there is no time {hour}:{minute}:{second}")
    return (hour * 60 + minute) * 60 * NS + int(second * NS)


def _fixed(offset: AnyDuration | None) -> timezone | None:
    if offset is None:
        return None
    seconds = duration_ns(offset) // NS
    if abs(seconds) > 18 * 3600:
        raise Refused("an offset is at most 18 hours")
    return timezone(timedelta(seconds=seconds))


@builtin("time(hour: integer, minute: integer, second: number)")
@builtin("time(hour: integer, minute: integer, second: number, offset: days|null)")
def time_from_parts(
    hour: int, minute: int, second: Number, offset: AnyDuration | None = None
) -> AnyTime:
    """Return the time, with an offset from UTC if one is given."""
    return make_time(_clock(hour, minute, second), _fixed(offset))


@builtin("date and time(from: string)")
def moment_from_text(text: str) -> AnyDateTime:
    """Return the moment of `yyyy-mm-ddThh:mm:ss` with an optional zone."""
    return _parsed(iso.parse_moment, text)


@builtin("date and time(from: moment)")
def moment_from(value: AnyDateTime) -> AnyDateTime:
    """Return the moment as it is."""
    return value


@builtin("date and time(date: date|moment, time: time)")
def moment_from_date(day: AnyDate | AnyDateTime, clock: AnyTime) -> AnyDateTime:
    """Return the moment at a time of a day."""
    return make_moment(date_of(day), clock_ns(clock), clock.tzinfo)


@builtin("date and time(date: moment, timezone: string)")
def moment_in_zone(value: AnyDateTime, zone: str) -> AnyDateTime:
    """Return the same moment told in another zone (Camunda 8)."""
    named = zone if zone[:1] in "Z+-@" else f"@{zone}"
    target = _parsed(zone_of, named)
    if value.tzinfo is None:
        return make_moment(date_of(value), clock_ns(value), target)
    return from_instant(instant_ns(value), target)


@builtin(
    "date and time(year: integer, month: integer, day: integer,"
    " hour: integer, minute: integer, second: number)"
)
@builtin(
    "date and time(year: integer, month: integer, day: integer,"
    " hour: integer, minute: integer, second: number, offset: days|string|null)"
)
def moment_from_parts(
    year: int,
    month: int,
    day: int,
    hour: int,
    minute: int,
    second: Number,
    offset: AnyDuration | str | None = None,
) -> AnyDateTime:
    """Return the moment, with an offset or a zone if one is given."""
    ns = _clock(hour, minute, second)
    if isinstance(offset, str):
        named = offset if offset[:1] in "Z+-@" else f"@{offset}"
        return make_moment(date_from_parts(year, month, day), ns, _parsed(zone_of, named))
    return make_moment(date_from_parts(year, month, day), ns, _fixed(offset))


@builtin("duration(from: string)")
def duration_from_text(text: str) -> object:
    """Return the duration of an ISO 8601 text."""
    return _parsed(iso.parse_duration, text)


@builtin("duration(from: days|months)")
def duration_from(value: object) -> object:
    """Return the duration as it is."""
    return value


@builtin("years and months duration(from: date|moment, to: date|moment)")
def years_and_months(start: AnyDate | AnyDateTime, end: AnyDate | AnyDateTime) -> object:
    """Return the whole months between two dates or moments."""
    return months_between(start, end)


@builtin("@(text: string)")
def literal(text: str) -> object:
    """Return the moment or duration of a literal that the parser could not read: a complaint."""
    return _parsed(iso.parse_literal, text)


@builtin("now()", with_run=True)
def now(run: Run) -> object:
    """Return the moment that was given to the evaluation."""
    if run.now is None:
        raise Refused("no time was given to this evaluation")
    return run.now


@builtin("today()", with_run=True)
def today(run: Run) -> object:
    """Return the date of the moment that was given to the evaluation."""
    if run.now is None:
        raise Refused("no time was given to this evaluation")
    return run.now.date()


@builtin("day of year(date: date|moment)")
def day_of_year(value: AnyDate | AnyDateTime) -> int:
    """Return 1 for the first of January."""
    return day_number(value) - days_of(value.year, 1, 1) + 1


def weekday(value: AnyDate | AnyDateTime) -> int:
    """Return 1 for Monday to 7 for Sunday."""
    return (day_number(value) + 3) % 7 + 1


@builtin("day of week(date: date|moment)")
def day_of_week(value: AnyDate | AnyDateTime) -> str:
    """Return the English name of the day."""
    return _DAYS[weekday(value) - 1]


@builtin("month of year(date: date|moment)")
def month_of_year(value: AnyDate | AnyDateTime) -> str:
    """Return the English name of the month."""
    return _MONTHS[value.month - 1]


@builtin("week of year(date: date|moment)")
def week_of_year(value: AnyDate | AnyDateTime) -> int:
    """Return the ISO 8601 week, 1 to 53."""
    thursday = day_number(value) + 4 - weekday(value)
    for year in (value.year + 1, value.year, value.year - 1):
        start = days_of(year, 1, 1)
        if start <= thursday:
            return (thursday - start) // 7 + 1
    return 1


@builtin("last day of month(date: date|moment)")
def last_day_of_month(value: AnyDate | AnyDateTime) -> object:
    """Return the last date of the month (Camunda 8)."""
    return make_date(value.year, value.month, month_length(value.year, value.month))
