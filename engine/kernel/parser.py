"""From a diagram in the internal form to a Definition, on SpiffWorkflow's parser classes.

The stock parser follows flows recursively and stops at about 450 tasks; here every node of a scope
is built first and connected afterwards. The deploy gate (engine/diagrams) has checked the file.
"""

from __future__ import annotations

import json
from typing import Any

from lxml import etree
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
from SpiffWorkflow.bpmn.parser.node_parser import DEFAULT_NSMAP
from SpiffWorkflow.bpmn.parser.ProcessParser import ProcessParser
from SpiffWorkflow.bpmn.parser.TaskParser import TaskParser
from SpiffWorkflow.bpmn.parser.util import full_tag

from engine.errors import ExecutionFault
from engine.kernel.activities import (
    Activity,
    Assignment,
    CallActivity,
    Called,
    Job,
    ManualTask,
    Mapped,
    MappedNode,
    ReceiveTask,
    ScriptTask,
    SendTask,
    ServiceTask,
    SubProcess,
    UserTask,
)
from engine.kernel.correlation import PropertyKey
from engine.kernel.definition import Definition, Element, Flow, ScopeSpec
from engine.kernel.events import (
    BoundaryEvent,
    CatchEvent,
    CodeTrigger,
    EndEvent,
    Event,
    LinkThrow,
    MessageTrigger,
    SignalTrigger,
    StartEvent,
    ThrowEvent,
    TimerTrigger,
    Trigger,
)
from engine.kernel.gateways import (
    EventGateway,
    ExclusiveGateway,
    InclusiveGateway,
    ParallelGateway,
    incoming_reach,
)
from engine.kernel.node import Node
from engine.kernel.repetition import MultiInstance
from engine.languages import Expression, Languages
from engine.model import Problem

BPMN = "{" + DEFAULT_NSMAP["bpmn"] + "}"
ZEEBE = "{http://camunda.org/schema/zeebe/1.0}"
#: marks that only the internal form carries
INTERNAL = "{https://caseway.dev/internal}"

Xml = Any  # lxml has no usable types for elements


class ParseFault(ExecutionFault):
    """A diagram that the gate let through cannot be built. Report it with the file."""

    code = "parse_fault"

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{p.file}: {p.element}: {p.message}" for p in problems))


def parse(tree: Xml, process_id: str, *, languages: Languages, file: str = "") -> Definition:
    """Build the definition of one process of a file in the internal form.

    Raises ParseFault with the element if something cannot be built.
    """
    parser = _Parser(process_id, languages)
    parser.add_bpmn_xml(tree, file)
    process = parser.process_parsers.get(process_id)
    if process is None:
        raise ParseFault(
            [Problem(file=file, element=process_id, line=None, message="no such process")]
        )
    root = process.get_spec()
    node = process.node
    interface = _extension(node, INTERNAL + "interface")
    tag = _extension(node, ZEEBE + "versionTag")
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
    )


def _names(interface: Xml | None, which: str) -> tuple[str, ...] | None:
    if interface is None or interface.get(which) is None:
        return None
    return tuple(json.loads(interface.get(which)))


def _extension(node: Xml, tag: str) -> Xml | None:
    return node.find(f"{BPMN}extensionElements/{tag}")


def _text(node: Xml | None) -> str:
    return (node.text or "").strip() if node is not None else ""


class _Parser(BpmnParser):
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

    def _add_data_stores(self, bpmn: Xml) -> None:
        """Leave data stores to the gate: the stock reader refuses every one it has no class for."""

    def _add_correlations(self, bpmn: Xml) -> None:
        for message in bpmn.iter(BPMN + "message"):
            key = _extension(message, ZEEBE + "subscription")
            if key is not None and key.get("correlationKey"):
                self.message_keys[message.get("id")] = key
        self._properties = {p.get("id"): p for p in bpmn.iter(BPMN + "correlationProperty")}
        self._keys = list(bpmn.iter(BPMN + "correlationKey"))

    def _add_processes(self, bpmn: Xml, filename: str | None = None) -> None:
        for process in bpmn.iter(BPMN + "process"):
            if process.get("id") == self.process_id:
                self.create_parser(process, filename)

    def property_key(self, message_id: str, process: Xml) -> PropertyKey | None:
        """Return the first correlation key whose properties the message carries, all of them."""
        for key in self._keys:
            wanted = [_text(r) for r in key.iterchildren(BPMN + "correlationPropertyRef")]
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


