"""From a diagram in the internal form to a Definition, on SpiffWorkflow's parser classes.

The stock parser follows flows recursively and stops at about 450 tasks; here every node of a scope
is built first and connected afterwards. The deploy gate (engine/diagrams) has checked the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
from SpiffWorkflow.bpmn.parser.ProcessParser import ProcessParser
from SpiffWorkflow.bpmn.parser.util import full_tag

from engine.kernel.activities import (
    ManualTask,
    ReceiveTask,
    ScriptTask,
    SendTask,
    ServiceTask,
    SubProcess,
    UserTask,
)
from engine.kernel.ad_hoc import AdHocSubProcess
from engine.kernel.calls import CallActivity
from engine.kernel.correlation import PropertyKey
from engine.kernel.decision import BusinessRuleTask
from engine.kernel.definition import Definition, Element, Flow, ScopeSpec, Starter
from engine.kernel.element_parsers import (
    ActivityParser,
    BoundaryParser,
    CallParser,
    CatchParser,
    EndParser,
    EventParser,
    GatewayParser,
    ParseFault,
    Place,
    ScriptOrJobParser,
    SubProcessParser,
    ThrowParser,
)
from engine.kernel.event_subprocess import EventSubProcess
from engine.kernel.events import (
    BoundaryEvent,
    CatchEvent,
    EndEvent,
    LinkThrow,
    StartEvent,
    ThrowEvent,
)
from engine.kernel.gateways import (
    ComplexGateway,
    EventGateway,
    ExclusiveGateway,
    InclusiveGateway,
    ParallelGateway,
    incoming_reach,
)
from engine.kernel.multiple import MultipleTrigger, PartEvent
from engine.kernel.node import Node
from engine.kernel.trigger_parsers import BPMN, INTERNAL, ZEEBE, Xml, extension_of, text_of
from engine.languages import Expression, Languages
from engine.model import Severity
from engine.sentences import problem_of


def parse(tree: Xml, process_id: str, *, languages: Languages, file: str = "") -> Definition:
    """Build the definition of one process of a file in the internal form.

    Raises ParseFault with the element if something cannot be built.
    """
    parser = FileParser(process_id, languages)
    parser.add_bpmn_xml(tree, file)
    process = parser.process_parsers.get(process_id)
    if process is None:
        raise ParseFault(
            [problem_of(file, (process_id, None), "no such process", "", Severity.ERROR, {})]
        )
    root = process.get_spec()
    node = process.node
    interface = extension_of(node, INTERNAL + "interface")
    tag = extension_of(node, ZEEBE + "versionTag")
    return Definition(
        process_id=process_id,
        name=node.get("name") or process_id,
        file=file,
        root=root,
        scopes=parser.scopes,
        topics=tuple(parser.topics),
        calls=tuple(parser.calls),
        elements=parser.elements,
        version_tag=tag.get("value") if tag is not None else None,
        inputs=_names(interface, "inputs"),
        outputs=_names(interface, "outputs"),
        stores=_names(extension_of(node, INTERNAL + "stores"), "names") or (),
    )


def _names(interface: Xml | None, which: str) -> tuple[str, ...] | None:
    if interface is None or interface.get(which) is None:
        return None
    return tuple(json.loads(interface.get(which)))


class FileParser(BpmnParser):
    """Parses one process of a tree and what is embedded in it."""

    def __init__(self, process_id: str, languages: Languages) -> None:
        super().__init__()
        self.process_id = process_id
        self.languages = languages
        self.scopes: dict[str, ScopeSpec] = {}
        self.elements: dict[str, Element] = {}
        self.topics: list[tuple[str, str]] = []
        self.calls: list[tuple[str, str | None]] = []
        self.message_keys: dict[str, Xml] = {}
        self.event_definitions: dict[str, Xml] = {}

    def _add_data_stores(self, bpmn: Xml) -> None:
        """Leave data stores to the gate: the stock reader refuses every one it has no class for."""

    def _add_correlations(self, bpmn: Xml) -> None:
        for message in bpmn.iter(BPMN + "message"):
            key = extension_of(message, ZEEBE + "subscription")
            if key is not None and key.get("correlationKey"):
                self.message_keys[message.get("id")] = key
        self._properties = {p.get("id"): p for p in bpmn.iter(BPMN + "correlationProperty")}
        self._keys = list(bpmn.iter(BPMN + "correlationKey"))
        shared = (n for n in bpmn if isinstance(n.tag, str) and n.tag.endswith("EventDefinition"))
        self.event_definitions = {str(n.get("id")): n for n in shared}

    def _add_processes(self, bpmn: Xml, filename: str | None = None) -> None:
        for process in bpmn.iter(BPMN + "process"):
            if process.get("id") == self.process_id:
                self.create_parser(process, filename)

    def event_definition(self, reference: str | None) -> Xml | None:
        """Return an event definition that stands beside the processes, for all to refer to."""
        return None if reference is None else self.event_definitions.get(reference)

    def property_key(self, message_id: str, process: Xml) -> PropertyKey | None:
        """Return the first correlation key whose properties the message carries, all of them."""
        for key in self._keys:
            wanted = [text_of(r) for r in key.iterchildren(BPMN + "correlationPropertyRef")]
            found = {ref: self._retrieval(ref, message_id) for ref in wanted}
            if wanted and all(e is not None for e in found.values()):
                in_message = {self._title(r): e for r, e in found.items() if e is not None}
                return PropertyKey(key.get("id"), in_message, self._bound(key.get("id"), process))
        return None

    def _title(self, reference: str) -> str:
        node = self._properties[reference]
        return str(node.get("name") or reference)

    def _retrieval(self, reference: str, message_id: str) -> Expression | None:
        for node in self._properties[reference].iterchildren():
            path = node.find(BPMN + "messagePath")
            if node.get("messageRef") == message_id and path is not None:
                return self.expression(path)
        return None

    def _bound(self, key_id: str, process: Xml) -> dict[str, Expression] | None:
        for subscription in process.iterchildren(BPMN + "correlationSubscription"):
            if subscription.get("correlationKeyRef") == key_id:
                bindings = subscription.iterchildren(BPMN + "correlationPropertyBinding")
                return {
                    self._title(b.get("correlationPropertyRef")): self.expression(
                        b.find(BPMN + "dataPath")
                    )
                    for b in bindings
                }
        return None

    def expression(self, node: Xml, text: str | None = None, attribute: str = "") -> Expression:
        """Compile the text of a node or attribute in the language it is marked with."""
        raw = text if text is not None else (node.get(attribute) if attribute else node.text) or ""
        language = node.get(INTERNAL + "language")
        stripped = raw.strip()
        if language is None:
            if stripped.startswith("="):
                return self.languages.expression(stripped[1:].strip(), "feel")
            return self.languages.expression(stripped, "literal")
        if language == "feel" and stripped.startswith("="):
            stripped = stripped[1:].strip()
        return self.languages.expression(stripped, language)

    def optional(self, node: Xml | None, attribute: str) -> Expression | None:
        """Compile an attribute if it is there and not empty."""
        if node is None or not (node.get(attribute) or "").strip():
            return None
        return self.expression(node, attribute=attribute)


class ScopeParser(ProcessParser):
    """Builds one scope: nodes, then boundary events, then flows, then what is derived."""

    def _parse(self) -> None:
        parser: FileParser = self.parser
        self.spec = ScopeSpec(self.bpmn_id, self.get_name(), self.filename or "")
        parser.scopes[self.bpmn_id] = self.spec
        #: boundary events with the ids of their hosts, and compensation ones by their own id
        self.attached: list[tuple[BoundaryEvent, str]] = []
        self.undos: dict[str, str] = {}
        for child in self.node:
            if isinstance(child.tag, str):
                found, spec_class = parser._get_parser_class(child.tag)
                if found is not None:
                    found(self, spec_class, child, self.nsmap, lane=self.lane).parse_node()
        self._attach_boundaries()
        self._connect()
        self._derive()

    def _attach_boundaries(self) -> None:
        for event, host_id in self.attached:
            host = self.spec.task_specs[host_id]
            event.host_node = host
            host.boundaries = (*host.boundaries, event)
        for association in self.node.iterchildren(BPMN + "association"):
            host_id = self.undos.get(association.get("sourceRef"), "")
            handler = self.spec.task_specs.get(association.get("targetRef"))
            if host_id and handler is not None:
                self.spec.task_specs[host_id].undo = handler
                self.spec.handlers.append(handler)

    def _connect(self) -> None:
        for flow in self.node.iterchildren(BPMN + "sequenceFlow"):
            source = self.spec.task_specs[flow.get("sourceRef")]
            target = self.spec.task_specs[flow.get("targetRef")]
            node = flow.find(BPMN + "conditionExpression")
            condition = None
            if node is not None and text_of(node) and flow.get("id") != source.default:
                with Place(self, flow):
                    condition = self.parser.expression(node)
            self._join(Flow(flow.get("id"), source, target, condition))
        for node in self.spec.nodes():
            if isinstance(node, LinkThrow):
                target = self.spec.links[node.link]
                self._join(Flow(f"{node.bpmn_id}->{target.bpmn_id}", node, target))

    def _join(self, flow: Flow) -> None:
        flow.source.connect(flow.target)
        flow.source.outgoing.append(flow)
        flow.target.incoming.append(flow)

    def _derive(self) -> None:
        spec = self.spec
        spec.bpmn_start_events = [n for n in spec.nodes() if isinstance(n, StartEvent)]
        spec.starters = tuple(_starters(spec))
        spec.entries = _entries(spec)
        joins = [n for n in spec.nodes() if isinstance(n, InclusiveGateway) and len(n.incoming) > 1]
        for join in joins:
            join.reach = incoming_reach(join, hosts=True)
            join.paths = incoming_reach(join, hosts=False)
        spec.joins = tuple(joins)


def _starters(spec: ScopeSpec) -> Iterator[Starter]:
    """Yield the ways in which an instance begins (13.2)."""
    for start in spec.bpmn_start_events:
        yield from _started_by(start)
    for node in spec.nodes():
        if isinstance(node, ReceiveTask) and node.instantiates:
            yield Starter(node.bpmn_id, node, node.trigger)
        elif isinstance(node, EventGateway) and node.instantiates:
            targets = [flow.target for flow in node.outgoing]
            for target in targets:
                others = tuple(t for t in targets if node.all_needed and t is not target)
                yield Starter(target.bpmn_id, target, target.trigger, beside=others)


def _started_by(start: StartEvent) -> Iterator[Starter]:
    trigger = start.trigger
    if isinstance(trigger, MultipleTrigger):
        for number, part in enumerate(trigger.triggers):
            name = f"{start.bpmn_id}/{number + 1}" if trigger.parallel else start.bpmn_id
            yield Starter(name, start, part, number if trigger.parallel else None)
    else:
        yield Starter(start.bpmn_id, start, trigger)


def _entries(spec: ScopeSpec) -> tuple[Node, ...]:
    """Return where a scope begins without an event: its none start event, or, without any start
    event, every node that no flow leads to (13.2 and 13.5.1)."""
    if spec.bpmn_start_events:
        return tuple(s for s in spec.bpmn_start_events if s.trigger is None)
    skipped = (BoundaryEvent, StartEvent, EventSubProcess, PartEvent)
    free = [n for n in spec.nodes() if not n.incoming and not isinstance(n, skipped)]
    free = [n for n in free if n not in spec.handlers and not getattr(n, "instantiates", False)]
    return tuple(n for n in free if not (isinstance(n, CatchEvent) and n in spec.links.values()))


FileParser.PROCESS_PARSER_CLASS = ScopeParser
FileParser.PARSER_CLASSES = {}
FileParser.OVERRIDE_PARSER_CLASSES = {
    full_tag("startEvent"): (EventParser, StartEvent),
    full_tag("endEvent"): (EndParser, EndEvent),
    full_tag("intermediateCatchEvent"): (CatchParser, CatchEvent),
    full_tag("intermediateThrowEvent"): (ThrowParser, ThrowEvent),
    full_tag("boundaryEvent"): (BoundaryParser, BoundaryEvent),
    full_tag("task"): (ActivityParser, ManualTask),
    full_tag("manualTask"): (ActivityParser, ManualTask),
    full_tag("userTask"): (ActivityParser, UserTask),
    full_tag("serviceTask"): (ActivityParser, ServiceTask),
    full_tag("businessRuleTask"): (ActivityParser, BusinessRuleTask),
    full_tag("sendTask"): (ActivityParser, SendTask),
    full_tag("receiveTask"): (ActivityParser, ReceiveTask),
    full_tag("scriptTask"): (ScriptOrJobParser, ScriptTask),
    full_tag("subProcess"): (SubProcessParser, SubProcess),
    full_tag("callActivity"): (CallParser, CallActivity),
    full_tag("exclusiveGateway"): (GatewayParser, ExclusiveGateway),
    full_tag("parallelGateway"): (GatewayParser, ParallelGateway),
    full_tag("inclusiveGateway"): (GatewayParser, InclusiveGateway),
    full_tag("transaction"): (SubProcessParser, SubProcess),
    full_tag("complexGateway"): (GatewayParser, ComplexGateway),
    full_tag("adHocSubProcess"): (SubProcessParser, AdHocSubProcess),
    full_tag("eventBasedGateway"): (GatewayParser, EventGateway),
}
