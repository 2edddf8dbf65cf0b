"""Builds one node of a diagram: what its element, its children and its extensions say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from lxml import etree
from SpiffWorkflow.bpmn.parser.TaskParser import TaskParser

from engine.errors import ExecutionFault
from engine.kernel.activities import (
    Activity,
    Assignment,
    Job,
    Mapped,
    MappedNode,
    ReceiveTask,
    ScriptTask,
    SendTask,
    ServiceTask,
    UserTask,
)
from engine.kernel.ad_hoc import AdHocSubProcess
from engine.kernel.calls import Called
from engine.kernel.decision import BusinessRuleTask, CalledDecision
from engine.kernel.definition import Element
from engine.kernel.event_subprocess import EventSubProcess
from engine.kernel.events import Event, LinkThrow, StartEvent, ThrowEvent
from engine.kernel.gateways import ComplexGateway, EventGateway
from engine.kernel.multiple import MultipleTrigger, each
from engine.kernel.node import Node
from engine.kernel.repetition import Announcement, MultiInstance, StandardLoop
from engine.kernel.trigger_parsers import (
    BPMN,
    INTERNAL,
    ZEEBE,
    EventDefinitions,
    Xml,
    extension_of,
    text_of,
)
from engine.kernel.triggers import CodeTrigger, CompensateTrigger
from engine.model import Problem, Severity
from engine.sentences import problem_of

if TYPE_CHECKING:
    from engine.kernel.parser import FileParser, ScopeParser
    from engine.languages import Expression


class ParseFault(ExecutionFault):
    """A diagram that the gate let through cannot be built. Report it with the file."""

    code = "parse_fault"

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{p.file}: {p.element}: {p.message}" for p in problems))


class Place:
    """Turns a fault inside into a ParseFault that names file, element and line."""

    def __init__(self, scope: ScopeParser, node: Xml) -> None:
        self._file = scope.filename or ""
        self._node = node

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ExecutionFault) and not isinstance(error, ParseFault):
            place = self._node.get("id"), self._node.sourceline
            problem = problem_of(self._file, place, str(error), "", Severity.ERROR, {})
            raise ParseFault([problem]) from error


class NodeParser(EventDefinitions, TaskParser):
    """Builds one node; subclasses fill in what their kind needs."""

    def __init__(
        self, scope: ScopeParser, spec_class: type[Node], node: Xml, nsmap: Any, lane: Any
    ):
        super().__init__(scope, spec_class, node, nsmap, lane)
        self.scope = scope
        self.parser: FileParser = scope.parser

    def parse_node(self) -> Node:
        with Place(self.scope, self.node):
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
        return extension_of(self.node, ZEEBE + name)

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
        return Job(
            topic,
            self.parser.optional(task, "retries"),
            pairs,
            self._said("lane", headers),
            self._said("priority", None),
        )

    def _said(self, name: str, headers: Xml | None) -> Expression | None:
        """Compile the zeebe:property of this name, else the task header if headers are given."""
        properties = self.extension("properties")
        for entry in () if properties is None else properties.iterchildren(ZEEBE + "property"):
            if entry.get("name") == name:
                return self.parser.optional(entry, "value")
        for entry in () if headers is None else headers.iterchildren(ZEEBE + "header"):
            if entry.get("key") == name:
                return self.parser.optional(entry, "value")
        return None


class GatewayParser(NodeParser):
    """Gateways need nothing beside their flows; the complex one has a condition."""

    def fill(self, made: Any) -> None:
        if isinstance(made, EventGateway):
            made.instantiates = self.node.get("instantiate") == "true"
            made.all_needed = self.node.get("eventGatewayType") == "Parallel"
        condition = self.node.find(BPMN + "activationCondition")
        if isinstance(made, ComplexGateway) and condition is not None:
            made.activation = self.parser.expression(condition)


class ActivityParser(NodeParser):
    """Mappings, job, repetition; and by kind the rest."""

    def fill(self, made: Any) -> None:
        self.mappings(made)
        if isinstance(made, ServiceTask):
            made.job = self.job()
        if isinstance(made, BusinessRuleTask):
            made.decision = self._decision()
        if isinstance(made, (SendTask, ReceiveTask)):
            trigger = self.message(self.node.get("messageRef"))
            if isinstance(made, SendTask):
                made.message = trigger
            else:
                made.trigger = trigger
                made.instantiates = self.node.get("instantiate") == "true"
        if isinstance(made, UserTask):
            made.assignment = self._assignment()
        made.start_quantity = int(self.node.get("startQuantity", "1"))
        made.completion_quantity = int(self.node.get("completionQuantity", "1"))
        self._repeat(made)
        self._loop(made)

    def _decision(self) -> CalledDecision | None:
        called = self.extension("calledDecision")
        if called is None:
            return None
        return CalledDecision(
            self.parser.expression(called, attribute="decisionId"),
            (called.get("resultVariable") or "").strip(),
            called.get("bindingType") or "latest",
            called.get("versionTag"),
        )

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

    def _loop(self, made: Activity) -> None:
        loop = self.node.find(BPMN + "standardLoopCharacteristics")
        if loop is None:
            return
        condition = loop.find(BPMN + "loopCondition")
        maximum = loop.get("loopMaximum")
        made.repetition = StandardLoop(
            made,
            self.parser.expression(condition) if condition is not None else None,
            loop.get("testBefore") == "true",
            int(maximum) if maximum else None,
        )

    def _repeat(self, made: Activity) -> None:
        loop = self.node.find(BPMN + "multiInstanceLoopCharacteristics")
        if loop is None:
            return
        repeat = MultiInstance(made, loop.get("isSequential") == "true")
        condition = loop.find(BPMN + "completionCondition")
        if condition is not None and text_of(condition):
            repeat.completion = self.parser.expression(condition)
        zeebe = extension_of(loop, ZEEBE + "loopCharacteristics")
        if zeebe is not None:
            self._zeebe_loop(repeat, zeebe)
        else:
            self._plain_loop(repeat, loop)
        repeat.behavior = loop.get("behavior", "All")
        repeat.throws = tuple(self._thrown(repeat.behavior, loop))
        made.repetition = repeat

    def _thrown(self, behavior: str, loop: Xml) -> Iterator[Announcement]:
        """Read what completing instances throw; without a definition, the default signal."""
        if behavior == "Complex":
            for part in loop.iterchildren(BPMN + "complexBehaviorDefinition"):
                condition = self.parser.expression(part.find(BPMN + "condition"))
                event = part.find(BPMN + "event")
                known = () if event is None else self.triggers_of(event)
                yield Announcement(condition, tuple(t for t in known if t is not None))
        elif behavior in ("None", "One"):
            definition = self.parser.event_definition(
                loop.get(f"{behavior.lower()}BehaviorEventRef")
            )
            trigger = None if definition is None else self.defined(definition)
            yield Announcement(None, () if trigger is None else (trigger,))

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
        if cardinality is not None and text_of(cardinality):
            repeat.cardinality = self.parser.expression(cardinality)
        source = text_of(loop.find(BPMN + "loopDataInputRef"))
        if source:
            repeat.collection = self.parser.languages.expression(source, "variable")
        item, result = loop.find(BPMN + "inputDataItem"), loop.find(BPMN + "outputDataItem")
        if item is not None:
            repeat.input_element = item.get("name") or item.get("id") or ""
        if result is not None:
            repeat.output_variable = result.get("name") or result.get("id") or ""
        repeat.output_collection = text_of(loop.find(BPMN + "loopDataOutputRef"))


def _leading_name(text: str) -> str:
    name = text.strip().split(".")[0].strip()
    return name if name.isidentifier() else ""


class ScriptParser(ActivityParser):
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


class SubProcessParser(ActivityParser):
    """Builds an embedded sub-process, or an event sub-process, with all that is inside."""

    def parse_node(self) -> Node:
        if self.node.get("triggeredByEvent") == "true":
            self.spec_class = EventSubProcess
        return super().parse_node()

    def fill(self, made: Any) -> None:
        super().fill(made)
        self.parser.create_parser(self.node, filename=self.filename, lane=self.lane)
        inner = self.parser.process_parsers[self.bpmn_id]
        inner.parent = self.scope
        made.inner = inner.get_spec()
        made.undone_inside = made.inner.undone_inside
        if isinstance(made, EventSubProcess):
            made.derive()
        if isinstance(made, AdHocSubProcess):
            self._ad_hoc(made)
        elif isinstance(made, EventSubProcess):
            self.spec.guards = (*self.spec.guards, made)
            if isinstance(made.trigger, CompensateTrigger):
                self.spec.undone_inside = made

    def _ad_hoc(self, made: AdHocSubProcess) -> None:
        made.inner.ad_hoc = made
        made.sequential = self.node.get("ordering", "Parallel").lower() == "sequential"
        made.cancels_rest = self.node.get("cancelRemainingInstances", "true") != "false"
        condition = self.node.find(BPMN + "completionCondition")
        if condition is not None and text_of(condition):
            made.completion = self.parser.expression(condition)
        chosen = self.extension("adHoc")
        if chosen is not None:
            made.active = self.parser.expression(chosen, attribute="activeElementsCollection")


class CallParser(ActivityParser):
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


#: zeebe:property of a catching event -> what it is told of an error or escalation
_TOLD = {"caught.code": "#code", "caught.message": "#message"}


class EventParser(NodeParser):
    """Mappings and the trigger."""

    def fill(self, made: Event) -> None:
        self.mappings(made)
        made.trigger = self.trigger()
        if isinstance(made, ThrowEvent):
            made.job = self.job()
        elif any(isinstance(t, CodeTrigger) and t.text for t in each(made.trigger)):
            raise ExecutionFault("what is caught has a plain code; only a throw computes it")
        elif isinstance(made.trigger, MultipleTrigger) and not self._of_event_sub_process():
            made.trigger.register(self.spec, made)
        if any(isinstance(t, CodeTrigger) for t in each(made.trigger)):
            made.told = self._told()
        if isinstance(made, StartEvent):
            made.interrupting = self.node.get("isInterrupting", "true") != "false"

    def _told(self) -> Mapping[str, str]:
        """Read which variables get the code and the message of what is caught."""
        properties = self.extension("properties")
        said = {} if properties is None else {
            entry.get("name"): entry.get("value") or "" for entry in properties
        }  # fmt: skip
        return {what: said[name] for name, what in _TOLD.items() if said.get(name)}

    def _of_event_sub_process(self) -> bool:
        """Tell whether the sub-process around a start event listens in its place."""
        return self.node.getparent().get("triggeredByEvent") == "true"


class BoundaryParser(EventParser):
    def fill(self, made: Any) -> None:
        super().fill(made)
        made.cancels = self.node.get("cancelActivity", "true") != "false"
        host = self.node.get("attachedToRef")
        if isinstance(made.trigger, CompensateTrigger):
            self.scope.undos[self.bpmn_id] = host
        else:
            self.scope.attached.append((made, host))


class CatchParser(EventParser):
    def fill(self, made: Any) -> None:
        super().fill(made)
        link = self.node.find(BPMN + "linkEventDefinition")
        if link is not None:
            self.spec.links[link.get("name")] = made


class ThrowParser(EventParser):
    def parse_node(self) -> Node:
        link = self.node.find(BPMN + "linkEventDefinition")
        if link is not None:
            self.spec_class = LinkThrow
        made = super().parse_node()
        if isinstance(made, LinkThrow):
            made.link = link.get("name")
        return made


class EndParser(EventParser):
    def fill(self, made: Any) -> None:
        super().fill(made)
        made.terminates = self.node.find(BPMN + "terminateEventDefinition") is not None


def _script_or_job(node: Xml) -> type[Node]:
    return ServiceTask if extension_of(node, ZEEBE + "taskDefinition") is not None else ScriptTask


class ScriptOrJobParser(ScriptParser):
    """A script task with a job type is done by a handler, as in Camunda 8."""

    def parse_node(self) -> Node:
        self.spec_class = _script_or_job(self.node)
        return super().parse_node()

    def fill(self, made: Any) -> None:
        if isinstance(made, ServiceTask):
            ActivityParser.fill(self, made)
        else:
            super().fill(made)