class _ScopeParser(ProcessParser):
    """Builds one scope: nodes, then boundary events, then flows, then what is derived."""

    def _parse(self) -> None:
        parser: _Parser = self.parser
        self.spec = ScopeSpec(self.bpmn_id, self.get_name(), self.filename or "")
        parser.scopes[self.bpmn_id] = self.spec
        self._attached: list[tuple[BoundaryEvent, str]] = []
        for child in self.node:
            if isinstance(child.tag, str):
                found, spec_class = parser._get_parser_class(child.tag)
                if found is not None:
                    found(self, spec_class, child, self.nsmap, lane=self.lane).parse_node()
        self._attach_boundaries()
        self._connect()
        self._derive()

    def _attach_boundaries(self) -> None:
        for event, host_id in self._attached:
            host = self.spec.task_specs[host_id]
            event.host_node = host
            host.boundaries = (*host.boundaries, event)

    def _connect(self) -> None:
        for flow in self.node.iterchildren(BPMN + "sequenceFlow"):
            source = self.spec.task_specs[flow.get("sourceRef")]
            target = self.spec.task_specs[flow.get("targetRef")]
            node = flow.find(BPMN + "conditionExpression")
            condition = None
            if node is not None and _text(node) and flow.get("id") != source.default:
                with _Place(self, flow):
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
        spec.entries = _entries(spec)
        joins = [n for n in spec.nodes() if isinstance(n, InclusiveGateway) and len(n.incoming) > 1]
        for join in joins:
            join.reach = incoming_reach(join)
        spec.joins = tuple(joins)


def _entries(spec: ScopeSpec) -> tuple[Node, ...]:
    """Return where a scope begins without an event: its none start event, or, without any start
    event, every node that no flow leads to (13.2 and 13.5.1)."""
    if spec.bpmn_start_events:
        return tuple(s for s in spec.bpmn_start_events if s.trigger is None)
    skipped = (BoundaryEvent, StartEvent)
    free = [n for n in spec.nodes() if not n.incoming and not isinstance(n, skipped)]
    return tuple(n for n in free if not (isinstance(n, CatchEvent) and n in spec.links.values()))


class _Place:
    """Turns a fault inside into a ParseFault that names file, element and line."""

    def __init__(self, scope: _ScopeParser, node: Xml) -> None:
        self._file = scope.filename or ""
        self._node = node

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ExecutionFault) and not isinstance(error, ParseFault):
            problem = Problem(
                file=self._file,
                element=self._node.get("id"),
                line=self._node.sourceline,
                message=str(error),
            )
            raise ParseFault([problem]) from error


