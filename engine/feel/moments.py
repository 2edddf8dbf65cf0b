"""Calendar arithmetic over any year and down to nanoseconds; makes and takes apart moments.

Dates are counted in days since 1970-01-01 of the proleptic Gregorian calendar, clocks in
nanoseconds since midnight. Everything raises ValueError where no such moment exists.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.feel.values import (
    DAY_NS,
    NS,
    FarDate,
    FarDateTime,
    FineDuration,
    FineTime,
    YearsMonthsDuration,
)

AnyDate = date | FarDate
AnyTime = time | FineTime
AnyDateTime = datetime | FarDateTime
AnyDuration = timedelta | FineDuration

MAX_YEAR = 999_999_999
#: the longest durations, so that their texts stay within what can be read back
MAX_MONTHS = 10**18
MAX_NS = 10**17 * DAY_NS
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_ZONE_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def month_length(year: int, month: int) -> int:
    """Return the number of days of a month."""
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 29 if leap and month == 2 else _MONTH_DAYS[month - 1]


def days_of(year: int, month: int, day: int) -> int:
    """Return days since 1970-01-01; the months are counted from March so that leap days end."""
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def civil(days: int) -> tuple[int, int, int]:
    """Return year, month and day of so many days since 1970-01-01."""
    era, of_era = divmod(days + 719_468, 146_097)
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * of_year + 2) // 153
    day = of_year - (153 * shifted + 2) // 5 + 1
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year + era * 400 + (month <= 2), month, day


def make_date(year: int, month: int, day: int) -> AnyDate:
    """Return the date; ValueError where there is none."""
    if 1 <= year <= 9999:
        return date(year, month, day)
    if abs(year) > MAX_YEAR or not 1 <= month <= 12 or not 1 <= day <= month_length(year, month):
        raise ValueError(f"there is no date {year}-{month}-{day}")
    return FarDate(year, month, day)


def make_time(ns: int, zone: tzinfo | None) -> AnyTime:
    """Return the time of day at so many nanoseconds after midnight."""
    if not 0 <= ns < DAY_NS:
        raise ValueError("a time of day is between 00:00:00 and 24:00:00")
    if ns % 1000:
        return FineTime(ns, zone)
    seconds, micro = divmod(ns // 1000, 1_000_000)
    return time(seconds // 3600, seconds // 60 % 60, seconds % 60, micro, zone)


def make_moment(day: AnyDate, ns: int, zone: tzinfo | None) -> AnyDateTime:
    """Return the moment at a clock time of a day."""
    if type(day) is date and not ns % 1000:
        clock = make_time(ns, zone)
        if type(clock) is time:
            return datetime.combine(day, clock)
    if not 0 <= ns < DAY_NS:
        raise ValueError("a time of day is between 00:00:00 and 24:00:00")
    return FarDateTime(day.year, day.month, day.day, ns, zone)


def make_duration(ns: int) -> AnyDuration:
    """Return the days and time duration of so many nanoseconds."""
    if abs(ns) > MAX_NS:
        raise ValueError("the duration is too long")
    micro, rest = divmod(ns, 1000)
    if rest or not -86_399_999_913_600_000_000 <= micro <= 86_399_999_999_999_999_999:
        return FineDuration(ns)
    return timedelta(microseconds=micro)


def make_months(months: int) -> YearsMonthsDuration:
    """Return the years and months duration of so many months."""
    if abs(months) > MAX_MONTHS:
        raise ValueError("the duration is too long")
    return YearsMonthsDuration(months)


def duration_ns(value: AnyDuration) -> int:
    """Return a days and time duration in nanoseconds."""
    if isinstance(value, FineDuration):
        return value.ns
    return ((value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds) * 1000


def clock_ns(value: AnyTime | AnyDateTime) -> int:
    """Return the local clock of a time or moment in nanoseconds since midnight."""
    if isinstance(value, (FineTime, FarDateTime)):
        return value.ns
    seconds = (value.hour * 60 + value.minute) * 60 + value.second
    return (seconds * 1_000_000 + value.microsecond) * 1000


def day_number(value: AnyDate | AnyDateTime) -> int:
    """Return the local day of a date or moment, in days since 1970-01-01."""
    return days_of(value.year, value.month, value.day)


def offset_s(value: AnyTime | AnyDateTime) -> int | None:
    """Return the offset from UTC in seconds; None for local time.

    A time of day in a region has none without a date; its offset of 1970-01-01 is taken.
    """
    zone = value.tzinfo
    if zone is None:
        return None
    found: timedelta | None
    if type(value) is datetime:
        found = value.utcoffset()
    elif isinstance(value, FarDateTime):
        near = 2000 + value.year % 400 if not 1 <= value.year <= 9999 else value.year
        seconds = value.ns // NS
        found = zone.utcoffset(
            datetime(
                near,
                value.month,
                value.day,
                seconds // 3600,
                seconds // 60 % 60,
                seconds % 60,
                tzinfo=zone,
            )
        )
    else:
        found = zone.utcoffset(_ZONE_EPOCH.replace(tzinfo=zone))
    return None if found is None else found.days * 86_400 + found.seconds


def instant_ns(value: AnyDateTime) -> int:
    """Return nanoseconds since 1970-01-01 in UTC, or of the local calendar for local time."""
    return day_number(value) * DAY_NS + clock_ns(value) - (offset_s(value) or 0) * NS


def time_instant_ns(value: AnyTime) -> int:
    """Return the time of day in UTC (it may lie outside the day), or local for local time."""
    return clock_ns(value) - (offset_s(value) or 0) * NS


def from_instant(ns: int, zone: tzinfo | None) -> AnyDateTime:
    """Return the moment so many nanoseconds after 1970-01-01 UTC, told in `zone`."""
    if isinstance(zone, ZoneInfo):
        at = from_instant(ns, UTC)
        if type(at) is datetime and 2 <= at.year <= 9998:
            return at.astimezone(zone)
    offset = 0
    if zone is not None:
        days = ns // DAY_NS
        year, month, day = civil(days)
        probe = FarDateTime(year, month, day, ns % DAY_NS, zone)
        offset = offset_s(probe) or 0
    days, clock = divmod(ns + offset * NS, DAY_NS)
    return make_moment(make_date(*civil(days)), clock, zone)


def add_to_moment(value: AnyDateTime, ns: int) -> AnyDateTime:
    """Return the moment so many elapsed nanoseconds later."""
    return from_instant(instant_ns(value) + ns, value.tzinfo)


def add_to_date(value: AnyDate, ns: int) -> AnyDate:
    """Return the date on which the moment lies that is `ns` after midnight of `value`."""
    return make_date(*civil((day_number(value) * DAY_NS + ns) // DAY_NS))


def add_to_time(value: AnyTime, ns: int) -> AnyTime:
    """Return the time of day `ns` later, past midnight where need be."""
    return make_time((clock_ns(value) + ns) % DAY_NS, value.tzinfo)


def shift_months(value: AnyDate, months: int) -> AnyDate:
    """Return the same day so many months later, or the last day of a shorter month."""
    years, month = divmod(value.month - 1 + months, 12)
    year = value.year + years
    return make_date(year, month + 1, min(value.day, month_length(year, month + 1)))


def date_of(value: AnyDate | AnyDateTime) -> AnyDate:
    """Return the local date of a date or moment."""
    if isinstance(value, (datetime, FarDateTime)):
        return make_date(value.year, value.month, value.day)
    return value


def months_between(start: AnyDate | AnyDateTime, end: AnyDate | AnyDateTime) -> YearsMonthsDuration:
    """Return the whole months from start to end, rounded towards zero."""
    months = (end.year - start.year) * 12 + end.month - start.month
    if months > 0 and end.day < start.day:
        months -= 1
    elif months < 0 and end.day > start.day:
        months += 1
    return YearsMonthsDuration(months)


@lru_cache(maxsize=512)
def zone_of(text: str) -> tzinfo | None:
    """Return the zone for `Z`, `+hh:mm[:ss]`, `@Region/City`; ValueError for an unknown one."""
    if not text:
        return None
    if text in ("Z", "z"):
        return UTC
    if text[0] == "@":
        try:
            return ZoneInfo(text[1:])
        except (ZoneInfoNotFoundError, OSError) as cause:
            raise ValueError(f"there is no time zone '{text[1:]}'") from cause
    hours, minutes, *rest = (int(part) for part in text[1:].split(":"))
    seconds = hours * 3600 + minutes * 60 + (rest[0] if rest else 0)
    if seconds > 18 * 3600 or minutes > 59 or (rest and rest[0] > 59):
        raise ValueError(f"there is no offset {text}")
    return timezone(timedelta(seconds=-seconds if text[0] == "-" else seconds)) if seconds else UTC
