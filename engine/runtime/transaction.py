"""One transaction: what its steps have changed, gathered and written with few statements.

Deletions go out at once, insertions at `flush`, so that a batch costs as many statements as one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from engine import trail
from engine.runtime.world import World
from engine.store import blobs, history, incidents, instances, lanes, subscriptions, tasks, work
from engine.store.columns import moment_text

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        "abandoned",
        "connection",
        "due",
        "fresh",
        "happened",
        "history",
        "library",
        "memory",
        "now",
        "over",
        "pending",
        "saves",
        "settings",
        "world",
    )  # fmt: skip

    def __init__(self, engine: Base, connection: Connection) -> None:
        self.connection = connection
        self.settings = engine.settings
        self.library = engine.library
        #: the moment of everything that happens in it
        self.now: datetime = engine.clock.now()
        #: large values that were used lately
        self.memory = engine.memory
        #: what the kernel may ask
        self.world = World(
            connection,
            engine.library,
            engine.registry,
            engine.limits,
            self.now,
            engine.clock,
            engine.memory,
        )
        self.history = self._no_history()
        self.pending = Pending()
        #: new states of locked root instances by id
        self.saves: dict[str, dict[str, Any]] = {}
        #: cases with large values that end here
        self.over: list[str] = []
        #: due times of new work
        self.due: list[datetime] = []
        #: new work that is due now: (kind, topic) -> id of the first row and how many
        self.fresh: dict[tuple[str, str], tuple[str, int]] = {}
        #: kind of event -> how many were written
        self.happened: Counter[str] = Counter()
        #: True: there is nothing to store
        self.abandoned = False

    def abandon(self) -> None:
        """Undo everything at the end, without an error."""
        self.abandoned = True

    def add_work(self, **given: Any) -> None:
        """Add an obligation, due now unless `due_at` says otherwise."""
        due = given.get("due_at") or self.now
        given["due_at"] = due
        self.due.append(due)
        given["headers"] = trail.sealed(given.get("headers") or {})
        if due <= self.now:
            kind = given["kind"]
            queue = kind, given["topic"] if kind == "service" else ""
            first, count = self.fresh.get(queue, (given["id"], 0))
            self.fresh[queue] = first, count + 1
        self.pending.works.append(work.row(self.connection, **given))

    def keep_large(self, root_id: str, digest: str, text: str) -> None:
        """Store a large value of a case; the next step of the case need not read it."""
        self.history.keep(root_id, digest, text)
        self.memory.put(digest, text.encode())

    def leave_lanes(self, names: Sequence[str]) -> None:
        """Let the next row of each lane go that has just lost one; the caller has locked them."""
        if names and lanes.leave(self.connection, names, self.now):
            self.due.append(self.now)

    def flush(self) -> None:
        """Write what was gathered: one statement for each table that has something to write."""
        pending, connection = self.pending, self.connection
        if pending.instances:
            instances.insert(connection, pending.instances)
        if self.saves:
            # in the order of ids, as they were locked
            instances.save(connection, [self.saves[key] for key in sorted(self.saves)])
            self.saves = {}
        self.happened.update(self.history.kinds())
        self.history.write(connection)
        for root_id in self.over:
            blobs.drop(connection, root_id, ())
        self.over = []
        self.history = self._no_history()
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

    def _no_history(self) -> history.Rows:
        at: Any = moment_text(self.now) if self.connection.dialect.name == "sqlite" else self.now
        return history.Rows(self.connection, at, self.settings.history_value_limit)
