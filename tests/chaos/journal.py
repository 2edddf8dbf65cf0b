"""What the clients of a run were told: a SQLite file beside the product's database."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS start_ack (
    start_key TEXT NOT NULL, number INTEGER NOT NULL, instance_id TEXT NOT NULL,
    created INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS complete_ack (
    task_id TEXT NOT NULL, name TEXT NOT NULL, status INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS message_ack (message_id TEXT NOT NULL, outcome TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS refusal (what TEXT NOT NULL, status INTEGER NOT NULL, told TEXT);
CREATE TABLE IF NOT EXISTS trouble (what TEXT NOT NULL);
"""


class Journal:
    """Writes down each answer when it has come; several threads and processes may."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._file = sqlite3.connect(
            path, timeout=30, isolation_level=None, check_same_thread=False
        )
        self._file.execute("PRAGMA journal_mode=WAL")
        self._file.execute("PRAGMA synchronous=OFF")
        self._file.executescript(SCHEMA)

    def started(self, start_key: str, number: int, instance_id: str, created: bool) -> None:
        """Note an acknowledged start."""
        self._add("start_ack", start_key, number, instance_id, int(created))

    def completed(self, task_id: str, name: str, status: int) -> None:
        """Note the answer to a completion: 200 to the winner, 409 to the others."""
        self._add("complete_ack", task_id, name, status)

    def sent(self, message_id: str, outcome: str) -> None:
        """Note what became of a message."""
        self._add("message_ack", message_id, outcome)

    def refused(self, what: str, status: int, told: str) -> None:
        """Note an answer that no call should get."""
        self._add("refusal", what, status, told)

    def troubled(self, what: str) -> None:
        """Note a call that was lost and is repeated."""
        self._add("trouble", what)

    def count(self, what: str) -> int:
        """Return how many different things a table speaks of, by its first column."""
        with self._lock:
            key = {"start_ack": "start_key", "message_ack": "message_id"}[what]
            (found,) = self._file.execute(f"SELECT count(DISTINCT {key}) FROM {what}").fetchone()
        return int(found)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _add(self, table: str, *values: object) -> None:
        marks = ", ".join("?" * len(values))
        with self._lock:
            self._file.execute(f"INSERT INTO {table} VALUES ({marks})", values)
