"""Hints of new work, taken away or doubled from outside, where they pass between processes.

Within `serve` a hint is a byte in the pipe from the web to the worker process; between machines it
is a job of Procrastinate and the NOTIFY beside it. The product does not know that it is watched.
"""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy.engine import make_url

from engine.store import hints
from tests.acceptance.command import words

#: how long one look at the pipe takes, and until it is looked who has it; seconds
_LOOK_S, _SLICE_S = 0.01, 0.1
#: the services of tests/chaos/drawing.py
_TOPICS = ("chaos.step", "chaos.fragile", "chaos.hold")
_KINDS = ("timer", "continue", "deliver", "start")
_NOTIFIES = "procrastinate_jobs_notify_queue_job_inserted_v1"


class Hints:
    """The ways of hints of one run."""

    def __init__(self, pids: Callable[[], dict[str, int]], server: str | None) -> None:
        """Watch the processes that `pids` tells; `server` is the database, if it has jobs."""
        self._pids = pids
        self._server = server

    def drop(self, seconds: float, meanwhile: Callable[[], None] = lambda: None) -> int:
        """Take away every hint that can be caught for so long; return how many were."""
        end, caught = time.monotonic() + seconds, 0
        with self._without_notifications() as jobs:
            while time.monotonic() < end:
                caught += self._drain_pipe(min(end, time.monotonic() + _SLICE_S), jobs)
                meanwhile()
        return caught

    def double(self, times: int = 3) -> None:
        """Give hints of each kind for work that need not be there, several of each."""
        with self._pipe(os.O_WRONLY) as pipe:
            if pipe is not None:
                os.write(pipe, b"." * times)
        with self._jobs() as jobs:
            if jobs is None:
                return
            queues = [hints.queue("default", "service", topic) for topic in _TOPICS]
            queues += [hints.queue("default", kind, "") for kind in _KINDS]
            for queue in queues * times:
                jobs.execute(
                    "INSERT INTO procrastinate_jobs (queue_name, task_name) VALUES (%s, %s)",
                    [queue, hints.TASK],
                )

    def deafen(self) -> int:
        """End the connections by which workers listen; return how many there were."""
        with self._jobs() as jobs:
            if jobs is None:
                return 0
            return jobs.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = %s",
                [hints.APPLICATION],
            ).rowcount

    # -------------------------------------------------------------- the pipe

    @contextmanager
    def _pipe(self, way: int) -> Iterator[int | None]:
        """Open the pipe of hints of the worker once more; None while there is no worker."""
        pid = self._pids().get("worker")
        said = [] if pid is None else [word for word in words(pid) if word.startswith("--hint=")]
        opened = None
        with contextlib.suppress(OSError):  # the worker has ended just now
            if said:
                number = said[0].partition("=")[2]
                opened = os.open(f"/proc/{pid}/fd/{number}", way | os.O_NONBLOCK)
        try:
            yield opened
        finally:
            if opened is not None:
                os.close(opened)

    def _drain_pipe(self, end: float, jobs: psycopg.Connection[Any] | None) -> int:
        """Be faster than the worker, if the dice of the kernel will have it, until then."""
        caught = 0
        with self._pipe(os.O_RDONLY) as pipe:
            pipes = [] if pipe is None else [pipe]
            while time.monotonic() < end:
                for readable in select.select(pipes, [], [], _LOOK_S)[0]:
                    with contextlib.suppress(BlockingIOError):  # the worker was faster
                        caught += len(os.read(readable, 4096))
                caught += self._delete(jobs)
        return caught

    # -------------------------------------------------------------- the jobs

    @contextmanager
    def _jobs(self) -> Iterator[psycopg.Connection[Any] | None]:
        """Yield a connection that finds the tables of Procrastinate; None without them."""
        if self._server is None:
            yield None
            return
        url = make_url(self._server).set(drivername="postgresql")
        options = f"-c search_path={hints.schema()} -c lock_timeout=2000"
        with psycopg.connect(
            url.render_as_string(hide_password=False), autocommit=True, options=options
        ) as connection:
            yield connection

    @contextmanager
    def _without_notifications(self) -> Iterator[psycopg.Connection[Any] | None]:
        with self._jobs() as jobs:
            if jobs is None:
                yield None
                return
            jobs.execute(f"ALTER TABLE procrastinate_jobs DISABLE TRIGGER {_NOTIFIES}".encode())
            try:
                yield jobs
            finally:
                jobs.execute(f"ALTER TABLE procrastinate_jobs ENABLE TRIGGER {_NOTIFIES}".encode())

    def _delete(self, jobs: psycopg.Connection[Any] | None) -> int:
        if jobs is None:
            return 0
        return jobs.execute("DELETE FROM procrastinate_jobs WHERE status = 'todo'").rowcount
