"""The ledger of work: claim, settle, fail. What the engine does itself is in `internal`.

False always means: the fence does not match, somebody else has the row or it is gone; then nothing
was changed.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property

from engine import watch
from engine.clock import SystemClock, new_id
from engine.errors import BpmnError, ClockOff
from engine.model import Complete, Event, Throw, Variables, Work
from engine.runtime import internal
from engine.runtime.base import Base, note, verb
from engine.runtime.transaction import Transaction
from engine.runtime.turns import Turns
from engine.store import (
    blobs,
    incidents,
    instances,
    lanes,
    messages,
    retention,
    subscriptions,
    tasks,
    work,
)
from engine.store.instances import INCIDENTS

#: results that one transaction of `settle_many` takes
_BATCH = 16
#: rows that one call of `reap` looks at
_REAPED = 500
#: cases that one call of `reap` removes
_DROPPED = 100
#: how far back `reap` looks for messages that missed their catch by a hair
_MISSED_S = 60.0
#: attempts of the engine's own work beyond the first; a database that comes and goes costs some
_INTERNAL_RETRIES = 20
#: how long a clock that agreed with the database's is not looked at again; seconds
_CLOCK_S = 10.0
_KILLED = "the worker process ended during each attempt"
_SPOILT = (
    "the large value of input {names} is not in the database any more (table blob, case {case}): "
    "bring it back from a backup, then try again"
)


class Ledger(Base):
    """The verbs of workers."""

    #: the last lane that `reap` has looked at
    _healed = ""
    #: until when the clock need not be compared again; of the monotonic clock
    _clock_good_until = 0.0

    @cached_property
    def _turns(self) -> Turns:
        return Turns()

    @verb
    def claim_work(
        self,
        *,
        owner: str,
        limit: int,
        kinds: Sequence[str] | None = None,
        topics: Sequence[str] | None = None,
        room: Mapping[str, int] | None = None,
        lease_s: float,
    ) -> list[Work]:
        """Claim due work, in turns among topics, of each topic what is due the longest.

        Larger priority first, but every fourth row is that of who has waited longest for a turn.
        `room` says of which topics at most how many. Each attempt is counted here. A row that was
        claimed before comes alone, so that its neighbours do not die with it; one that was claimed
        too often becomes an incident.
        """
        with self.transaction() as tx:
            self._refuse_if_clock_is_off(tx)
            picked = work.pick(tx.connection, tx.now, self._shares(tx, limit, kinds, topics, room))
            claimed = _take(tx, self._alone_or_fresh(picked), owner, lease_s)
        return self._fit(claimed)

    def _refuse_if_clock_is_off(self, tx: Transaction) -> None:
        """Raise ClockOff if leases and due times of this node would mean nothing to the others.

        Looked at now and then, and at each claim until it is mended.
        """
        if not isinstance(self.clock, SystemClock) or time.monotonic() < self._clock_good_until:
            return
        theirs = tx.connection.server_time()
        off_s = 0.0 if theirs is None else (self.clock.now() - theirs).total_seconds()
        if abs(off_s) > self.settings.max_clock_skew_s:
            way = "ahead of" if off_s > 0 else "behind"
            raise ClockOff(
                f"the clock of this machine is {abs(off_s):.1f} s {way} the database's, "
                f"{self.settings.max_clock_skew_s:g} s are allowed: no work is claimed before NTP "
                "has set it"
            )
        self._clock_good_until = time.monotonic() + _CLOCK_S

    def _shares(
        self, tx: Transaction, limit: int, kinds: Sequence[str] | None,
        topics: Sequence[str] | None, room: Mapping[str, int] | None,
    ) -> list[tuple[work.Cell, int]]:  # fmt: skip
        """Say of which rows how many are claimed."""
        cells = [
            cell
            for cell in work.cells(tx.connection, tx.now, limit)
            if (kinds is None or cell.kind in kinds)
            and (topics is None or cell.kind != "service" or cell.topic in topics)
        ]
        free = dict(room or {})
        for topic in sorted({cell.topic for cell in cells if cell.kind == "service"}):
            everywhere = self._at_once_everywhere(topic)
            if everywhere is not None:
                free[topic] = min(free.get(topic, limit), _unleased(tx, topic, everywhere))
        return self._turns.deal(cells, limit, free)

    def _alone_or_fresh(self, picked: list[Work]) -> list[Work]:
        """Return the first row alone if it was claimed before, else all that were not."""
        if picked and picked[0].attempt:
            return picked[:1]
        suspect = next((item for item in picked if item.attempt), None)
        if suspect is not None:
            self._turns.left_out(suspect.kind, suspect.topic, suspect.priority)
        return [item for item in picked if not item.attempt]

    def _at_once_everywhere(self, topic: str) -> int | None:
        entry = None if self.registry is None else self.registry.get(topic)
        return None if entry is None else entry.at_once_everywhere

    @verb
    def claim_one(self, work_id: str, *, owner: str, lease_s: float) -> Work | None:
        """Claim one row by its id; None if it is not due, taken or gone (a hint too many).

        None as well while the limit of its topic is used up: it is claimed when there is room.
        """
        with self.transaction() as tx:
            self._refuse_if_clock_is_off(tx)
            seen = work.get(tx.connection, work_id)
            everywhere = None if seen is None else self._at_once_everywhere(seen.topic)
            full = (
                seen is not None
                and everywhere is not None
                and _unleased(tx, seen.topic, everywhere) <= 0
            )
            picked = None if full else work.pick_one(tx.connection, work_id, tx.now)
            claimed = _take(tx, [picked] if picked is not None else [], owner, lease_s)
        return next(iter(self._fit(claimed)), None)

    def _fit(self, claimed: list[Work]) -> list[Work]:
        """Turn rows whose every attempt was killed, or that lack an input, into incidents."""
        fit: list[Work] = []
        for item in claimed:
            if item.lost:
                self._note_lost(item)
            fault = self._fault_of(item)
            if fault is None:
                fit.append(item)
            else:
                self.fail(item, fault, "", retry_at=None)
        return fit

    def _fault_of(self, item: Work) -> str | None:
        """Return why a claimed row cannot be begun; None if it can."""
        if item.attempt > 1 + self._retries(item):
            return _KILLED
        lacking = blobs.lacking(item)
        if not lacking:
            return None
        names = ", ".join(f"“{name}”" for name in lacking)
        return _SPOILT.format(names=names, case=item.root_id)

    @verb
    def _note_lost(self, item: Work) -> None:
        """Write down the attempt before this one, which ended without a word.

        A transaction of its own: it locks the case, which comes before the rows of work.
        """
        place = (item.instance_id, item.element_id, item.token)
        value = {"attempt": item.attempt - 1, "outcome": "lost"}
        with self.transaction() as tx:
            note(tx, item.root_id, [Event("work.tried", *place, item.topic, value)], None)

    def _retries(self, item: Work) -> int:
        if item.kind in work.INTERNAL:
            return _INTERNAL_RETRIES
        entry = None if self.registry is None else self.registry.get(item.topic)
        default = self.settings.retries if entry is None else entry.retries
        return default if item.retries is None else item.retries

    @verb
    def settle(self, item: Work, result: Variables) -> bool:
        """Take the result of a handler and run its case to the next wait."""
        return self._finish(item, Complete(token=item.token, result=result))

    @verb
    def throw(self, item: Work, error: BpmnError) -> bool:
        """Take the drawn error that a handler has raised; it goes to whoever catches it."""
        command = Throw(
            token=item.token, code=error.code, message=str(error), variables=error.variables
        )
        return self._finish(item, command)

    def _finish(self, item: Work, command: Complete | Throw) -> bool:
        with self.transaction() as tx:
            # the case first, then its rows: the order in which everybody locks
            case = instances.lock(tx.connection, item.root_id)
            if item.lane is not None:
                lanes.lock(tx.connection, [item.lane])
            gone = work.done(tx.connection, item.id, None if internal.IGNORE_FENCE else item.fence)
            if case is None or gone is None:
                tx.abandon()
                return False
            tx.leave_lanes([] if item.lane is None else [item.lane])
            settled = internal.settled(item, gone.attempt)
            return internal.step(tx, case, command, settled) is not None

    @verb
    def settle_many(self, settled: Sequence[tuple[Work, Variables]]) -> list[bool]:
        """Take several results in one transaction for each 16; return what `settle` would."""
        taken: list[bool] = []
        for start in range(0, len(settled), _BATCH):
            with self.transaction() as tx:
                taken += internal.settle_batch(tx, settled[start : start + _BATCH])
        return taken

    @verb
    def fail(self, item: Work, error: str, trace: str, *, retry_at: datetime | None) -> bool:
        """Note a failed attempt: tried again at `retry_at`, or (None) stopped with one incident."""
        with self.transaction() as tx:
            place = (item.instance_id, item.element_id, item.token)
            value = {"attempt": item.attempt, "error": error, "retry_at": retry_at}
            events = [Event("work.failed", *place, item.topic, value)]
            if retry_at is None:
                events.append(Event("incident.raised", *place, "work", error))
            numbers = note(tx, item.root_id, events, None, owns=0 if retry_at else INCIDENTS)
            if retry_at is not None:
                kept = work.later(tx.connection, item.id, item.fence, retry_at)
                tx.tell(item.kind, item.topic, retry_at)
            else:
                kept = work.dead(tx.connection, item.id, item.fence)
            if not kept:
                tx.abandon()
                return False
            following = "incident" if retry_at is None else "retry"
            watch.count("work_failed", item.topic or item.kind, following)
            if retry_at is None:
                process_id = "" if numbers is None else numbers.process_id
                tx.pending.incidents.append(_incident(tx, item, process_id, error, trace))
            return kept

    @verb
    def run(self, item: Work) -> bool:
        """Do a claimed row of the engine's own: a timer, a delivery, a start, a continuation."""
        with self.transaction() as tx:
            return internal.run(tx, item)

    @verb
    def extend(self, item: Work, lease_s: float) -> bool:
        """Move the end of the lease to `lease_s` seconds from now."""
        with self.transaction() as tx:
            until = tx.now + timedelta(seconds=lease_s)
            return work.extend(tx.connection, item.id, item.fence, until)

    @verb
    def release(self, items: Sequence[Work]) -> int:
        """Give back claimed rows that were not begun; these attempts do not count."""
        with self.transaction() as tx:
            given = sorted(items, key=lambda item: item.id)
            back = [item for item in given if work.release(tx.connection, item.id, item.fence)]
            tx.tell_due(back)
            return len(back)

    @verb
    def disown(self, owner: str, held: Sequence[str]) -> int:
        """Give back the rows of an owner that it does not know of; return how many.

        The answer to a claim may be lost, or the database may go before the engine's own work is
        done: nothing of such rows has begun, so these attempts do not count. For the owner itself,
        while it claims nothing; `held` are the ids of all that it knows.
        """
        with self.transaction() as tx:
            back = work.disown(tx.connection, owner, held)
            tx.tell_due(back)
            if not back:
                tx.abandon()
            return len(back)

    @verb
    def end_leases(self, owners: Sequence[str]) -> int:
        """End the leases of processes that are known to have died; return of how many rows.

        For who has seen their end: nobody need wait for it then. Their attempts stay counted, and
        the next claim of a row raises its fence as ever.
        """
        with self.transaction() as tx:
            freed = work.free(tx.connection, owners, tx.now)
            tx.tell_due(freed)
            if not freed:
                tx.abandon()
            return len(freed)

    @verb
    def reap(self) -> int:
        """End messages whose time is up, match those that missed their catch by a hair, let lanes
        go on that stand still, and remove what was kept long enough.

        Called now and then by a worker; without such rows it costs a few looks at an index.
        """
        with self.transaction() as tx:
            ended = messages.expire(tx.connection, tx.now, _REAPED)
            since = tx.now - timedelta(seconds=_MISSED_S)
            missed = subscriptions.missed(tx.connection, since, _REAPED)
            for message_id in missed:
                internal.offer_again(tx, message_id)
            healed, freed, self._healed = lanes.heal(tx.connection, self._healed, _REAPED, tx.now)
            tx.tell_due(freed)
            gone = _retain(tx)
            if not ended and not missed and not healed and not gone:
                tx.abandon()
            return ended + len(missed) + healed + gone

    def next_due(self) -> datetime | None:
        """Return when the next row can be claimed, leases included; None if there is none."""
        with self.reading(queries=1) as connection:
            return work.next_due(connection)

    def stats(self) -> dict[str, int | float]:
        """Return how much is open: for health checks and the first page of an admin."""
        now = self.clock.now()
        with self.reading() as connection:
            oldest = work.next_due(connection)
            age_s = 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds())
            return {
                "running_cases": instances.running(connection),
                "open_tasks": tasks.open_tasks(connection),
                "open_incidents": incidents.open_incidents(connection),
                "buffered_messages": messages.waiting(connection),
                "due_work": work.due_rows(connection, now),
                "oldest_due_age_s": age_s,
            }