class _NodeParser(TaskParser):
    """Builds one node; subclasses fill in what their kind needs."""

    def __init__(
        self, scope: _ScopeParser, spec_class: type[Node], node: Xml, nsmap: Any, lane: Any
    ):
        super().__init__(scope, spec_class, node, nsmap, lane)
        self.scope = scope
        self.parser: _Parser = scope.parser

    def parse_node(self) -> Node:
        with _Place(self.scope, self.node):
            made: Node = self.spec_class(
                self.spec, self.bpmn_id, name=self.node.get("name") or "", lane=self.lane
            )
            made.type = etree.QName(self.node).localname
            made.default = self.node.get("default")
            self.fill(made)
        self.parser.elements[self.bpmn_id] = Element(
            self.bpmn_id, made.type, self.node.get("name") or "", self.lane
        )
        return made

    def fill(self, made: Any) -> None:
        """Read what this kind of node needs."""

    def extension(self, name: str) -> Xml | None:
        """Find a zeebe extension element."""
        return _extension(self.node, ZEEBE + name)

    def mappings(self, made: MappedNode) -> None:
        """Read zeebe:ioMapping."""
        mapping = self.extension("ioMapping")
        if mapping is not None:
            made.inputs = self._mapped(mapping, "input")
            made.outputs = self._mapped(mapping, "output")

    def _mapped(self, mapping: Xml, which: str) -> tuple[Mapped, ...]:
        return tuple(
            Mapped(
                m.get("target").strip().removeprefix("=").strip(),
                self.parser.expression(m, attribute="source"),
            )
            for m in mapping.iterchildren(ZEEBE + which)
        )

    def job(self) -> Job | None:
        """Read zeebe:taskDefinition and zeebe:taskHeaders."""
        task = self.extension("taskDefinition")
        if task is None:
            return None
        topic = self.parser.expression(task, attribute="type")
        if not task.get("type", "").strip().startswith("="):
            self.parser.topics.append((self.bpmn_id, task.get("type").strip()))
        headers = self.extension("taskHeaders")
        pairs = {} if headers is None else {h.get("key"): h.get("value") or "" for h in headers}
        return Job(topic, self.parser.optional(task, "retries"), pairs)

    def message(self, reference: str | None) -> MessageTrigger | None:
        """Return the trigger for a message of the file."""
        if reference is None or reference not in self.parser.messages:
            return None
        name = self.parser.messages[reference] or reference
        key = self.parser.message_keys.get(reference)
        process = next(p for p in self.node.iterancestors(BPMN + "process"))
        return MessageTrigger(
            self._name(name),
            None if key is None else self.parser.optional(key, "correlationKey"),
            self.parser.property_key(reference, process),
        )

    def _name(self, name: str) -> Expression:
        if name.startswith("="):
            return self.parser.languages.expression(name[1:].strip(), "feel")
        return self.parser.languages.expression(name, "literal")


class _GatewayParser(_NodeParser):
    """Gateways need nothing beside their flows."""


class _ActivityParser(_NodeParser):
    """Mappings, job, repetition; and by kind the rest."""

    def fill(self, made: Any) -> None:
        self.mappings(made)
        if isinstance(made, ServiceTask):
            made.job = self.job()
        if isinstance(made, (SendTask, ReceiveTask)):
            trigger = self.message(self.node.get("messageRef"))
            if isinstance(made, SendTask):
                made.message = trigger
            else:
                made.trigger = trigger
        if isinstance(made, UserTask):
            made.assignment = self._assignment()
        self._repeat(made)

    def _assignment(self) -> Assignment:
        who, when = self.extension("assignmentDefinition"), self.extension("taskSchedule")
        form, urgency = self.extension("formDefinition"), self.extension("priorityDefinition")
        optional = self.parser.optional
        key = None
        for attribute in ("formId", "formKey", "externalReference"):
            key = key or optional(form, attribute)
        return Assignment(
            optional(who, "assignee"),
            optional(who, "candidateGroups"),
            optional(who, "candidateUsers"),
            optional(when, "dueDate"),
            optional(when, "followUpDate"),
            optional(urgency, "priority"),
            key,
        )

    def _repeat(self, made: Activity) -> None:
        loop = self.node.find(BPMN + "multiInstanceLoopCharacteristics")
        if loop is None:
            return
        repeat = MultiInstance(made, loop.get("isSequential") == "true")
        condition = loop.find(BPMN + "completionCondition")
        if condition is not None and _text(condition):
            repeat.completion = self.parser.expression(condition)
        zeebe = _extension(loop, ZEEBE + "loopCharacteristics")
        if zeebe is not None:
            self._zeebe_loop(repeat, zeebe)
        else:
            self._plain_loop(repeat, loop)
        made.repetition = repeat

    def _zeebe_loop(self, repeat: MultiInstance, zeebe: Xml) -> None:
        repeat.collection = self.parser.optional(zeebe, "inputCollection")
        repeat.input_element = (zeebe.get("inputElement") or "").strip()
        repeat.output_collection = (zeebe.get("outputCollection") or "").strip()
        repeat.output_element = self.parser.optional(zeebe, "outputElement")
        if repeat.output_element is not None:
            # as in Camunda 8: a result that is a variable belongs to the instance
            repeat.output_variable = _leading_name(repeat.output_element.text)

    def _plain_loop(self, repeat: MultiInstance, loop: Xml) -> None:
        cardinality = loop.find(BPMN + "loopCardinality")
        if cardinality is not None and _text(cardinality):
            repeat.cardinality = self.parser.expression(cardinality)
        source = _text(loop.find(BPMN + "loopDataInputRef"))
        if source:
            repeat.collection = self.parser.languages.expression(source, "variable")
        item, result = loop.find(BPMN + "inputDataItem"), loop.find(BPMN + "outputDataItem")
        if item is not None:
            repeat.input_element = item.get("name") or item.get("id") or ""
        if result is not None:
            repeat.output_variable = result.get("name") or result.get("id") or ""
        repeat.output_collection = _text(loop.find(BPMN + "loopDataOutputRef"))


