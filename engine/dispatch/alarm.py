"""The due-time clock: APScheduler wakes the claim loop when something is due, and does no more."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler

_JOB = "sweep"
#: for the fault test only, which must notice: nobody looks who was not told
NEVER_SWEEPS = os.environ.get("CASEWAY_MUTANT") == "no_sweep"
_NEVER_S = 366 * 86400.0


class Alarm:
    """Calls `ring` at least every `sweep_s` seconds, and earlier if asked to.

    Start it after any fork: its thread would not be there in the child.
    """

    def __init__(
        self, ring: Callable[[], None], sweep_s: float, *, now: Callable[[], datetime]
    ) -> None:
        self._ring = ring
        self._sweep_s = _NEVER_S if NEVER_SWEEPS else sweep_s
        self._now = now
        self._lock = threading.Lock()
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            jobstores={"default": MemoryJobStore()},
            executors={"default": ThreadPoolExecutor(1)},
            # a wake-up that comes late is still wanted, and one stands for all that were missed
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )

    def start(self) -> None:
        """Ring now and then for ever."""
        self._scheduler.start()
        self._scheduler.add_job(
            self._ring,
            "interval",
            seconds=self._sweep_s,
            id=_JOB,
            next_run_time=datetime.now(UTC),
        )

    def pull_forward(self, due_at: datetime) -> None:
        """Ring at `due_at` if the next ring would be later; at once if that has passed."""
        wait_s = (due_at - self._now()).total_seconds()
        if wait_s <= 0:
            self._ring()
        elif wait_s < self._sweep_s:
            # the scheduler reads the system clock, which need not be that of the engine
            self._ring_at(datetime.now(UTC) + timedelta(seconds=wait_s))

    def stop(self) -> None:
        """Never ring again."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def _ring_at(self, moment: datetime) -> None:
        with self._lock:
            job = self._scheduler.get_job(_JOB)
            # get_job may see the job while the scheduler moves it on: it rings soon then anyway
            if job is None or job.next_run_time is None or job.next_run_time <= moment:
                return
            try:
                self._scheduler.modify_job(_JOB, next_run_time=moment)
            except JobLookupError:
                self._ring()
