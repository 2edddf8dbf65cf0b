"""What the kernel executes: one table, and how a drawing is taken apart into its entries.

An entry is switched on by setting its advice to YES; nothing else knows what is executed.
"""

from __future__ import annotations

from collections.abc import Iterator

from lxml.etree import _Element as Element

from engine.diagrams.checks_activities import zeebe_of
from engine.diagrams.diagram import (
    Diagram,
    child,
    children,
    is_compensation,
    is_event_sub_process,
    truth,
)
from engine.diagrams.imports.plain import is_said_twice
from engine.diagrams.names import is_bpmn, local, spoken, text_of
from engine.diagrams.report import Report
from engine.diagrams.schema import is_a
from engine.sentences import phrase

#: the kernel executes it
YES = ""

_LATER = "a later version will execute it; until then draw it without"
_EVENT_SUB = "use a boundary event on a sub-process around these activities"
_UNDO = "draw the undoing as a path of its own, behind an error or a gateway"

#: feature -> YES, or what to draw instead
SUPPORTED: dict[str, str] = {
    # ---- activities
    "task": YES,
    "userTask": YES,
    "manualTask": YES,
    "serviceTask": YES,
    "scriptTask": YES,
    "sendTask": YES,
    "receiveTask": YES,
    "businessRuleTask": YES,
    "businessRuleTask with a decision": YES,
    "receiveTask that starts the process": YES,
    "callActivity": YES,
    "subProcess": YES,
    "transaction": YES,
    "adHocSubProcess": YES,
    "event sub-process": YES,
    "compensation activity": YES,
    "multi-instance": YES,
    "multi-instance behavior": YES,
    "multi-instance behavior with another event": "throw a signal, message, escalation or error",
    "standard loop": YES,
    "quantities": YES,
    "global task": YES,
    # ---- gateways
    "exclusiveGateway": YES,
    "parallelGateway": YES,
    "inclusiveGateway": YES,
    "eventBasedGateway": YES,
    "eventBasedGateway that starts the process": YES,
    "parallel eventBasedGateway that starts the process": YES,
    "complexGateway": YES,
    # ---- events: position and trigger
    "start": YES,
    "start message": YES,
    "start signal": YES,
    "start timer": YES,
    "start conditional": YES,
    "event start message": YES,
    "event start signal": YES,
    "event start timer": YES,
    "event start error": YES,
    "event start escalation": YES,
    "event start conditional": YES,
    "event start compensate": YES,
    "catch message": YES,
    "catch signal": YES,
    "catch timer": YES,
    "catch link": YES,
    "catch conditional": YES,
    "throw": YES,
    "throw message": YES,
    "throw signal": YES,
    "throw escalation": YES,
    "throw link": YES,
    "throw compensate": YES,
    "end": YES,
    "end message": YES,
    "end signal": YES,
    "end error": YES,
    "end escalation": YES,
    "end terminate": YES,
    "end cancel": YES,
    "end compensate": YES,
    "boundary message": YES,
    "boundary signal": YES,
    "boundary timer": YES,
    "boundary error": YES,
    "boundary escalation": YES,
    "boundary conditional": YES,
    "boundary cancel": YES,
    "boundary compensate": YES,
    "several triggers of one event": YES,
    "several triggers, all needed to start a process": YES,
    "compensation, cancel or link beside other triggers": "draw one event for each trigger",
    # ---- scopes
    "process without a start event": YES,
    "sub-process without a start event": YES,
    "several plain start events": YES,
    "several plain start events of a sub-process": "draw one, and a gateway behind it",
    # ---- data
    "dataStoreReference": YES,
    # ---- choreography
    "choreographyTask": "choreographies are not executed; draw the processes of both sides",
    "callChoreography": "choreographies are not executed; draw the processes of both sides",
    "subChoreography": "choreographies are not executed; draw the processes of both sides",
}

_POSITIONS = {
    "startEvent": "start",
    "intermediateCatchEvent": "catch",
    "intermediateThrowEvent": "throw",
    "endEvent": "end",
    "boundaryEvent": "boundary",
}


#: what the instances of a repeated activity can throw
_ANNOUNCED = {"signal", "message", "escalation", "error"}
#: triggers that stand alone in their event
_ALONE = {"compensate", "cancel", "link"}


def check_support(diagram: Diagram, report: Report) -> None:
    """Report every element that is correct, but not executed."""
    for element in diagram.elements:
        if not is_a(element, "flowNode", "globalTask", "dataStoreReference"):
            continue
        for feature in features(diagram, element):
            _judge(element, feature, report)
    for scope in diagram.scopes:
        if is_bpmn(scope, "adHocSubProcess") or is_a(scope, "choreography", "subChoreography"):
            continue
        for feature in _scope_features(diagram, scope):
            _judge(scope, feature, report)


