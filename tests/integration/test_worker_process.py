"""The worker as a process: it dies, hangs, is told to stop, and is started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.dispatch import EXIT_REPLACE
from engine.model import InstanceState
from engine.registry import Registry
from engine.runtime import Engine
from engine.settings import Settings
from tests.drawing import diagram, end, path, process, service, start

PATIENCE_S = 60.0
HANDLERS = """
from __future__ import annotations

import os
import re
import time
from pathlib import Path

from engine import HandlerContext, handler


def note(context: HandlerContext, what: str) -> None:
    with open(context.settings.data_dir / what, "a") as file:
        file.write(context.key + "\\n")


@handler("kill", retries=2, backoff_s=0)
def kill(context: HandlerContext) -> None:
    note(context, "kill")
    os._exit(9)


@handler("hang", retries=1, backoff_s=0, timeout_s=0.3)
def hang(context: HandlerContext) -> None:
    note(context, "hang")
    while True:
        time.sleep(60)


@handler("hold", retries=1, backoff_s=0, timeout_s=0.3)
def hold(context: HandlerContext) -> None:
    note(context, "hold")
    # in C code that gives no other thread of the process a turn for centuries
    re.match("(a|aa)+$", "a" * 200 + "b")


@handler("slow")
def slow(context: HandlerContext) -> None:
    note(context, "slow")
    while not (context.settings.data_dir / "go").exists():
        time.sleep(0.01)


@handler("fine")
def fine(context: HandlerContext) -> None:
    note(context, "fine")
"""
#: what `serve` does for a worker process, without anything of the web
MAIN = """
import sys
from engine.dispatch import process, worker_main
from engine.settings import load
process._FROZEN_S = 2.0
sys.exit(worker_main(load(), hint=int(sys.argv[1])))
"""


class Parent:
    """Starts a worker process and replaces it when it ends, as `serve` does."""

    def __init__(self, tmp_path: Path, url: str) -> None:
        handlers = tmp_path / "own"
        handlers.mkdir()
        (handlers / "some.py").write_text(HANDLERS)
        self.folder = tmp_path / "data"
        self.settings = Settings(
            data_dir=self.folder, database_url=url, handlers_dir=handlers, lease_s=0.5
        )
        self.folder.mkdir()
        self.engine = Engine(self.settings, registry=Registry.load(self.settings))
        self.engine.migrate()
        names = ("kill", "hang", "hold", "slow", "fine")
        parts = [
            process(n, start("s" + n), service("t" + n, n), end("e" + n),
                    path("s" + n, "t" + n, "e" + n))
            for n in names
        ]  # fmt: skip
        self.engine.deploy({"all.bpmn": diagram(*parts)}, by="test")
        self.statuses: list[int] = []
        self.worker: subprocess.Popen[bytes] | None = None
        self.reading, self.hints = os.pipe()

    def start_worker(self) -> None:
        environment = {
            **os.environ,
            "CASEWAY_DATA_DIR": str(self.folder),
            "CASEWAY_DATABASE_URL": self.settings.database_url,
            "CASEWAY_HANDLERS_DIR": str(self.settings.handlers_dir),
            "CASEWAY_LEASE_S": "0.5",
            "CASEWAY_SHUTDOWN_S": "5",
        }
        self.worker = subprocess.Popen(
            [sys.executable, "-c", MAIN, str(self.reading)],
            env=environment,
            pass_fds=[self.reading],
        )

    def keep_running_until(self, condition: Callable[[], bool]) -> None:
        """Replace the worker whenever it ends, until the condition holds."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, "the condition never came true"
            if self.worker is None:
                self.start_worker()
            assert self.worker is not None
            try:
                self.statuses.append(self.worker.wait(0.05))
                self.worker = None
            except subprocess.TimeoutExpired:
                pass

    def stop_worker(self) -> int:
        assert self.worker is not None
        self.worker.send_signal(signal.SIGTERM)
        return self.worker.wait(PATIENCE_S)

    def is_over(self, *cases: str) -> bool:
        states = [self.engine.case(case).state for case in cases]
        return all(state is InstanceState.COMPLETED for state in states)

    def noted(self, what: str) -> list[str]:
        file = self.folder / what
        return file.read_text().splitlines() if file.exists() else []

    def close(self) -> None:
        if self.worker is not None and self.worker.poll() is None:
            self.worker.kill()
            self.worker.wait()
        for end_of_pipe in (self.reading, self.hints):
            os.close(end_of_pipe)
        self.engine.close()


