"""Runs `caseway` commands in processes forked from one that has imported everything already.

Each command is a process with its own arguments, folder, environment and files, which ends as
`python -m web.cli` does; what it saves is the second of imports. `caseway serve` and its children
are started in full (`tests/acceptance/command.py`).
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import click

#: what the verbs import when they run; none of it starts a thread or opens a connection
_WANTED = (
    "web.cli", "engine.runtime", "engine.registry", "engine.worker", "engine.access", "web.opening",
    "web.bundles", "web.links", "handlers.records", "argon2", "RestrictedPython", "psycopg",
)  # fmt: skip
_LONGEST = 1_000_000


class Warm:
    """The process that waits with everything imported; safe to share by threads."""

    def __init__(self) -> None:
        self._socket, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        bare = {name: v for name, v in os.environ.items() if not name.startswith("CASEWAY_")}
        with other:
            self._process = subprocess.Popen(
                [sys.executable, "-P", __file__, str(other.fileno())],
                pass_fds=[other.fileno()], env=bare, cwd="/", stdin=subprocess.DEVNULL,
            )  # fmt: skip

    def run(
        self, arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str], stdin: str,
        timeout_s: float,
    ) -> tuple[int, str, str]:  # fmt: skip
        """Run a command to its end; return its status and what it printed on stdout and stderr."""
        asked = {"arguments": list(arguments), "folder": str(folder), "environment": environment}
        with ExitStack() as open_files:
            files = [
                open_files.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8"))
                for _ in range(3)
            ]
            files[0].write(stdin)
            files[0].seek(0)
            told, tells = socket.socketpair()
            open_files.enter_context(told)
            with tells:
                sent = [tells.fileno(), *(file.fileno() for file in files)]
                socket.send_fds(self._socket, [json.dumps(asked).encode()], sent)
            told.settimeout(timeout_s)
            status = told.recv(16)
            assert status, f"{list(arguments)}: nobody said how it ended"
            for file in files[1:]:
                file.seek(0)
            return int(status), files[1].read(), files[2].read()

    def close(self) -> None:
        """End the process; it ends by itself when its socket is closed."""
        self._socket.close()
        self._process.wait()


@cache
def warm() -> Warm:
    """Return the one of this process."""
    made = Warm()
    atexit.register(made.close)
    return made


def wait_for_work(asked: socket.socket) -> list[str] | None:
    """Return in a new process for each command, with its arguments; None when all is over."""
    while True:
        told, files, _, _ = socket.recv_fds(asked, _LONGEST, 4)
        if not told:
            return None
        if os.fork() == 0:
            answer, *standard = files
            command = os.fork()
            if command == 0:
                asked.close()
                os.close(answer)
                return become(json.loads(told), standard)
            status = os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])
            os.write(answer, str(status).encode())
            os._exit(0)
        for file in files:
            os.close(file)
        while waits_for_none():
            pass


def waits_for_none() -> bool:
    """Take leave of one process that has answered; tell whether there was one."""
    try:
        return os.waitpid(-1, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return False


def become(asked: Any, standard: Sequence[int]) -> list[str]:
    """Take over the files, the folder and the environment of a command; return its arguments."""
    for number, file in enumerate(standard):
        os.dup2(file, number)
        os.close(file)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    time.tzset()
    return list(asked["arguments"])


def main() -> None:
    """Import, wait, and be the command that is asked for."""
    for name in _WANTED:
        importlib.import_module(name)
    from web import cli

    # imports web/verbs
    cli.cli.list_commands(click.Context(cli.cli))
    # what is there now is not looked at, and so not copied, by the collector of each process
    gc.freeze()
    arguments = wait_for_work(socket.socket(fileno=int(sys.argv[1])))
    if arguments is not None:
        sys.argv = ["caseway", *arguments]
        cli.main()


if __name__ == "__main__":
    main()
