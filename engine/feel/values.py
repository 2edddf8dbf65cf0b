"""FEEL's own value types: what Python has no type for, or not far or fine enough. Immutable.

A value of a `Far...`/`Fine...` type exists only where `datetime` cannot hold it, so every moment
has exactly one Python form. `str()` of each is ISO 8601 (zones as `@Europe/Paris`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from zoneinfo import ZoneInfo

NS = 1_000_000_000
DAY_NS = 86_400 * NS


@dataclass(frozen=True, slots=True, order=True)
class YearsMonthsDuration:
    """A years and months duration, counted in months."""

    #: whole months, negative for a way back
    months: int

    def __str__(self) -> str:
        """Return ISO 8601, such as `P1Y2M`, `-P3M` or `P0M`."""
        years, months = divmod(abs(self.months), 12)
        sign = "-" if self.months < 0 else ""
        text = (f"{years}Y" if years else "") + (f"{months}M" if months or not years else "")
        return f"{sign}P{text}"


@dataclass(frozen=True, slots=True)
class FineDuration:
    """A days and time duration finer than a microsecond, or too long for `timedelta`."""

    #: nanoseconds
    ns: int

    def __str__(self) -> str:
        """Return ISO 8601, such as `PT0.000000001S`."""
        return duration_text(self.ns)


@dataclass(frozen=True, slots=True)
class FarDate:
    """A date before the year 1 or after 9999 (year 0 is 1 BC)."""

    year: int
    month: int
    day: int

    def __str__(self) -> str:
        """Return ISO 8601, such as `-0044-03-15`."""
        return date_text(self.year, self.month, self.day)


@dataclass(frozen=True, slots=True)
class FineTime:
    """A time of day finer than a microsecond."""

    #: nanoseconds since midnight
    ns: int
    #: fixed offset or region; None for local time
    tzinfo: tzinfo | None

    def __str__(self) -> str:
        """Return ISO 8601 with as many digits as needed."""
        return clock_text(self.ns) + zone_text(self.tzinfo)


@dataclass(frozen=True, slots=True)
class FarDateTime:
    """A moment whose year or fraction `datetime` cannot hold."""

    year: int
    month: int
    day: int
    #: nanoseconds since midnight, local
    ns: int
    #: fixed offset or region; None for local time
    tzinfo: tzinfo | None

    def __str__(self) -> str:
        """Return ISO 8601."""
        day = date_text(self.year, self.month, self.day)
        return f"{day}T{clock_text(self.ns)}{zone_text(self.tzinfo)}"


@dataclass(frozen=True, slots=True)
class Range:
    """An interval as a value; an end that is missing in a unary range such as `(> 5)` is None."""

    #: lower end
    start: object
    #: upper end
    end: object
    #: whether `start` itself belongs to it
    start_included: bool = True
    #: whether `end` itself belongs to it
    end_included: bool = True
    #: `=`, `!=`, `<`, `<=`, `>`, `>=` when written as a unary test, else None
    operator: str | None = None

    def __hash__(self) -> int:
        return hash((self.start_included, self.end_included, self.operator))


class Function:
    """A function as a value: defined in FEEL, built in, or given by the host (a decision model).

    `invoke(arguments)` takes already evaluated values in the order of `parameters`.
    """

    __slots__ = ("invoke", "name", "parameter_types", "parameters", "result_type", "variadic")

    def __init__(
        self,
        name: str,
        parameters: Sequence[str],
        invoke: Callable[[list[object]], object],
        *,
        parameter_types: Sequence[object] = (),
        result_type: object = None,
        variadic: bool = False,
    ) -> None:
        self.name = name
        self.parameters = tuple(parameters)
        #: called with the values of all parameters
        self.invoke = invoke
        #: `types.Type` per parameter, or empty where none is declared
        self.parameter_types = tuple(parameter_types)
        #: `types.Type` of the result, None where not declared
        self.result_type = result_type
        #: accepts any number of arguments (a built-in used as a value)
        self.variadic = variadic

    def __repr__(self) -> str:
        return f"function {self.name}({', '.join(self.parameters)})"


def date_text(year: int, month: int, day: int) -> str:
    """Return `yyyy-mm-dd`, with a minus sign and more digits where the year needs them."""
    return f"{'-' if year < 0 else ''}{abs(year):04d}-{month:02d}-{day:02d}"


def clock_text(ns: int) -> str:
    """Return `hh:mm:ss` with the fraction as short as it is exact."""
    seconds, fraction = divmod(ns, NS)
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return text + (f".{fraction:09d}".rstrip("0") if fraction else "")


def duration_text(ns: int) -> str:
    """Return a days and time duration of so many nanoseconds in ISO 8601, `PT0S` for none."""
    seconds, fraction = divmod(abs(ns), NS)
    days, seconds = divmod(seconds, 86_400)
    hours, minutes, seconds = seconds // 3600, seconds // 60 % 60, seconds % 60
    clock = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    if seconds or fraction:
        clock += str(seconds) + (f".{fraction:09d}".rstrip("0") if fraction else "") + "S"
    if not days and not clock:
        return "PT0S"
    return ("-" if ns < 0 else "") + "P" + (f"{days}D" if days else "") + (clock and "T" + clock)


def zone_text(zone: tzinfo | None) -> str:
    """Return `Z`, `+01:00` or `@Europe/Paris`; nothing for local time."""
    if zone is None:
        return ""
    if isinstance(zone, ZoneInfo):
        return f"@{zone.key}"
    offset = zone.utcoffset(None)
    if offset is None:
        return f"@{zone}"
    seconds = offset.days * 86_400 + offset.seconds
    if not seconds:
        return "Z"
    minutes, rest = divmod(abs(seconds), 60)
    text = f"{'-' if seconds < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"
    return text + (f":{rest:02d}" if rest else "")
