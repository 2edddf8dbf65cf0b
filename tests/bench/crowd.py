"""Row 16: a server with 100,000 open cases: its memory, and 50 operators at work by HTTP.

The load is half of what the server does when the operators wait for nothing but its answers.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles

import sqlalchemy as sa

from tests.bench import drawings, stored
from tests.bench.figure import Figure
from tests.bench.house import ROOT, WHO, environment, house
from tests.bench.opening import free_port
from tests.bench.rounds import Bench

OPERATORS = 50
_FULL_S, _HALF_S = 6.0, 20.0
_LONGEST_S = 60.0


def measure(bench: Bench) -> list[Figure]:
    """Return the memory of the server and the time of a completion under half its load."""
    many = 10_000 if bench.quick else 100_000
    acts = 1_000 if bench.quick else 6_000
    with house() as made:
        made.deploy(drawings.desk())
        (template,) = made.start("desk", 1, user="ann", amount=12)
        database = sa.create_engine(made.settings.url)
        stored.copy(database, template, 0, many - acts)
        database.dispose()
        tasks = [
            made.engine.tasks(instance_id=case)[0].id
            for case in made.start("desk", acts, user="bob", amount=12)
        ]
        _, secret = made.engine.create_token("bench", role="operator", by=WHO)
        made.engine.close()
        with _serving(made.settings.data_dir) as (port, pid):
            begin = time.monotonic()
            full = _Crowd(port, secret, iter(tasks[: acts // 3])).work(_FULL_S, None)
            rate = len(full) / (time.monotonic() - begin)
            begin = time.monotonic()
            half = _Crowd(port, secret, iter(tasks[len(full) :])).work(_HALF_S, rate / 2)
            reached = len(half) / (time.monotonic() - begin)
            memory = _memory(pid)
    assert len(half) > OPERATORS, "too few tasks for the time: the figure would mean nothing"
    cuts = quantiles(half, n=100)
    told = f"{reached:.0f} of {rate:.0f} completions per second, both on this machine"
    figures = [
        Figure(
            name=f"16 complete a task by HTTP, {OPERATORS} operators, half load, p{part}",
            value=cuts[part - 1] * 1000, unit="ms", detail=told,
        )
        for part in (50, 99)
    ]  # fmt: skip
    if memory is not None:
        what = ", ".join(f"{size:.0f}" for size in memory)
        figures.append(
            Figure(
                name=f"16 memory of the server, {many:,} open cases", unit="MB",
                value=sum(memory), detail=f"resident, after the load: parent, web, worker {what}",
            )
        )  # fmt: skip
    return figures


class _Crowd:
    """Operators who complete one task after another."""

    def __init__(self, port: int, secret: str, tasks: Iterator[str]) -> None:
        self._port = port
        self._headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        self._tasks = tasks
        self._lock = threading.Lock()

    def work(self, span_s: float, rate: float | None) -> list[float]:
        """Return the seconds of each completion; together `rate` a second, or without a pause."""
        end = time.monotonic() + span_s
        pause = None if rate is None else OPERATORS / rate
        times: list[float] = []
        threads = [
            threading.Thread(target=self._operate, args=(end, pause, number, times))
            for number in range(OPERATORS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return times

    def _operate(self, end: float, pause: float | None, number: int, times: list[float]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_LONGEST_S)
        due = time.monotonic() + (pause or 0.0) * number / OPERATORS
        while due < end and time.monotonic() < end:
            with self._lock:
                task = next(self._tasks, None)
            if task is None:
                break
            time.sleep(max(0.0, due - time.monotonic()) if pause else 0.0)
            begin = time.monotonic()
            connection.request(
                "POST", f"/api/tasks/{task}/complete",
                json.dumps({"variables": {"answer": "yes"}}), self._headers,
            )  # fmt: skip
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 200, body
            # from when it was due: who has to wait for an answer is late for the next one
            times.append(time.monotonic() - (due if pause else begin))
            due += pause or 0.0
        connection.close()


@contextmanager
def _serving(data: Path) -> Iterator[tuple[int, int]]:
    port = free_port()
    command = [sys.executable, "-m", "web.cli", "serve", "--port", str(port)]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(data), stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as service:  # fmt: skip
        try:
            _wait(port)
            yield port, service.pid
        finally:
            service.terminate()


def _wait(port: int) -> None:
    limit = time.monotonic() + _LONGEST_S
    while time.monotonic() < limit:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_LONGEST_S)
        try:
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise TimeoutError(f"no answer within {_LONGEST_S} s")


def _memory(parent: int) -> list[float] | None:
    """Return the resident megabytes of a process and its children (Linux)."""
    if not Path("/proc/self/status").exists():
        return None
    found = [_resident(parent)]
    for children in Path(f"/proc/{parent}/task").glob("*/children"):
        found += [_resident(int(pid)) for pid in children.read_text().split()]
    return found


def _resident(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024
