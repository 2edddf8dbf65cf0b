"""The command line and a running service as tests use them: real processes, real folders."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.acceptance.warm import warm

ROOT = Path(__file__).resolve().parent.parent.parent
PROCESSES = ROOT / "processes"
#: a test that waits longer than this has failed; seconds
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What one command printed and how it ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The JSON document on stdout."""
        return json.loads(self.out)


class Caseway:
    """Runs `caseway` on one data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("CASEWAY_")
        }

    def command(self, *arguments: str) -> list[str]:
        """Return the command line; -P, as the console script has no working directory to import."""
        return [sys.executable, "-P", "-m", "web.cli", "--data", str(self.data), *arguments]

    def run(self, *arguments: str, stdin: str | None = None) -> Done:
        """Run a command to its end, whatever that is."""
        status, out, err = warm().run(
            ["--data", str(self.data), *arguments], folder=self.folder,
            environment=self.environment, stdin=stdin or "", timeout_s=600,
        )  # fmt: skip
        return Done(status=status, out=out, err=err)

    def ok(self, *arguments: str, stdin: str | None = None) -> Done:
        """Run a command that must succeed."""
        done = self.run(*arguments, stdin=stdin)
        assert done.status == 0, f"{arguments}: {done.status}\n{done.out}\n{done.err}"
        return done

    def json(self, *arguments: str) -> Any:
        """Run a command that must succeed, with --json, and return its document."""
        return self.ok(*arguments, "--json").json

    def token(self, role: str, name: str = "ann") -> str:
        """Return the secret of a new token."""
        secret: str = self.json("tokens", "create", name, "--role", role)["secret"]
        return secret

    @contextmanager
    def serving(self, **settings: str) -> Iterator[Served]:
        """Run `caseway serve` on a free port; it is stopped, or at last killed, at the end."""
        extra = {f"CASEWAY_{name.upper()}": value for name, value in settings.items()}
        log = self.folder / "serve.log"
        with log.open("ab") as errors:
            process = subprocess.Popen(
                self.command("serve", "--port", "0", "--json"),
                cwd=self.folder,
                env={**self.environment, **extra},
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert process.stdout is not None
        with process.stdout as told:
            try:
                line = told.readline()
                assert line, log.read_text()
                yield Served(process, json.loads(line)["url"])
            finally:
                end(process)


def end(process: subprocess.Popen[str]) -> None:
    """Stop a service, or at last kill it."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer of the service."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The JSON document in the body."""
        return json.loads(self.body)


class Served:
    """A running service."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url

    def call(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send one request and return the answer, whatever its status."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        if token is not None:
            request.add_header("Authorization", f"Bearer {token}")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                return Reply(status=answer.status, headers=dict(answer.headers), body=answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Reply(status=error.code, headers=dict(error.headers), body=error.read())

    def wait_ready(self) -> None:
        """Wait until both processes can do their work."""
        eventually(lambda: self.call("GET", "/readyz").status == 200, "the service gets ready")

    def child(self, name: str) -> int:
        """Return the process id of the web or the worker process."""
        found: list[int] = []

        def look() -> bool:
            found[:] = [pid for pid in children(self.process.pid) if name in words(pid)]
            return len(found) == 1

        eventually(look, f"one {name} process runs")
        return found[0]


def children(parent: int) -> list[int]:
    """Return the process ids of the children of a process."""
    path = Path(f"/proc/{parent}/task/{parent}/children")
    try:
        return [int(pid) for pid in path.read_text().split()]
    except OSError:
        return []


def words(pid: int) -> list[str]:
    """Return the command line of a process, [] if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    except OSError:
        return []


def lives(pid: int) -> bool:
    """Tell whether a process runs; one that has ended but was not waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def kill(pid: int) -> None:
    """End a process as a crash would."""
    os.kill(pid, signal.SIGKILL)


def eventually(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds; fail if it never does."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if holds():
            return
        time.sleep(0.02)
    raise AssertionError(f"never: {what}")
