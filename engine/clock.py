"""Time and ids: the only place that asks the system for either. All times are aware UTC."""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time; everything that needs it gets a Clock passed in."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...


class SystemClock:
    """The clock of this machine; never goes back within one process."""

    def __init__(self) -> None:
        self._last = datetime.now(UTC)

    def now(self) -> datetime:
        """Return the system time, or the last one told if the system clock was set back."""
        seen = datetime.now(UTC)
        if seen < self._last:
            return self._last
        self._last = seen
        return seen


class VirtualClock:
    """A clock that stands still until it is moved; for tests, dry runs and simulation."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("a virtual clock starts at an aware moment")
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """Return the moment the clock was last moved to."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move forward by so many seconds."""
        self.move_to(self._now + timedelta(seconds=seconds))

    def move_to(self, moment: datetime) -> None:
        """Move forward to an aware moment; an earlier one leaves the clock where it is."""
        self._now = max(self._now, moment.astimezone(UTC))


_order = threading.Lock()
_last = 0


def new_id() -> str:
    """Return a fresh UUIDv7 (RFC 9562, method 3) as text; in one process each sorts after the last.

    Lists ordered by id thus keep the order in which things were made, within a millisecond too.
    """
    global _last
    moment = time.time_ns()
    # the millisecond, then twelve bits of its fraction
    stamp = moment // 1_000_000 << 12 | moment % 1_000_000 * 4096 // 1_000_000
    with _order:
        stamp = _last = max(stamp, _last + 1)
    value = stamp >> 12 << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64
    value |= 0x2 << 62 | int.from_bytes(os.urandom(8), "big") >> 2
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
