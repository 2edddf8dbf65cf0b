"""What a step of the kernel may ask of its surroundings, answered inside one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine import codec
from engine.clock import new_id
from engine.errors import BadInput, BpmnError, ExecutionFault
from engine.languages import SCRIPT_BYTES
from engine.registry import HandlerContext
from engine.store import blobs, data_stores, decisions, definitions

if TYPE_CHECKING:
    from datetime import datetime

    from engine import kernel
    from engine.clock import Clock
    from engine.registry import HandlerEntry, Registry
    from engine.runtime.library import Library
    from engine.store.connect import Connection

_Inline = Callable[[dict[str, Any], Mapping[str, str]], dict[str, Any]]


@dataclass(slots=True)
class Limits:
    """How much one step may do."""

    #: element activations in one piece
    activations: int
    #: pieces without a wait state before an incident
    pieces: int
    #: larger values stand beside the snapshot; bytes of JSON
    large_value: int


class World:
    """The kernel's view of definitions and handlers; reads, never writes."""

    __slots__ = ("_clock", "_connection", "_library", "_memory", "_now", "_registry", "limits")

    def __init__(
        self,
        connection: Connection,
        library: Library,
        registry: Registry | None,
        limits: kernel.Limits,
        now: datetime,
        clock: Clock,
        memory: blobs.Memory,
    ) -> None:
        self._clock = clock
        self._memory = memory
        self._connection = connection
        self._library = library
        self._registry = registry
        self._now = now
        #: how much one step may do
        self.limits: kernel.Limits = limits

    def definition(self, definition_id: str) -> kernel.Definition:
        """Return the executable form of a definition."""
        return self._library.parsed(self._connection, definition_id)

    def resolve(
        self, process_id: str, binding: str, caller_definition_id: str, version_tag: str | None
    ) -> str:
        """Return the definition that a call activity calls now. Raises ExecutionFault."""
        found: str | None
        if binding == "deployment":
            found = definitions.beside(self._connection, process_id, caller_definition_id)
        elif binding == "versionTag":
            found = definitions.tagged(self._connection, process_id, version_tag or "")
        else:
            active = definitions.active(self._connection, process_id)
            found = None if active is None else active.id
        if found is None:
            tag = f" {version_tag!r}" if version_tag else ""
            raise ExecutionFault(
                f"the called process {process_id!r} is not deployed (binding {binding}{tag})"
            )
        return found

    def decide(
        self,
        decision_id: str,
        binding: str,
        caller_definition_id: str,
        version_tag: str | None,
        inputs: Mapping[str, Any],
    ) -> tuple[Any, list[dict[str, Any]]]:
        """Make a decision now: its value, and how it came about. Raises ExecutionFault."""
        connection = self._connection
        if binding == "deployment":
            found = decisions.beside(connection, decision_id, caller_definition_id)
        elif binding == "versionTag":
            found = decisions.tagged(connection, decision_id, version_tag or "")
        else:
            found = decisions.active(connection, decision_id)
        if found is None:
            tag = f" {version_tag!r}" if version_tag else ""
            raise ExecutionFault(
                f"the called decision {decision_id!r} is not deployed (binding {binding}{tag})"
            )
        model = self._library.decision_model(connection, found.deployment_id, found.file)
        decided = model.evaluate(decision_id, inputs, now=self._now)
        try:
            value = codec.admit(decided.value, max_bytes=SCRIPT_BYTES, path="the decision")
        except BadInput as cause:
            raise ExecutionFault(f"no variable can hold the value: {cause}") from cause
        # which table it was must stand in the history: the active version may change
        made = {"version": found.version, "deployment_id": found.deployment_id, "file": found.file}
        return value, [{**entry, **made} for entry in decided.explanation]

    def new_id(self) -> str:
        """Return a fresh id."""
        return new_id()

    def stores(self, names: Sequence[str]) -> Mapping[str, Any]:
        """Return the values of data stores; nobody else writes them before this verb ends."""
        return data_stores.read(self._connection, names, self._now)

    def moment(self) -> datetime:
        """Return the present."""
        return self._clock.now()

    def inputs_of(self, topic: str) -> tuple[str, ...] | None:
        """Return the names of a handler's inputs; None means all visible variables."""
        entry = self._entry(topic)
        return None if entry is None else entry.parameters

    def large(self, root_id: str, hashes: Sequence[str]) -> Mapping[str, bytes]:
        """Return the JSON of large values of a case by hash."""
        return blobs.read(self._connection, self._memory, root_id, hashes)

    def lane_of(self, topic: str) -> str | None:
        """Return the input of a handler whose value is the lane of its work; None if none is."""
        entry = self._entry(topic)
        return None if entry is None else entry.lane

    def inline(self, topic: str) -> _Inline | None:
        """Return how to call a handler inside the step; None if it is work for a worker."""
        entry = self._entry(topic)
        if entry is None or not entry.inline:
            return None
        return lambda inputs, headers: self._call(entry, inputs, headers)

    def _entry(self, topic: str) -> HandlerEntry | None:
        return None if self._registry is None else self._registry.get(topic)

    def _call(
        self, entry: HandlerEntry, inputs: dict[str, Any], headers: Mapping[str, str]
    ) -> dict[str, Any]:
        assert self._registry is not None
        context = HandlerContext(
            headers=headers, now=self._now, settings=self._registry.settings
        )  # fmt: skip
        try:
            return entry.call(inputs, context)
        except (BpmnError, ExecutionFault):
            raise
        except Exception as error:
            # foreign code inside the step: its fault stops the token, not the verb
            raise ExecutionFault(f"handler {entry.name!r}: {error}") from error
