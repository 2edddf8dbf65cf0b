"""The threads that run handlers. They touch no database: outcomes are booked by the claim loop."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from engine.model import Work
from engine.worker import Outcome

#: handlers that take less on average are claimed a batch at a time; seconds
QUICK_S = 0.005
#: the suspect of a dead process is alone for so long, and waits so long to be alone: what kills its
#: process mostly does it soon, and nobody is to wait for a long handler because of one; seconds
ALONE_S = 5.0
#: how often it is looked whether that time is over; seconds
_LOOK_S = 0.5
#: weight of the last handler in the average of their times
_WEIGHT = 0.2


@dataclass(slots=True, eq=False)
class Held:
    """A work item that this process has claimed and not yet booked."""

    work: Work
    #: until when the lease lasts; seconds of the crew's timer
    lease_until: float
    #: how long its handler may run; seconds
    timeout_s: float
    #: when it was handed over; of the crew's timer
    since: float = 0.0
    #: when its handler began; None while it waits for a thread
    began: float | None = None
    #: given up by the watchdog: what the handler still returns is dropped
    abandoned: bool = False


@dataclass(slots=True)
class _State:
    """What the threads share, under one lock."""

    waiting: deque[Held] = field(default_factory=deque)
    running: set[Held] = field(default_factory=set)
    finished: deque[tuple[Held, Outcome]] = field(default_factory=deque)
    #: how many were collected last, which are booked when the next are collected
    booking: int = 0
    closed: bool = False
    average_s: float = QUICK_S


class Crew:
    """`threads` threads that call `attempt` for each work item put in."""

    def __init__(
        self,
        attempt: Callable[[Work], Outcome],
        *,
        threads: int,
        batch: int,
        wake: Callable[[], None],
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._attempt = attempt
        self._size = threads
        self._batch = batch
        self._wake = wake
        self._timer = timer
        self._state = _State()
        self._changed = threading.Condition()

    def start(self) -> None:
        """Start the threads; they end with the process if a handler never returns."""
        for _ in range(self._size):
            self._begin_thread()

    def room(self) -> int:
        """Return how many more items may be claimed.

        As many as there are free threads; a batch where handlers are quick, since then the claim
        costs more than the wait for a thread.
        """
        with self._changed:
            state = self._state
            if self._is_guarded() or any(held.work.lost for held in state.waiting):
                return 0
            quick = state.average_s < QUICK_S
            capacity = max(self._size, self._batch) if quick else self._size
            held = len(state.waiting) + len(state.running) + len(state.finished)
            return max(0, capacity - held)

    def soon(self) -> int:
        """Return how many more items can be begun soon: a batch of quick ones, else as `room`."""
        if self._state.average_s < QUICK_S:
            return max(self._size, self._batch)
        return self.room()

    def held_of(self) -> Counter[str]:
        """Return how many items of each topic are held."""
        return Counter(held.work.topic for held in self.held())

    def put(self, held: Held) -> bool:
        """Hand over a claimed item; False if nothing is begun any more."""
        with self._changed:
            if self._state.closed:
                return False
            held.since = self._timer()
            self._state.waiting.append(held)
            self._changed.notify_all()
            return True

    def collect(self, limit: int) -> list[tuple[Held, Outcome]]:
        """Return finished items, oldest first; they are no longer held.

        Whoever comes again has booked those of the time before.
        """
        with self._changed:
            finished = self._state.finished
            self._state.booking = min(limit, len(finished))
            self._changed.notify_all()
            return [finished.popleft() for _ in range(self._state.booking)]

    def held(self) -> list[Held]:
        """Return all items held, so that their leases can be extended."""
        with self._changed:
            state = self._state
            return [*state.waiting, *state.running, *(held for held, _ in state.finished)]

    def overdue(self) -> list[Held]:
        """Return the running items over their time limit."""
        now = self._timer()
        with self._changed:
            return [
                held
                for held in self._state.running
                if held.began is not None and now - held.began > held.timeout_s
            ]

    def abandon(self, held: Held) -> bool:
        """Give a running item up; False if its handler has returned meanwhile.

        Its thread cannot be ended, so another one takes its place.
        """
        with self._changed:
            if held not in self._state.running:
                return False
            held.abandoned = True
            self._state.running.discard(held)
            self._changed.notify_all()
        self._begin_thread()
        # whoever waits for the last handler to end need not wait for this one
        self._wake()
        return True

    def close(self) -> list[Held]:
        """Start nothing more; return the items that no handler was called for."""
        with self._changed:
            self._state.closed = True
            unstarted = list(self._state.waiting)
            self._state.waiting.clear()
            self._changed.notify_all()
            return unstarted

    def is_idle(self) -> bool:
        """Tell whether nothing is held, that is, all is booked."""
        with self._changed:
            state = self._state
            return not (state.waiting or state.running or state.finished)

    # -------------------------------------------------------------- in the threads

    def _begin_thread(self) -> None:
        threading.Thread(target=self._run, name="handler", daemon=True).start()

    def _run(self) -> None:
        while (held := self._next()) is not None:
            self._finish(held, self._attempt(held.work))
            if held.abandoned:
                return

    def _next(self) -> Held | None:
        with self._changed:
            while True:
                while not self._state.closed and not self._may_begin():
                    self._changed.wait(_LOOK_S if self._state.waiting else None)
                if self._state.closed:
                    return None
                held = self._state.waiting.popleft()
                held.began = self._timer()
                # after a long stop of this process somebody else may have begun it by now
                if held.began < held.lease_until:
                    self._state.running.add(held)
                    return held

    def _may_begin(self) -> bool:
        state = self._state
        if not state.waiting or self._is_guarded():
            return False
        first = state.waiting[0]
        # the suspect of a dead process runs alone, so that no neighbour dies with it again, nor any
        # result that is not booked yet
        alone = not (state.running or state.finished or state.booking)
        return not first.work.lost or alone or self._timer() - first.since >= ALONE_S

    def _is_guarded(self) -> bool:
        """Tell whether a suspect runs that has not yet shown that its process outlives it."""
        now = self._timer()
        return any(
            held.work.lost and held.began is not None and now - held.began < ALONE_S
            for held in self._state.running
        )

    def _finish(self, held: Held, outcome: Outcome) -> None:
        with self._changed:
            state = self._state
            if held.abandoned:
                return
            took_s = self._timer() - (held.began or 0.0)
            state.average_s += _WEIGHT * (took_s - state.average_s)
            state.running.discard(held)
            state.finished.append((held, outcome))
            self._changed.notify_all()
            # while quick ones still wait here, one transaction for all of them is cheaper, but a
            # suspect waits for their booking
            ripe = (
                not state.waiting
                or state.waiting[0].work.lost
                or took_s >= QUICK_S
                or len(state.finished) >= self._batch
            )
        if ripe:
            self._wake()
