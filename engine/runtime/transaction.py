"""One transaction: what its steps have changed, gathered and written with few statements.

Deletions go out at once, insertions at `flush`, so that a batch costs as many statements as one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from engine import trail
from engine.clock import new_id
from engine.runtime.world import World
from engine.store import blobs, history, incidents, instances, lanes, subscriptions, tasks, work
from engine.store.columns import moment_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from engine.model import Work
    from engine.runtime.base import Base
    from engine.store.connect import Connection


@dataclass(slots=True)
class Pending:
    """Rows that wait to be inserted."""

    instances: list[dict[str, Any]] = field(default_factory=list)
    works: list[dict[str, Any]] = field(default_factory=list)
    tasks: list[dict[str, Any]] = field(default_factory=list)
    subscriptions: list[dict[str, Any]] = field(default_factory=list)
    incidents: list[dict[str, Any]] = field(default_factory=list)


class Transaction:
    """The open transaction of one verb. Only `Base.transaction` makes one and ends it."""

    __slots__ = (
        "_engine",
        "_history",
        "_world",
        "abandoned",
        "connection",
        "due",
        "fresh",
        "happened",
        "library",
        "memory",
        "now",
        "over",
        "pending",
        "saves",
        "settings",
    )  # fmt: skip

    def __init__(self, engine: Base, connection: Connection) -> None:
        self.connection = connection
        self.settings = engine.settings
        self.library = engine.library
        #: the moment of everything that happens in it
        self.now: datetime = engine.clock.now()
        #: large values that were used lately
        self.memory = engine.memory
        self._engine = engine
        self._world: World | None = None
        self._history: history.Rows | None = None
        self.pending = Pending()
        #: new states of locked root instances by id
        self.saves: dict[str, dict[str, Any]] = {}
        #: cases with large values that end here
        self.over: list[str] = []
        #: due times of new work
        self.due: list[datetime] = []
        #: work that is due now or soon: (kind, topic) -> an id never used before and how many
        self.fresh: dict[tuple[str, str], tuple[str, int]] = {}
        #: kinds of the events that were written
        self.happened: list[str] = []
        #: True: there is nothing to store
        self.abandoned = False

    @property
    def world(self) -> World:
        """What the kernel may ask."""
        if self._world is None:
            engine = self._engine
            self._world = World(
                self.connection,
                engine.library,
                engine.registry,
                engine.limits,
                self.now,
                engine.clock,
                engine.memory,
            )
        return self._world

    @property
    def history(self) -> history.Rows:
        """The rows of the history that wait to be inserted."""
        if self._history is None:
            sqlite = self.connection.dialect.name == "sqlite"
            at: Any = moment_text(self.now) if sqlite else self.now
            limit = self.settings.history_value_limit
            self._history = history.Rows(self.connection, at, limit)
        return self._history

    def abandon(self) -> None:
        """Undo everything at the end, without an error."""
        self.abandoned = True

    def add_work(self, **given: Any) -> None:
        """Add an obligation, due now unless `due_at` says otherwise."""
        due = given["due_at"] = given.get("due_at") or self.now
        self.tell(given["kind"], given.get("topic", ""), due, given["id"])
        given["headers"] = trail.sealed(given.get("headers") or {})
        self.pending.works.append(work.row(self.connection, **given))

    def tell(self, kind: str, topic: str, due: datetime, fresh: str | None = None) -> None:
        """Have it announced that a row may be claimed, now or then; `fresh` is the id of a new one.

        Other machines hear of it if it is due before each of them looks by itself.
        """
        self.due.append(due)
        if due <= self.now or due <= self.now + timedelta(seconds=self.settings.sweep_s):
            queue = kind, topic if kind == "service" else ""
            # an earlier announcement of the same row may still wait
            first, count = self.fresh.get(queue) or (fresh or new_id(), 0)
            self.fresh[queue] = first, count + 1

    def tell_due(self, rows: Iterable[Work | lanes.Freed]) -> None:
        """Have it announced that rows which others held may be claimed now."""
        for row in rows:
            self.tell(row.kind, row.topic, self.now)

    def keep_large(self, root_id: str, digest: str, text: str) -> None:
        """Store a large value of a case; the next step of the case need not read it."""
        self.history.keep(root_id, digest, text)
        self.memory.put(digest, text.encode())

    def leave_lanes(self, names: Sequence[str]) -> None:
        """Let the next row of each lane go that has just lost one; the caller has locked them."""
        if names:
            self.tell_due(lanes.leave(self.connection, names, self.now))

    def flush(self) -> None:
        """Write what was gathered: one statement for each table that has something to write."""
        pending, connection = self.pending, self.connection
        if pending.instances:
            instances.insert(connection, pending.instances)
        if self.saves:
            # in the order of ids, as they were locked
            instances.save(connection, [self.saves[key] for key in sorted(self.saves)])
            self.saves = {}
        if self._history is not None:
            self.happened += self._history.kinds()
            self._history.write(connection)
            self._history = None
        for root_id in self.over:
            blobs.drop(connection, root_id, ())
        self.over = []
        self.flush_subscriptions()
        if pending.works:
            work.insert(connection, pending.works)
        if pending.tasks:
            tasks.insert(connection, pending.tasks)
        if pending.incidents:
            incidents.insert(connection, pending.incidents)
        self.pending = Pending()

    def flush_subscriptions(self) -> None:
        """Write the catches, so that a message of the same transaction finds them."""
        if self.pending.subscriptions:
            subscriptions.insert(self.connection, self.pending.subscriptions)
            self.pending.subscriptions = []
