"""Every query goes through an index, so that it costs the same however much is stored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import pytest

from engine.store import (
    archive,
    decisions,
    definitions,
    history,
    incidents,
    instances,
    lanes,
    messages,
    migrate,
    moves,
    retention,
    subscriptions,
    tasks,
    tokens,
    users,
    work,
    worklist,
)
from engine.store.connect import Connection, Database
from engine.store.statement import Statement

NOW = datetime(2026, 3, 2, tzinfo=UTC)
#: values that every parameter accepts
_ANY = {
    "limit": 10, "after": "", "now": NOW, "since": NOW, "until": NOW, "free": NOW, "ids": ["a"],
    "kinds": ["service"], "topics": ["a"], "triggers": ["a"], "priority": 0, "below": 0, "rows": 1,
    "token": 1, "version": 1, "snapshot": b"", "b_fence": 1, "b_seq": 1, "b_owns": 0,
    "ended_at": NOW, "before": NOW, "b_before": NOW, "names": ["a"],
    "renamed": True,
}  # fmt: skip
#: statements that read a whole table on purpose
_WHOLE = {
    "decisions._LIST", "decisions._KNOWN", "decisions._TOPS",
    "definitions._LIST", "definitions._PROCESSES", "tokens._LIST",
    "users._LIST", "history._COUNT",
}  # fmt: skip
#: what the claim walks are a few rows of its own, each of them found by a look at the index
_DERIVED = ("SCAN top", "SCAN cells", "SCAN due")


class _Values(dict[str, object]):
    def __missing__(self, name: str) -> object:
        return "a"


def _named(module: ModuleType) -> Iterator[tuple[str, Statement[object]]]:
    for name, value in vars(module).items():
        if isinstance(value, Statement) and "INSERT" not in str(value.core).split(" ", 1)[0]:
            yield name, value


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    database = Database("sqlite://")
    migrate.migrate(database, 1)
    with database.reading() as opened:
        yield opened
    database.close()


@pytest.mark.parametrize(
    "module",
    [
        archive,
        decisions,
        definitions,
        history,
        incidents,
        instances,
        lanes,
        messages,
        moves,
        retention,
        subscriptions,
        tasks,
        tokens,
        users,
        work,
        worklist,
    ],
    ids=lambda module: module.__name__.rsplit(".", 1)[1],
)
def test_no_statement_reads_a_whole_table(connection: Connection, module: ModuleType) -> None:
    scans = []
    for name, statement in _named(module):
        ready = statement.ready(connection.dialect)
        values = ready.values(_Values(_ANY), "default")
        for step in connection.plan(ready.text, values):
            # by the tenant alone is everything, too
            by_tenant = step.endswith("(tenant=?)") and "INDEX ix_" not in step
            if ("SCAN" in step and "json_each" not in step and step not in _DERIVED) or by_tenant:
                scans.append((f"{module.__name__.rsplit('.', 1)[1]}.{name}", step))

    assert [(name, step) for name, step in scans if name not in _WHOLE] == []


def test_lists_walk_an_index_in_its_order(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the caches of other tests hold lists of small sets, such as the tasks of one case
    monkeypatch.setattr(tasks, "_LISTS", {})
    monkeypatch.setattr(instances, "_PAGES", {})
    plans: list[str] = []
    tasks.page(connection, {"state": "open", "process_id": "p"}, "", 10)
    tasks.page(connection, {"state": "open", "assignee": "bob"}, "", 10)
    instances.page(connection, {"state": "running"}, None, 10)
    instances.page(connection, {"state": "running", "process_id": "p"}, None, 10)
    instances.page(connection, {"business_key": "K"}, None, 10)
    statements: list[Statement[Any]] = [*tasks._LISTS.values(), *instances._PAGES.values()]
    for statement in statements:
        ready = statement.ready(connection.dialect)
        values = ready.values(_Values(_ANY), "default")
        plans += connection.plan(ready.text, values)

    assert len(plans) >= 5
    assert [step for step in plans if "TEMP B-TREE" in step or "SCAN" in step] == []


def test_a_claim_looks_at_its_index_only(connection: Connection) -> None:
    # the walk from cell to cell, and the pick from one and from several cells
    for statement in (work._CELLS, work._picking(1), work._picking(3)):
        ready = statement.ready(connection.dialect)
        given = {
            f"{name}{n}": 1 for name in ("kind", "topic", "priority", "limit") for n in range(3)
        }
        plan = connection.plan(ready.text, ready.values(_Values({**_ANY, **given}), "default"))

        looks = [step for step in plan if step.startswith("SEARCH")]
        by_key = [step for step in looks if "pk_work" in step or "sqlite_autoindex_work" in step]
        assert all("ix_work_claim" in step for step in looks if step not in by_key)
        # the one row that the walk has come to
        assert all(step.startswith("SEARCH head") for step in by_key)
        assert [step for step in plan if "TEMP B-TREE" in step] == []
