"""Literal times of timer events: does the kernel read them, and what should they look like."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.errors import ExecutionFault
from engine.kernel import parse_cycle, parse_duration, parse_moment
from engine.sentences import Phrase, phrase

#: element of a timer -> (how the kernel reads it, what it should look like)
TIMES: Mapping[str, tuple[Callable[[str], object], Phrase]] = {
    "timeDuration": (parse_duration, phrase("a duration such as PT30M or P1DT12H")),
    "timeDate": (parse_moment, phrase("a moment such as 2026-03-01T08:00:00+08:00")),
    "timeCycle": (
        parse_cycle,
        phrase("a repetition such as R3/PT10M, or a cron such as 0 0 9 * * MON-FRI"),
    ),
}


def is_literal_time(tag: str, text: str) -> bool:
    """Tell whether a text is a literal time for `timeDate`, `timeDuration` or `timeCycle`."""
    read = TIMES[tag][0] if tag in TIMES else None
    if read is None:
        return False
    try:
        read(text)
    except ExecutionFault:
        return False
    return True
