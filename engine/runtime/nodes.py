"""What nodes of one installation do for each other: duties that one has for all, announcements."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta

from engine import kernel
from engine.runtime.base import Base, verb
from engine.store import duties, hints, migrate, work
from engine.store.connect import Connection

log = logging.getLogger("caseway.runtime")

#: how long nothing is announced after it could not be; seconds
_MUTE_S = 60.0


class Nodes(Base):
    """The verbs of a node among others."""

    @verb
    def take_duty(self, name: str, *, owner: str, lease_s: float) -> bool:
        """Take a duty for so long, or keep it; False while another node has it."""
        with self.transaction() as tx:
            until = tx.now + timedelta(seconds=lease_s)
            taken = duties.take(tx.connection, name, owner, tx.now, until)
            if not taken:
                tx.abandon()
            return taken

    @verb
    def leave_duties(self, owner: str) -> None:
        """Give up every duty of a node that stops, so that another one need not wait."""
        with self.transaction() as tx:
            duties.leave(tx.connection, owner)

    def finish_upgrade(self) -> int:
        """Let every node write the newest format from its next start on; return its number.

        Call it when no older node runs any more: it could not read what is written then.
        """
        migrate.raise_format(self.database, kernel.FORMAT)
        return kernel.FORMAT

    def join(
        self,
        mine: Collection[tuple[str, str]] = (),
        spare: Callable[[str], int] = lambda kind: 0,
    ) -> None:
        """Announce from now on what becomes due to the other nodes, within its transaction.

        A worker keeps to itself what it can do soon: up to `spare` rows, by kind, of each
        (kind, topic) of `mine`. Raises SettingsError without PostgreSQL or without Procrastinate.
        """
        hints.join(self.database)
        kept = frozenset(mine)
        tenant = self.settings.tenant

        mute_until = -math.inf

        def announce(
            connection: Connection, fresh: Mapping[tuple[str, str], tuple[str, int]]
        ) -> None:
            nonlocal mute_until
            told = [
                (hints.queue(tenant, kind, topic), first)
                for (kind, topic), (first, rows) in sorted(fresh.items())
                if (kind, topic) not in kept or rows > spare(kind)
            ]
            if not told or time.monotonic() < mute_until:
                return
            try:
                hints.announce(connection, told)
            except hints.HintsGone as error:
                # the verb is tried again, and nothing is announced for a while
                mute_until = time.monotonic() + _MUTE_S
                log.warning("%s; `caseway migrate` makes the tables anew", error)
                raise

        self.herald = announce

    @verb
    def swallow_hints(self, queues: Sequence[str], limit: int) -> int:
        """Take back waiting announcements, since one look answers them; return how many."""
        with self.transaction() as tx:
            return hints.swallow(tx.connection, queues, limit)

    @verb
    def hint_again(self, queues: Collection[str]) -> int:
        """Announce queues once more, each only if that does not wait already; return how many."""
        with self.transaction() as tx:
            return hints.announce_again(tx.connection, queues)

    @verb
    def clean_hints(self) -> int:
        """Delete announcements of dead workers and those that nobody took; return how many."""
        with self.transaction() as tx:
            return hints.clean(tx.connection)

    def due_queues(self) -> dict[str, tuple[str, datetime]]:
        """Return the queues with due work: its kind or topic, and when its first row became due."""
        found: dict[str, tuple[str, datetime]] = {}
        with self.reading() as connection:
            cells = work.cells(connection, self.clock.now(), 1)
        for cell in cells:
            topic = cell.topic if cell.kind == "service" else ""
            name = hints.queue(self.settings.tenant, cell.kind, topic)
            _, head = found.get(name, ("", cell.head))
            found[name] = topic or cell.kind, min(head, cell.head)
        return found
