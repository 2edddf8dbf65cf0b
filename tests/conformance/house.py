"""An installation for one test case: the real engine on a database of its own."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from engine import worker
from engine.clock import Clock, SystemClock, VirtualClock
from engine.languages import Languages, Python
from engine.model import Incident, Instance, InstanceState, UserTask
from engine.registry import Registry
from engine.runtime import Engine
from engine.settings import Settings

WHO = "conformance"
#: incidents that are technical failures; an uncaught BPMN error is the end of a case instead
_FAILURES = ("fault", "work", "runaway")
#: between two looks for due timers on the real clock; seconds
_TICK_S = 0.005
#: more open tasks, cases or incidents than any test has
_ALL = 1000


@functools.cache
def folder() -> Path:
    """Return a folder that is gone when this process ends; in memory if possible."""
    shared = "/dev/shm"
    place = shared if os.access(shared, os.W_OK) else None
    made = Path(tempfile.mkdtemp(prefix="caseway-conformance-", dir=place))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


@functools.cache
def registry() -> Registry:
    """Return the handlers of the product."""
    return Registry.load(Settings(data_dir=folder()))


@functools.cache
def _empty_database() -> Path:
    """Migrate once; each case gets a copy of the file."""
    path = folder() / "empty.db"
    engine = Engine(Settings(data_dir=folder()), url=f"sqlite:///{path}")
    engine.migrate()
    engine.close()
    return path


class House:
    """The engine with one database; `restart` throws the object away after every stored step.

    Python is the default language and `names` are what scripts may use besides the variables.
    With `restart` a step is also stored after every `piece` activations.
    """

    def __init__(
        self,
        names: Mapping[str, object],
        *,
        now: datetime | None = None,
        restart: bool = False,
        piece: int = 1,
    ) -> None:
        self.clock: Clock = VirtualClock(now) if now is not None else SystemClock()
        self.restart = restart
        self._settings = Settings(data_dir=folder())
        if restart:
            self._settings = replace(
                self._settings, activations_per_piece=piece, pieces_per_run=1_000_000
            )
        self._languages = Languages("python", python=Python(names, restricted=False))
        self._path = Path(tempfile.mkdtemp(dir=folder())) / "caseway.db"
        shutil.copy(_empty_database(), self._path)
        self.engine = self._open()

    def _open(self) -> Engine:
        return Engine(
            self._settings,
            clock=self.clock,
            registry=registry(),
            languages=self._languages,
            url=f"sqlite:///{self._path}",
        )

    def close(self) -> None:
        """Delete the database."""
        self.engine.close()
        shutil.rmtree(self._path.parent, ignore_errors=True)

    def _reopen(self) -> None:
        if self.restart:
            self.engine.close()
            self.engine = self._open()

    # ------------------------------------------------ acting

    def deploy(self, bpmn: str) -> None:
        """Deploy a diagram through the gate. Raises DeploymentRefused."""
        self.engine.deploy({"diagram.bpmn": bpmn.encode()}, by=WHO)
        self.settle()

    def start(self, process_id: str, variables: Mapping[str, Any]) -> str:
        """Start a case and run all that is due; return its id."""
        case = self.engine.start(process_id, variables, by=WHO)
        self.settle()
        return case.id

    def complete(self, task: UserTask, data: Mapping[str, Any]) -> None:
        """Complete a user task and run all that is due."""
        self.engine.complete(task.id, data, by=WHO)
        self.settle()

    def correlate(self, name: str, keys: Mapping[str, Any], payload: Mapping[str, Any]) -> None:
        """Send a message from outside and run all that is due."""
        self.engine.correlate(name, keys=keys, payload=payload, by=WHO)
        self.settle()

    def signal(self, name: str, payload: Mapping[str, Any]) -> None:
        """Send a signal from outside and run all that is due."""
        self.engine.signal(name, payload=payload, by=WHO)
        self.settle()

    def settle(self, until: datetime | None = None) -> None:
        """Run all due work; on a virtual clock all that is due up to `until`, at its time."""
        self._reopen()
        if not self.restart:
            worker.drain(self.engine, until, registry=registry())
            return
        while worker.drain(self.engine, until, registry=registry(), limit=1):
            self._reopen()

    def wait(self, deadline: float) -> None:
        """Run until nothing is planned any more, or until `deadline` (time.monotonic)."""
        while time.monotonic() < deadline and self.engine.next_due() is not None:
            time.sleep(_TICK_S)
            self.settle()

    # ------------------------------------------------ looking

    def tasks(self, instance_id: str | None = None) -> list[UserTask]:
        """Return the open user tasks in the order in which they were offered."""
        found = self.engine.tasks(instance_id=instance_id, limit=_ALL)
        # tasks of one step share their moment; their tokens are numbered in order
        return sorted(found, key=lambda task: (task.created_at, task.id[:13], task.token))

    def outcome(self, instance_id: str | None = None) -> tuple[str, str]:
        """Return the outcome in the words of the kits, over one case or all, and a remark."""
        failed = self._failures(instance_id)
        if failed:
            return "error", f"{failed[0].element_id}: {failed[0].message}"
        cases = self._cases(instance_id)
        states = {case.state for case in cases}
        if InstanceState.FAILED in states:
            return "error_event", "a thrown error was caught nowhere"
        if InstanceState.RUNNING in states:
            return "waiting", " ".join(task.element_id for task in self.tasks(instance_id))
        return "completed", ""

    def _failures(self, instance_id: str | None) -> list[Incident]:
        found = self.engine.incidents(instance_id=instance_id, limit=_ALL)
        return [incident for incident in found if incident.kind in _FAILURES]

    def _cases(self, instance_id: str | None) -> list[Instance]:
        if instance_id is not None:
            return [self.engine.case(instance_id)]
        return self.engine.cases(limit=_ALL)