@pytest.fixture
def parent(tmp_path: Path, database_url: str) -> Iterator[Parent]:
    parent = Parent(tmp_path, database_url)
    yield parent
    parent.close()


def test_handler_that_kills_its_process_ends_in_one_incident(parent: Parent) -> None:
    # given a case whose handler ends the process, among others
    fine = [parent.engine.start("fine").id]
    killer = parent.engine.start("kill").id
    fine += [parent.engine.start("fine").id for _ in range(5)]

    # when the worker is replaced as often as it dies
    parent.keep_running_until(lambda: parent.is_over(*fine) and bool(parent.engine.incidents()))

    # then the killer was tried three times and left one incident; the others are over, once each
    [incident] = parent.engine.incidents()
    assert incident.instance_id == killer
    assert "process ended" in incident.message
    assert len(parent.noted("kill")) == 3
    assert parent.statuses == [9, 9, 9]
    assert {key.split("/")[0] for key in parent.noted("fine")} == set(fine)


def test_hanging_handler_has_its_process_replaced(parent: Parent) -> None:
    hanging = parent.engine.start("hang").id
    fine = [parent.engine.start("fine").id for _ in range(5)]

    parent.keep_running_until(lambda: parent.is_over(*fine) and bool(parent.engine.incidents()))
    parent.keep_running_until(lambda: len(parent.statuses) >= 2)

    [incident] = parent.engine.incidents()
    assert incident.instance_id == hanging
    assert "took longer than 0.3 s" in incident.message
    assert parent.statuses == [EXIT_REPLACE, EXIT_REPLACE]
    assert len(parent.noted("hang")) == 2
    assert sorted(key.split("/")[0] for key in parent.noted("fine")) == sorted(fine)


def test_a_handler_that_lets_no_thread_run_is_ended_with_its_process(parent: Parent) -> None:
    # given a case whose handler stops every thread of the process, the one that watches too
    holding = parent.engine.start("hold").id
    parent.keep_running_until(lambda: bool(parent.noted("hold")))
    fine = [parent.engine.start("fine").id for _ in range(3)]

    # then the process ends by itself each time, the others are done, the one is an incident
    parent.keep_running_until(lambda: parent.is_over(*fine) and bool(parent.engine.incidents()))
    [incident] = parent.engine.incidents()
    assert incident.instance_id == holding
    assert "process ended" in incident.message
    assert parent.statuses == [1, 1]
    assert len(parent.noted("hold")) == 2
    assert sorted(key.split("/")[0] for key in parent.noted("fine")) == sorted(fine)


def test_told_to_stop_it_finishes_what_it_has_begun(parent: Parent) -> None:
    # given a running handler
    case = parent.engine.start("slow").id
    parent.keep_running_until(lambda: bool(parent.noted("slow")))

    # when the worker is told to stop, and the handler may go on
    assert parent.worker is not None
    parent.worker.send_signal(signal.SIGTERM)
    (parent.folder / "go").touch()

    # then the result is stored, and the process ends well
    assert parent.worker.wait(PATIENCE_S) == 0
    assert parent.is_over(case)
    assert len(parent.noted("slow")) == 1


def test_killed_worker_loses_nothing(parent: Parent) -> None:
    case = parent.engine.start("slow").id
    parent.keep_running_until(lambda: bool(parent.noted("slow")))
    assert parent.worker is not None
    parent.worker.kill()

    (parent.folder / "go").touch()
    parent.keep_running_until(lambda: parent.is_over(case))

    keys = parent.noted("slow")
    assert len(keys) == 2
    assert len(set(keys)) == 1


def test_worker_ends_when_nobody_can_hint_any_more(parent: Parent) -> None:
    parent.start_worker()
    worker = parent.worker
    assert worker is not None

    os.close(parent.hints)

    assert worker.wait(PATIENCE_S) == 0
    parent.hints = os.open(os.devnull, os.O_WRONLY)
