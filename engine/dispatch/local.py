"""LocalDispatcher: all work of one machine, in one process, woken by due times and hints.

One thread claims, runs the engine's own items and books outcomes, so that this process never waits
for its own locks; the crew's threads run handlers; the watch extends leases and finds hanging ones.
"""

from __future__ import annotations

import logging
import math
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from engine.clock import new_id
from engine.dispatch.alarm import Alarm
from engine.dispatch.crew import Crew, Held
from engine.dispatch.upkeep import Upkeep
from engine.model import Work
from engine.registry import Registry
from engine.worker import (
    INTERNAL,
    Done,
    Failed,
    Outcome,
    WorkEngine,
    attempt,
    conclude,
    conclude_many,
    guarded,
    run_internal,
)

log = logging.getLogger("caseway.worker")

#: waits before an outcome is booked again while the database is away; seconds
_BOOKING_WAITS_S = (0.1, 0.5, 2.0)
#: how often the engine is asked to end what has expired, or more often with short leases; seconds
_REAP_S = 10.0
#: the claim loop that shows no life for so long is stuck; seconds
_STUCK_S = 30.0
#: how long a round that failed is not repeated; seconds
_PAUSE_S = 1.0


class LocalDispatcher:
    """Does the due work of one installation until it is stopped; `announce` is a mere hint.

    `topics` and `kinds` say which work it does; None: all. `on_hang` is called after a handler
    broke its time limit: its thread cannot be ended, so the process should be stopped and replaced.
    `owner` is used by no other dispatcher, ever.
    """

    def __init__(
        self,
        engine: WorkEngine,
        registry: Registry,
        *,
        topics: Sequence[str] | None = None,
        kinds: Sequence[str] | None = None,
        on_hang: Callable[[], None] | None = None,
        owner: str | None = None,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._registry = registry
        self._settings = registry.settings
        self._topics = topics
        self._kinds = kinds
        #: what it does itself, whatever its handlers do
        self._internal = [kind for kind in INTERNAL if kinds is None or kind in kinds]
        self._on_hang = on_hang
        self._timer = timer
        #: who holds the leases: readable for the admin, and never the same twice
        self.owner = owner or f"{socket.gethostname()}/{os.getpid()}/{new_id()[-12:]}"
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._stopped = threading.Event()
        #: rows may be ours of which we do not know, since the database went away
        self._strays = False
        #: ids of what was run but not booked: attempts like any other, until their leases end
        self._unbooked: set[str] = set()
        #: with all threads busy, when to look again for the engine's own work; of the timer
        self._look_again = 0.0
        self._maintain_at = timer()
        #: how often expired things are ended; seconds
        self._maintain_s = min(_REAP_S, self._settings.lease_s)
        self._months = Upkeep(
            lambda: bool(engine.keep_months().done), "keeping the months of the history",
            timer=timer,
        )  # fmt: skip
        #: when the claim loop last showed life; of the timer
        self._seen_at = timer()
        self._alarm = Alarm(self._wake.set, self._settings.sweep_s, now=engine.clock.now)
        self._crew = Crew(
            self._attempt,
            threads=self._settings.worker_threads,
            batch=self._settings.batch,
            wake=self._wake.set,
            timer=timer,
        )
        #: topics of which only so many may be with this process at once
        self._limits = {
            entry.name: entry.at_once for entry in registry if entry.at_once is not None
        }
        self._loop = threading.Thread(target=self._claim_loop, name="claim", daemon=True)
        self._watch = threading.Thread(target=self._watch_loop, name="watch", daemon=True)

    @property
    def shutdown_s(self) -> float:
        """How long `stop` waits for running handlers, if nobody says."""
        return self._settings.shutdown_s

    def start(self) -> None:
        """Begin to claim work; after any fork."""
        self._crew.start()
        self._loop.start()
        self._watch.start()
        self._alarm.start()

    def announce(self, due_at: datetime | None = None) -> None:
        """Hint that there is work, now or at `due_at`; may be lost or doubled, from any thread."""
        if due_at is None:
            self._wake.set()
        else:
            self._alarm.pull_forward(due_at)

    def is_well(self) -> bool:
        """Tell whether the claim loop goes round: the sweep sees to it even without work."""
        return self._timer() - self._seen_at < _STUCK_S

    def stop(self, drain_s: float | None = None) -> bool:
        """Stop claiming, let running handlers end for `drain_s`, release what has not begun.

        Returns False if handlers were still running then: their leases are released too, so that
        another worker takes over at once, and what they still return is stale.
        """
        drain_s = self._settings.shutdown_s if drain_s is None else drain_s
        self._stopping.set()
        self._alarm.stop()
        self._release(self._crew.close())
        self._wake.set()
        self._loop.join(drain_s)
        left = [held for held in self._crew.held() if self._crew.abandon(held)]
        self._release(left)
        self._stopped.set()
        self._wake.set()
        self._loop.join(_PAUSE_S)
        self._months.stop(_PAUSE_S)
        return not left and not self._loop.is_alive()

    # -------------------------------------------------------------- claiming and booking

    def _claim_loop(self) -> None:
        while not (self._stopping.is_set() and self._crew.is_idle()):
            self._wake.wait()
            self._seen_at = self._timer()
            # cleared before the look, so that a wake-up during it makes the loop look again
            self._wake.clear()
            if not guarded(self._work_off, "looking for due work"):
                self._stopped.wait(_PAUSE_S)
                self._wake.set()

    def _work_off(self) -> bool:
        """Book and claim until nothing is due or has room, then set the alarm to the next due."""
        self._book()
        if self._strays:
            self._give_strays_back()
        due = self._next_due()
        while due is not None and due <= self._engine.clock.now():
            self._seen_at = self._timer()
            claimed = self._claim()
            if not claimed and self._next_due() == due:
                # no room, or another worker was faster: a handler's end or the sweep wakes us
                return True
            if self._wake.is_set():
                self._book()
            if claimed < self._settings.batch or self._stopping.is_set():
                due = self._next_due()
        if due is not None:
            self._alarm.pull_forward(due)
        return True

    def _next_due(self) -> datetime | None:
        return None if self._stopping.is_set() else self._engine.next_due()

    def _claim(self) -> int:
        """Claim and begin what there is room for; return how many items that were."""
        room = self._crew.room()
        if not room and (self._timer() < self._look_again or not self._internal):
            return 0
        claimed_at = self._timer()
        # until the answer is there
        self._strays = True
        works = self._engine.claim_work(
            owner=self.owner,
            limit=min(room, self._settings.batch) or self._settings.batch,
            # with every thread busy, timers and messages still go on
            kinds=self._kinds if room else self._internal,
            topics=self._topics,
            room=self._room_of_topics(),
            lease_s=self._settings.lease_s,
        )
        self._strays = False
        if works and self._stopping.is_set():
            self._release([Held(work, claimed_at, 0.0) for work in works])
            return 0
        if not room and len(works) < self._settings.batch:
            self._look_again = claimed_at + self._settings.sweep_s
        self._begin(works, claimed_at + self._settings.lease_s)
        return len(works)

    def _give_strays_back(self) -> None:
        """Let others have what is ours without our knowing, as after a lost answer to a claim."""
        held = {held.work.id for held in self._crew.held()} | self._unbooked
        back = self._engine.disown(self.owner, sorted(held))
        self._strays = False
        if back:
            log.warning("%d items are given back, whose claim was answered too late", back)

    def _room_of_topics(self) -> dict[str, int]:
        """Return how many more of the limited topics may be with this process."""
        if not self._limits:
            return {}
        held = self._crew.held_of()
        return {topic: max(0, limit - held[topic]) for topic, limit in self._limits.items()}

    def _begin(self, works: list[Work], lease_until: float) -> None:
        # handlers first: they run while this thread does the engine's own items
        for work in works:
            if work.kind not in INTERNAL:
                held = Held(work, lease_until, self._timeout_s(work))
                if not self._crew.put(held):
                    self._release([held])
        for work in works:
            if work.kind in INTERNAL:
                done = guarded(partial(self._run_internal, work), f"work {work.key}")
                # all of it is done in its transaction, or nothing
                self._strays |= not done

    def _run_internal(self, work: Work) -> bool:
        run_internal(self._engine, work, self._registry)
        return True

    def _book(self) -> None:
        while outcomes := self._crew.collect(self._settings.batch):
            done = [(held.work, out) for held, out in outcomes if isinstance(out, Done)]
            if not guarded(partial(self._book_done, done), f"booking {len(done)} results"):
                self._unbooked.update(work.id for work, _ in done)
            for held, outcome in outcomes:
                if not isinstance(outcome, Done):
                    book = partial(self._conclude, held.work, outcome)
                    if not guarded(book, f"booking work {held.work.key}"):
                        self._unbooked.add(held.work.id)

    def _book_done(self, done: list[tuple[Work, Done]]) -> bool:
        conclude_many(self._engine, done, self._registry, waits_s=_BOOKING_WAITS_S)
        return True

    def _conclude(self, work: Work, outcome: Outcome) -> bool:
        conclude(self._engine, work, outcome, self._registry, waits_s=_BOOKING_WAITS_S)
        return True

    # -------------------------------------------------------------- handlers and their leases

    def _attempt(self, work: Work) -> Outcome:
        return attempt(work, self._registry, self._engine.clock.now())

    def _timeout_s(self, work: Work) -> float:
        entry = self._registry.get(work.topic)
        return entry.timeout_s if entry is not None else self._settings.handler_timeout_s

    def _watch_loop(self) -> None:
        while not self._stopped.wait(min(1.0, self._settings.lease_s / 3)):
            guarded(self.look_after, "looking after running handlers")

    def look_after(self) -> bool:
        """Fail what is over its time limit, extend the leases of the rest, end what expired."""
        for held in self._crew.overdue():
            # before the crew forgets it: it has run, so it is no stray
            self._unbooked.add(held.work.id)
            if self._crew.abandon(held):
                self._give_up(held)
        now = self._timer()
        for held in self._crew.held():
            if held.lease_until - now < self._settings.lease_s * 2 / 3:
                kept = self._engine.extend(held.work, self._settings.lease_s)
                # a lost lease is not asked for again: the settling will find it stale
                held.lease_until = now + self._settings.lease_s if kept else math.inf
        if now >= self._maintain_at:
            self._maintain_at = now + self._maintain_s
            self._maintain()
        return True

    def _maintain(self) -> None:
        """End what has expired; where there are several nodes, one of them does it for all."""
        self._engine.reap()
        self._months.look()

    def _give_up(self, held: Held) -> None:
        log.error("handler %r runs over %s s: %s", held.work.topic, held.timeout_s, held.work.key)
        if self._on_hang is not None:
            # before the failure is booked: this process must not claim the next attempt
            self._stopping.set()
        failed = Failed(f"handler {held.work.topic!r} took longer than {held.timeout_s:g} s")
        if guarded(partial(self._conclude, held.work, failed), f"booking {held.work.key}"):
            self._unbooked.discard(held.work.id)
        if self._on_hang is not None:
            self._on_hang()

    def _release(self, held: list[Held]) -> None:
        if held:
            works = [item.work for item in held]
            guarded(partial(self._release_works, works), f"releasing {len(works)} work items")

    def _release_works(self, works: list[Work]) -> bool:
        self._engine.release(works)
        return True