def _leading_name(text: str) -> str:
    name = text.strip().split(".")[0].strip()
    return name if name.isidentifier() else ""


class _ScriptParser(_ActivityParser):
    def fill(self, made: Any) -> None:
        super().fill(made)
        zeebe, script = self.extension("script"), self.node.find(BPMN + "script")
        if zeebe is not None:
            made.expression = self.parser.expression(zeebe, attribute="expression")
            made.result_variable = (zeebe.get("resultVariable") or "").strip()
        elif script is not None and (script.text or "").strip():
            language = script.get(INTERNAL + "language")
            made.script = self.parser.languages.script(script.text, language)
        elif self.extension("taskDefinition") is not None:
            raise ExecutionFault("a script task with a job type is built as a service task")


class _SubProcessParser(_ActivityParser):
    def fill(self, made: Any) -> None:
        super().fill(made)
        self.parser.create_parser(self.node, filename=self.filename, lane=self.lane)
        inner = self.parser.process_parsers[self.bpmn_id]
        inner.parent = self.scope
        made.inner = inner.get_spec()


class _CallParser(_ActivityParser):
    def fill(self, made: Any) -> None:
        super().fill(made)
        zeebe = self.extension("calledElement")
        if zeebe is None:
            target = self.parser.languages.expression(
                self.node.get("calledElement") or "", "literal"
            )
            made.called = Called(target)
        else:
            made.called = Called(
                self.parser.expression(zeebe, attribute="processId"),
                zeebe.get("bindingType") or "latest",
                zeebe.get("versionTag"),
                True,
                zeebe.get("propagateAllParentVariables", "true") == "true",
                zeebe.get("propagateAllChildVariables", "true") == "true",
            )
        text = made.called.process_id.text
        is_literal = zeebe is None or not zeebe.get("processId", "").strip().startswith("=")
        self.parser.calls.append((self.bpmn_id, text if is_literal else None))


class _EventParser(_NodeParser):
    """Mappings and the trigger."""

    def fill(self, made: Event) -> None:
        self.mappings(made)
        made.trigger = self.trigger()
        if isinstance(made, ThrowEvent):
            made.job = self.job()

    def trigger(self) -> Trigger | None:
        """Read the event definition; the gate allows one of a kind the kernel knows."""
        for child in self.node:
            name = etree.QName(child).localname if isinstance(child.tag, str) else ""
            if name.endswith("EventDefinition"):
                return self._trigger(name.removesuffix("EventDefinition"), child)
        return None

    def _trigger(self, kind: str, child: Xml) -> Trigger | None:
        if kind == "timer":
            return self._timer(child)
        if kind == "message":
            return self.message(child.get("messageRef"))
        if kind == "signal":
            name = self.parser.signals.get(child.get("signalRef")) or child.get("signalRef") or ""
            return SignalTrigger(self._name(name))
        if kind == "error":
            found = self.parser.errors.get(child.get("errorRef"))
            return CodeTrigger(kind, _code(found, "error_code", child.get("errorRef")))
        if kind == "escalation":
            found = self.parser.escalations.get(child.get("escalationRef"))
            return CodeTrigger(kind, _code(found, "escalation_code", child.get("escalationRef")))
        return None

    def _timer(self, child: Xml) -> Trigger:
        for form in ("Date", "Duration", "Cycle"):
            node = child.find(f"{BPMN}time{form}")
            if node is not None:
                return TimerTrigger(form.lower(), self.parser.expression(node))
        raise ExecutionFault("the timer has no date, duration or cycle")


