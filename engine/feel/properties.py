"""What stands after the dot of a moment, a duration or a range (DMN 1.5, tables 65 to 67)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from engine.feel.moments import NS, clock_ns, day_number, duration_ns, offset_s, zone_text
from engine.feel.values import DATE, DAYS, MOMENT, MONTHS, RANGE, TIME, Range

Read = Callable[[Any], Any]
_MINUTE, _HOUR, _DAY = 60 * NS, 3600 * NS, 86_400 * NS


def weekday(value: Any) -> int:
    """Return 1 for Monday to 7 for Sunday."""
    return (day_number(value) + 3) % 7 + 1


def _seconds(ns: int) -> int | Decimal:
    whole, fraction = divmod(ns, NS)
    return Decimal(ns).scaleb(-9).normalize() if fraction else whole


def _offset(value: Any) -> Any:
    seconds = offset_s(value)
    return None if seconds is None else timedelta(seconds=seconds)


def _region(value: Any) -> Any:
    text = zone_text(value.tzinfo)
    return text[1:] if text.startswith("@") else None


def _signed(amount: Read, part: Callable[[int], Any]) -> Read:
    """Return a reader of a part of a duration, which has the sign of the duration."""
    return lambda value: part(amount(value)) if amount(value) >= 0 else -part(-amount(value))


def _included(end: str, flag: str) -> Read:
    def read(span: Range) -> bool:
        there = span.operator is None or getattr(span, end) is not None
        return there and bool(getattr(span, flag))

    return read


_OF_DATE: dict[str, Read] = {
    "year": lambda v: v.year,
    "month": lambda v: v.month,
    "day": lambda v: v.day,
    "weekday": weekday,
}
_OF_TIME: dict[str, Read] = {
    "hour": lambda v: clock_ns(v) // _HOUR,
    "minute": lambda v: clock_ns(v) // _MINUTE % 60,
    "second": lambda v: _seconds(clock_ns(v) % _MINUTE),
    "time offset": _offset,
    "timezone": _region,
}
#: kind -> name -> what reads the property
PROPERTIES: dict[str, dict[str, Read]] = {
    DATE: _OF_DATE,
    TIME: _OF_TIME,
    MOMENT: {**_OF_DATE, **_OF_TIME},
    DAYS: {
        "days": _signed(duration_ns, lambda ns: ns // _DAY),
        "hours": _signed(duration_ns, lambda ns: ns % _DAY // _HOUR),
        "minutes": _signed(duration_ns, lambda ns: ns % _HOUR // _MINUTE),
        "seconds": _signed(duration_ns, lambda ns: _seconds(ns % _MINUTE)),
    },
    MONTHS: {
        "years": _signed(lambda v: v.months, lambda months: months // 12),
        "months": _signed(lambda v: v.months, lambda months: months % 12),
    },
    RANGE: {
        "start": lambda v: v.start,
        "end": lambda v: v.end,
        "start included": _included("start", "start_included"),
        "end included": _included("end", "end_included"),
    },
}
