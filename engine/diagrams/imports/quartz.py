"""Cron of Camunda 7, which is Quartz's, in the form of Camunda 8: days of the week begin elsewhere.

Quartz counts the week from 1 for Sunday and may have a field for the year; Spring, whose form
Camunda 8 uses, counts from 0 for Sunday and has none. Names mean the same in both.
"""

from __future__ import annotations

import re

_WEEK = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
#: numbers of a weekday: not those behind / (steps) and # (the how manieth)
_NUMBER = re.compile(r"(?<![\w/#])([1-7])(?=L?(?![\w]))")
#: a step from a day on
_OPEN = re.compile(r"(?<![\w-])([A-Z]{3})/")
_NO_YEAR = ("*", "?")


def is_quartz(text: str) -> bool:
    """Tell whether a text has the fields of Quartz's cron."""
    return len(text.split()) in (6, 7) and not text.startswith(("=", "R", "$", "#"))


def spring(text: str) -> str | None:
    """Return the same cron in six fields, its weekdays by name; None if it names a year."""
    *fields, weekday = text.split()[:6]
    year = text.split()[6:]
    if year and year[0] not in _NO_YEAR:
        return None
    named = _NUMBER.sub(lambda found: _WEEK[int(found[1]) - 1], weekday)
    # a week ends by its Saturday there, and L is its last day
    ended = _OPEN.sub(r"\1-SAT/", named)
    return " ".join((*fields, "SAT" if weekday == "L" else ended))
