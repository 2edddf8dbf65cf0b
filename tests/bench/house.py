"""The engine as it is installed: SQLite on disk, synchronous=FULL, full history."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.clock import Clock
from engine.registry import Registry, handler
from engine.runtime import Engine
from engine.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
WHO = "bench"


def environment(data: Path) -> dict[str, str]:
    """Return the environment of a process of the product: this source tree, that folder."""
    return {**os.environ, "CASEWAY_DATA_DIR": str(data), "PYTHONPATH": str(ROOT)}


@handler("bench.nothing")
def nothing() -> None:
    """Do nothing."""


class House:
    """An engine with a database of its own."""

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        self.settings = Settings(data_dir=folder, max_due_age_s=86400.0)
        self.registry = Registry.of(nothing, settings=self.settings)
        self.engine = Engine(self.settings, clock=clock, registry=self.registry)
        self.engine.migrate()

    def deploy(self, *files: bytes) -> None:
        """Deploy each file as a bundle."""
        for number, content in enumerate(files):
            self.engine.deploy({f"{number}.bpmn": content}, by=WHO)

    def start(self, process_id: str, count: int, **variables: object) -> list[str]:
        """Start so many cases; return their ids."""
        start = self.engine.start
        return [start(process_id, variables, by=WHO).id for _ in range(count)]

    def ask(self, sql: str) -> list[tuple[object, ...]]:
        """Return the rows of a query on the database file."""
        path = self.settings.data_dir / "caseway.db"
        with sqlite3.connect(path) as connection:
            rows: list[tuple[object, ...]] = connection.execute(sql).fetchall()
        connection.close()
        return rows


@contextmanager
def house(clock: Clock | None = None) -> Iterator[House]:
    """Yield an engine on the disk of the repository; its database is deleted afterwards."""
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=build))
    made = House(folder, clock)
    try:
        yield made
    finally:
        made.engine.close()
        shutil.rmtree(folder, ignore_errors=True)
