"""One run: deploy, start, faults, drain, mend, drain again, and the questions."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from tests.chaos import customers, evidence, invariants
from tests.chaos.client import Client
from tests.chaos.drawing import drawing
from tests.chaos.faults import Faults
from tests.chaos.handlers import callee
from tests.chaos.journal import Journal
from tests.chaos.product import Customers, Product
from tests.postgres import Cluster, cluster

#: runs on PostgreSQL, with the dispatcher of one machine or of several
ON_SERVER = ("postgres", "cluster")
OPERATORS = ("ann", "bo", "cy")
_LOOK_S = 0.3
#: so many hints are lost for certain, after all else is quiet
_LOST_HINTS = 3
#: so many results are made to come too late, after all else is quiet, where one must be noticed
LATE_RESULTS = 3
#: the mutant that is shown by them
LATE = "ignore_fence"
_ENDED = "SELECT count(*) FROM history WHERE kind = 'element.completed'"
#: a case is open while it waits for anything but an administrator
_OPEN = (
    "SELECT count(*) FROM instance WHERE state = 'running' AND parent_id IS NULL AND id NOT IN"
    " (SELECT root_id FROM incident WHERE resolved_at IS NULL)"
)
#: cases that may be used up for it
_MOST_HOLDS = 20
_BUSY = "SELECT count(*) FROM work WHERE state = 'ready'"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What one run is to be."""

    #: sqlite | postgres | cluster | mutant | sweepless
    name: str
    cases: int
    #: how long there are faults
    seconds: float
    seed: int
    #: what the service does wrongly on purpose
    mutant: str | None = None
    #: how long the service may take, after the last fault, until nothing is left to do; seconds
    drain_s: float = 90.0
    #: what is left is stuck already if no element ends for so long; seconds
    stuck_s: float = 90.0
    #: leave the folder with its logs where it is, also if nothing is broken
    keep: bool = False

    @property
    def late_each_s(self) -> float:
        """How often a result is made to come too late; all the time if that must be noticed."""
        return 0.1 if self.mutant == LATE else 6.0


@dataclass(kw_only=True)
class Result:
    """What came of a run; goes into build/chaos.json."""

    name: str
    seed: int
    faults: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    seconds: float = 0.0
    #: where everything of the run is kept
    kept: str | None = None


def play(plan: Plan) -> Result:
    """Do one run in a folder of its own and return what came of it."""
    began = time.monotonic()
    result = Result(name=plan.name, seed=plan.seed)
    folder = Path(tempfile.mkdtemp(prefix=f"caseway-chaos-{plan.name}-"))
    with ExitStack() as stack:
        server = None
        if plan.name in ON_SERVER:
            server = stack.enter_context(cluster(durable=True))
        url = None if server is None else server.url()
        product = Product(folder, url, plan.seed, plan.mutant)
        if plan.name == "cluster":
            product.environment["CASEWAY_DISPATCHER"] = "cluster"
        try:
            _Round(plan, product, server, result).play()
        except (AssertionError, RuntimeError, OSError, sa.exc.SQLAlchemyError) as error:
            # the next run is still worth doing
            result.violations.append(f"the run could not be finished: {error}")
        orphans = product.orphans()
        result.violations += [f"process {pid} has outlived the run" for pid in orphans]
    result.seconds = round(time.monotonic() - began, 1)
    if plan.keep or (result.violations and plan.mutant is None):
        result.kept = str(folder)
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return result


