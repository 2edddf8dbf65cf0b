"""Events: which triggers may stand where, and what boundary events are attached to."""

from __future__ import annotations

from lxml.etree import _Element as Element

from engine.diagrams.diagram import Diagram, is_event_sub_process, truth
from engine.diagrams.names import is_bpmn, local, quoted
from engine.diagrams.report import Report
from engine.diagrams.schema import is_a
from engine.sentences import Listed, Phrase, phrase

#: position -> what an event may catch or throw there (BPMN 2.0.2, tables 10.84 to 10.93)
_ALLOWED = {
    "start event of a process": {"message", "timer", "conditional", "signal"},
    "start event of a sub-process": set[str](),
    "start event of an event sub-process": {
        "message", "timer", "error", "escalation", "compensate", "conditional", "signal",
    },
    "catch event": {"message", "timer", "conditional", "link", "signal"},
    "boundary event": {
        "message", "timer", "error", "escalation", "cancel", "compensate", "conditional", "signal",
    },
    "throw event": {"message", "escalation", "compensate", "link", "signal"},
    "end event": {
        "message", "error", "escalation", "cancel", "compensate", "signal", "terminate",
    },
}  # fmt: skip
#: the same positions and triggers in words
POSITIONS = {position: phrase(position) for position in _ALLOWED}
TRIGGERS = {
    kind: phrase(kind)
    for kind in (
        "message", "timer", "error", "escalation", "cancel", "compensate", "conditional", "link",
        "signal", "terminate",
    )
}  # fmt: skip
#: positions where an event has to say what it waits for
_NEEDS_TRIGGER = {"start event of an event sub-process", "catch event", "boundary event"}
_ALWAYS_INTERRUPTS = {"error", "cancel"}


def check_events(diagram: Diagram, report: Report) -> None:
    """Check every event against its place, and each trigger for what it lacks."""
    for event in diagram.all("anyEvent"):
        position = _position(diagram, event)
        if position is not None:
            _triggers(diagram, event, position, report)
        _borrowed(diagram, event, report)
        if is_bpmn(event, "boundaryEvent"):
            _boundary(diagram, event, report)
    for scope in diagram.scopes:
        if is_event_sub_process(scope):
            _one_start(diagram, scope, report)


def _borrowed(diagram: Diagram, event: Element, report: Report) -> None:
    """What is defined inside an event is its own; only root elements are shared (BPMN 10.5)."""
    for definition in diagram.definitions_of(event):
        owner = definition.getparent()
        if owner is not None and owner is not event and not is_bpmn(owner, "definitions"):
            report.error(
                event,
                "{event} refers to the event definition of {owner}, which is not shared",
                "move the definition to the top of the file, or write one of its own",
                event=event,
                owner=owner,
            )


def _position(diagram: Diagram, event: Element) -> str | None:
    if not is_bpmn(event, "startEvent"):
        return {
            "intermediateCatchEvent": "catch event",
            "boundaryEvent": "boundary event",
            "intermediateThrowEvent": "throw event",
            "endEvent": "end event",
        }.get(local(event))
    scope = diagram.scope_of(event)
    if is_event_sub_process(scope):
        return "start event of an event sub-process"
    if is_a(scope, "subProcess"):
        return "start event of a sub-process"
    return "start event of a process"


def _triggers(diagram: Diagram, event: Element, position: str, report: Report) -> None:
    kinds = diagram.definition_kinds(event)
    for kind in kinds:
        if kind not in _ALLOWED[position]:
            report.error(
                event,
                "{event} is a {position}, where the trigger “{trigger}” is not allowed",
                _advice(position),
                event=event,
                position=POSITIONS[position],
                trigger=TRIGGERS[kind],
            )
    if not kinds and position in _NEEDS_TRIGGER:
        report.error(
            event,
            "{event} does not say what it waits for",
            "choose a trigger: message, timer, signal, ...",
            event=event,
        )
    if "link" in kinds and len(kinds) > 1:
        report.error(
            event,
            "{event} is a link and something else at once",
            "divide it",
            event=event,
        )
    scope = diagram.scope_of(event)
    if position == "end event" and "cancel" in kinds and not is_bpmn(scope, "transaction"):
        report.error(
            event,
            "{event} cancels a transaction, but does not stand in one",
            "use an error or terminate end event, or make the sub-process a transaction",
            event=event,
        )
    if position == "start event of an event sub-process":
        _interrupting(event, kinds, "isInterrupting", {"error", "compensate"}, report)


def _advice(position: str) -> Phrase:
    allowed = [TRIGGERS[kind] for kind in sorted(_ALLOWED[position])]
    if not allowed:
        return phrase("use a plain start event")
    return phrase("allowed are: {kinds}", kinds=Listed(allowed))


def _interrupting(
    event: Element, kinds: list[str], attribute: str, always: set[str], report: Report
) -> None:
    if truth(event, attribute, default=True):
        return
    for kind in kinds:
        if kind in always:
            report.error(
                event,
                "{event} does not interrupt, but its trigger “{trigger}” always does",
                "set {attribute} to true",
                event=event,
                trigger=TRIGGERS[kind],
                attribute=attribute,
            )


def _boundary(diagram: Diagram, event: Element, report: Report) -> None:
    kinds = diagram.definition_kinds(event)
    _interrupting(event, kinds, "cancelActivity", _ALWAYS_INTERRUPTS, report)
    host = diagram.find(event.get("attachedToRef"), "activity")
    if host is None:
        return
    if diagram.scope_of(host) is not diagram.scope_of(event):
        report.error(
            event,
            "{event} is attached to {host}, which stands in another sub-process",
            "move the event to the sub-process of its activity",
            event=event,
            host=host,
        )
    if is_event_sub_process(host):
        report.error(
            event,
            "{event} is attached to an event sub-process",
            "attach it to the sub-process around it",
            event=event,
        )
    if "cancel" in kinds and not is_bpmn(host, "transaction"):
        report.error(
            event,
            "{event} waits for the cancelling of {host}, which is no transaction",
            "attach it to a transaction",
            event=event,
            host=host,
        )


def _one_start(diagram: Diagram, scope: Element, report: Report) -> None:
    starts = [node for node in diagram.nodes(scope) if is_bpmn(node, "startEvent")]
    if len(starts) != 1:
        report.error(
            scope,
            "the event sub-process {scope} has {number} start events; it needs exactly one",
            "draw one start event with its trigger",
            scope=quoted(scope),
            number=len(starts),
        )
