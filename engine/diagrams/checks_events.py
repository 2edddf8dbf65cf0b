"""Events: which triggers may stand where, what each needs to be executed, and pairs of links."""

from __future__ import annotations

from lxml.etree import _Element as Element

from engine.diagrams.checks_activities import zeebe_of
from engine.diagrams.diagram import (
    Diagram,
    child,
    children,
    is_compensation,
    is_event_sub_process,
    references,
    truth,
)
from engine.diagrams.links import link_pairs
from engine.diagrams.names import called, is_bpmn, local, plain, spoken, text_of
from engine.diagrams.report import Report
from engine.diagrams.schema import is_a
from engine.diagrams.times import TIMES, is_literal_time

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
#: positions where an event has to say what it waits for
_NEEDS_TRIGGER = {"start event of an event sub-process", "catch event", "boundary event"}
_ALWAYS_INTERRUPTS = {"error", "cancel"}


def check_events(diagram: Diagram, report: Report) -> None:
    """Check every event against its place, and each trigger for what it lacks."""
    for event in diagram.all("anyEvent"):
        position = _position(diagram, event)
        if position is not None:
            _triggers(diagram, event, position, report)
        if is_bpmn(event, "boundaryEvent"):
            _boundary(diagram, event, report)
    for scope in diagram.scopes:
        if is_event_sub_process(scope):
            _one_start(diagram, scope, report)


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
                f"{called(event)} is a {position}, and {_article(kind)} {kind} trigger"
                " is not allowed there",
                _advice(position),
            )
    if not kinds and position in _NEEDS_TRIGGER:
        report.error(
            event,
            f"{called(event)} does not say what it waits for",
            "choose a trigger: message, timer, signal, ...",
        )
    if "link" in kinds and len(kinds) > 1:
        report.error(event, f"{called(event)} is a link and something else at once", "divide it")
    scope = diagram.scope_of(event)
    if position == "end event" and "cancel" in kinds and not is_bpmn(scope, "transaction"):
        report.error(
            event,
            f"{called(event)} cancels a transaction, but does not stand in one",
            "use an error or terminate end event, or make the sub-process a transaction",
        )
    if position == "start event of an event sub-process":
        _interrupting(event, kinds, "isInterrupting", {"error", "compensate"}, report)


def _article(kind: str) -> str:
    return "an" if kind[0] in "aeiou" else "a"


def _advice(position: str) -> str:
    allowed = sorted(_ALLOWED[position])
    return f"allowed are: {', '.join(allowed)}" if allowed else "use a plain start event"


def _interrupting(
    event: Element, kinds: list[str], attribute: str, always: set[str], report: Report
) -> None:
    if truth(event, attribute, default=True):
        return
    for kind in kinds:
        if kind in always:
            report.error(
                event,
                f"{called(event)} reacts to {_article(kind)} {kind} without interrupting",
                f"{_article(kind)} {kind} event always interrupts; set {attribute} to true",
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
            f"{called(event)} is attached to {called(host)}, which stands in another sub-process",
            "move the event to the sub-process of its activity",
        )
    if is_event_sub_process(host):
        report.error(
            event,
            f"{called(event)} is attached to an event sub-process",
            "attach it to the sub-process around it",
        )
    if "cancel" in kinds and not is_bpmn(host, "transaction"):
        report.error(
            event,
            f"{called(event)} waits for the cancelling of {called(host)}, which is no transaction",
            "attach it to a transaction",
        )
    if "compensate" in kinds:
        _compensation(diagram, event, report)


def _compensation(diagram: Diagram, event: Element, report: Report) -> None:
    handlers = []
    for association in diagram.all("association"):
        if plain(association.get("sourceRef")) == event.get("id"):
            handlers.append(diagram.find(association.get("targetRef")))
    for handler in handlers:
        if handler is None or not is_compensation(handler):
            name = "nothing" if handler is None else called(handler)
            report.error(
                event,
                f"{called(event)} is tied to {name}, which is not marked for compensation",
                "tie it to an activity with the compensation marker",
            )
    if not handlers:
        report.unsupported(
            event,
            f"{called(event)} is tied to no activity that compensates",
            "draw an association to an activity with the compensation marker",
        )


def _one_start(diagram: Diagram, scope: Element, report: Report) -> None:
    starts = [node for node in diagram.nodes(scope) if is_bpmn(node, "startEvent")]
    if len(starts) != 1:
        report.error(
            scope,
            f"the event sub-process “{scope.get('name') or scope.get('id')}” has {len(starts)}"
            " start events; it needs exactly one",
            "draw one start event with its trigger",
        )


# ------------------------------------------------------------------ what each trigger needs


def check_triggers(diagram: Diagram, report: Report) -> None:
    """Check that messages, signals, errors, escalations, times and conditions are filled in."""
    for definition in diagram.all("eventDefinition"):
        owner = definition.getparent()
        throws = owner is not None and is_bpmn(owner, "endEvent", "intermediateThrowEvent")
        if is_bpmn(definition, "timerEventDefinition"):
            _timer(definition, report)
        elif is_bpmn(definition, "conditionalEventDefinition"):
            if not text_of(child(definition, "condition")):
                _missing(definition, "condition", "write the condition", report)
        elif is_bpmn(definition, "messageEventDefinition", "signalEventDefinition"):
            _refers(definition, report)
        elif throws and is_bpmn(definition, "errorEventDefinition", "escalationEventDefinition"):
            _code(diagram, definition, report)
    for thing in diagram.all("message", "signal"):
        if not (thing.get("name") or "").strip():
            report.unsupported(
                thing, f"{called(thing)} has no name, so nobody can send it", "give it a name"
            )


