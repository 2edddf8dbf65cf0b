"""Row 6: daily work in a database full of cases costs what it costs in a small one.

By default 100,000 stored cases, 10,000 of them open; `--full`: a million, 100,000 open. Small:
1,000 stored, 100 open. Acts alternate between both: other work on the machine falls on both.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median, quantiles

import sqlalchemy as sa

from engine.registry import Registry
from engine.runtime import Engine
from engine.runtime.worklist import Wanted
from engine.settings import Settings
from tests import postgres
from tests.bench import drawings, stored
from tests.bench.figure import Figure
from tests.bench.house import ROOT, WHO
from tests.bench.rounds import Bench

ME = "ann"
#: open tasks of mine
_MINE = 25
#: stored cases and open ones
SMALL, LARGE, FULL = (1_000, 100), (100_000, 10_000), (1_000_000, 100_000)
_ACTS = (
    "complete a task", "search the open tasks for a word", "search the open tasks for a number",
    "find a case by its number", "show what is late", "list what a group may claim",
    "list my tasks", "open a case",
)  # fmt: skip
#: what one person may claim for: all of them
_GROUPS = [f"g{number}" for number in range(40)]
#: late tasks that even the small database has
_FEWEST = 10
#: rows of a page, one more to see whether there is another
_PAGE = 26
#: how long ago the first tasks were due
_LATE = timedelta(hours=24)
#: business key of a copy
_NUMBER = "K{}"


@dataclass
class Place:
    """One database with its engine, and the cases that are acted on."""

    engine: Engine
    #: past the engine, to fill it
    database: sa.Engine
    cases: list[str] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)
    #: of the last copy, whose task is open
    number: str = ""

    def fill(self, size: tuple[int, int], acts: int) -> None:
        """Store so many copies, and real cases to act on."""
        self.engine.migrate()
        self.engine.deploy({"desk.bpmn": drawings.desk()}, by=WHO)
        first = self.engine.clock.now() - _LATE
        done, mine, free = (self._case(user, first) for user in (ME, ME, None))
        self.engine.complete(self._task(done), {"answer": "yes"}, by=ME)
        many, still_open = size
        self.number = _NUMBER.format(many - 1)
        stored.copy(self.database, done, 0, many - still_open)
        stored.copy(self.database, mine, many - still_open, still_open // 2)
        stored.copy(self.database, free, many - still_open // 2, still_open // 2)
        for case in (mine, free):
            self.engine.cancel(case, by=WHO)
        for _ in range(_MINE):
            self._case(ME)
        self.cases = [self._case("bob") for _ in range(acts)]
        self.tasks = [self._task(case) for case in self.cases]
        stored.settle(self.database)

    def _case(self, user: str | None, due: datetime | None = None) -> str:
        return self.engine.start("desk", {"user": user, "amount": 12, "due": due}, by=WHO).id

    def _task(self, case: str) -> str:
        (task,) = self.engine.tasks(instance_id=case)
        return task.id

    def act(self, name: str, number: int) -> float:
        """Do one thing and return the seconds it took."""
        engine = self.engine
        acts: dict[str, Callable[[], object]] = {
            "complete a task": lambda: engine.complete(
                self.tasks[number], {"answer": "yes"}, by="bob"
            ),
            "list my tasks": lambda: engine.work_list(Wanted(), user=ME, limit=_PAGE),
            "list what a group may claim": lambda: engine.work_list(
                Wanted(view="groups"), user=ME, groups=_GROUPS, limit=_PAGE
            ),
            "show what is late": lambda: engine.pressing(
                "escalation", until=engine.clock.now(), limit=_FEWEST
            ),
            "find a case by its number": lambda: engine.cases(business_key=self.number),
            "search the open tasks for a number": lambda: engine.work_list(
                Wanted(view="all", text=self.number), user=ME, limit=_PAGE
            ),
            "search the open tasks for a word": lambda: engine.work_list(
                Wanted(view="all", text="退款"), user=ME, limit=_PAGE
            ),
            "open a case": lambda: (
                engine.case_view(self.cases[number]), engine.story(self.cases[number]),
            ),
        }  # fmt: skip
        begin = time.perf_counter()
        acts[name]()
        return time.perf_counter() - begin


def measure(bench: Bench) -> list[Figure]:
    """Return the ratio of the 95th percentiles for each act, on both databases."""
    size = FULL if bench.full else LARGE
    figures = _compare("SQLite", size, bench, _sqlite)
    if postgres.binaries() is None:
        return [*figures, _absent("PostgreSQL", size, "no PostgreSQL server here")]
    with postgres.cluster(durable=True) as server:
        return [*figures, *_compare("PostgreSQL", size, bench, lambda: _postgres(server))]


def _compare(
    kind: str, size: tuple[int, int], bench: Bench, database: Callable[[], Iterator[str]]
) -> list[Figure]:
    acts = 100 if bench.quick else 400
    with ExitStack() as stack:
        made = contextmanager(database)
        small, large = (_place(stack.enter_context(made()), stack) for _ in range(2))
        small.fill(SMALL, acts)
        large.fill(size, acts)
        return [_figure(kind, size, name, _times(small, large, name, acts)) for name in _ACTS[::-1]]


def _times(small: Place, large: Place, name: str, acts: int) -> list[tuple[float, float]]:
    found = []
    for number in range(acts):
        # who goes first changes, too
        sides = (small, large) if number % 2 else (large, small)
        times = {id(side): side.act(name, number) for side in sides}
        found.append((times[id(small)], times[id(large)]))
    return found[acts // 10 :]  # the first ones warm up


def _figure(
    kind: str, size: tuple[int, int], name: str, times: list[tuple[float, float]]
) -> Figure:
    small, large = ([pair[side] for pair in times] for side in (0, 1))
    high, low = (quantiles(side, n=20)[-1] for side in (large, small))
    middle = median(large) / median(small)
    return Figure(
        name=f"6 {name}, {size[0]:,} cases stored / {SMALL[0]:,}, {kind}", value=high / low,
        unit="x", goal="<= 1.3",
        detail=f"p95 {high * 1000:.2f} / {low * 1000:.2f} ms; of the medians {middle:.2f} x",
    )  # fmt: skip


def _absent(kind: str, size: tuple[int, int], why: str) -> Figure:
    name = f"6 complete, list, open, {size[0]:,} cases stored / {SMALL[0]:,}, {kind}"
    return Figure(name=name, value=None, unit="x", goal="<= 1.3", detail=why)


def _place(url: str, stack: ExitStack) -> Place:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    settings = Settings(data_dir=folder)
    engine = Engine(settings, registry=Registry.of(settings=settings), url=url)
    stack.callback(engine.close)
    database = sa.create_engine(url)
    stack.callback(database.dispose)
    return Place(engine, database)


def _sqlite() -> Iterator[str]:
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=build) as folder:
        yield f"sqlite:///{folder}/caseway.db"


def _postgres(server: postgres.Cluster) -> Iterator[str]:
    name = f"bench_{time.monotonic_ns()}"
    admin = sa.create_engine(server.url(), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    admin.dispose()
    yield server.url(name)
