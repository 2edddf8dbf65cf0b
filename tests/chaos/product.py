"""The product as an operator runs it: `caseway serve`, one more `caseway work`, and the database.

The supervisor ends processes by their number only, all of them its own children or theirs.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from tests.acceptance.command import Caseway, children, lives, words
from tests.chaos.handlers import callee

HANDLERS = Path(callee.__file__).parent
LEASE_S = 1.0
#: what the runs set, so that leases end and attempts come back within seconds
SETTINGS = {
    "LEASE_S": str(LEASE_S), "BACKOFF_BASE_S": "0.05", "BACKOFF_CAP_S": "1",
    "SHUTDOWN_S": "5", "LOG_LEVEL": "warning",
}  # fmt: skip
#: a process that was killed is started again after so long, if its own parent does not do it
_RESTART_S = 0.2
_END_S = 15.0
_SET_PARENT_DEATH_SIGNAL = 1
_libc = ctypes.CDLL(None, use_errno=True)


def end_with_supervisor() -> None:
    """Ask the kernel to kill this new process when the one that started it dies."""
    _libc.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def free_port() -> int:
    """Return a port of the loopback interface that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class Product(Caseway):
    """A data folder, the processes that work on it, and the command line for it."""

    def __init__(self, folder: Path, url: str | None, seed: int, mutant: str | None) -> None:
        super().__init__(folder)
        #: the callee's database
        self.callee = folder / "callee.db"
        callee.prepare(self.callee)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        #: SQLAlchemy URL of the product's database
        self.database = url or f"sqlite:///{self.data / 'caseway.db'}"
        self.environment |= {f"CASEWAY_{name}": value for name, value in SETTINGS.items()}
        self.environment |= {callee.FILE: str(self.callee), callee.SEED: str(seed)}
        self.environment["CASEWAY_HANDLERS_DIR"] = str(HANDLERS)
        if url is not None:
            self.environment["CASEWAY_DATABASE_URL"] = url
        #: only the service is a mutant, not the commands
        self._mutation = {} if mutant is None else {"CASEWAY_MUTANT": mutant}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._not_before = 0.0
        #: each process that was ever seen
        self.seen: set[int] = set()

    # -------------------------------------------------------------- life

    def heal(self) -> None:
        """Start what does not run, as the supervisor of an installation does."""
        if time.monotonic() < self._not_before:
            return
        for name, command in (
            ("parent", self.command("serve", "--port", str(self.port))),
            ("extra", self.command("work")),
        ):
            process = self._running.get(name)
            if process is not None and process.poll() is None:
                continue
            if process is not None and name == "parent" and self._is_taken():
                continue  # its children have not quite ended yet
            self._running[name] = self._spawn(command)
            self._not_before = time.monotonic() + _RESTART_S
        self.pids()

    def _spawn(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        with self._log() as log:
            return subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.environment | self._mutation,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=end_with_supervisor,
            )

    def _log(self) -> IO[bytes]:
        return (self.folder / "service.log").open("ab")

    def _is_taken(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def pids(self) -> dict[str, int]:
        """Return the processes that run, by role: parent, web, worker, extra."""
        found = {
            name: process.pid for name, process in self._running.items() if process.poll() is None
        }
        for pid in children(found["parent"]) if "parent" in found else []:
            said = words(pid)
            found |= {role: pid for role in ("web", "worker") if role in said}
        self.seen |= set(found.values())
        return found

    def is_serving(self) -> bool:
        """Tell whether the service takes calls and has its worker."""
        return "worker" in self.pids() and self._is_taken()

    def is_locked(self) -> bool:
        """Tell whether somebody holds a lock of SQLite for longer than a transaction takes."""
        return any(path.exists() and callee.is_locked(path) for path in
                   (self.callee, self.data / "caseway.db"))  # fmt: skip

    def stop(self) -> list[str]:
        """Ask everything to end, and return a sentence for each part that did not do it well."""
        told = []
        self.pids()
        for process in self._running.values():
            process.terminate()
        for name, process in self._running.items():
            try:
                status = process.wait(_END_S)
            except subprocess.TimeoutExpired:
                told.append(f"{name} did not end within {_END_S:g} s of SIGTERM")
            else:
                if status:
                    told.append(f"{name} ended with status {status} after SIGTERM")
        return told

    def kill(self) -> None:
        """End what still runs, however it is; nothing of a run may outlive it."""
        for process in self._running.values():
            if process.poll() is None:
                process.kill()
            process.wait()
        end = time.monotonic() + _END_S
        while self.orphans() and time.monotonic() < end:
            time.sleep(0.05)

    def orphans(self) -> list[int]:
        """Return the processes of this run that still live, though they should not."""
        mine = str(self.folder).encode()
        return [pid for pid in self.seen if lives(pid) and mine in _environment(pid)]


def _environment(pid: int) -> bytes:
    """Return the environment of a process: a number may belong to somebody else by now."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/environ").read_bytes()
    return b""


class Customers:
    """The process of tests/chaos/customers.py."""

    def __init__(self, folder: Path) -> None:
        root = Path(__file__).resolve().parent.parent.parent
        with (folder / "customers.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.customers", str(folder)],
                cwd=root,
                env={**os.environ, "PYTHONPATH": str(root)},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                preexec_fn=end_with_supervisor,
            )

    def stop(self) -> None:
        """Let them go home; kill them if they do not."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
