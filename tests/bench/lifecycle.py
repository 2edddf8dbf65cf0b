"""Row 15: whole cases of the shipped service, every handler real, operators who answer at once.

And what a case leaves on the disk: bytes written while it ran, and bytes that stay.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from engine.settings import Settings
from handlers.staff import Worker, employ
from tests import postgres
from tests.acceptance.test_service_lifecycle import ZH, Desk
from tests.bench.figure import Figure, cpu_s
from tests.bench.house import ROOT
from tests.bench.rounds import Bench

#: verbs of people and customers in one case: start, tasks, messages
VERBS = 15


class Player(Desk):
    """One installation whose cases run one after another from contact to feedback."""

    number = ""

    def __init__(self, folder: Path, url: str = "") -> None:
        super().__init__(folder, Settings(data_dir=folder, database_url=url))

    def play(self, number: int) -> None:
        """Run one case to its end."""
        self.number = f"2026-{number:06d}"
        given = ZH | {"case_number": self.number}
        self.case = self.engine.start("service_lifecycle", given, business_key=self.number)
        self.work()
        self.do("listen")
        self.do("choose_methods")
        self.do("collect")
        self.do("collect")
        self.do("write_requirements")
        self._hear("needs_confirmed", "/N1", by="李雷")
        self.do("draft")
        self._hear("proposal_accepted", "/P1", by="李雷")
        self.do("plan", by="dan")
        self.do("accept", by="tom")
        self.do("do_work", by="tom")
        self.do("check_quality", by="quinn")
        self.do("hand_over", by="dan")
        self.wait(days=3, hours=2)
        self._hear("survey_answer", "", score=5, comment="很好")
        assert self.state == "completed", self.state

    def play_many(self, first: int, count: int) -> None:
        """Run so many cases, one after another."""
        for number in range(first, first + count):
            self.play(number)

    def _hear(self, name: str, part: str, **payload: object) -> None:
        assert self.say(name, self.number + part, **payload) == "delivered"


@dataclass(frozen=True, slots=True)
class Spent:
    """What one case has cost."""

    wall_s: float
    cpu_s: float
    #: events of its history, and of the cases that it called
    events: float
    #: that the processes have handed to the disk, with journals; None where nobody counts them
    written: float | None
    #: by which the database has grown
    kept: float
    #: transactions
    commits: float
    #: CPU of the database server; None on SQLite, whose CPU is ours
    database_s: float | None = None


def measure(bench: Bench) -> list[Figure]:
    """Return cases per second, and bytes per case and event."""
    spent = run(5 if bench.quick else 40)
    cost = f"{spent.cpu_s * 1000:.0f} ms CPU and {spent.wall_s * 1000:.0f} ms per case"
    figures = [
        Figure(
            name="15 cases of the service lifecycle, all handlers real, one process, SQLite",
            value=1 / spent.wall_s, unit="cases per second",
            detail=f"{cost}, {spent.events:.0f} events, {VERBS} acts of people",
        ),
        Figure(
            name="15 bytes that stay in the database, of such a case", value=spent.kept,
            unit="bytes", detail=f"{spent.kept / spent.events:.0f} per event of its history",
        ),
    ]  # fmt: skip
    if spent.written is not None:
        figures.append(
            Figure(
                name="15 bytes written to the disk, of such a case", value=spent.written,
                unit="bytes", detail=f"{spent.written / spent.events:.0f} per event; with journal",
            )
        )  # fmt: skip
    return figures


def run(cases: int, server: postgres.Cluster | None = None) -> Spent:
    """Play so many cases after one for warming up; on SQLite unless there is a server."""
    (ROOT / "build").mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=ROOT / "build"))
    player = Player(folder, server.url() if server else "")
    ends: list[str] = []
    try:
        # one technician for all: nobody waits for a free one
        tom = Worker(user="tom", skills=["repair"], teams=["field"], capacity_hours=100_000)
        employ(player.records, tom)
        player.play(0)
        player.engine.database.trace = lambda text: ends.append(text) if text == "COMMIT" else None
        file, disk, before = _stored(folder), _written(), _server_s(server)
        begin = time.perf_counter()
        cpu = cpu_s(lambda: player.play_many(1, cases))
        wall = time.perf_counter() - begin
        after, database = _written(), _server_s(server)
        events = len(player.history())
        return Spent(
            wall_s=wall / cases, cpu_s=cpu / cases, events=events,
            written=None if disk is None or after is None else (after - disk) / cases,
            kept=(_stored(folder) - file) / cases, commits=len(ends) / cases,
            database_s=None if server is None else (database - before) / cases,
        )  # fmt: skip
    finally:
        player.engine.close()
        shutil.rmtree(folder, ignore_errors=True)


def _stored(folder: Path) -> int:
    """Return the bytes of the engine's database without its journal."""
    import sqlite3

    if not (folder / "caseway.db").exists():
        return 0
    connection = sqlite3.connect(folder / "caseway.db")
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    finally:
        connection.close()
    return int(pages) * int(size)


def _server_s(server: postgres.Cluster | None) -> float:
    """Return the CPU seconds of a database server with its present and former processes (Linux)."""
    if server is None:
        return 0.0
    first = (server.folder / "data" / "postmaster.pid").read_text().split("\n", 1)[0]
    ticks = 0
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, rest = file.parent.name, file.read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended meanwhile: its parent counts it
        if pid == first:
            ticks += sum(int(field) for field in rest[11:15])
        elif rest[1] == first:
            ticks += sum(int(field) for field in rest[11:13])
    return ticks / os.sysconf("SC_CLK_TCK")


def _written() -> int | None:
    """Return the bytes this process has handed to the disk (Linux)."""
    counters = Path(f"/proc/{os.getpid()}/io")
    if not counters.exists():
        return None
    lines = dict(line.split(": ") for line in counters.read_text().splitlines())
    return int(lines["write_bytes"])