def _code(found: dict[str, Any] | None, key: str, reference: str | None) -> str | None:
    """Return the code of an error or escalation; its name or id where it declares none."""
    if found is None:
        return None
    return found[key] or found["name"] or reference


class _BoundaryParser(_EventParser):
    def fill(self, made: Any) -> None:
        super().fill(made)
        made.cancels = self.node.get("cancelActivity", "true") != "false"
        self.scope._attached.append((made, self.node.get("attachedToRef")))


class _CatchParser(_EventParser):
    def fill(self, made: Any) -> None:
        super().fill(made)
        link = self.node.find(BPMN + "linkEventDefinition")
        if link is not None:
            self.spec.links[link.get("name")] = made


class _ThrowParser(_EventParser):
    def parse_node(self) -> Node:
        link = self.node.find(BPMN + "linkEventDefinition")
        if link is not None:
            self.spec_class = LinkThrow
        made = super().parse_node()
        if isinstance(made, LinkThrow):
            made.link = link.get("name")
        return made


class _EndParser(_EventParser):
    def fill(self, made: Any) -> None:
        super().fill(made)
        made.terminates = self.node.find(BPMN + "terminateEventDefinition") is not None


def _script_or_job(node: Xml) -> type[Node]:
    return ServiceTask if _extension(node, ZEEBE + "taskDefinition") is not None else ScriptTask


class _ScriptOrJobParser(_ScriptParser):
    """A script task with a job type is done by a handler, as in Camunda 8."""

    def parse_node(self) -> Node:
        self.spec_class = _script_or_job(self.node)
        return super().parse_node()

    def fill(self, made: Any) -> None:
        if isinstance(made, ServiceTask):
            _ActivityParser.fill(self, made)
        else:
            super().fill(made)


_Parser.PROCESS_PARSER_CLASS = _ScopeParser
_Parser.PARSER_CLASSES = {}
_Parser.OVERRIDE_PARSER_CLASSES = {
    full_tag("startEvent"): (_EventParser, StartEvent),
    full_tag("endEvent"): (_EndParser, EndEvent),
    full_tag("intermediateCatchEvent"): (_CatchParser, CatchEvent),
    full_tag("intermediateThrowEvent"): (_ThrowParser, ThrowEvent),
    full_tag("boundaryEvent"): (_BoundaryParser, BoundaryEvent),
    full_tag("task"): (_ActivityParser, ManualTask),
    full_tag("manualTask"): (_ActivityParser, ManualTask),
    full_tag("userTask"): (_ActivityParser, UserTask),
    full_tag("serviceTask"): (_ActivityParser, ServiceTask),
    full_tag("businessRuleTask"): (_ActivityParser, ServiceTask),
    full_tag("sendTask"): (_ActivityParser, SendTask),
    full_tag("receiveTask"): (_ActivityParser, ReceiveTask),
    full_tag("scriptTask"): (_ScriptOrJobParser, ScriptTask),
    full_tag("subProcess"): (_SubProcessParser, SubProcess),
    full_tag("callActivity"): (_CallParser, CallActivity),
    full_tag("exclusiveGateway"): (_GatewayParser, ExclusiveGateway),
    full_tag("parallelGateway"): (_GatewayParser, ParallelGateway),
    full_tag("inclusiveGateway"): (_GatewayParser, InclusiveGateway),
    full_tag("eventBasedGateway"): (_GatewayParser, EventGateway),
}