class _Round:
    """The steps of a run on a product that is there but does not run yet."""

    def __init__(
        self, plan: Plan, product: Product, server: Cluster | None, result: Result
    ) -> None:
        self._plan = plan
        self._product = product
        self._result = result
        self._journal = Journal(product.folder / customers.JOURNAL)
        self._patient_until = 0.0
        tokens = self._deploy()
        client = Client(product.url, next(iter(tokens.values())), self._journal, self._gives_up)
        self._faults = Faults(product, client, server, plan.seed)
        customers.Orders(
            url=product.url, tokens=tokens, cases=plan.cases, seconds=plan.seconds * 0.8,
            seed=plan.seed,
        ).write(product.folder)  # fmt: skip

    def _deploy(self) -> dict[str, str]:
        """Deploy the drawing and return the secrets of the operators."""
        file = self._product.folder / "chaos.bpmn"
        file.write_bytes(drawing())
        self._product.ok("deploy", str(file))
        return {name: self._product.token("operator", name) for name in OPERATORS}

    def _gives_up(self) -> bool:
        """Look after the product while the supervisor itself waits for an answer."""
        self._product.heal()
        return time.monotonic() >= self._patient_until

    def play(self) -> None:
        """Do everything; whatever happens, no process is left."""
        with self._running():
            self._rage()
            if self._drained(lambda: self._is_done(at_end=False), "after the faults"):
                self._ask(at_end=False)
            callee.mend(self._product.callee)
            self._product.run("retry", "--all")
            if self._drained(
                lambda: self._is_done(at_end=True), "after the retry of all incidents"
            ):
                self._whisper()
        self._ask(at_end=True)
        self._result.faults = dict(self._faults.counts)
        self._journal.close()

    @contextmanager
    def _running(self) -> Iterator[None]:
        people = Customers(self._product.folder)
        try:
            self._product.heal()
            yield
            people.stop()
            self._result.violations += self._product.stop()
        finally:
            people.stop()
            self._product.kill()

    def _rage(self) -> None:
        """Do the faults of the plan; a mutant also gets the results that it must not take."""
        self._patient_until = time.monotonic() + self._plan.seconds
        self._faults.rage(self._plan.seconds, late_each_s=self._plan.late_each_s)
        noticed = self._plan.mutant == LATE
        wanted = LATE_RESULTS + self._faults.counts["late result"] if noticed else 0
        while self._faults.counts["late result"] < wanted and self._faults.holds < _MOST_HOLDS:
            self._patient_until = time.monotonic() + 20
            self._faults.make_late()

    def _whisper(self) -> None:
        """Start cases of which no worker hears; they must end nevertheless."""
        for _ in range(_LOST_HINTS):
            self._patient_until = time.monotonic() + 20
            self._faults.lose_hint()
            if not self._drained(lambda: self._is_done(at_end=True), "after a lost hint"):
                return

    # -------------------------------------------------------------- until nothing is left to do

    def _drained(self, is_done: Callable[[], bool], when: str) -> bool:
        self._faults.note(f"no more faults: {when}")
        ended, seen_at = self._ended(), time.monotonic()
        limit = seen_at + self._plan.drain_s
        while time.monotonic() < min(limit, seen_at + self._plan.stuck_s):
            self._product.heal()
            if is_done():
                self._faults.note("all is done")
                return True
            if (now_ended := self._ended()) > ended:
                ended, seen_at = now_ended, time.monotonic()
            time.sleep(_LOOK_S)
        late = time.monotonic() >= limit
        self._result.violations.append(
            f"{when}: not everything was done within {self._plan.drain_s:g} s"
            if late
            else f"{when}: not everything was done, and nothing ended for {self._plan.stuck_s:g} s"
        )
        return False

    def _ended(self) -> int:
        """Return how many elements have ended: that grows to a bound, unlike attempts."""
        with _connected(self._product.database) as connection:
            return int(connection.scalar(sa.text(_ENDED)) or 0)

    def _is_done(self, *, at_end: bool) -> bool:
        said = self._journal.count
        if said("message_ack") < self._plan.cases:
            return False
        if said("start_ack") < self._plan.cases:
            return False
        with _connected(self._product.database) as connection:
            busy: int = connection.scalar(sa.text(_BUSY)) or 0
            left: int = connection.scalar(sa.text(_OPEN)) or 0
            stopped = "SELECT count(*) FROM instance WHERE state = 'running'"
            running: int = connection.scalar(sa.text(stopped)) or 0
        return not (busy or left or (at_end and running))

    def _ask(self, *, at_end: bool) -> None:
        journal = self._product.folder / customers.JOURNAL
        found = evidence.gather(self._product.database, self._product.callee, journal)
        broken = invariants.broken(found, at_end=at_end)
        self._result.violations += [told for told in broken if told not in self._result.violations]
        self._result.counts = counts(found)
        found.close()


@contextmanager
def _connected(url: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(url)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


#: what is counted -> SQL on the evidence
COUNTS = {
    "cases": "SELECT count(*) FROM instance WHERE parent_id IS NULL",
    "starts acknowledged": "SELECT count(*) FROM start_ack",
    "calls repeated": "SELECT count(*) FROM trouble",
    "history rows": "SELECT count(*) FROM history",
    "activations": "SELECT count(*) FROM activation",
    "attempts": "SELECT count(*) FROM attempt",
    "results taken": "SELECT count(*) FROM settled",
    "effects": "SELECT count(*) FROM effect",
    # a later attempt had begun when these came, and their process lived on to hand them in
    "stale results rejected": "SELECT count(*) FROM attempt a WHERE ticket NOT IN"
    " (SELECT ticket FROM taken) AND EXISTS (SELECT 1 FROM attempt later WHERE later.key = a.key"
    " AND later.attempt > a.attempt AND later.begun < a.returned) AND EXISTS (SELECT 1 FROM"
    " attempt alive WHERE alive.pid = a.pid AND alive.begun > a.returned)",
    "attempts without a result": "SELECT count(*) FROM attempt WHERE returned IS NULL",
    "failures noted": "SELECT count(*) FROM history WHERE kind = 'work.failed'",
    "incidents": "SELECT count(*) FROM incident",
    "completions won": "SELECT count(*) FROM complete_ack WHERE status = 200",
    "completions lost": "SELECT count(*) FROM complete_ack WHERE status = 409",
    "messages delivered": "SELECT count(*) FROM message WHERE state = 'delivered'",
    "messages dropped as duplicate": "SELECT count(*) FROM message_ack WHERE outcome = 'duplicate'",
}


def counts(found: sqlite3.Connection) -> dict[str, int]:
    """Return the figures of a run."""
    return {name: int(found.execute(sql).fetchone()[0]) for name, sql in COUNTS.items()}
