"""Cron expressions of timer cycles, as Camunda 8 has them from Spring: six fields, seconds first.

Fields are second, minute, hour, day of the month, month, day of the week; each a `*`, a number, a
range, a list, a step. Days may also be `?`, L, L-3, LW, 15W, and FRIL or MON#2 in the week; both
fields of the day have to fit. Hours are those of UTC, or of the place in `CRON_TZ=Europe/Paris`
before the fields. A time that the clocks leave out comes as much later as they are put forward, one
that they show twice comes once; what comes every hour comes in both.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.errors import ExecutionFault

MACROS = {
    "@yearly": "0 0 0 1 1 *", "@annually": "0 0 0 1 1 *", "@monthly": "0 0 0 1 * *",
    "@weekly": "0 0 0 * * 0", "@daily": "0 0 0 * * *", "@midnight": "0 0 0 * * *",
    "@hourly": "0 0 * * * *",
}  # fmt: skip
_ZONE = "CRON_TZ="
#: after so many years a turn would never come; 29 February of one weekday comes every 40 at most
_YEARS = 50
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEK = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")

#: the days of a month that fit, by its first weekday (0 is Sunday) and its length
Days = Callable[[int, int], frozenset[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """When a cycle takes its turns; there is no end."""

    #: as it is written
    text: str
    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: frozenset[int]
    #: one for each part of the two fields of the day
    of_month: tuple[Days, ...]
    of_week: tuple[Days, ...]
    zone: tzinfo
    times: None = None

    def first(self, now: datetime) -> datetime:
        """Return the first due moment."""
        return self.after(now)

    @property
    def interval(self) -> str:
        """Return what `next_due` continues by."""
        return self.text

    def after(self, moment: datetime) -> datetime:
        """Return the first turn behind an aware moment, in UTC. Raises ExecutionFault."""
        found = self._after_each_hour(moment) if len(self.hours) == 24 else self._after(moment)
        if found is None:
            raise ExecutionFault(f"the cron {self.text!r} would never fire")
        return found

    def _after(self, moment: datetime) -> datetime | None:
        at = _naive(moment, self.zone)
        while (turn := self._turn(at)) is not None:
            at = turn
            # fold 0: the first of two, and behind a gap what was left out
            due = turn.replace(tzinfo=self.zone).astimezone(UTC)
            if due > moment:
                return due
        return None

    def _after_each_hour(self, moment: datetime) -> datetime | None:
        """Go by the offset of the moment, and look whether the place agrees when it comes."""
        at = moment
        for _ in range(100_000):
            offset = at.astimezone(self.zone).utcoffset() or timedelta()
            turn = self._turn(_naive(at, UTC) + offset)
            if turn is None:
                return None
            at = (turn - offset).replace(tzinfo=UTC)
            if self._fits(_naive(at, self.zone)):
                return at
        return None

    def _turn(self, after: datetime) -> datetime | None:
        """Return the first local time behind another one."""
        begin = after.replace(microsecond=0) + timedelta(seconds=1)
        for first in _months_from(begin.date().replace(day=1)):
            if first.month not in self.months:
                continue
            for number in sorted(self._days(first)):
                day = first.replace(day=number)
                if day >= begin.date():
                    clock = self._clock(begin.time() if day == begin.date() else time())
                    if clock is not None:
                        return datetime.combine(day, clock)
        return None

    def _days(self, first: date) -> frozenset[int]:
        length = monthrange(first.year, first.month)[1]
        weekday = first.isoweekday() % 7
        of_month = frozenset[int]().union(*(days(weekday, length) for days in self.of_month))
        of_week = frozenset[int]().union(*(days(weekday, length) for days in self.of_week))
        return of_month & of_week

    def _clock(self, begin: time) -> time | None:
        """Return the first time of a day that is not before another one."""
        for hour in (h for h in self.hours if h >= begin.hour):
            for minute in self.minutes:
                for second in self.seconds:
                    found = time(hour, minute, second)
                    if found >= begin:
                        return found
        return None

    def _fits(self, local: datetime) -> bool:
        clock = (local.hour in self.hours, local.minute in self.minutes,
                 local.second in self.seconds)  # fmt: skip
        return all(clock) and local.month in self.months and local.day in self._days(
            local.date().replace(day=1)
        )  # fmt: skip


def is_cron(text: str) -> bool:
    """Tell whether a text is meant as a cron; a repetition of ISO 8601 begins with R."""
    bare = text.strip()
    return bare.startswith(("@", _ZONE)) or (len(bare.split()) > 3 and not bare.startswith("R"))


@lru_cache(maxsize=1024)
def parse_cron(text: str) -> Cron:
    """Read `0 0 9-17 * * MON-FRI`, `@daily`, `CRON_TZ=Asia/Shanghai 0 30 8 * * *`.

    Raises ExecutionFault.
    """
    zone, rest = _zone(text.strip())
    fields = MACROS.get(rest.lower(), rest).upper().split()
    if len(fields) != 6:
        raise ExecutionFault(
            f"{text!r} is no cron: it has six fields (second, minute, hour, day, month, weekday)"
            f" such as 0 0 9-17 * * MON-FRI"
        )
    second, minute, hour, day, month, weekday = fields
    cron = Cron(
        text=text.strip(),
        seconds=_Field(text, "second", 0, 59).numbers(second),
        minutes=_Field(text, "minute", 0, 59).numbers(minute),
        hours=_Field(text, "hour", 0, 23).numbers(hour),
        months=frozenset(_Field(text, "month", 1, 12, _MONTHS).numbers(month)),
        of_month=_Field(text, "day", 1, 31).days(day, _day),
        of_week=_Field(text, "weekday", 0, 7, _WEEK).days(weekday, _weekday),
        zone=zone,
    )
    cron.after(datetime(2000, 1, 1, tzinfo=UTC))
    return cron


def _zone(text: str) -> tuple[tzinfo, str]:
    if not text.startswith(_ZONE):
        return UTC, text
    name, _, rest = text.removeprefix(_ZONE).partition(" ")
    try:
        return ZoneInfo(name), rest.strip()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ExecutionFault(f"the cron {text!r} names no time zone such as Asia/Shanghai")


def _naive(moment: datetime, zone: tzinfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def _months_from(first: date) -> Iterator[date]:
    for _ in range(_YEARS * 12):
        yield first
        if (first.year, first.month) == (9999, 12):
            return
        first = (first + timedelta(days=31)).replace(day=1)


# ------------------------------------------------------------------ fields


class _Field:
    """One field of an expression, upper-case."""

    def __init__(
        self, cron: str, name: str, low: int, high: int, words: tuple[str, ...] = ()
    ) -> None:
        self.cron, self.name, self.low, self.high = cron, name, low, high
        self.words = words

    def numbers(self, text: str) -> tuple[int, ...]:
        """Return the numbers that a field names, sorted."""
        return tuple(sorted({n for part in text.split(",") for n in self._part(part)}))

    def days(self, text: str, special: Callable[[_Field, str], Days | None]) -> tuple[Days, ...]:
        """Return the days that each part of a field names."""
        if text == "?":
            text = "*"
        return tuple(
            special(self, part) or self._plain(frozenset(self._part(part)))
            for part in text.split(",")
        )

    def _plain(self, numbers: frozenset[int]) -> Days:
        if self.name == "day":
            return lambda _first, length: frozenset(n for n in numbers if n <= length)
        week = {n % 7 for n in numbers}
        return lambda first, length: frozenset(
            n for n in range(1, length + 1) if (first + n - 1) % 7 in week
        )

    def _part(self, text: str) -> range:
        head, slash, step = text.partition("/")
        low, dash, high = head.partition("-")
        if head == "*":
            begin, end = self.low, 6 if self.name == "weekday" else self.high
        else:
            begin = self.number(low)
            end = self.number(high) if dash else self.high if slash else begin
        if self.name == "weekday" and begin == 7 and dash:
            begin = 0  # a week may begin by its Sunday
        every = self.digits(step) if slash else 1
        if end < begin or every < 1:
            self.refuse(text)
        return range(begin, end + 1, every)

    def number(self, text: str) -> int:
        """Return a number or a name of this field."""
        if text in self.words:
            return self.words.index(text) + self.low
        found = self.digits(text)
        if not self.low <= found <= self.high:
            self.refuse(text)
        return found

    def digits(self, text: str) -> int:
        """Return a number."""
        if not re.fullmatch(r"[0-9]{1,4}", text):
            self.refuse(text)
        return int(text)

    def refuse(self, text: str) -> NoReturn:
        """Raise what is wrong."""
        raise ExecutionFault(f"the {self.name} of the cron {self.cron!r} cannot be {text!r}")


def _day(field: _Field, text: str) -> Days | None:
    """Read L, L-3, LW and 15W."""
    if text == "LW":
        return lambda first, length: frozenset({_working(length, first, length)})
    if text == "L":
        return lambda _first, length: frozenset({length})
    if text.startswith("L-"):
        back = field.digits(text[2:])
        if back > 30:
            field.refuse(text)
        return lambda _first, length: frozenset({length - back} if back < length else ())
    if text.endswith("W"):
        wanted = field.number(text[:-1])
        return lambda first, length: frozenset(
            {_working(wanted, first, length)} if wanted <= length else ()
        )
    return None


def _working(day: int, first: int, length: int) -> int:
    """Return the day from Monday to Friday that is nearest to a day and in its month."""
    weekday = (first + day - 1) % 7
    if weekday == 6:
        return day - 1 if day > 1 else day + 2
    if weekday == 0:
        return day + 1 if day < length else day - 2
    return day


def _weekday(field: _Field, text: str) -> Days | None:
    """Read FRIL and MON#2."""
    name, hash_, number = text.partition("#")
    if hash_:
        weekday, nth = field.number(name) % 7, field.digits(number)
        if not 1 <= nth <= 5:
            field.refuse(text)
        return lambda first, length: frozenset(
            day for day in (1 + (weekday - first) % 7 + 7 * (nth - 1),) if day <= length
        )
    if text.endswith("L") and len(text) > 1:
        last = field.number(text[:-1]) % 7
        return lambda first, length: frozenset({length - (first + length - 1 - last) % 7})
    return None
