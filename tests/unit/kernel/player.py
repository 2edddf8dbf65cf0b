"""Plays the runtime for kernel tests: keeps the rows a step asks for, in dicts, and checks them.

Every command goes through a saved snapshot, so each test also proves that the state survives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from lxml import etree

from engine import kernel
from engine.languages import Languages
from engine.model import (
    Cancel,
    Command,
    Complete,
    Deliver,
    Event,
    Fire,
    InstanceState,
    NewSubscription,
    NewUserTask,
    NewWork,
    Resume,
    Retry,
    Start,
    Step,
    Throw,
)

BEGIN = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


class Player:
    """One instance of the first process of a drawing, with the world around it."""

    def __init__(
        self,
        drawing: bytes,
        *,
        languages: Languages | None = None,
        inline: Mapping[str, Callable[..., dict[str, Any]]] | None = None,
        inputs_of: Mapping[str, tuple[str, ...]] | None = None,
        activations: int = 1000,
        pieces: int = 100,
    ) -> None:
        tree = etree.fromstring(drawing)
        ids = [str(p.get("id")) for p in tree.iter("{*}process")]
        known = languages or Languages()
        self.definitions = {i: kernel.parse(tree, i, languages=known, file="drawing") for i in ids}
        self.first = ids[0]
        self.now = BEGIN
        self.limits: Any = SimpleNamespace(activations=activations, pieces=pieces, large_value=0)
        self._inline = dict(inline or {})
        self._inputs_of = dict(inputs_of or {})
        self._made = 0
        #: what stands for decisions: id -> function of the visible variables
        self.decisions: dict[str, Callable[[dict[str, Any]], Any]] = {}
        #: data stores, which outlive instances
        self.stored: dict[str, Any] = {}
        self.snapshot: bytes | None = None
        self.state: InstanceState | None = None
        self.works: dict[int, NewWork] = {}
        self.people: dict[int, NewUserTask] = {}
        self.catches: dict[int, NewSubscription] = {}
        self.incidents: dict[int, Any] = {}
        self.events: list[Event] = []
        self.steps: list[Step] = []
        #: the commands of the verbs, each with its moment
        self.given: list[tuple[Command, datetime]] = []

    # ---------------------------------------------------------------- World

    def definition(self, definition_id: str) -> kernel.Definition:
        return self.definitions[definition_id]

    def resolve(self, process_id: str, binding: str, caller: str, tag: str | None) -> str:
        return process_id

    def decide(
        self, decision_id: str, binding: str, caller: str, tag: str | None, inputs: Any
    ) -> tuple[Any, list[dict[str, Any]]]:
        return self.decisions[decision_id](dict(inputs)), [{"decision": decision_id}]

    def new_id(self) -> str:
        self._made += 1
        return f"called-{self._made}"

    def stores(self, names: Sequence[str]) -> Mapping[str, Any]:
        return {name: self.stored[name] for name in names if name in self.stored}

    def moment(self) -> datetime:
        return self.now

    def inputs_of(self, topic: str) -> tuple[str, ...] | None:
        return self._inputs_of.get(topic)

    def large(self, root_id: str, hashes: Sequence[str]) -> Mapping[str, bytes]:
        raise AssertionError("no value is large here")

    def lane_of(self, topic: str) -> str | None:
        return None

    def inline(self, topic: str) -> Callable[..., dict[str, Any]] | None:
        return self._inline.get(topic)

    # ---------------------------------------------------------------- verbs

    def start(self, element_id: str | None = None, /, **variables: Any) -> Player:
        self.do(
            Start(
                instance_id="root",
                definition_id=self.first,
                variables=variables,
                element_id=element_id,
            )
        )
        return self

    def complete(self, element_id: str, nth: int = 0, /, **result: Any) -> None:
        """Complete the nth open user task, or settle the nth handler, of an element."""
        rows: list[Any] = [*self.people.values(), *self.works.values()]
        found = [r for r in rows if r.element_id == element_id]
        assert len(found) > nth, f"{element_id} is not open; open: {self.open}"
        self.do(Complete(token=found[nth].token, result=result))

    def throw(self, element_id: str, code: str, /, **variables: Any) -> None:
        row = next(r for r in self.works.values() if r.element_id == element_id)
        self.do(Throw(token=row.token, code=code, variables=variables))

    def advance(self, seconds: float) -> None:
        """Move the clock and fire what becomes due on the way, each at its own moment."""
        end = self.now + timedelta(seconds=seconds)
        while True:
            due = [
                (w.due_at, w.token) for w in self.works.values() if w.kind == "timer" and w.due_at
            ]
            if not due or min(due)[0] > end:
                break
            moment, token = min(due)
            self.now = max(self.now, moment)
            self.do(Fire(token=token))
        self.now = end

    def message(self, name: str, key: str | None = None, /, **payload: Any) -> bool:
        return self._deliver("message", name, key, payload)

    def signal(self, name: str, /, **payload: Any) -> bool:
        found = False
        for row in [r for r in self.catches.values() if r.kind == "signal" and r.name == name]:
            if row.token in self.catches:
                self.do(Deliver(token=row.token, name=name, payload=payload))
                found = True
        return found

    def retry(self, element_id: str) -> None:
        token = next(t for t, i in self.incidents.items() if i.element_id == element_id)
        self.do(Retry(token=token))

    def cancel(self, reason: str = "") -> None:
        self.do(Cancel(reason=reason))

    def _deliver(self, kind: str, name: str, key: str | None, payload: dict[str, Any]) -> bool:
        for row in self.catches.values():
            if row.kind == kind and row.name == name and row.key in (None, key):
                self.do(Deliver(token=row.token, name=name, payload=payload))
                return True
        return False

    # ---------------------------------------------------------------- keeping the rows

    def do(self, command: Command) -> Step:
        if not isinstance(command, Resume):
            self.given.append((command, self.now))
        out = kernel.step(self, self.snapshot, command, self.now)
        self.snapshot, self.state = out.snapshot, out.state
        self.steps.append(out)
        self.events.extend(out.events)
        self.stored |= out.stores
        tables: dict[str, dict[int, Any]] = {
            "work": self.works,
            "task": self.people,
            "subscription": self.catches,
        }
        for closed in out.closed:
            assert tables[closed.kind].pop(closed.token, None) is not None, f"no row for {closed}"
        made: list[tuple[str, Any]] = [("work", w) for w in out.works]
        made += [("task", t) for t in out.user_tasks]
        made += [("subscription", c) for c in out.subscriptions]
        for kind, row in made:
            assert row.token not in tables[kind], f"second row for {row}"
            tables[kind][row.token] = row
        for token in out.resolved:
            self.incidents.pop(token, None)
        for incident in out.incidents:
            self.incidents[incident.token] = incident
        if out.state is not InstanceState.RUNNING:
            assert out.snapshot is None
            for table in tables.values():
                table.clear()
        if 0 in self.works:
            self.works.pop(0)
            return self.do(Resume())
        return out

    # ---------------------------------------------------------------- looking

    @property
    def open(self) -> list[str]:
        """Element ids of the open user tasks and handlers, one entry each, sorted."""
        rows: list[Any] = [
            *self.people.values(),
            *(w for w in self.works.values() if w.kind == "service"),
        ]
        return sorted(r.element_id for r in rows)

    @property
    def trail(self) -> list[str]:
        """Ids of the completed elements, in order."""
        return [str(e.element_id) for e in self.events if e.kind == "element.completed"]

    @property
    def ended(self) -> bool:
        return self.state is InstanceState.COMPLETED

    def variables(self, instance_id: str = "root") -> dict[str, Any]:
        """The instance's variables, from the history of changes."""
        found: dict[str, Any] = {}
        for event in self.events:
            here = event.kind == "variable.set" and event.instance_id == instance_id
            if here and (instance_id != "root" or event.token == 0):
                found[str(event.name)] = event.value
        return found

    def happened(self, kind: str) -> list[str | None]:
        """Element ids at which a kind of event happened, in order."""
        return [e.element_id for e in self.events if e.kind == kind]
