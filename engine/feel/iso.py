"""ISO 8601 texts to FEEL's moments and durations, and back. Only the forms that DMN allows."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

from engine.feel.moments import (
    AnyDate,
    AnyDateTime,
    AnyDuration,
    AnyTime,
    clock_ns,
    duration_ns,
    make_date,
    make_duration,
    make_moment,
    make_months,
    make_time,
    zone_of,
)
from engine.feel.values import (
    NS,
    FarDate,
    FarDateTime,
    FineDuration,
    FineTime,
    YearsMonthsDuration,
    clock_text,
    date_text,
    duration_text,
    zone_text,
)

_DATE = r"(-?(?:\d{4}|[1-9]\d{4,8}))-(\d\d)-(\d\d)"
_TIME = r"(\d\d):(\d\d):(\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d(?::\d\d)?|@[A-Za-z0-9_+\-/]+)?"
_OWN = (YearsMonthsDuration, FineDuration, FarDate, FineTime, FarDateTime)
_date = re.compile(_DATE, re.ASCII)
_time = re.compile(_TIME, re.ASCII)
_moment = re.compile(_DATE + "T" + _TIME, re.ASCII)
_months = re.compile(r"(-?)P(?=\d)(?:(\d{1,18})Y)?(?:(\d{1,18})M)?", re.ASCII)
_days = re.compile(
    r"(-?)P(?=[\dT])(?:(\d{1,18})D)?"
    r"(?:T(?=\d|\.)(?:(\d{1,18})H)?(?:(\d{1,18})M)?(?:(\d{0,18})(?:\.(\d*))?S)?)?",
    re.ASCII,
)


def parse_date(text: str) -> AnyDate:
    """Return the date written as `yyyy-mm-dd`; ValueError for anything else."""
    found = _date.fullmatch(text)
    if found is None:
        raise ValueError(f"'{text}' is not a date such as 2024-12-31")
    return make_date(int(found[1]), int(found[2]), int(found[3]))


def _clock(hours: str, minutes: str, seconds: str, fraction: str | None) -> int:
    if int(hours) > 23 or int(minutes) > 59 or int(seconds) > 59:
        raise ValueError(f"there is no time {hours}:{minutes}:{seconds}")
    whole = (int(hours) * 60 + int(minutes)) * 60 + int(seconds)
    return whole * NS + int((fraction or "0")[:9].ljust(9, "0"))


def parse_time(text: str) -> AnyTime:
    """Return the time written as `hh:mm:ss`, with fraction and zone; ValueError otherwise."""
    found = _time.fullmatch(text)
    if found is None:
        raise ValueError(f"'{text}' is not a time such as 14:30:00 or 14:30:00+01:00")
    return make_time(_clock(found[1], found[2], found[3], found[4]), zone_of(found[5] or ""))


def parse_moment(text: str) -> AnyDateTime:
    """Return the date and time of a text, midnight for a mere date; ValueError otherwise."""
    found = _moment.fullmatch(text)
    if found is None:
        if _date.fullmatch(text):
            return make_moment(parse_date(text), 0, None)
        raise ValueError(f"'{text}' is not a date and time such as 2024-12-31T14:30:00")
    day = make_date(int(found[1]), int(found[2]), int(found[3]))
    clock = _clock(found[4], found[5], found[6], found[7])
    return make_moment(day, clock, zone_of(found[8] or ""))


def parse_duration(text: str) -> AnyDuration | YearsMonthsDuration:
    """Return the duration of a text such as `P1Y2M` or `P3DT4H`; ValueError otherwise."""
    found = _months.fullmatch(text)
    if found is not None:
        months = int(found[2] or 0) * 12 + int(found[3] or 0)
        return make_months(-months if found[1] else months)
    found = _days.fullmatch(text)
    if found is None or not (found[5] or found[6] or text[-1] != "S") or text[-1] == "T":
        raise ValueError(f"'{text}' is not a duration such as P1Y2M or P3DT4H30M")
    hours = int(found[2] or 0) * 24 + int(found[3] or 0)
    seconds = (hours * 60 + int(found[4] or 0)) * 60 + int(found[5] or 0)
    ns = seconds * NS + int((found[6] or "0")[:9].ljust(9, "0"))
    return make_duration(-ns if found[1] else ns)


def parse_literal(text: str) -> object:
    """Return the moment or duration behind `@"..."`; ValueError where it is none."""
    if text.lstrip("-").startswith("P"):
        return parse_duration(text)
    if _date.fullmatch(text):
        return parse_date(text)
    if _time.fullmatch(text):
        return parse_time(text)
    if _moment.fullmatch(text):
        return parse_moment(text)
    raise ValueError(f"'{text}' is not a date, a time or a duration")


def iso_text(value: object) -> str | None:
    """Return ISO 8601 for any moment or duration, None for other values."""
    if isinstance(value, datetime):
        day = date_text(value.year, value.month, value.day)
        return f"{day}T{clock_text(clock_ns(value))}{zone_text(value.tzinfo)}"
    if isinstance(value, date):
        return date_text(value.year, value.month, value.day)
    if isinstance(value, time):
        return clock_text(clock_ns(value)) + zone_text(value.tzinfo)
    if isinstance(value, timedelta):
        return duration_text(duration_ns(value))
    return str(value) if isinstance(value, _OWN) else None
