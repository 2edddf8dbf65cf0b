"""What stands after the dot of a moment, a duration or a range (DMN 1.5, tables 65 to 67)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from engine.feel.arithmetic import Refused
from engine.feel.kinds import DATE, DAYS, MOMENT, MONTHS, RANGE, TIME, kind_of
from engine.feel.moments import clock_ns, duration_ns, offset_s
from engine.feel.of_moments import weekday
from engine.feel.values import NS, Range, zone_text

_MINUTE, _HOUR, _DAY = 60 * NS, 3600 * NS, 86_400 * NS


def _seconds(ns: int) -> int | Decimal:
    whole, fraction = divmod(ns, NS)
    return Decimal(ns).scaleb(-9).normalize() if fraction else whole


def _part(unit: int, of: int) -> Callable[[Any], object]:
    """Return a reader of whole units within the next larger one, signed like the duration."""

    def read(value: Any) -> object:
        ns = duration_ns(value)
        found = abs(ns) % of // unit if of else abs(ns) // unit
        return -found if ns < 0 else found

    return read


def _duration_seconds(value: Any) -> object:
    ns = duration_ns(value)
    found = _seconds(abs(ns) % _MINUTE)
    return -found if ns < 0 else found


def _offset(value: Any) -> object:
    seconds = offset_s(value)
    return None if seconds is None else timedelta(seconds=seconds)


def _zone(value: Any) -> object:
    """Return the name of the region; a mere offset has none."""
    text = zone_text(value.tzinfo)
    return text[1:] if text.startswith("@") else None


def _months(value: Any) -> object:
    months = value.months
    return -(-months % 12) if months < 0 else months % 12


def _years(value: Any) -> object:
    return int(value.months / 12) if abs(value.months) < 10**15 else value.months // 12


_OF_DATE: dict[str, Callable[[Any], object]] = {
    "year": lambda v: v.year,
    "month": lambda v: v.month,
    "day": lambda v: v.day,
    "weekday": weekday,
}
_OF_TIME: dict[str, Callable[[Any], object]] = {
    "hour": lambda v: clock_ns(v) // _HOUR,
    "minute": lambda v: clock_ns(v) // _MINUTE % 60,
    "second": lambda v: _seconds(clock_ns(v) % _MINUTE),
    "time offset": _offset,
    "timezone": _zone,
}
_READERS: dict[str, dict[str, Callable[[Any], object]]] = {
    DATE: _OF_DATE,
    TIME: _OF_TIME,
    MOMENT: {**_OF_DATE, **_OF_TIME},
    DAYS: {
        "days": _part(_DAY, 0),
        "hours": _part(_HOUR, _DAY),
        "minutes": _part(_MINUTE, _HOUR),
        "seconds": _duration_seconds,
    },
    MONTHS: {"years": _years, "months": _months},
    RANGE: {
        "start": lambda v: v.start,
        "end": lambda v: v.end,
        "start included": lambda v: _included(v, v.start, v.start_included),
        "end included": lambda v: _included(v, v.end, v.end_included),
    },
}


def _included(span: Range, end: object, included: bool) -> bool:
    return included and (end is not None or span.operator is None)


def property_of(value: object, name: str) -> object:
    """Return a property; Refused where values of this kind have none of the name."""
    kind = kind_of(value)
    read = _READERS.get(kind, {}).get(name)
    if read is None:
        raise Refused(f"a {kind} has no '{name}'")
    return read(value)
