"""What happens to a run: processes killed and frozen, the database crashed, results made late,
hints lost and doubled.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg

from tests.chaos.client import Client, GivenUp
from tests.chaos.drawing import HINT, HOLD
from tests.chaos.handlers import callee
from tests.chaos.hints import Hints
from tests.chaos.product import LEASE_S, Product
from tests.postgres import Cluster

#: fault -> how often it is drawn
WEIGHTS = {
    "kill worker": 22, "kill extra": 18, "kill web": 12, "kill parent": 10,
    "freeze worker": 12, "freeze extra": 12, "freeze web": 4, "freeze parent": 2,
    "end extra": 4, "end parent": 3, "drop hints": 8, "double hints": 6, "end ears": 4,
}  # fmt: skip
ALWAYS = (
    "kill worker", "kill extra", "kill web", "kill parent", "freeze worker", "freeze extra",
    "drop hints", "double hints",
)  # fmt: skip
#: `freeze` is a SIGSTOP that ends after more than a lease
_SIGNALS = {"kill": signal.SIGKILL, "end": signal.SIGTERM}
#: a pause between two faults, and between two crashes of the database; seconds
_PAUSES_S, _CRASHES_S = (0.1, 0.8), (5.0, 9.0)
#: a result is made late each so often; seconds
_LATE_EACH_S = 6.0
#: numbers of the cases that hold their worker begin here
_HOLD_FROM = 1_000_000
#: and those of which nobody hears, here
_HINT_FROM = 2_000_000
#: how long hints are taken away after the start of one; seconds
_LOST_S = 0.3
_WAIT_S, _LOOK_S = 5.0, 0.02
#: how long a worker is frozen again and again until another one, which may have a backlog that
#: has been due for longer, takes its work; and how long at a time
_LATE_S, _FREEZE_S = 8.0, 2.5 * LEASE_S


class Faults:
    """The supervisor's dice."""

    def __init__(
        self, product: Product, client: Client, cluster: Cluster | None, seed: int
    ) -> None:
        self._product = product
        self._client = client
        self._cluster = cluster
        self._chance = random.Random(seed)
        self._log = product.folder / "faults.log"
        #: what every run has, in an order of its own; after it the dice decide
        self._first = self._chance.sample(ALWAYS, len(ALWAYS))
        #: the server is asked only where jobs are announced by it
        announces = product.environment.get("CASEWAY_DISPATCHER") == "cluster"
        self._hints = Hints(product.pids, product.database if announces else None)
        #: fault -> how often it was done
        self.counts: Counter[str] = Counter()
        #: cases that were started to hold their worker
        self.holds = 0

    def rage(self, seconds: float, *, late_each_s: float = _LATE_EACH_S) -> None:
        """Do faults for so many seconds; restart what has no parent of its own."""
        end = time.monotonic() + seconds
        late_at = time.monotonic() + late_each_s / 2
        crash_at = time.monotonic() + self._chance.uniform(*_CRASHES_S)
        while time.monotonic() < end:
            self._calm(self._chance.uniform(*_PAUSES_S))
            if self._cluster is not None and time.monotonic() >= crash_at:
                self._crash(self._cluster)
                crash_at = time.monotonic() + self._chance.uniform(*_CRASHES_S)
            elif time.monotonic() >= late_at:
                self.make_late()
                late_at = time.monotonic() + late_each_s
            else:
                self._strike(self._drawn())

    def _drawn(self) -> str:
        if self._first:
            return self._first.pop()
        return self._chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]

    def note(self, what: str) -> None:
        """Write down what was done when, for whoever looks for the cause of a broken run."""
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"{datetime.now(UTC):%H:%M:%S.%f} {what}\n")

    def _calm(self, seconds: float) -> None:
        self._until(lambda: False, seconds)

    def _until(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Wait until something holds, and keep the product running meanwhile."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._product.heal()
            if holds():
                return True
            time.sleep(_LOOK_S)
        return False

    def _strike(self, fault: str) -> None:
        verb, role = fault.split()
        if role in ("hints", "ears"):
            self._mislead(fault)
            return
        pid = self._product.pids().get(role)
        if pid is None:
            return  # it is just being started again
        if verb in _SIGNALS:
            self._send(pid, _SIGNALS[verb])
        else:
            with self._frozen(pid):
                self._calm(self._chance.uniform(1.2, 1.9) * LEASE_S)
        self.counts[fault] += 1

    def _mislead(self, fault: str) -> None:
        """Let hints of new work get lost, or come where there is none."""
        self.note(fault)
        told = 1
        try:
            if fault == "drop hints":
                told = self._hints.drop(self._chance.uniform(0.3, 1.5), self._product.heal)
                self.note(f"{told} hints were lost")
            elif fault == "double hints":
                self._hints.double()
            else:
                told = self._hints.deafen()
        except psycopg.OperationalError as error:
            self.note(f"hints cannot be reached: {error}")  # the server has just begun again
            told = 0
        if told:
            self.counts[fault] += 1

    def lose_hint(self) -> bool:
        """Start a case while nobody can hear of it: only who looks without being told does it.

        False if there was no worker to keep it from. Nothing else may be going on.
        """
        # the alarms that are set to the ends of the last leases ring before
        self._calm(2 * LEASE_S)
        end = time.monotonic() + _LATE_S
        while time.monotonic() < end:
            worker = self._product.pids().get("worker")
            if worker is None or not self._until(self._product.is_serving, _WAIT_S):
                self._calm(_LOOK_S)
                continue
            with self._frozen(worker):
                # a process that is frozen inside a transaction of SQLite stops everybody
                if self._product.is_locked():
                    continue
                number = _HINT_FROM + self.counts["lost hint"]
                if self._client.start(HINT, number, f"hint-{number}") is None:
                    return False
                told = self._hints.drop(_LOST_S)
            self.note(f"case {number} was started, {told} hints of it are lost")
            self.counts["lost hint"] += 1
            return True
        return False

    def _send(self, pid: int, number: signal.Signals) -> None:
        """Send a signal to a process of the run that was seen running a moment ago."""
        if pid in self._product.seen:
            self.note(f"{number.name} to {pid}")
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    @contextmanager
    def _frozen(self, pid: int) -> Iterator[None]:
        self._send(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            self._send(pid, signal.SIGCONT)

    def _crash(self, cluster: Cluster) -> None:
        """End the database server as a power cut does, and start it again a moment later."""
        self.note("the database crashes")
        cluster.stop("immediate")
        self._calm(self._chance.uniform(0.0, 1.0))
        cluster.start()
        self.note("the database is back")
        self.counts["crash database"] += 1

    # -------------------------------------------------------------- a result that comes too late

    def make_late(self) -> bool:
        """Freeze a worker inside a handler until another one has begun the same work.

        Then it goes on and hands in its result, while the other attempt is still running. False if
        it did not come to that.
        """
        number = _HOLD_FROM + self.holds
        self.note(f"case {number} is to be made late")
        self.holds += 1
        try:
            started = self._client.start(HOLD, number, f"hold-{number}")
        except GivenUp:
            return False
        if started is None or not self._until(lambda: bool(self._tried(started)), _WAIT_S):
            return False
        (slow, *others) = self._tried(started)
        if others or slow not in self._product.pids().values():
            return False
        end = time.monotonic() + _LATE_S
        while time.monotonic() < end:
            with self._frozen(slow):
                # frozen inside a transaction of SQLite it stops everybody: let it go, try again
                if not self._product.is_locked() and self._until(
                    lambda: len(self._tried(started)) > 1, _FREEZE_S
                ):
                    break
            self._calm(self._chance.uniform(0.02, 0.1))
        if len(set(self._tried(started))) < 2:
            return False
        self.counts["late result"] += 1
        # both attempts are to hand in their results before the next fault comes
        self._until(lambda: self._is_returned(started), 3.0)
        self._calm(0.5)
        self.note(f"case {number} was made late: {self._tried(started)}")
        return True

    def _tried(self, instance_id: str) -> list[int]:
        """Return the processes that have begun the work of a case, the first one first."""
        query = "SELECT pid FROM attempt WHERE key LIKE ? || '/%' ORDER BY ticket"
        with callee.opened(self._product.callee) as opened:
            return [int(pid) for (pid,) in opened.execute(query, (instance_id,))]

    def _is_returned(self, instance_id: str) -> bool:
        query = "SELECT count(*) = count(returned) FROM attempt WHERE key LIKE ? || '/%'"
        with callee.opened(self._product.callee) as opened:
            (answer,) = opened.execute(query, (instance_id,)).fetchone()
            return bool(answer)