def _judge(element: Element, feature: str, report: Report) -> None:
    if feature not in SUPPORTED and is_bpmn(element, *_POSITIONS):
        return  # BPMN knows no such event either, which is an error of `check_events`
    advice = SUPPORTED.get(feature, _LATER)
    if advice == YES:
        return
    report.unsupported(
        element,
        "{element} cannot be executed here yet ({feature})",
        phrase(advice),
        element=element,
        feature=phrase(feature_words(feature)),
    )


def feature_words(feature: str) -> str:
    """Return an entry of SUPPORTED in words."""
    return " ".join(spoken(word) if word[:1].islower() else word for word in feature.split())


def features(diagram: Diagram, element: Element) -> Iterator[str]:
    """Yield the entries of SUPPORTED that an element needs."""
    if is_a(element, "globalTask"):
        yield "global task"
    elif is_a(element, "anyEvent"):
        yield from _event_features(diagram, element)
    elif is_event_sub_process(element):
        yield "event sub-process"
    elif is_bpmn(element, "eventBasedGateway", "receiveTask") and truth(
        element, "instantiate", default=False
    ):
        parallel = element.get("eventGatewayType") == "Parallel"
        kind = f"parallel {local(element)}" if parallel else local(element)
        yield f"{kind} that starts the process"
    elif is_bpmn(element, "businessRuleTask") and zeebe_of(element, "calledDecision") is not None:
        yield "businessRuleTask with a decision"
    else:
        yield local(element)
    if is_a(element, "activity"):
        yield from _activity_features(diagram, element)


def _event_features(diagram: Diagram, event: Element) -> Iterator[str]:
    position = _POSITIONS.get(local(event), local(event))
    if position == "start" and is_event_sub_process(diagram.scope_of(event)):
        position = "event start"
    triggers = diagram.definition_kinds(event)
    if len(triggers) > 1:
        yield "several triggers of one event"
        if position == "start" and truth(event, "parallelMultiple", default=False):
            yield "several triggers, all needed to start a process"
        if _ALONE & set(triggers):
            yield "compensation, cancel or link beside other triggers"
    for trigger in triggers or [""]:
        yield f"{position} {trigger}".strip()


def _activity_features(diagram: Diagram, activity: Element) -> Iterator[str]:
    if is_compensation(activity):
        yield "compensation activity"
    if child(activity, "standardLoopCharacteristics") is not None:
        yield "standard loop"
    for loop in children(activity, "multiInstanceLoopCharacteristics"):
        yield "multi-instance"
        if (loop.get("behavior") or "All") != "All":
            yield "multi-instance behavior"
            if not set(_behavior_kinds(diagram, loop)) <= _ANNOUNCED:
                yield "multi-instance behavior with another event"
    for name in ("startQuantity", "completionQuantity"):
        if (activity.get(name) or "1").strip() != "1":
            yield "quantities"


def _behavior_kinds(diagram: Diagram, loop: Element) -> Iterator[str]:
    """Yield the kinds of events that completing instances throw, such as signal."""
    for name in ("noneBehaviorEventRef", "oneBehaviorEventRef"):
        shared = diagram.find(loop.get(name), "eventDefinition") if loop.get(name) else None
        if shared is not None:
            yield local(shared).removesuffix("EventDefinition")
    for part in children(loop, "complexBehaviorDefinition"):
        for event in children(part, "event"):
            yield from diagram.definition_kinds(event)


def _scope_features(diagram: Diagram, scope: Element) -> Iterator[str]:
    starts = [node for node in diagram.nodes(scope) if is_bpmn(node, "startEvent")]
    if not starts and diagram.nodes(scope):
        process = is_bpmn(scope, "process")
        yield "process without a start event" if process else "sub-process without a start event"
    if len([start for start in starts if not diagram.definition_kinds(start)]) > 1:
        of_process = is_bpmn(scope, "process")
        yield "several plain start events" + ("" if of_process else " of a sub-process")


def check_decoration(diagram: Diagram, report: Report) -> None:
    """Mention what is drawn for people only, so that nobody expects it to be executed."""
    for element in diagram.all("resourceRole"):
        if is_said_twice(element):
            report.error(
                element,
                "{element} refers to a resource and has an expression, and only one can count",
                "delete the reference or the expression",
                element=element,
            )
            continue
        report.warning(
            element,
            "{element} does not decide who gets a task",
            "use the assignment of the task (assignee, candidate groups)",
            element=element,
        )
    for element in diagram.all("rendering"):
        report.warning(
            element,
            "{element} does not decide what a task looks like",
            "choose a form",
            element=element,
        )
    for element in diagram.all("extension"):
        if truth(element, "mustUnderstand", default=False):
            report.unsupported(
                element,
                "the file demands an extension that is not known: {name}",
                "export the diagram without it",
                name=element.get("definition") or "",
            )
    for element in diagram.all("auditing", "monitoring"):
        if text_of(element) or len(element):
            report.info(
                element,
                "{element} has no effect; history is always kept",
                element=element,
            )
