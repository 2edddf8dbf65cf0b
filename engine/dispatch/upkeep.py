"""Upkeep: what may take minutes, so that it must not hold up who looks after running handlers."""

from __future__ import annotations

import threading
from collections.abc import Callable

from engine.worker import guarded

#: how long after a round the next one begins; seconds
_EVERY_S = 3600.0


class Upkeep:
    """Calls `act` in a thread of its own, an hour after it was done, or at the next look if not."""

    def __init__(self, act: Callable[[], bool], what: str, *, timer: Callable[[], float]) -> None:
        self._act = act
        self._what = what
        self._timer = timer
        self._again_at = timer()
        self._thread: threading.Thread | None = None

    def look(self) -> None:
        """Begin a round if it is time, and none is under way."""
        if self._timer() >= self._again_at and not self._is_busy():
            # a daemon: whoever ends in the midst of a round has changed nothing
            thread = threading.Thread(target=self._run, name="upkeep", daemon=True)
            thread.start()
            # begun before `stop` can see it, in whatever thread that is called
            self._thread = thread

    def stop(self, wait_s: float) -> None:
        """Wait for a round that is under way, but not for long."""
        if self._thread is not None:
            self._thread.join(wait_s)

    def _is_busy(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _run(self) -> None:
        if guarded(self._act, self._what):
            self._again_at = self._timer() + _EVERY_S
