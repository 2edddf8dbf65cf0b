"""Which pages of a SQLite file a verb writes: each costs 4 KB of journal and time at the commit."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from engine.clock import VirtualClock
from engine.runtime import Engine
from engine.settings import Settings
from tests.integration import drawings
from tests.integration.conftest import claim

_HEAD, _FRAME_HEAD = 32, 24

Written = Callable[[Callable[[], object]], list[str]]


@pytest.fixture
def engine(sqlite_url: str, clock: VirtualClock, tmp_path: Path) -> Iterator[Engine]:
    """Return an engine whose every table and index is still one page."""
    engine = Engine(Settings(data_dir=tmp_path, database_url=sqlite_url), clock=clock)
    engine.migrate()
    # one case that stays: no page is made, or given back, by what is looked at
    engine.deploy({"a.bpmn": drawings.services(["pack", "ship", "bill"])}, by="ann")
    for _ in range(2):
        engine.start("p", {"a": 1})
    yield engine
    engine.close()


@pytest.fixture
def written(engine: Engine) -> Written:
    """Return a way to ask which tables and indexes an act writes, a name for each page."""
    file = make_url(engine.settings.url).database or ""

    def look(act: Callable[[], object]) -> list[str]:
        before = len(_pages(file))
        act()
        with closing(sqlite3.connect(file)) as connection:
            rows = connection.execute("SELECT rootpage, name FROM sqlite_schema")
            names = {1: "sqlite_schema", **dict(rows)}
        return sorted(names.get(page, "part of another") for page in _pages(file)[before:])

    return look


def _pages(file: str) -> list[int]:
    """Return the number of each page in the journal of a database, in the order of writing."""
    journal = Path(f"{file}-wal").read_bytes()
    size = int.from_bytes(journal[8:12], "big")
    starts = range(_HEAD, len(journal), _FRAME_HEAD + size)
    return [int.from_bytes(journal[at : at + 4], "big") for at in starts]


def test_a_claim_writes_the_row_and_the_index_of_claims(engine: Engine, written: Written) -> None:
    assert written(lambda: claim(engine)) == ["ix_work_claim", "work"]


def test_a_settlement_writes_no_index_of_what_stays(engine: Engine, written: Written) -> None:
    (item,) = claim(engine)

    pages = written(lambda: engine.settle(item, {"weight": 3}))

    # the case runs on: neither its state nor the indexes of states are written
    assert set(pages) - {"history", "part of another", "sqlite_schema"} == {
        "instance", "work", "sqlite_autoindex_work_1", "ix_work_claim",
        "ix_work_tenant_root_id_token",
    }  # fmt: skip
    assert len(pages) <= 8


def test_the_end_of_a_case_is_found_by_its_state(engine: Engine, written: Written) -> None:
    engine.start("p")
    pages: list[str] = []

    for _ in range(9):
        for item in claim(engine):
            pages += written(lambda item=item: engine.settle(item, {}))  # type: ignore[misc]

    # three cases ended; each step before wrote the state of none
    assert pages.count("ix_instance_state") == pages.count("ix_instance_process") == 3
    assert engine.stats()["running_cases"] == 0


def test_a_look_writes_nothing(engine: Engine, written: Written) -> None:
    assert written(engine.next_due) == []
    assert written(engine.stats) == []
