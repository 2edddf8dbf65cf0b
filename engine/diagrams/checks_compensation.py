"""Compensation: which activities can be undone, by what, and who asks for it (BPMN 2.0.2, 10.7)."""

from __future__ import annotations

from collections.abc import Iterator

from lxml.etree import _Element as Element

from engine.diagrams.diagram import Diagram, is_compensation, is_event_sub_process
from engine.diagrams.names import is_bpmn, plain
from engine.diagrams.report import Report
from engine.diagrams.schema import is_a
from engine.sentences import phrase


def check_compensation(diagram: Diagram, report: Report) -> None:
    """Check both ends: what undoes an activity, and the events that ask for it."""
    tied = set()
    for event in diagram.all("boundaryEvent"):
        if "compensate" in diagram.definition_kinds(event):
            _handler(diagram, event, report)
            tied |= {plain(found.get("targetRef")) for found in _associations(diagram, event)}
    for activity in diagram.all("activity"):
        if is_compensation(activity) and activity.get("id") not in tied:
            report.warning(
                activity,
                "{activity} is marked for compensation, but undoes no activity",
                "tie it to a compensation boundary event by an association",
                activity=activity,
            )
    for definition in diagram.all("compensateEventDefinition"):
        event_of = definition.getparent()
        meant = diagram.find(definition.get("activityRef"), "activity")
        if event_of is not None and meant is not None and is_a(event_of, "throwEvent"):
            _throw(diagram, event_of, meant, report)


def _associations(diagram: Diagram, event: Element) -> Iterator[Element]:
    for association in diagram.all("association"):
        if plain(association.get("sourceRef")) == event.get("id"):
            yield association


def _handler(diagram: Diagram, event: Element, report: Report) -> None:
    handlers = []
    for association in _associations(diagram, event):
        handlers.append(diagram.find(association.get("targetRef")))
    for handler in handlers:
        if handler is None or not is_compensation(handler):
            report.error(
                event,
                "{event} is tied to {handler}, which is not marked for compensation",
                "tie it to an activity with the compensation marker",
                event=event,
                handler=phrase("nothing") if handler is None else handler,
            )
    if len(handlers) > 1:
        report.error(
            event,
            "{event} is tied to {number} activities, and only one of them can compensate",
            "put them into one sub-process with the compensation marker",
            event=event,
            number=len(handlers),
        )
    for flow in diagram.outgoing(event):
        report.error(
            flow,
            "{flow} leaves {event}, behind which no path can lie",
            "tie the event by an association to the activity that compensates",
            flow=flow,
            event=event,
        )
    if not handlers:
        report.unsupported(
            event,
            "{event} is tied to no activity that compensates",
            "draw an association to an activity with the compensation marker",
            event=event,
        )


def _throw(diagram: Diagram, event: Element, activity: Element, report: Report) -> None:
    scope: Element | None = diagram.scope_of(event)
    around = []
    while scope is not None and is_a(scope, "subProcess", "process"):
        around.append(scope)
        scope = None if is_bpmn(scope, "process") else diagram.scope_of(scope)
    if diagram.scope_of(activity) not in around:
        report.error(
            event,
            "{event} undoes {activity}, which stands in another sub-process",
            "name an activity beside it, or one around it",
            event=event,
            activity=activity,
        )
    elif not _can_be_undone(diagram, activity):
        report.warning(
            event,
            "{event} undoes {activity}, for which nothing is drawn to undo it",
            "attach a compensation boundary event to it",
            event=event,
            activity=activity,
        )


def _can_be_undone(diagram: Diagram, activity: Element) -> bool:
    if is_a(activity, "subProcess", "callActivity") and not is_event_sub_process(activity):
        return True
    return any(
        "compensate" in diagram.definition_kinds(event)
        for event in diagram.boundary_events(activity)
    )
