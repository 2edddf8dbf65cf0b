"""The executable form of one process: SpiffWorkflow's specs, one scope each for process and
sub-process. Built once by `parser`, then shared by threads and never written to again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from SpiffWorkflow.bpmn.specs.bpmn_process_spec import BpmnProcessSpec
from SpiffWorkflow.specs.WorkflowSpec import WorkflowSpec

from engine.kernel.triggers import ConditionTrigger, Trigger, start_trigger
from engine.languages import Expression
from engine.model import StartTrigger, Value

if TYPE_CHECKING:
    from engine.kernel.ad_hoc import AdHocSubProcess
    from engine.kernel.events import StartEvent
    from engine.kernel.node import Node


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """A sequence flow (or the jump of a link pair)."""

    id: str
    source: Node
    target: Node
    condition: Expression | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Starter:
    """One way in which an instance begins: by an event, or where somebody names it."""

    #: id of the node; of one of several triggers that are all needed, with its number: `s/2`
    id: str
    node: Node
    trigger: Trigger | None
    #: which of the triggers it is, from 0; None where one is enough
    part: int | None = None
    #: what else waits from then on: the other events of a parallel event gateway
    beside: tuple[Node, ...] = ()


class ScopeSpec(BpmnProcessSpec):
    """The nodes of one process or embedded sub-process.

    The stock class adds internal nodes named Start, End and EndJoin, which collide with elements of
    these names and which a token engine has no use for; so only WorkflowSpec is initialised.
    """

    def __init__(self, name: str, title: str, file: str) -> None:
        WorkflowSpec.__init__(self, name=name, filename=file)
        self.description = title
        self.start = self.end = self.svg = None
        self.io_specification = None
        self.data_objects: dict[str, object] = {}
        self.data_stores: dict[str, object] = {}
        self.correlation_keys: dict[str, object] = {}
        self.bpmn_start_events: list[StartEvent] = []
        #: start events, instantiating receive tasks, and the events behind an instantiating
        #: event gateway
        self.starters: tuple[Starter, ...] = ()
        #: nodes that get a token when the scope begins without an event
        self.entries: tuple[Node, ...] = ()
        #: event sub-processes, armed while the scope lives
        self.guards: tuple[Node, ...] = ()
        #: the event sub-process that undoes all of the scope after its end
        self.undone_inside: Node | None = None
        #: activities that only undo others
        self.handlers: list[Node] = []
        #: the ad hoc sub-process this is the inside of
        self.ad_hoc: AdHocSubProcess | None = None
        #: catching link events by name
        self.links: dict[str, Node] = {}
        #: inclusive gateways of the scope that join
        self.joins: tuple[Node, ...] = ()

    def nodes(self) -> Iterator[Node]:
        """Yield every node of this scope."""
        yield from self.task_specs.values()


@dataclass(slots=True, eq=False)
class Element:
    """What lists and pages say about a flow node."""

    id: str
    #: BPMN tag, such as userTask
    type: str
    name: str
    lane: str | None


@dataclass(slots=True, eq=False)
class Definition:
    """One process, ready to run."""

    process_id: str
    name: str
    file: str
    #: scope of the process itself
    root: ScopeSpec
    #: all scopes by id of the process or sub-process
    scopes: dict[str, ScopeSpec] = field(default_factory=dict)
    #: (element id, name of the handler)
    topics: tuple[tuple[str, str], ...] = ()
    #: (element id, called process; None if it is an expression)
    calls: tuple[tuple[str, str | None], ...] = ()
    elements: dict[str, Element] = field(default_factory=dict)
    version_tag: str | None = None
    #: names a called process takes and gives back; None if it declares nothing
    inputs: tuple[str, ...] | None = None
    outputs: tuple[str, ...] | None = None
    #: variables that its data stores stand for
    stores: tuple[str, ...] = ()

    def triggers(self, now: datetime) -> tuple[StartTrigger, ...]:
        """Return how instances begin by themselves; timers count from `now`.

        Raises ExecutionFault if a timer text has no usable value.
        """
        found = [start_trigger(start.id, start.trigger, now) for start in self.root.starters]
        return tuple(trigger for trigger in found if trigger is not None)

    def starter(self, element_id: str) -> Starter | None:
        """Return how an instance begins at an element; None if it cannot begin there."""
        return next((s for s in self.root.starters if s.id == element_id), None)

    def conditions(self, variables: Mapping[str, Value], now: datetime) -> tuple[str, ...]:
        """Return the conditional start events whose condition is true of some variables."""
        return tuple(
            start.id
            for start in self.root.starters
            if isinstance(start.trigger, ConditionTrigger)
            and start.trigger.expression.evaluate(variables, now) is True
        )
