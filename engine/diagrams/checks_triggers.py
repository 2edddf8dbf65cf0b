"""What triggers need to be executed: a message, a signal, a code, a time, a condition."""

from __future__ import annotations

from lxml.etree import _Element as Element

from engine.diagrams.checks_activities import zeebe_of
from engine.diagrams.diagram import Diagram, child, children
from engine.diagrams.names import is_bpmn, kind_words, local, plain, text_of, zeebe
from engine.diagrams.report import Report
from engine.diagrams.schema import is_a
from engine.diagrams.times import TIMES, is_literal_time
from engine.sentences import Listed, phrase

#: properties of a catching event that name variables
CAUGHT = ("caught.code", "caught.message")
_CODED = {"error", "escalation"}


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


def check_caught(diagram: Diagram, report: Report) -> None:
    """Check the variables that are to get the code and the message of what is caught."""
    for event in diagram.all("anyEvent"):
        _caught(diagram, event, report)


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


def _caught(diagram: Diagram, event: Element, report: Report) -> None:
    properties = zeebe_of(event, "properties")
    for entry in () if properties is None else properties.iterchildren(zeebe("property")):
        name, variable = entry.get("name") or "", (entry.get("value") or "").strip()
        if name not in CAUGHT:
            continue
        if not _CODED & set(diagram.definition_kinds(event)) or not is_a(event, "catchEvent"):
            report.warning(
                entry,
                "“{name}” has no effect at {event}, which catches no error and no escalation",
                "delete the property",
                name=name,
                event=event,
            )
        elif not variable.isidentifier():
            report.error(
                entry,
                "“{name}” ({attribute} of {who}) cannot be the name of a variable",
                "begin with a letter; then letters, digits and _",
                name=variable[:60],
                attribute=name,
                who=event,
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
