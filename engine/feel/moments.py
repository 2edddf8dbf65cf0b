"""Dates, times and durations: the types Python lacks, the calendar over any year, ISO 8601.

Days are counted from 1970-01-01 of the proleptic Gregorian calendar, clocks in nanoseconds since
midnight. A `Far...`/`Fine...` value exists only where `datetime` cannot hold it, so every moment
has exactly one Python form. Everything raises ValueError where no such moment exists.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

NS = 1_000_000_000
DAY_NS = 86_400 * NS
MAX_YEAR = 999_999_999
#: the longest durations, so that their texts stay within what can be read back
MAX_MONTHS = 10**18
MAX_NS = 10**17 * DAY_NS
_ZONE_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Iso:
    __slots__ = ()

    def __str__(self) -> str:
        """Return ISO 8601; a region as `@Europe/Paris`."""
        return iso_text(self) or ""


@dataclass(frozen=True, slots=True, order=True)
class YearsMonthsDuration(_Iso):
    """A years and months duration, counted in months."""

    #: whole months, negative for a way back
    months: int


@dataclass(frozen=True, slots=True)
class FineDuration(_Iso):
    """A days and time duration finer than a microsecond, or too long for `timedelta`."""

    #: nanoseconds
    ns: int


@dataclass(frozen=True, slots=True)
class FarDate(_Iso):
    """A date before the year 1 or after 9999 (year 0 is 1 BC)."""

    year: int
    month: int
    day: int


@dataclass(frozen=True, slots=True)
class FineTime(_Iso):
    """A time of day finer than a microsecond."""

    #: nanoseconds since midnight
    ns: int
    #: fixed offset or region; None for local time
    tzinfo: tzinfo | None


@dataclass(frozen=True, slots=True)
class FarDateTime(_Iso):
    """A moment whose year or fraction `datetime` cannot hold."""

    year: int
    month: int
    day: int
    #: nanoseconds since midnight, local
    ns: int
    #: fixed offset or region; None for local time
    tzinfo: tzinfo | None


AnyDate = date | FarDate
AnyTime = time | FineTime
AnyDateTime = datetime | FarDateTime
AnyDuration = timedelta | FineDuration

# calendar


def month_length(year: int, month: int) -> int:
    """Return the number of days of a month."""
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


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
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year + era * 400 + (month <= 2), month, of_year - (153 * shifted + 2) // 5 + 1


# making and taking apart


def make_date(year: int, month: int, day: int) -> AnyDate:
    """Return the date; ValueError where there is none."""
    if not 1 <= month <= 12 or abs(year) > MAX_YEAR:
        raise ValueError(
            f"there is no month {year}-{month}; months are 1 to 12"
            f" of the years {-MAX_YEAR} to {MAX_YEAR}"
        )
    last = month_length(year, month)
    if not 1 <= day <= last:
        wrong = f"there is no date {year}-{month}-{day}; that month has the days 1 to {last}"
        raise ValueError(wrong)
    return date(year, month, day) if 1 <= year <= 9999 else FarDate(year, month, day)


def no_time(*clock: object) -> str:
    """Return the complaint about hours, minutes and seconds that no clock shows."""
    return f"there is no time {':'.join(map(str, clock))}; a day goes from 00:00:00 to 23:59:59"


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
    clock = make_time(ns, zone)
    if type(day) is date and isinstance(clock, time):
        return datetime.combine(day, clock)
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


def date_of(value: AnyDate | AnyDateTime) -> AnyDate:
    """Return the local date of a date or moment."""
    return make_date(value.year, value.month, value.day)


# zones and instants


def offset_s(value: AnyTime | AnyDateTime) -> int | None:
    """Return the offset from UTC in seconds; None for local time.

    A time of day in a region has none without a date; its offset of 1970-01-01 is taken.
    """
    zone = value.tzinfo
    if zone is None:
        return None
    near = _ZONE_EPOCH.replace(tzinfo=zone)
    if isinstance(value, datetime):
        near = value
    elif isinstance(value, FarDateTime):
        year = value.year if 1 <= value.year <= 9999 else 2000 + value.year % 400
        near = near.replace(year, value.month, value.day) + timedelta(seconds=value.ns // NS)
    found = zone.utcoffset(near)
    return None if found is None else found.days * 86_400 + found.seconds


def instant_ns(value: AnyTime | AnyDateTime) -> int:
    """Return nanoseconds since 1970-01-01 (for a time of day: since midnight) in UTC, or in local
    time for what has no zone."""
    days = 0 if isinstance(value, (time, FineTime)) else day_number(value)
    return days * DAY_NS + clock_ns(value) - (offset_s(value) or 0) * NS


def from_instant(ns: int, zone: tzinfo | None) -> AnyDateTime:
    """Return the moment so many nanoseconds after 1970-01-01 UTC, told in `zone`."""
    days, clock = divmod(ns, DAY_NS)
    if isinstance(zone, ZoneInfo):
        at = from_instant(ns, UTC)
        if isinstance(at, datetime) and 2 <= at.year <= 9998:
            return at.astimezone(zone)
    if zone is not None:
        offset = offset_s(FarDateTime(*civil(days), clock, zone)) or 0
        days, clock = divmod(ns + offset * NS, DAY_NS)
    return make_moment(make_date(*civil(days)), clock, zone)


def shift_months(value: AnyDate, months: int) -> AnyDate:
    """Return the same day so many months later, or the last day of a shorter month."""
    years, month = divmod(value.month - 1 + months, 12)
    year = value.year + years
    return make_date(year, month + 1, min(value.day, month_length(year, month + 1)))


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
            wrong = f"there is no time zone '{text[1:]}'; write one such as Europe/Paris"
            raise ValueError(wrong) from cause
    hours, minutes, *rest = (int(part) for part in text[1:].split(":"))
    seconds = hours * 3600 + minutes * 60 + (rest[0] if rest else 0)
    if seconds > 18 * 3600 or minutes > 59 or (rest and rest[0] > 59):
        raise ValueError(f"there is no offset {text}; they go from -18:00 to +18:00")
    return timezone(timedelta(seconds=-seconds if text[0] == "-" else seconds)) if seconds else UTC


# ISO 8601

_DATE = r"(-?(?:\d{4}|[1-9]\d{4,8}))-(\d\d)-(\d\d)"
_TIME = r"(\d\d):(\d\d):(\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d(?::\d\d)?|@[A-Za-z0-9_+\-/]+)?"
_date, _time = re.compile(_DATE, re.ASCII), re.compile(_TIME, re.ASCII)
_moment = re.compile(f"{_DATE}T{_TIME}", re.ASCII)
_months = re.compile(r"(-?)P(?=\d)(?:(\d{1,18})Y)?(?:(\d{1,18})M)?", re.ASCII)
_days = re.compile(
    r"(-?)P(?=[\dT])(?:(\d{1,18})D)?"
    r"(?:T(?=\d|\.\d)(?:(\d{1,18})H)?(?:(\d{1,18})M)?(?:(\d{0,18})(?:\.(\d*))?(?<=\d|\.)S)?)?",
    re.ASCII,
)


def parse_date(text: str) -> AnyDate:
    """Return the date written as `yyyy-mm-dd`; ValueError for anything else."""
    found = _date.fullmatch(text)
    if found is None:
        raise ValueError(f"'{text}' is not a date such as 2024-12-31")
    return make_date(*map(int, found.groups()))


def _fraction(digits: str | None) -> int:
    return int((digits or "0")[:9].ljust(9, "0"))


def _clock(parts: tuple[str, ...]) -> int:
    """Return hours, minutes, seconds and fraction in nanoseconds; 24:00:00 is the end of a day."""
    hours, minutes, seconds = (int(part) for part in parts[:3])
    ns = ((hours * 60 + minutes) * 60 + seconds) * NS + _fraction(parts[3])
    if ns > DAY_NS or minutes > 59 or seconds > 59:
        raise ValueError(no_time(*parts[:3]))
    return ns


def parse_time(text: str) -> AnyTime:
    """Return the time written as `hh:mm:ss`, with fraction and zone; ValueError otherwise."""
    found = _time.fullmatch(text)
    if found is None:
        raise ValueError(f"'{text}' is not a time such as 14:30:00 or 14:30:00+01:00")
    return make_time(_clock(found.groups()) % DAY_NS, zone_of(found[5] or ""))


def parse_moment(text: str) -> AnyDateTime:
    """Return the date and time of a text, midnight for a mere date; ValueError otherwise."""
    found = _moment.fullmatch(text)
    if found is None:
        if _date.fullmatch(text):
            return make_moment(parse_date(text), 0, None)
        raise ValueError(f"'{text}' is not a date and time such as 2024-12-31T14:30:00")
    day, clock = make_date(*map(int, found.groups()[:3])), _clock(found.groups()[3:])
    if clock == DAY_NS:
        day, clock = make_date(*civil(day_number(day) + 1)), 0
    return make_moment(day, clock, zone_of(found[8] or ""))


def parse_duration(text: str) -> AnyDuration | YearsMonthsDuration:
    """Return the duration of a text such as `P1Y2M` or `P3DT4H`; ValueError otherwise."""
    found = _months.fullmatch(text)
    if found is not None:
        months = int(found[2] or 0) * 12 + int(found[3] or 0)
        return make_months(-months if found[1] else months)
    found = _days.fullmatch(text)
    if found is None:
        raise ValueError(f"'{text}' is not a duration such as P1Y2M or P3DT4H30M")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:5])
    ns = (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * NS + _fraction(found[6])
    return make_duration(-ns if found[1] else ns)


def parse_literal(text: str) -> object:
    """Return the moment or duration behind `@"..."`; ValueError where it is none."""
    if text.lstrip("-").startswith("P"):
        return parse_duration(text)
    if _time.fullmatch(text):
        return parse_time(text)
    return parse_moment(text) if "T" in text else parse_date(text)


def iso_text(value: object) -> str | None:
    """Return ISO 8601 for any moment or duration, None for other values."""
    if isinstance(value, YearsMonthsDuration):
        years, months = divmod(abs(value.months), 12)
        text = (f"{years}Y" if years else "") + (f"{months}M" if months or not years else "")
        return f"{'-' if value.months < 0 else ''}P{text}"
    if isinstance(value, (timedelta, FineDuration)):
        return _duration_text(duration_ns(value))
    day = clock = ""
    if isinstance(value, (date, FarDate, FarDateTime)):
        sign = "-" if value.year < 0 else ""
        day = f"{sign}{abs(value.year):04d}-{value.month:02d}-{value.day:02d}"
    if isinstance(value, (datetime, FarDateTime, time, FineTime)):
        clock = _clock_text(clock_ns(value)) + zone_text(value.tzinfo)
    return f"{day}T{clock}" if day and clock else day or clock or None


def _clock_text(ns: int) -> str:
    seconds, fraction = divmod(ns, NS)
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return text + (f".{fraction:09d}".rstrip("0") if fraction else "")


def _duration_text(ns: int) -> str:
    seconds, fraction = divmod(abs(ns), NS)
    days, hours, minutes = seconds // 86_400, seconds // 3600 % 24, seconds // 60 % 60
    clock = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    if seconds % 60 or fraction:
        clock += str(seconds % 60) + (f".{fraction:09d}".rstrip("0") if fraction else "") + "S"
    if not days and not clock:
        return "PT0S"
    return ("-" if ns < 0 else "") + "P" + (f"{days}D" if days else "") + (clock and "T" + clock)


def zone_text(zone: tzinfo | None) -> str:
    """Return `Z`, `+01:00` or `@Europe/Paris`; nothing for local time."""
    if zone is None:
        return ""
    offset = None if isinstance(zone, ZoneInfo) else zone.utcoffset(None)
    if offset is None:
        return f"@{zone}"
    seconds = offset.days * 86_400 + offset.seconds
    if not seconds:
        return "Z"
    minutes, rest = divmod(abs(seconds), 60)
    text = f"{'-' if seconds < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"
    return text + (f":{rest:02d}" if rest else "")
