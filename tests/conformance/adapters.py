"""What the runners of the conformance kit plug in: `Engine`, `Dmn`, `Probes`, `ProbesRestart`.

The contracts are the docstrings of the runners in ../shared/conformance. Everything goes through
the product's own verbs, gate and worker; only the default language is Python here (design: D5).
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from engine import diagrams, dmn
from engine.errors import DeploymentRefused, EngineError, FeelError
from engine.feel import moments
from engine.languages import Languages, Python
from engine.model import Problem
from tests.conformance.house import House, registry

_FILE = "diagram.bpmn"
#: characters of a diagram for which one activation more is done between two restarts
_LONG = 20_000


class Engine:
    """For run_betsy.py, run_constraints.py and run_miwg.py."""

    # ------------------------------------------------ process tests

    def run(
        self, record: Mapping[str, Any], case: Mapping[str, Any], env: Any, deadline: float
    ) -> tuple[str, str]:
        """Run one case to its end, its wait or the deadline."""
        return self._play(record, case, House(env.names()), deadline)

    def run_restart(
        self, record: Mapping[str, Any], case: Mapping[str, Any], env: Any, deadline: float
    ) -> tuple[str, str]:
        """Do the same with a new engine on the same database after every stored step."""
        return self._play(record, case, _restarting(record, env), deadline)

    def _play(
        self, record: Mapping[str, Any], case: Mapping[str, Any], house: House, deadline: float
    ) -> tuple[str, str]:
        try:
            house.deploy(record["bpmn"])
            for process_id in (*record["also_start"], record["main_process"]):
                house.start(process_id, case["variables"])
            while time.monotonic() < deadline:
                house.wait(deadline)
                tasks = house.tasks()
                if not tasks:
                    break
                house.complete(tasks[0], {})
            return house.outcome()
        except DeploymentRefused as refused:
            return "rejected", _reasons(refused)
        except EngineError as error:
            return "error", f"{type(error).__name__}: {error}"
        finally:
            house.close()

    # ------------------------------------------------ the gate

    @cached_property
    def _languages(self) -> Languages:
        return Languages("python", python=Python(restricted=False))

    def check(self, xml: bytes) -> list[Problem]:
        """Return what deployment would say about a file."""
        return list(self._read(xml).problems)

    def load(self, xml: bytes) -> tuple[Mapping[str, Any] | None, list[Problem]]:
        """Return the definitions of a file (None if it is refused) and all problems."""
        bundle = self._read(xml)
        refused = bundle.stops or not bundle.definitions
        return (None if refused else bundle.definitions), list(bundle.problems)

    def _read(self, xml: bytes) -> diagrams.Bundle:
        """Read a file as Engine.deploy does, with the same settings as the cases above."""
        return diagrams.read(
            {_FILE: xml}, languages=self._languages, known_topics=registry().names()
        )

    def elements(self, definition: Mapping[str, Any]) -> list[str]:
        """Return the ids of the flow nodes that the definitions act on."""
        return [element for found in definition.values() for element in found.elements]


class Probes:
    """For probes/drive.py (the same methods as its class Adapter)."""

    restart = False

    def deploy(self, record: Mapping[str, Any], env: Any, now: datetime | None) -> None:
        """Deploy a probe; raises the driver's Rejected with the reasons."""
        self.house = _restarting(record, env, now) if self.restart else House(env.names(), now=now)
        self.instances: dict[str, str] = {}
        try:
            self.house.deploy(record["bpmn"])
        except DeploymentRefused as refused:
            self.house.close()
            raise importlib.import_module("drive").Rejected(_reasons(refused)) from refused

    def start(self, process_id: str, variables: Mapping[str, Any], instance: str) -> None:
        """Start an instance and remember it under the name of the script."""
        self.instances[instance] = self.house.start(process_id, variables)

    def complete(
        self, element_id: str, data: Mapping[str, Any], instance: str | None, nth: int
    ) -> bool:
        """Complete the nth open task of an element; False if there is none."""
        tasks = [t for t in self.house.tasks(self._id(instance)) if t.element_id == element_id]
        if len(tasks) <= nth:
            return False
        self.house.complete(tasks[nth], data)
        return True

    def send_message(self, name: str, keys: Mapping[str, Any], payload: Mapping[str, Any]) -> None:
        """Send a message from outside."""
        self.house.correlate(name, keys, payload)

    def send_signal(self, name: str, payload: Mapping[str, Any]) -> None:
        """Send a signal from outside."""
        self.house.signal(name, payload)

    def advance(self, seconds: float) -> None:
        """Move the virtual clock; what is due on the way fires at its time."""
        self.house.settle(self.house.clock.now() + timedelta(seconds=seconds))

    def waiting(self, instance: str | None) -> list[str]:
        """Return the elements of the open user tasks."""
        return [task.element_id for task in self.house.tasks(self._id(instance))]

    def outcome(self, instance: str | None) -> tuple[str, str]:
        """Return the outcome of one instance or of all."""
        return self.house.outcome(self._id(instance))

    def pump(self, seconds: float) -> None:
        """Let the real clock run until nothing is planned, at most so long."""
        self.house.wait(time.monotonic() + seconds)

    def close(self) -> None:
        """Delete the database of the probe."""
        self.house.close()

    def _id(self, instance: str | None) -> str | None:
        return None if instance is None else self.instances[instance]


class ProbesRestart(Probes):
    """The same with a new engine on the same database after every stored step."""

    restart = True


class Dmn:
    """For run_tck.py."""

    FeelError = FeelError

    def load(self, model: bytes, imports: Mapping[str, bytes]) -> _Model:
        """Read a decision model."""
        return _Model(dmn.load(model, imports))

    def from_iso(self, kind: str, text: str) -> Any:
        """Return the FEEL value of a text that no Python type can hold."""
        read = {
            "date": moments.parse_date,
            "time": moments.parse_time,
            "date and time": moments.parse_moment,
            "years and months duration": moments.parse_duration,
        }
        return read[kind](text)


class _Model:
    """A decision model that gives plain values."""

    def __init__(self, model: dmn.Model) -> None:
        self._model = model

    def evaluate(self, decision: str, inputs: Mapping[Any, Any]) -> Any:
        """Return the value of a decision."""
        return self._model.evaluate(decision, inputs, now=datetime.now(UTC)).value

    def invoke(self, name: str, inputs: Mapping[Any, Any]) -> Any:
        """Return what a decision service or a function gives."""
        return self._model.invoke(name, inputs)


def _restarting(record: Mapping[str, Any], env: Any, now: datetime | None = None) -> House:
    """Return an engine that is opened anew after every activation.

    Each time it reads the diagram again; a chain of hundreds is stored every few activations only.
    """
    piece = 1 + len(record["bpmn"]) // _LONG
    return House(env.names(), now=now, restart=True, piece=piece)


def _reasons(refused: DeploymentRefused) -> str:
    return "; ".join(f"{p.element or p.line}: {p.message}" for p in refused.problems if p.stops)
