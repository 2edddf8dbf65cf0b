"""Built-in functions on dates, times and durations (DMN 1.5, 10.3.4.1, 10.3.4.7, 10.3.4.11)."""

from __future__ import annotations

from datetime import timedelta, timezone, tzinfo
from typing import Any

from engine.feel import moments
from engine.feel.library import builtin, declare
from engine.feel.moments import NS, AnyDate, AnyDateTime, AnyDuration, AnyTime, clock_ns, date_of
from engine.feel.operators import Number, midnight
from engine.feel.properties import weekday
from engine.feel.run import Run
from engine.feel.values import Refused

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_ZONED = "hour: integer, minute: integer, second: number"

declare("date(from: string) -> date", moments.parse_date, "The date of `yyyy-mm-dd`.")
declare("date(from: date|date and time) -> date", date_of, "The local date of a moment.")
declare(
    "date(year: integer, month: integer, day: integer) -> date",
    moments.make_date,
    "The date of year, month and day.",
)
declare(
    "time(from: string) -> time",
    moments.parse_time,
    "The time of `hh:mm:ss`, with or without zone.",
)
declare(
    "time(from: time|date and time|date) -> time",
    lambda value: moments.make_time(clock_ns(midnight(value)), midnight(value).tzinfo),
    "The local time of a moment with its zone.",
)
declare(
    "date and time(from: string) -> date and time",
    moments.parse_moment,
    "The moment of `yyyy-mm-ddThh:mm:ss`, with or without zone.",
)
declare(
    "date and time(from: date and time) -> date and time", lambda value: value, "The moment itself."
)
declare(
    "date and time(date: date|date and time, time: time) -> date and time",
    lambda day, at: moments.make_moment(date_of(day), clock_ns(at), at.tzinfo),
    "The moment at a time of a day.",
)
declare(
    "duration(from: string) -> duration",
    moments.parse_duration,
    "The duration of an ISO 8601 text.",
)
declare(
    "duration(from: days and time duration|years and months duration) -> duration",
    lambda value: value,
    "The duration itself.",
)
declare("@(text: string) -> any", moments.parse_literal, 'The value of a literal such as `@"P1D"`.')
declare(
    "day of year(date: date|date and time) -> number",
    lambda v: moments.day_number(v) - moments.days_of(v.year, 1, 1) + 1,
    "1 for the first of January.",
)
declare(
    "day of week(date: date|date and time) -> string",
    lambda value: _DAYS[weekday(value) - 1],
    "The English name of the day.",
)
declare(
    "month of year(date: date|date and time) -> string",
    lambda value: _MONTHS[value.month - 1],
    "The English name of the month.",
)
declare(
    "last day of month(date: date|date and time) -> date",
    lambda v: moments.make_date(v.year, v.month, moments.month_length(v.year, v.month)),
    "The last date of the month (Camunda 8).",
)


def _zone(text: str) -> tzinfo | None:
    return moments.zone_of(text if text[:1] in "Z+-@" else f"@{text}")


def _clock(hour: int, minute: int, second: Number) -> int:
    if not (0 <= hour <= 23 and 0 <= minute <= 59 and 0 <= second < 60):
        raise Refused(moments.no_time(hour, minute, second))
    return (hour * 60 + minute) * 60 * NS + int(second * NS)


def _offset(offset: AnyDuration | str | None) -> tzinfo | None:
    if offset is None or isinstance(offset, str):
        return _zone(offset) if offset else None
    seconds = moments.duration_ns(offset) // NS
    if abs(seconds) > 18 * 3600:
        raise Refused("an offset is at most 18 hours")
    return timezone(timedelta(seconds=seconds))


@builtin(f"time({_ZONED}, offset?: days and time duration|null) -> time")
def time_of(hour: int, minute: int, second: Number, offset: AnyDuration | None = None) -> AnyTime:
    """The time, with an offset from UTC if one is given."""
    return moments.make_time(_clock(hour, minute, second), _offset(offset))


@builtin(
    f"date and time(year: integer, month: integer, day: integer, {_ZONED},"
    " offset?: days and time duration|string|null) -> date and time"
)
def moment_of(year: int, month: int, day: int, *clock: Any) -> AnyDateTime:
    """The moment, with an offset or a zone if one is given."""
    zone = _offset(clock[3]) if len(clock) > 3 else None
    return moments.make_moment(moments.make_date(year, month, day), _clock(*clock[:3]), zone)


@builtin("date and time(date: date and time, timezone: string) -> date and time")
def moment_in_zone(value: AnyDateTime, zone: str) -> AnyDateTime:
    """The same moment told in another zone (Camunda 8)."""
    if value.tzinfo is None:
        return moments.make_moment(date_of(value), clock_ns(value), _zone(zone))
    return moments.from_instant(moments.instant_ns(value), _zone(zone))


@builtin(
    "years and months duration(from: date|date and time, to: date|date and time)"
    " -> years and months duration"
)
def years_and_months(
    start: AnyDate | AnyDateTime, end: AnyDate | AnyDateTime
) -> moments.YearsMonthsDuration:
    """The whole months between two dates or moments, rounded towards zero."""
    months = (end.year - start.year) * 12 + end.month - start.month
    if months > 0 and end.day < start.day:
        months -= 1
    elif months < 0 and end.day > start.day:
        months += 1
    return moments.YearsMonthsDuration(months)


@builtin("now() -> date and time")
def now(run: Run) -> Any:
    """The moment that was given to the evaluation."""
    if run.now is None:
        raise Refused("no time was given to this evaluation")
    return run.now


declare("today() -> date", lambda run: now(run).date(), "The date of that moment.")


@builtin("week of year(date: date|date and time) -> number")
def week_of_year(value: AnyDate | AnyDateTime) -> int:
    """The ISO 8601 week, 1 to 53: that of the Thursday of the same week."""
    thursday = moments.day_number(value) + 4 - weekday(value)
    year = moments.civil(thursday)[0]
    return (thursday - moments.days_of(year, 1, 1)) // 7 + 1
