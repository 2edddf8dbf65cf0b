"""Row 10: two worker processes on PostgreSQL do more than one, however short the handlers are.

The work lies ready before the workers start; measured is the middle of it, so that neither the
start of a process nor the last cases weigh.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa

from engine.registry import Registry
from engine.runtime import Engine
from engine.settings import Settings
from tests import postgres
from tests.bench import drawings
from tests.bench.figure import Figure, median
from tests.bench.house import ROOT, WHO, environment
from tests.bench.rounds import Bench

_HANDLERS = '''
import time

from engine import handler


@handler("bench.nothing")
def nothing() -> None:
    """Do nothing."""


@handler("bench.wait")
def wait() -> None:
    """Wait 20 ms, as for another system."""
    time.sleep(0.02)
'''
#: topic -> goal, and cases of a round (of ten service tasks each)
_KINDS = {"bench.nothing": (">= 1.4", 400), "bench.wait": (">= 1.9", 150)}
_WORDS = {"bench.nothing": "no-op handlers", "bench.wait": "handlers that wait 20 ms"}
#: part of the work that is measured
_FROM, _TO = 0.2, 0.8
_LONGEST_S = 300.0


def measure(bench: Bench) -> list[Figure]:
    """Return the throughput of two workers against one, in alternating rounds."""
    if postgres.binaries() is None:
        return [_figure(topic, [], "no PostgreSQL server here") for topic in _KINDS]
    with postgres.cluster(durable=True) as server, tempfile.TemporaryDirectory() as folder:
        handlers = Path(folder) / "handlers"
        handlers.mkdir()
        (handlers / "bench_handlers.py").write_text(_HANDLERS, encoding="utf-8")
        rounds = 1 if bench.quick else 3
        return [_compare(topic, server.url(), Path(folder), rounds) for topic in _KINDS]


def _compare(topic: str, url: str, folder: Path, rounds: int) -> Figure:
    pairs = []
    for _ in range(rounds):
        one, two = (_per_second(topic, url, folder, workers) for workers in (1, 2))
        pairs.append((one, two))
    one, two = (median([pair[side] for pair in pairs]) for side in (0, 1))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    detail = f"{two:,.0f} / {one:,.0f} tasks per second, on {cores} cores with the database"
    return _figure(topic, [two / one for one, two in pairs], detail)


def _figure(topic: str, ratios: list[float], detail: str) -> Figure:
    return Figure(
        name=f"10 two workers / one on PostgreSQL, {_WORDS[topic]}",
        value=median(ratios) if ratios else None, unit="x", goal=_KINDS[topic][0], detail=detail,
    )  # fmt: skip


def _per_second(topic: str, url: str, folder: Path, workers: int) -> float:
    settings = Settings(data_dir=folder, database_url=url, handlers_dir=folder / "handlers")
    engine = Engine(settings, registry=Registry.load(settings))
    engine.migrate()
    cases = _KINDS[topic][1]
    engine.deploy({"a.bpmn": drawings.services(topic)}, by=WHO)
    for _ in range(cases):
        engine.start("services", {}, by=WHO)
    engine.close()
    command = [sys.executable, "-m", "web.cli", "work"]
    more = {"CASEWAY_DATABASE_URL": url, "CASEWAY_HANDLERS_DIR": str(settings.handlers_dir)}
    processes = [_worker(command, environment(folder) | more) for _ in range(workers)]
    try:
        return _watch(url, cases * drawings.TASKS)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


def _worker(command: list[str], variables: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command, cwd=ROOT, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def _watch(url: str, tasks: int) -> float:
    """Return how many tasks per second were done in the middle of the work.

    Each task adds equally many rows to the history of its case, whose last number is looked at.
    """
    database = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    look = sa.text(
        "SELECT sum(history_seq), count(*) FILTER (WHERE state = 'running') FROM instance"
    )
    seen: list[tuple[float, int]] = []
    limit = time.monotonic() + _LONGEST_S
    try:
        with database.connect() as connection:
            while time.monotonic() < limit:
                rows, still_running = connection.execute(look).one()
                seen.append((time.monotonic(), int(rows)))
                if not still_running:
                    return _middle(seen, tasks)
                time.sleep(0.05)
    finally:
        database.dispose()
    raise TimeoutError(f"{tasks} tasks were not done within {_LONGEST_S:.0f} s")


def _middle(seen: list[tuple[float, int]], tasks: int) -> float:
    first, last = seen[0][1], seen[-1][1]
    low, high = (first + share * (last - first) for share in (_FROM, _TO))
    inside = [(moment, rows) for moment, rows in seen if low <= rows <= high]
    share = (inside[-1][1] - inside[0][1]) / (last - first)
    return share * tasks / (inside[-1][0] - inside[0][0])