def _host(definition: Element) -> Element:
    owner = definition.getparent()
    return definition if owner is None or is_bpmn(owner, "definitions") else owner


def _missing(definition: Element, what: str, advice: str, report: Report) -> None:
    report.unsupported(_host(definition), f"{called(_host(definition))} has no {what}", advice)


def _refers(definition: Element, report: Report) -> None:
    kind = local(definition).removesuffix("EventDefinition")
    if not plain(definition.get(f"{kind}Ref")):
        _missing(definition, kind, f"choose the {kind} it means", report)


def _code(diagram: Diagram, definition: Element, report: Report) -> None:
    kind = local(definition).removesuffix("EventDefinition")
    meant = diagram.find(definition.get(f"{kind}Ref"), kind)
    if meant is None or not (meant.get(f"{kind}Code") or "").strip():
        advice = f"choose {_article(kind)} {kind} and give it a code"
        _missing(definition, f"{kind} code", advice, report)


def _timer(definition: Element, report: Report) -> None:
    filled = [found for found in children(definition, *TIMES) if text_of(found)]
    if not filled:
        _missing(definition, "time", "write a duration, a date or a cycle", report)
    elif len(filled) > 1:
        names = " and ".join(spoken(local(found)) for found in filled)
        report.error(
            _host(definition), f"{called(_host(definition))} has a {names}", "keep one of them"
        )
    for found in filled:
        _literal_time(found, report)


def _literal_time(time: Element, report: Report) -> None:
    text = text_of(time)
    if text.startswith("=") or time.get("language") or is_literal_time(local(time), text):
        return
    wanted = TIMES[local(time)][1]
    report.error(
        time,
        f"the time “{text[:60]}” of {called(_host_of_time(time))} is not {wanted}",
        "write it in ISO 8601, or begin with = for an expression",
    )


def _host_of_time(time: Element) -> Element:
    definition = time.getparent()
    return time if definition is None else _host(definition)


def check_correlation(diagram: Diagram, report: Report) -> None:
    """Mention messages that any case would take, since no key says whose they are."""
    if any(True for _ in diagram.all("correlationSubscription", "correlationKey")):
        return
    for catch in diagram.all("receiveTask", "intermediateCatchEvent", "boundaryEvent"):
        definitions = [catch] if is_bpmn(catch, "receiveTask") else diagram.definitions_of(catch)
        for definition in definitions:
            message = diagram.find(definition.get("messageRef"), "message")
            if message is not None and zeebe_of(message, "subscription") is None:
                report.info(
                    catch,
                    f"{called(catch)} takes every message “{message.get('name')}”, whosever it is",
                    "give the message a correlation key if several cases wait for it",
                )


# ------------------------------------------------------------------ links


def check_links(diagram: Diagram, report: Report) -> None:
    """Check that each throwing link has exactly one catching link beside it."""
    for scope in diagram.scopes:
        events = [
            node
            for node in diagram.nodes(scope)
            if is_bpmn(node, "intermediateThrowEvent", "intermediateCatchEvent")
            and "link" in diagram.definition_kinds(node)
        ]
        for event in events:
            _ends(diagram, event, report)
        _pairs(diagram, events, report)


def _ends(diagram: Diagram, event: Element, report: Report) -> None:
    if is_bpmn(event, "intermediateThrowEvent"):
        if diagram.outgoing(event):
            report.error(
                event,
                f"a sequence flow leaves the throwing link {_named(event)}",
                "the path goes on at the catching link; delete the flow",
            )
    elif diagram.incoming(event):
        report.error(
            event,
            f"a sequence flow leads to the catching link {_named(event)}",
            "the path comes from the throwing link; delete the flow",
        )


def _named(event: Element) -> str:
    return f"“{event.get('name') or event.get('id')}”"


def _pairs(diagram: Diagram, events: list[Element], report: Report) -> None:
    pairs = link_pairs(diagram, events)
    for event in events:
        if is_bpmn(event, "intermediateThrowEvent"):
            found = pairs.get(event, [])
            if len(found) != 1:
                number = "no catching link" if not found else "several catching links"
                report.error(
                    event,
                    f"the throwing link {_named(event)} has {number} in its process or sub-process",
                    "give the two ends of a link the same name, and draw them in one place",
                )
            elif not _agree(diagram, event, found[0]):
                report.error(
                    event,
                    f"the throwing link {_named(event)} names {_named(found[0])} as its target,"
                    " which does not name it as its source",
                    "correct the source of the catching link",
                )
        elif all(event not in found for found in pairs.values()):
            report.warning(
                event,
                f"no throwing link leads to the catching link {_named(event)}",
                "draw the throwing link, or delete it",
            )


def _agree(diagram: Diagram, throw: Element, catch: Element) -> bool:
    definition = next(iter(diagram.definitions_of(throw)))
    if not references(definition, "target"):
        return True
    sources = [
        name for found in diagram.definitions_of(catch) for name in references(found, "source")
    ]
    return not sources or bool({definition.get("id"), throw.get("id")} & set(sources))
