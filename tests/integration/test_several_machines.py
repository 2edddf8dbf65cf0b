"""Two web and three worker processes on one PostgreSQL, as on several machines."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from engine.registry import Registry
from engine.runtime import Engine
from engine.settings import Settings
from engine.store import hints
from tests.drawing import diagram, end, path, process, service, start

# processes on a server, the same on every Python: once is enough
pytestmark = [pytest.mark.postgres, pytest.mark.slow]
PATIENCE_S = 60.0
CASES = 500
HANDLERS = """
from __future__ import annotations

import os
import time

from engine import HandlerContext, handler


def note(context: HandlerContext) -> None:
    with open(context.settings.data_dir / "effects", "a") as file:
        file.write(f"{context.key} {os.getpid()}\\n")


@handler("first")
def first(context: HandlerContext) -> None:
    note(context)


@handler("second")
def second(context: HandlerContext) -> None:
    note(context)
    time.sleep(0.002)


@handler("held", retries=5, backoff_s=0)
def held(context: HandlerContext) -> None:
    note(context)
    while not (context.settings.data_dir / "go").exists():
        time.sleep(0.01)
"""


class Machines:
    """Starts `caseway web` and `caseway work`, and asks the database what came of it."""

    def __init__(self, folder: Path, url: str) -> None:
        (folder / "own").mkdir()
        (folder / "own" / "some.py").write_text(HANDLERS)
        self.folder = folder
        self.settings = Settings(
            data_dir=folder, database_url=url, handlers_dir=folder / "own", dispatcher="cluster"
        )
        self.engine = Engine(self.settings, registry=Registry.load(self.settings))
        self.engine.migrate()
        parts = [
            process("two", start("s"), service("a", "first"), service("b", "second"), end("e"),
                    path("s", "a", "b", "e")),
            process("hold", start("hs"), service("h", "held"), end("he"), path("hs", "h", "he")),
        ]  # fmt: skip
        self.engine.deploy({"p.bpmn": diagram(*parts)}, by="test")
        self.token = self.engine.create_token("ann", role="operator", by="test")[1]
        self.processes: list[subprocess.Popen[bytes]] = []
        as_libpq = make_url(url).set(drivername="postgresql")
        self.database = psycopg.connect(
            as_libpq.render_as_string(hide_password=False), autocommit=True
        )

    def run(self, *command: str, **settings: str) -> subprocess.Popen[bytes]:
        named = {
            "DATA_DIR": str(self.folder), "DATABASE_URL": self.settings.database_url,
            "HANDLERS_DIR": str(self.folder / "own"), "DISPATCHER": "cluster", **settings,
        }  # fmt: skip
        made = subprocess.Popen(
            [sys.executable, "-P", "-m", "web.cli", *command],
            env={**os.environ, **{f"CASEWAY_{name}": text for name, text in named.items()}},
            stdout=subprocess.PIPE,
        )
        self.processes.append(made)
        return made

    def address(self, web: subprocess.Popen[bytes]) -> str:
        """Return where a web process answers, once it does."""
        assert web.stdout is not None
        return web.stdout.readline().decode().strip()

    def begin(self, url: str, key: str) -> str:
        """Ask a web process to start a case; return its id."""
        request = urllib.request.Request(
            f"{url}/api/instances", json.dumps({"process_id": "two"}).encode(),
            {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json",
             "Idempotency-Key": key},
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return str(json.load(answer)["id"])

    def one(self, text: str) -> Any:
        row = self.database.execute(text.encode()).fetchone()
        assert row is not None
        return row[0]

    def listeners(self) -> int:
        """Return how many workers listen."""
        there: int = self.one(f"SELECT count(*) FROM {hints.schema()}.procrastinate_workers")
        return there

    def ears(self) -> set[int]:
        """Return the connections by which workers listen."""
        rows = self.database.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = %s",
            [hints.APPLICATION],
        )
        return {pid for (pid,) in rows}

    def effects(self) -> list[tuple[str, int]]:
        """Return (idempotency key, process) of every call of a handler."""
        file = self.folder / "effects"
        lines = file.read_text().splitlines() if file.exists() else []
        return [(key, int(pid)) for key, _, pid in (line.rpartition(" ") for line in lines)]

    def close(self) -> None:
        for one in self.processes:
            if one.poll() is None:
                one.send_signal(signal.SIGCONT)
                one.terminate()
        for one in self.processes:
            try:
                one.wait(10)
            except subprocess.TimeoutExpired:
                one.kill()
                one.wait()
            if one.stdout is not None:
                one.stdout.close()
        self.database.close()
        self.engine.close()


@pytest.fixture
def machines(tmp_path: Path, postgres_url: str) -> Iterator[Machines]:
    """Return an installation without a process yet."""
    made = Machines(tmp_path, postgres_url)
    yield made
    made.close()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def test_two_webs_and_three_workers_do_everything_once(machines: Machines) -> None:
    started = [machines.run("web", "--port", "0") for _ in range(2)]
    for topics in ("first", "second", "first,second"):
        machines.run("work", "--topics", topics)
    webs = [machines.address(web) for web in started]
    until(lambda: machines.listeners() == 3)

    def begin(number: int) -> str:
        # now and then both webs are asked for the same case
        asked = webs if number % 10 == 0 else [webs[number % 2]]
        ids = {machines.begin(url, f"order-{number}") for url in asked}
        assert len(ids) == 1
        return ids.pop()

    with ThreadPoolExecutor(4) as clients:
        ids = set(clients.map(begin, range(CASES)))
    until(lambda: machines.one("SELECT count(*) FROM instance WHERE state = 'running'") == 0)

    assert len(ids) == machines.one("SELECT count(*) FROM instance") == CASES
    keys = [key for key, _ in machines.effects()]
    assert len(keys) == len(set(keys)) == 2 * CASES
    assert len({pid for _, pid in machines.effects()}) == 3
    assert machines.one("SELECT count(*) FROM work") == 0
    done = "SELECT count(*) FROM history WHERE kind = 'element.completed' AND element_id = 'b'"
    assert machines.one(done) == CASES
    until(lambda: machines.one(f"SELECT count(*) FROM {hints.schema()}.procrastinate_jobs") == 0)


def test_what_a_killed_worker_held_is_done_by_another_one(machines: Machines) -> None:
    killed = machines.run("work", LEASE_S="1")
    until(lambda: machines.one("SELECT count(*) FROM duty") == 1)
    other = machines.run("work", LEASE_S="1")
    until(lambda: machines.listeners() == 2)
    before = machines.one("SELECT owner FROM duty")
    assert f"/{killed.pid}/" in before
    other.send_signal(signal.SIGSTOP)
    machines.engine.start("hold", {}, by="ann")
    until(lambda: len(machines.effects()) == 1)

    other.send_signal(signal.SIGCONT)
    killed.kill()
    (machines.folder / "go").touch()
    until(lambda: machines.one("SELECT count(*) FROM instance WHERE state = 'running'") == 0)

    assert [pid for _, pid in machines.effects()] == [killed.pid, other.pid]
    assert len({key for key, _ in machines.effects()}) == 1
    # and the maintenance is handed over
    until(lambda: f"/{other.pid}/" in machines.one("SELECT owner FROM duty"))


def test_a_worker_that_cannot_listen_still_finds_its_work(machines: Machines) -> None:
    machines.run("work")
    until(lambda: machines.listeners() == 1 and len(machines.ears()) >= 2)
    before = machines.ears()
    machines.database.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s) AS pid",
                              [list(before)])  # fmt: skip

    case = machines.engine.start("two", {}, by="ann")
    until(lambda: machines.engine.case(case.id).state.value == "completed")

    # and it listens again
    until(lambda: len(machines.ears() - before) >= 2)


def test_a_topic_that_no_handler_has_is_refused_at_the_start(machines: Machines) -> None:
    refused = machines.run("work", "--topics", "first,third")

    assert refused.wait(PATIENCE_S) == 2
