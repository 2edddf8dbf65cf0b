"""`python -m tests.chaos.rivals FOLDER`: two workers that believe they hold the same row.

A short schedule instead of a long soak: leases end at just the wrong moments, by a virtual clock.
Prints what the invariants say as a JSON list, for tests/chaos/test_mutants.py.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import sys
from pathlib import Path

from engine.model import Work
from tests.chaos import (
    evidence,
    mutants,  # noqa: F401 - changes the engine if CASEWAY_MUTANT says so
)
from tests.chaos.drawing import HOLD, PART, drawing
from tests.chaos.handlers import callee
from tests.chaos.invariants import broken
from tests.chaos.scenes import SCENES, Actor

#: more than any handler of the drawings may be tried
_MOST_ATTEMPTS = 30
_LEASE_S = 20.0


class Rivals:
    """Two actors on one database, whose clocks go alike."""

    def __init__(self, folder: Path) -> None:
        callee.prepare(folder / "callee.db")
        self._folder, url = folder, f"sqlite:///{folder / 'rivals.db'}"
        first = Actor(folder, url)
        first.engine.migrate()
        self._actors = (first, Actor(folder, url, first.engine.library))
        files = {"chaos.bpmn": drawing(), **SCENES["several"].deployed}
        first.engine.deploy(files, by="ann")

    def overtaken(self, *, batch: bool) -> None:
        """A result comes after the lease, while the next attempt is still running."""
        one, two = self._actors
        number = 100 + batch
        one.start(HOLD, f"hold-{number}", number)
        with callee.opened(self._folder / "callee.db") as opened:
            early, early_ticket = self._begin(one, opened, number)
            late, late_ticket = self._begin(two, opened, number)
            for actor, item, ticket in ((one, early, early_ticket), (two, late, late_ticket)):
                callee.finish(opened, ticket)
                if batch:
                    actor.engine.settle_many([(item, {"hold": ticket})])
                else:
                    actor.engine.settle(item, {"hold": ticket})

    def _begin(self, actor: Actor, opened: sqlite3.Connection, number: int) -> tuple[Work, int]:
        """Claim the only work that is due, after the lease of whoever had it."""
        self._pass(_LEASE_S + 1)
        (item,) = actor.engine.claim_work(owner="one", limit=1, lease_s=_LEASE_S)
        ticket, _ = callee.begin(opened, item)  # type: ignore[arg-type]
        callee.affect(opened, item, number)  # type: ignore[arg-type]
        return item, ticket

    def fatal(self) -> None:
        """Each attempt ends with its process: in the end an incident, not one attempt more."""
        one, _ = self._actors
        one.start(PART, "part-1", 1)
        with callee.opened(self._folder / "callee.db") as opened:
            for _ in range(_MOST_ATTEMPTS):
                self._pass(_LEASE_S + 1)
                for item in one.engine.claim_work(owner="x", limit=1, lease_s=_LEASE_S):
                    callee.begin(opened, item)  # type: ignore[arg-type]

    def twice_due(self) -> None:
        """Two nodes hold that the same firing of a timer cycle is theirs."""
        one, two = self._actors
        one.start("asked", "asked-1", 1)
        self._pass(610)
        (early,) = one.engine.claim_work(owner="1", limit=1, lease_s=_LEASE_S, kinds=("timer",))
        self._pass(_LEASE_S + 1)
        (late,) = two.engine.claim_work(owner="2", limit=1, lease_s=_LEASE_S, kinds=("timer",))
        two.engine.run(late)
        one.engine.run(early)

    def _pass(self, seconds: float) -> None:
        for actor in self._actors:
            actor.clock.advance(seconds)

    def ask(self) -> list[str]:
        """Return what does not hold."""
        for actor in self._actors:
            actor.close()
        found = evidence.gather(
            self._actors[0].settings.url, self._folder / "callee.db", self._folder / "journal.db"
        )
        return broken(found, at_end=False)


def main(folder: Path) -> None:
    """Play all schedules and print what is broken."""
    logging.getLogger("caseway").setLevel(logging.CRITICAL)
    rivals = Rivals(folder)
    rivals.overtaken(batch=False)
    rivals.overtaken(batch=True)
    rivals.fatal()
    rivals.twice_due()
    print(json.dumps(rivals.ask()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
