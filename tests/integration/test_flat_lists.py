"""Lists, searches and the board read rows in the order of a page, however many cases are stored."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.clock import VirtualClock
from engine.runtime import Engine
from engine.runtime.worklist import Wanted
from engine.store.connect import Connection
from tests.bench import drawings, stored

#: cases of each kind: ended, with a person, for a group
FEW, MANY = 300, 3_000
#: rows of some pages
PAGES = 200
PAGE = 26
GROUPS = [f"g{number}" for number in range(40)]
SOON = datetime(2026, 3, 2, tzinfo=UTC)

Look = Callable[[Engine, str], object]
#: what people look at; `number` is that of one open case
LOOKS: dict[str, Look] = {
    "my tasks": lambda engine, number: engine.work_list(Wanted(), user="user30", limit=PAGE),
    "my tasks with a text": lambda engine, number: engine.work_list(
        Wanted(text=number), user="user30", limit=PAGE
    ),
    "tasks of many groups": lambda engine, number: engine.work_list(
        Wanted(view="groups"), user="ann", groups=GROUPS, limit=PAGE
    ),
    "all tasks": lambda engine, number: engine.work_list(
        Wanted(view="all"), user="ann", limit=PAGE
    ),
    "all tasks of a process that hardly runs": lambda engine, number: engine.work_list(
        Wanted(view="all", process_id="rare"), user="ann", limit=PAGE
    ),
    "late tasks": lambda engine, number: engine.work_list(
        Wanted(view="all", before=SOON), user="ann", limit=PAGE
    ),
    "tasks behind a page": lambda engine, number: engine.work_list(
        Wanted(view="all"), user="ann", after=(None, "0100"), limit=PAGE
    ),
    "search for a number": lambda engine, number: engine.work_list(
        Wanted(view="all", text=number), user="ann", limit=PAGE
    ),
    "search for the end of a number": lambda engine, number: engine.work_list(
        Wanted(view="all", text=number[2:]), user="ann", limit=PAGE
    ),
    "search for a name": lambda engine, number: engine.work_list(
        Wanted(view="all", text="退款"), user="ann", limit=PAGE
    ),
    "search for what is nowhere": lambda engine, number: engine.work_list(
        Wanted(view="all", text="投诉"), user="ann", limit=PAGE
    ),
    "tasks of the API": lambda engine, number: engine.tasks(limit=PAGE),
    "cases": lambda engine, number: engine.cases(limit=PAGE),
    "running cases of a process": lambda engine, number: engine.cases(
        state="running", process_id="desk", limit=PAGE
    ),
    "case by its number": lambda engine, number: engine.cases(business_key=number),
    "board: what is late": lambda engine, number: engine.pressing(
        "escalation", until=SOON, limit=PAGE
    ),
    "board: who is on the ladder": lambda engine, number: engine.running("escalation"),
}


def test_no_look_reads_more_where_ten_times_as_much_is_open(
    engine: Engine, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = Copies(engine, clock.now() - timedelta(hours=24))
    copies.add(FEW)
    few = {name: read(engine, look, copies.number, monkeypatch) for name, look in LOOKS.items()}

    copies.add(MANY)
    many = {name: read(engine, look, copies.number, monkeypatch) for name, look in LOOKS.items()}

    grown = {name: (few[name], many[name]) for name in LOOKS if many[name] > most(few[name])}
    assert grown == {}


def most(few: int) -> int:
    """Return what may be read among many for what few have cost: a deeper index, some rows past."""
    return few * 3 // 2 + PAGES


class Copies:
    """Copies of three cases that were really run: ended, somebody's, for a group."""

    def __init__(self, engine: Engine, due: datetime) -> None:
        engine.deploy({"desk.bpmn": drawings.desk()}, by="test")
        self._database = engine.database.db
        self._ended, *self._open = (
            engine.start("desk", {"user": user, "amount": 1, "due": due}, by="test").id
            for user in ("ann", "ann", None)
        )
        engine.complete(engine.tasks(instance_id=self._ended)[0].id, {}, by="ann")
        self._next = 1000

    @property
    def number(self) -> str:
        """Return the number of a case that was copied last, which is open."""
        return f"K{self._next - 1}"

    def add(self, size: int) -> None:
        """Add as many cases of each kind."""
        for case in (self._ended, *self._open):
            stored.copy(self._database, case, self._next, size)
            self._next += size
        stored.settle(self._database)


def read(engine: Engine, look: Look, number: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return how many rows PostgreSQL reads for a look, or how many steps SQLite takes."""
    with counted(monkeypatch) as found:
        look(engine, number)
    return found["number"]


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """Count, while a query runs, the rows that PostgreSQL reads for it, or the steps of SQLite."""
    found = {"number": 0}
    send = Connection._send

    def counting(self: Connection, text: str, values: Any, **options: Any) -> Any:
        if options or not text.startswith(("SELECT", "WITH")):
            return send(self, text, values, **options)
        if self.dialect.name == "postgresql":
            told = send(self, f"EXPLAIN (ANALYZE, FORMAT JSON) {text}", values).fetchone()[0]
            plan = told if isinstance(told, list) else json.loads(told)
            found["number"] += rows_read(plan[0]["Plan"])
            return send(self, text, values)

        def step() -> int:
            found["number"] += 1
            return 0

        self.driver.set_progress_handler(step, 1)
        try:
            return send(self, text, values)
        finally:
            self.driver.set_progress_handler(None, 1)

    with monkeypatch.context() as patched:
        patched.setattr(Connection, "_send", counting)
        yield found


def rows_read(plan: dict[str, Any]) -> int:
    """Return how many rows the nodes that read tables or indexes met, kept or not."""
    inner = sum(rows_read(one) for one in plan.get("Plans", ()))
    if "Scan" not in plan["Node Type"] or plan["Node Type"] in ("CTE Scan", "WorkTable Scan"):
        return inner
    lost = plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
    return inner + int((plan["Actual Rows"] + lost) * plan["Actual Loops"])
