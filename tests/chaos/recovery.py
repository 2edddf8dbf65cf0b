"""`python -m tests.chaos.recovery`: all is killed with 100,000 cases open; when does it serve?

The cases are copies of one that was really begun (tests/bench/stored.py): a person's task with a
deadline. One more has a timer that comes due while nothing runs: it must fire.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from engine.model import InstanceState
from engine.runtime import Engine
from engine.settings import Settings
from tests import postgres
from tests.acceptance.command import children
from tests.bench import stored
from tests.chaos.product import Product
from tests.drawing import (
    boundary,
    catch,
    diagram,
    end,
    path,
    process,
    start,
    timer,
    user,
)

#: what the timer needs to be overdue when the service comes back; seconds
_DOWN_S = 3.0
_LONGEST_S = 120.0
_LOOK_S = 0.01


def drawing() -> bytes:
    """Return a task with a deadline of 30 days, and a timer."""
    return diagram(
        process(
            "waiting", start("s"), user("decide"), end("e"), path("s", "decide", "e"),
            boundary("over", "decide", timer("Duration", '=duration("P30D")')), end("late"),
            path("over", "late"),
        ),
        process(
            "alarm", start("a"), catch("rings", timer("Duration", '=duration("PT2S")')),
            end("done"), path("a", "rings", "done"),
        ),
    )  # fmt: skip


class Recovery:
    """One installation, filled, killed and started again."""

    def __init__(self, folder: Path, url: str | None, cases: int) -> None:
        self._product = Product(folder, url, 0, None)
        self._product.data.mkdir(exist_ok=True)
        self._engine = Engine(Settings(data_dir=self._product.data, database_url=url or ""))
        self._engine.migrate()
        self._engine.deploy({"r.bpmn": drawing()}, by="ann")
        first = self._engine.start("waiting").id
        stored.copy(self._engine.database.db, first, 1, cases - 1)
        stored.settle(self._engine.database.db)

    def measure(self) -> dict[str, float]:
        """Kill all processes; return the seconds until each part of the service is back."""
        try:
            self._product.heal()
            self._until(self._is_ready)
            alarm = self._engine.start("alarm").id
            self._kill_all()
            time.sleep(_DOWN_S)
            began = time.monotonic()
            self._product.heal()
            told = {}
            for what, holds in (
                ("alive", lambda: self._answers("/healthz")),
                ("ready", self._is_ready),
                ("overdue timer fired", lambda: self._has_ended(alarm)),
            ):
                self._until(holds)
                told[what] = round(time.monotonic() - began, 2)
            told["CPU of all processes"] = round(sum(map(_cpu_s, self._product.pids().values())), 2)
            told["load of the machine"] = round(os.getloadavg()[0], 1)
            return told
        finally:
            self._product.kill()
            self._engine.close()

    def open_cases(self) -> int:
        """Return how many cases run."""
        return int(self._engine.stats()["running_cases"])

    def _kill_all(self) -> None:
        pids = self._product.pids()
        for pid in [*children(pids["parent"]), *pids.values()]:
            os.kill(pid, signal.SIGKILL)
        self._product.kill()

    def _is_ready(self) -> bool:
        return self._answers("/readyz")

    def _has_ended(self, case_id: str) -> bool:
        return self._engine.case(case_id).state == InstanceState.COMPLETED

    def _answers(self, where: str) -> bool:
        try:
            with urllib.request.urlopen(self._product.url + where, timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def _until(self, holds: Callable[[], bool]) -> None:
        end = time.monotonic() + _LONGEST_S
        while not holds():
            if time.monotonic() > end:
                raise TimeoutError(f"not within {_LONGEST_S:g} s")
            time.sleep(_LOOK_S)


def _cpu_s(pid: int) -> float:
    """Return the CPU seconds of a process that runs."""
    words = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def main(given: Sequence[str] | None = None) -> int:
    """Measure once and print; 1 if it took more than ten seconds."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.recovery", description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--postgres", action="store_true", help="on a cluster of its own")
    parser.add_argument("--out", type=Path, help="a file that gets a line of JSON")
    wanted = parser.parse_args(given)
    folder = Path(tempfile.mkdtemp(prefix="caseway-recovery-"))
    server = postgres.Cluster(durable=True) if wanted.postgres else None
    try:
        if server is not None:
            server.start()
        made = Recovery(folder, None if server is None else server.url(), wanted.cases)
        line: dict[str, Any] = {"open_cases": made.open_cases()}
        line["database"] = "sqlite" if server is None else "postgres"
        line["seconds"] = made.measure()
    finally:
        if server is not None:
            server.remove()
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(line))
    if wanted.out is not None:
        with wanted.out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
    return int(line["seconds"]["overdue timer fired"] > 10.0)


if __name__ == "__main__":
    sys.exit(main())
