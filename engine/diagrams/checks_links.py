"""Links: each throwing end needs one catching end beside it (BPMN 2.0.2, 10.5.5)."""

from __future__ import annotations

from lxml.etree import _Element as Element

from engine.diagrams.diagram import Diagram, references
from engine.diagrams.links import link_pairs
from engine.diagrams.names import is_bpmn, quoted
from engine.diagrams.report import Report


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
                "a sequence flow leaves the throwing link {event}",
                "the path goes on at the catching link; delete the flow",
                event=quoted(event),
            )
    elif diagram.incoming(event):
        report.error(
            event,
            "a sequence flow leads to the catching link {event}",
            "the path comes from the throwing link; delete the flow",
            event=quoted(event),
        )


def _pairs(diagram: Diagram, events: list[Element], report: Report) -> None:
    pairs = link_pairs(diagram, events)
    for event in events:
        if is_bpmn(event, "intermediateThrowEvent"):
            found = pairs.get(event, [])
            if not found:
                report.error(
                    event,
                    "the throwing link {event} has no catching link in its process or sub-process",
                    "give the two ends of a link the same name, and draw them in one place",
                    event=quoted(event),
                )
            elif len(found) > 1:
                report.error(
                    event,
                    "the throwing link {event} has several catching links in its process or"
                    " sub-process",
                    "give the two ends of a link a name that no other link has there",
                    event=quoted(event),
                )
            elif not _agree(diagram, event, found[0]):
                report.error(
                    event,
                    "the throwing link {event} names {other} as its target, which does not name"
                    " it as its source",
                    "correct the source of the catching link",
                    event=quoted(event),
                    other=quoted(found[0]),
                )
        elif all(event not in found for found in pairs.values()):
            report.warning(
                event,
                "no throwing link leads to the catching link {event}",
                "draw the throwing link, or delete it",
                event=quoted(event),
            )


def _agree(diagram: Diagram, throw: Element, catch: Element) -> bool:
    definition = next(iter(diagram.definitions_of(throw)))
    if not references(definition, "target"):
        return True
    sources = [
        name for found in diagram.definitions_of(catch) for name in references(found, "source")
    ]
    return not sources or bool({definition.get("id"), throw.get("id")} & set(sources))
