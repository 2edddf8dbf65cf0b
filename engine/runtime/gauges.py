"""What an admin watches: how much is open, and how far behind the due work is."""

from __future__ import annotations

from engine.runtime.base import Base
from engine.store import gauges, work
from engine.store.gauges import Gauge


class Gauges(Base):
    """The reading verbs of health checks and metrics."""

    def gauges(self) -> list[Gauge]:
        """Return counts of all that is open, each with its labels; one statement."""
        with self.reading() as connection:
            return gauges.read(connection, self.clock.now())

    def lag_s(self) -> float:
        """Return for how many seconds the oldest due work has been waiting; 0 if none is due.

        Work that a worker holds does not wait.
        """
        with self.reading() as connection:
            oldest = work.next_due(connection)
        if oldest is None:
            return 0.0
        return max(0.0, (self.clock.now() - oldest).total_seconds())
