"""Moments, durations and cycles of ISO 8601, as BPMN timers use them (BPMN 2.0.2, 10.5.5).

A text or a FEEL value comes in, aware UTC moments go out.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from engine.errors import ExecutionFault
from engine.kernel.conditions import shown
from engine.kernel.cron import Cron, is_cron, parse_cron
from engine.model import Value

_DURATION = re.compile(
    r"(?P<sign>-)?P(?:(?P<weeks>\d+)W|(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:[.,]\d+)?)S)?)?)"
)


@dataclass(frozen=True, slots=True)
class Span:
    """A duration: calendar months and an exact part."""

    months: int
    exact: timedelta

    def after(self, moment: datetime) -> datetime:
        """Return the moment that lies one span later; the last day of short months holds."""
        if self.months:
            index = moment.year * 12 + moment.month - 1 + self.months
            year, month = divmod(index, 12)
            day = min(moment.day, monthrange(year, month + 1)[1])
            moment = moment.replace(year=year, month=month + 1, day=day)
        return moment + self.exact

    def __bool__(self) -> bool:
        return bool(self.months or self.exact)


@dataclass(frozen=True, slots=True)
class Cycle:
    """A repeating timer: how often in all (None: for ever), from when, how far apart."""

    times: int | None
    begin: datetime | None
    every: Span

    def first(self, now: datetime) -> datetime:
        """Return the first due moment, counted from now where no date is drawn."""
        return self.begin if self.begin is not None else self.every.after(now)

    @property
    def interval(self) -> str:
        """Return the distance as an ISO 8601 duration."""
        months, exact = self.every.months, self.every.exact
        seconds = Decimal(exact // timedelta(microseconds=1)) / 1_000_000
        return f"P{f'{months}M' if months else ''}{f'T{seconds:f}S' if exact else ''}"


@lru_cache(maxsize=4096)
def parse_duration(text: str) -> Span:
    """Read `PT2H`, `P1Y2M`, `P3W` ...; raises ExecutionFault."""
    found = _DURATION.fullmatch(text.strip())
    if found is None or text.strip().rstrip("T").endswith("P") or text.strip().endswith("T"):
        raise ExecutionFault(f"{text!r} is no ISO 8601 duration such as PT2H or P3D")
    part = {k: v for k, v in found.groupdict().items() if v and k != "sign"}
    sign = -1 if found["sign"] else 1
    seconds = Decimal(part.get("seconds", "0").replace(",", "."))
    exact = timedelta(
        weeks=int(part.get("weeks", 0)),
        days=int(part.get("days", 0)),
        hours=int(part.get("hours", 0)),
        minutes=int(part.get("minutes", 0)),
        microseconds=int(seconds * 1_000_000),
    )
    return Span(sign * (int(part.get("years", 0)) * 12 + int(part.get("months", 0))), sign * exact)


@lru_cache(maxsize=4096)
def parse_moment(text: str) -> datetime:
    """Read an ISO 8601 date and time; without an offset it counts as UTC; raises ExecutionFault."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        message = f"{text!r} is no ISO 8601 date and time such as 2026-01-31T09:00:00+08:00"
        raise ExecutionFault(message) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


@lru_cache(maxsize=4096)
def parse_cycle(text: str) -> Cycle | Cron:
    """Read `R3/PT10M`, `R/2026-01-31T09:00:00Z/P1D`, `0 0 9 * * MON-FRI`; raises ExecutionFault."""
    if is_cron(text):
        return parse_cron(text)
    parts = [p.strip() for p in text.strip().split("/")]
    if len(parts) not in (2, 3) or not re.fullmatch(r"R\d*", parts[0]):
        raise ExecutionFault(f"{text!r} is no ISO 8601 repeating interval such as R3/PT10M")
    times = int(parts[0][1:]) if parts[0] != "R" else None
    if times == 0:
        raise ExecutionFault(f"{text!r} would never fire; write R1 for once")
    if len(parts) == 3 and parts[2].startswith(("P", "-P")):
        begin, every = parse_moment(parts[1]), parse_duration(parts[2])
    elif len(parts) == 3:  # R/start/end: the distance repeats
        begin = parse_moment(parts[1])
        every = Span(0, parse_moment(parts[2]) - begin)
    else:
        begin, every = None, parse_duration(parts[1])
    if not every or every.after(datetime(2000, 1, 1, tzinfo=UTC)) <= datetime(
        2000, 1, 1, tzinfo=UTC
    ):
        raise ExecutionFault(f"the interval of {text!r} must be longer than nothing")
    return Cycle(times, begin, every)


def to_span(value: Value) -> Span:
    """Turn a text or a FEEL duration into a Span; raises ExecutionFault."""
    if isinstance(value, str):
        return parse_duration(value)
    if isinstance(value, timedelta):
        return Span(0, value)
    if value is not None and str(value).lstrip("-").startswith("P"):
        return parse_duration(str(value))
    raise ExecutionFault(f"a duration is wanted here, not {shown(value)}")


def to_moment(value: Value) -> datetime:
    """Turn a text or a FEEL date (and time) into an aware UTC moment; raises ExecutionFault."""
    if isinstance(value, str):
        return parse_moment(value)
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    raise ExecutionFault(f"a date and time is wanted here, not {shown(value)}")


def to_cycle(value: Value) -> Cycle | Cron:
    """Turn a text into a Cycle or a Cron; raises ExecutionFault."""
    if isinstance(value, str):
        return parse_cycle(value)
    raise ExecutionFault(f"a repeating interval such as R3/PT10M is wanted, not {shown(value)}")