def _retain(tx: Transaction) -> int:
    """Remove some of what was kept for as long as the settings say; return how many."""
    settings, gone = tx.settings, 0
    if settings.message_id_days:
        before = tx.now - timedelta(days=settings.message_id_days)
        gone += retention.forget_messages(tx.connection, before, _REAPED)
    if settings.history_days:
        before = tx.now - timedelta(days=settings.history_days)
        gone += retention.drop_cases(tx.connection, before, _DROPPED)
    return gone


def _unleased(tx: Transaction, topic: str, at_once: int) -> int:
    """Return how many more rows of a topic may be claimed; nobody else claims any meanwhile."""
    lanes.one_at_a_time(tx.connection, topic)
    return max(0, at_once - work.leased(tx.connection, topic, tx.now))


def _take(tx: Transaction, picked: list[Work], owner: str, lease_s: float) -> list[Work]:
    if not picked:
        tx.abandon()
        return []
    for item in picked:
        watch.count("work_claimed", item.topic or item.kind)
    until = tx.now + timedelta(seconds=lease_s)
    work.take(tx.connection, [item.id for item in picked], owner, until)
    picked = blobs.fill(tx.connection, tx.memory, picked)
    return [replace(item, attempt=item.attempt + 1, fence=item.fence + 1) for item in picked]


def _incident(
    tx: Transaction, item: Work, process_id: str, error: str, trace: str
) -> dict[str, object]:  # fmt: skip
    return incidents.row(
        tx.connection, id=new_id(), root_id=item.root_id, instance_id=item.instance_id,
        process_id=process_id, element_id=item.element_id, token=item.token, kind="work",
        message=error, trace=trace, work_id=item.id, created_at=tx.now,
    )  # fmt: skip
