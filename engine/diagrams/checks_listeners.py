"""Listeners that can never hear anything, because another one of their place takes it first.

An interrupting event may be declared by one event sub-process of a scope only (BPMN 2.0.2, 10.5.6);
on the border of an activity the same holds for whatever is caught by exactly one event.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lxml.etree import _Element as Element

from engine.diagrams.checks_activities import zeebe_of
from engine.diagrams.diagram import Diagram, is_event_sub_process, truth
from engine.diagrams.names import is_bpmn, local
from engine.diagrams.report import Report
from engine.diagrams.schema import is_a

#: trigger -> where its name or code stands in what it refers to
_NAMED = {
    "message": "name",
    "signal": "name",
    "error": "errorCode",
    "escalation": "escalationCode",
}
#: triggers that need nothing to tell them apart
_ALIKE = ("cancel", "compensate")
#: on a border these go to all events that wait, so a second one is odd, but not wrong
_TO_ALL = {"message", "signal"}

#: a trigger with its name or code, and what else tells two of them apart
Declaration = tuple[str, str, str]


def check_listeners(diagram: Diagram, report: Report) -> None:
    """Check the event sub-processes of every scope and the events of every border."""
    for scope in diagram.scopes:
        handlers = [node for node in diagram.nodes(scope) if is_event_sub_process(node)]
        starts = (start for handler in handlers for start in _starts(diagram, handler))
        _heard_once(diagram, starts, report)
    for activity in diagram.all("activity"):
        _heard_once(diagram, diagram.boundary_events(activity), report)


def _starts(diagram: Diagram, handler: Element) -> Iterator[Element]:
    return (node for node in diagram.nodes(handler) if is_bpmn(node, "startEvent"))


def _heard_once(diagram: Diagram, events: Iterable[Element], report: Report) -> None:
    """Report each event all of whose triggers belong to earlier events of the same place."""
    first: dict[Declaration, Element] = {}
    for event in events:
        if truth(event, "parallelMultiple", default=False) or not _takes(diagram, event):
            continue
        declared = list(_declarations(diagram, event))
        taken = [first[one] for one in declared if one in first]
        if taken and len(taken) == len(declared):
            _never_hears(event, taken[0], {one[0] for one in declared}, report)
        for one in declared:
            first.setdefault(one, event)


def _takes(diagram: Diagram, event: Element) -> bool:
    """Tell whether what an event hears is gone for the others: it ends where they listen."""
    if set(diagram.definition_kinds(event)) & {"error", *_ALIKE}:
        return True
    name = "cancelActivity" if is_bpmn(event, "boundaryEvent") else "isInterrupting"
    return truth(event, name, default=True)


def _declarations(diagram: Diagram, event: Element) -> Iterator[Declaration]:
    """Yield what an event waits for; a time or a condition is like no other."""
    for definition in diagram.definitions_of(event):
        kind = local(definition).removesuffix("EventDefinition")
        if kind in _ALIKE:
            yield kind, "", ""
        elif kind in _NAMED:
            meant = diagram.find(definition.get(f"{kind}Ref"), kind)
            name = "" if meant is None else (meant.get(_NAMED[kind]) or "").strip()
            if name or kind not in _TO_ALL:
                yield kind, name, _key(meant)
            else:
                yield kind, "", str(id(definition))
        else:
            yield kind, "", str(id(definition))


def _key(meant: Element | None) -> str:
    subscription = None if meant is None else zeebe_of(meant, "subscription")
    return "" if subscription is None else (subscription.get("correlationKey") or "").strip()


def _never_hears(event: Element, other: Element, kinds: set[str], report: Report) -> None:
    if is_bpmn(event, "boundaryEvent") and kinds <= _TO_ALL:
        report.warning(
            event,
            "{event} waits for what {other} waits for, and only one of them is taken",
            "delete one of them, or let one of them not interrupt",
            event=event,
            other=other,
        )
    else:
        report.error(
            event,
            "{event} never hears anything: {other} beside it takes the same first",
            "delete one of them, or let it wait for something else",
            event=event,
            other=other,
        )


def check_emptiness(diagram: Diagram, report: Report) -> None:
    """Mention sub-processes in which nothing is done, and transactions nobody can cancel out of."""
    for scope in diagram.all("subProcess"):
        nodes = diagram.nodes(scope)
        busy = any(
            is_a(node, "activity", "choreographyActivity") or diagram.definition_kinds(node)
            for node in nodes
        )
        if not busy and not is_event_sub_process(scope) and not is_bpmn(scope, "adHocSubProcess"):
            report.warning(
                scope,
                "nothing is done in {scope}; the case passes through it",
                "draw what is to be done in it, or delete it",
                scope=scope,
            )
        if is_bpmn(scope, "transaction"):
            _way_out(diagram, scope, nodes, report)


def _way_out(diagram: Diagram, scope: Element, nodes: list[Element], report: Report) -> None:
    cancels = [
        node
        for node in nodes
        if is_bpmn(node, "endEvent") and "cancel" in diagram.definition_kinds(node)
    ]
    caught = any(
        "cancel" in diagram.definition_kinds(event) for event in diagram.boundary_events(scope)
    )
    for end in cancels:
        if not caught:
            report.warning(
                end,
                "{end} cancels {scope}, which has no cancel boundary event, so nothing goes on"
                " after it is undone",
                "attach a cancel boundary event to the transaction",
                end=end,
                scope=scope,
            )
