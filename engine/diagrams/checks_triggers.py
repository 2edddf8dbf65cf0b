"""What triggers need to be executed: a message, a signal, a code, a time, a condition."""

from __future__ import annotations

from lxml.etree import _Element as Element

from engine.diagrams.checks_activities import zeebe_of
from engine.diagrams.diagram import Diagram, child, children
from engine.diagrams.names import is_bpmn, kind_words, local, plain, text_of
from engine.diagrams.report import Report
from engine.diagrams.times import TIMES, is_literal_time
from engine.sentences import Listed, phrase


def check_triggers(diagram: Diagram, report: Report) -> None:
    """Check that messages, signals, errors, escalations, times and conditions are filled in."""
    for definition in diagram.all("eventDefinition"):
        owner = definition.getparent()
        throws = owner is not None and is_bpmn(owner, "endEvent", "intermediateThrowEvent")
        if is_bpmn(definition, "timerEventDefinition"):
            _timer(definition, report)
        elif is_bpmn(definition, "conditionalEventDefinition"):
            if not text_of(child(definition, "condition")):
                report.unsupported(
                    _host(definition),
                    "{event} has no condition",
                    "write the condition",
                    event=_host(definition),
                )
        elif is_bpmn(definition, "messageEventDefinition", "signalEventDefinition"):
            _refers(definition, report)
        elif throws and is_bpmn(definition, "errorEventDefinition", "escalationEventDefinition"):
            _code(diagram, definition, report)


def check_event_names(diagram: Diagram, report: Report) -> None:
    """Check the names and codes that throwers and catchers find each other by."""
    for thing in diagram.all("error", "escalation"):
        if (thing.get(f"{local(thing)}Code") or "").strip().startswith("="):
            report.unsupported(
                thing,
                "the code of {thing} is an expression, which is not evaluated",
                "write the code itself",
                thing=thing,
            )
    for thing in diagram.all("message", "signal"):
        if not (thing.get("name") or "").strip():
            report.unsupported(
                thing,
                "{thing} has no name, so nobody can send it",
                "give it a name",
                thing=thing,
            )


def _host(definition: Element) -> Element:
    owner = definition.getparent()
    return definition if owner is None or is_bpmn(owner, "definitions") else owner


def _refers(definition: Element, report: Report) -> None:
    kind = local(definition).removesuffix("EventDefinition")
    handled = kind == "message" and zeebe_of(_host(definition), "taskDefinition") is not None
    if not plain(definition.get(f"{kind}Ref")) and not handled:
        report.unsupported(
            _host(definition),
            "{event} has no {kind}",
            "choose the {kind}",
            event=_host(definition),
            kind=kind_words(kind),
        )


def _code(diagram: Diagram, definition: Element, report: Report) -> None:
    kind = local(definition).removesuffix("EventDefinition")
    meant = diagram.find(definition.get(f"{kind}Ref"), kind)
    if meant is None or not (meant.get(f"{kind}Code") or "").strip():
        report.unsupported(
            _host(definition),
            "{event} has no {kind} code",
            "choose the {kind} and give it a code",
            event=_host(definition),
            kind=kind_words(kind),
        )


def _timer(definition: Element, report: Report) -> None:
    filled = [found for found in children(definition, *TIMES) if text_of(found)]
    if not filled:
        report.unsupported(
            _host(definition),
            "{event} has no time",
            "write a duration, a date or a cycle",
            event=_host(definition),
        )
    elif len(filled) > 1:
        kinds = Listed([kind_words(local(found)) for found in filled], phrase(" and "))
        report.error(
            _host(definition),
            "{event} has more than one time: {kinds}",
            "keep one of them",
            event=_host(definition),
            kinds=kinds,
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
        "the time “{text}” of {event} is not {wanted}",
        "write it in ISO 8601, or begin with = for an expression",
        text=text[:60],
        event=_host_of_time(time),
        wanted=wanted,
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
                    "{catch} takes every message “{name}”, whosever it is",
                    "give the message a correlation key if several cases wait for it",
                    catch=catch,
                    name=message.get("name") or "",
                )
