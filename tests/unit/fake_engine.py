"""An engine of work rows in memory, as worker and dispatcher see it; fences like the real one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from engine.clock import Clock, VirtualClock
from engine.errors import BpmnError
from engine.model import Variables, Work

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


@dataclass
class Row:
    """One work row."""

    work: Work
    free_at: datetime
    owner: str | None = None
    state: str = "ready"


class FakeEngine:
    """Rows, a clock, and a note of everything that was booked."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock: Clock = clock or VirtualClock(NOON)
        self.rows: dict[str, Row] = {}
        #: (verb, work id, detail) in the order of booking
        self.booked: list[tuple[str, str, Any]] = []
        self.batches: list[int] = []
        self.claims: list[int] = []
        self.looks = 0
        self.reaps = 0
        #: rounds about the months of the history
        self.rounds = 0
        #: raised by the next calls of a verb, one each
        self.faults: dict[str, list[Exception]] = {}
        #: what the engine's own work does
        self.on_run: Callable[[Work], None] = lambda work: None
        self.on_booked: Callable[[], None] = lambda: None
        self._lock = threading.RLock()

    def add(
        self,
        topic: str = "",
        *,
        kind: str = "service",
        inputs: Mapping[str, Any] | None = None,
        due_s: float = 0.0,
        **fields: Any,
    ) -> str:
        """Add a row that is due in so many seconds; return its id."""
        with self._lock:
            name = f"w{len(self.rows) + 1}"
            due_at = self.clock.now() + timedelta(seconds=due_s)
            work = Work(
                id=name, root_id="r", instance_id="r", element_id="e", token=1, kind=kind,
                topic=topic, attempt=0, retries=None, fence=0, due_at=due_at, key=f"r/e/{name}",
                inputs=inputs or {}, headers={},
            )  # fmt: skip
            self.rows[name] = Row(replace(work, **fields), due_at)
            return name

    def verbs(self, name: str) -> list[str]:
        """Return what was booked for one row, in order."""
        return [verb for verb, booked, _ in self.booked if booked == name]

    def details(self, verb: str) -> list[Any]:
        """Return the details of all bookings by one verb."""
        return [detail for booked, _, detail in self.booked if booked == verb]

    # -------------------------------------------------------------- as runtime.Engine

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
        with self._lock:
            self._fault("claim_work")
            now = self.clock.now()
            due = sorted((row for row in self._ready(kinds) if row.free_at <= now), key=_due)
            if due and due[0].work.attempt:
                limit = 1
            claimed: list[Work] = []
            free = dict(room or {})
            for row in due:
                if free.get(row.work.topic, 1) <= 0:
                    continue
                if row.work.topic in free:
                    free[row.work.topic] -= 1
                if len(claimed) == limit or (claimed and row.work.attempt):
                    break
                lost = row.owner is not None
                row.work = replace(
                    row.work, attempt=row.work.attempt + 1, fence=row.work.fence + 1, lost=lost
                )
                row.owner, row.free_at = owner, now + timedelta(seconds=lease_s)
                claimed.append(row.work)
            self.claims.append(len(claimed))
            return claimed

    def settle(self, work: Work, result: Variables) -> bool:
        return self._book("settle", work, dict(result))

    def settle_many(self, settled: Sequence[tuple[Work, Variables]]) -> None:
        with self._lock:
            self._fault("settle_many")
            self.batches.append(len(settled))
            for work, result in settled:
                self.settle(work, result)

    def throw(self, work: Work, error: BpmnError) -> bool:
        return self._book("throw", work, (error.code, error.message, error.variables))

    def run(self, work: Work) -> bool:
        self.on_run(work)
        return self._book("run", work, self.clock.now())

    def fail(self, work: Work, error: str, trace: str, *, retry_at: datetime | None) -> bool:
        verb = "incident" if retry_at is None else "retry"
        detail = (error, trace) if retry_at is None else (error, retry_at)
        with self._lock:
            row = self.rows[work.id]
            if not self._book(verb, work, detail, keep=True):
                return False
            row.owner, row.state = None, "ready" if retry_at else "dead"
            row.free_at = retry_at or row.free_at
            return True

    def extend(self, work: Work, lease_s: float) -> bool:
        with self._lock:
            row = self.rows[work.id]
            if row.work.fence != work.fence:
                return False
            row.free_at = self.clock.now() + timedelta(seconds=lease_s)
            self.booked.append(("extend", work.id, row.free_at))
            return True

    def release(self, works: Sequence[Work]) -> None:
        with self._lock:
            for work in works:
                row = self.rows[work.id]
                if row.work.fence == work.fence:
                    row.work = replace(row.work, fence=work.fence + 1, attempt=work.attempt - 1)
                    row.owner, row.free_at = None, self.clock.now()
                    self.booked.append(("release", work.id, None))

    def disown(self, owner: str, held: Sequence[str]) -> int:
        with self._lock:
            strays = [
                row
                for row in self.rows.values()
                if row.owner == owner and row.state == "ready" and row.work.id not in held
            ]
            for row in strays:
                row.work = replace(row.work, attempt=row.work.attempt - 1)
                row.owner, row.free_at = None, self.clock.now()
            return len(strays)

    def next_due(self) -> datetime | None:
        with self._lock:
            self.looks += 1
            return min((row.free_at for row in self._ready(None)), default=None)

    def reap(self) -> None:
        self.reaps += 1

    def keep_months(self) -> Any:
        self.rounds += 1
        return SimpleNamespace(done=True)

    # -------------------------------------------------------------- inside

    def _ready(self, kinds: Sequence[str] | None) -> list[Row]:
        rows = (row for row in self.rows.values() if row.state == "ready")
        return [row for row in rows if kinds is None or row.work.kind in kinds]

    def _book(self, verb: str, work: Work, detail: Any, *, keep: bool = False) -> bool:
        with self._lock:
            self._fault(verb)
            row = self.rows[work.id]
            if row.work.fence != work.fence or row.state != "ready" or row.owner is None:
                self.booked.append(("stale", work.id, verb))
                return False
            self.booked.append((verb, work.id, detail))
            if not keep:
                row.state = "done"
        self.on_booked()
        return True

    def _fault(self, verb: str) -> None:
        if self.faults.get(verb):
            raise self.faults[verb].pop(0)


def _due(row: Row) -> tuple[datetime, str]:
    return row.free_at, row.work.id.rjust(8)
