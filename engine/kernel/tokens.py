"""Token and Scope: SpiffWorkflow's Task and sub-workflow without tree, predictions and data copies,
and the World that a step may ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from SpiffWorkflow.bpmn.util.subworkflow import BpmnSubWorkflow
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine.kernel.scopes import Variables
from engine.model import Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.kernel.definition import Definition, ScopeSpec
    from engine.kernel.node import Node
    from engine.kernel.process import Process

WAITING, READY, STARTED = TaskState.WAITING, TaskState.READY, TaskState.STARTED
COMPLETED, CANCELLED = TaskState.COMPLETED, TaskState.CANCELLED


class Limits(Protocol):
    """How much one step may do."""

    #: element activations in one piece
    activations: int
    #: pieces without a wait state before an incident
    pieces: int
    #: larger values stand beside the snapshot; bytes of JSON, 0: none does
    large_value: int


class World(Protocol):
    """What a step may ask of its surroundings; nothing of it has side effects.

    `moment` is the present, which differs from that of the step only after a script took its time.
    """

    limits: Limits

    def definition(self, definition_id: str) -> Definition: ...
    def resolve(
        self, process_id: str, binding: str, caller_definition_id: str, version_tag: str | None
    ) -> str: ...
    def decide(
        self,
        decision_id: str,
        binding: str,
        caller_definition_id: str,
        version_tag: str | None,
        inputs: Mapping[str, Value],
    ) -> tuple[Value, list[dict[str, Any]]]: ...
    def new_id(self) -> str: ...
    def moment(self) -> datetime: ...
    def stores(self, names: Sequence[str]) -> Mapping[str, Value]: ...
    def inputs_of(self, topic: str) -> tuple[str, ...] | None: ...
    def large(self, root_id: str, hashes: Sequence[str]) -> Mapping[str, bytes]: ...
    def lane_of(self, topic: str) -> str | None: ...
    def inline(
        self, topic: str
    ) -> Callable[[dict[str, Value], Mapping[str, str]], dict[str, Value]] | None: ...


class Token(Task):
    """One activation of a node.

    The stock constructor draws a UUID and a place in the task tree; neither is wanted, so the
    fields of the base class are set here. What kind it is: a plain token flows; one that `listens`
    is armed (a boundary event or a branch of an event gateway, which have a host, or an event
    sub-process); one with a `body` is one instance of a repeated activity.
    """

    task_spec: Node
    workflow: Scope

    def __init__(self, scope: Scope, node: Node, number: int, state: int) -> None:
        self.id = number
        self.workflow = scope
        self.task_spec = node
        self._state = state
        self._parent = None
        self._children = ()
        self.triggered = False
        self.thread_id = 0
        self.data = _NO_DATA
        self.internal_data = _NO_DATA
        self.last_state_change = 0
        #: scope in which its expressions are evaluated
        self.vars = scope.vars
        self.host: Token | None = None
        #: an armed event: it does not flow, and its scope may end while it listens
        self.listens = False
        self.body: Token | None = None
        #: flow it came by
        self.via: str | None = None
        #: its boundary events or event branches that listen
        self.arms: list[Token] = []
        #: which row stands for its wait: work | task | subscription
        self.waits: str | None = None
        #: where an incident stopped it: run | finish | leave
        self.stopped: str | None = None
        #: what the node must remember over a snapshot
        self.memo: dict[str, Value] | None = None
        #: its node was activated; what was only ready never happened
        self.begun = False
        #: the scope it owns (sub-process, called process)
        self.inner: Scope | None = None

    def _set_state(self, value: int) -> None:
        # Task.run says STARTED after the work; by then the token may be over already
        if value != STARTED or self._state < COMPLETED:
            self._state = value

    def complete(self) -> None:
        """Complete, unless something that happened while it ran has ended it."""
        if self._state < COMPLETED:
            super().complete()

    @property
    def root_body(self) -> Token:
        """Return the token that carries the boundary events: the multi-instance body or itself."""
        body = self.body
        return body if body is not None and body.task_spec is self.task_spec else self


_NO_DATA: dict[str, Any] = {}


class Scope(BpmnSubWorkflow):
    """A running process or sub-process: its tokens, what waits at its joins, its variables."""

    #: variables of the process or sub-process
    vars: Variables
    #: scopes around it
    depth: int

    def __init__(
        self,
        process: Process,
        spec: ScopeSpec,
        owner: Token | None,
        variables: Variables,
        instance_id: str,
        definition_id: str,
    ) -> None:
        # as with tokens, of the stock constructor only what is used
        self.process = self.top_workflow = process
        self.owner = owner
        self.parent_task_id = owner.id if owner is not None else 0
        self.spec = spec
        #: its tokens by number, but for those that are parked
        self.known: dict[int, Token] = {}
        self.last_task = None
        self.completed = False
        self.depth = 0 if owner is None else owner.workflow.depth + 1
        self.vars = variables
        self.instance_id = instance_id
        self.definition_id = definition_id
        #: tokens that flow (armed events and multi-instance children do not count)
        self.live = 0
        #: node -> flow -> tokens that wait there
        self.arrivals: dict[str, dict[str, int]] = {}
        #: event sub-processes that listen
        self.arms: list[Token] = []
        #: called processes around it, itself included
        self.calls: int = 0
        if owner is not None:
            self.calls = owner.workflow.calls + self.is_instance
        #: what the scope must remember over a snapshot
        self.memo: dict[str, Value] | None = None

    @property
    def tasks(self) -> dict[int, Token]:
        """Its tokens by number."""
        if self.process.parked is not None:
            self.process.parked.take_all()
        return self.known

    def remember(self, **parts: Value) -> None:
        """Keep something over a snapshot, beside what else is kept."""
        self.memo = {**(self.memo or {}), **parts}

    def recall(self, part: str) -> Value:
        """Return what is kept under a name; None if nothing is."""
        return None if self.memo is None else self.memo.get(part)

    @property
    def parent_workflow(self) -> Scope | None:
        return self.owner.workflow if self.owner is not None else None

    @property
    def is_instance(self) -> bool:
        """True for the root and for called processes, False for embedded sub-processes."""
        return self.owner is None or self.owner.workflow.instance_id != self.instance_id
