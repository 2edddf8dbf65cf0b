"""Which catching link a throwing link leads to: by reference if there is one, else by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lxml.etree import _Element as Element

from engine.diagrams.diagram import Diagram, references
from engine.diagrams.names import is_bpmn


def link_pairs(diagram: Diagram, events: Sequence[Element]) -> Mapping[Element, list[Element]]:
    """Return for each throwing link of one scope the catching links it may mean."""
    catches = [event for event in events if is_bpmn(event, "intermediateCatchEvent")]
    return {
        event: _meant(diagram, event, catches)
        for event in events
        if is_bpmn(event, "intermediateThrowEvent")
    }


def _meant(diagram: Diagram, throw: Element, catches: Sequence[Element]) -> list[Element]:
    definition = _link(diagram, throw)
    targets = references(definition, "target")
    if targets:
        return [
            catch
            for catch in catches
            if {catch.get("id"), _link(diagram, catch).get("id")} & set(targets)
        ]
    name = definition.get("name")
    return [catch for catch in catches if _link(diagram, catch).get("name") == name]


def _link(diagram: Diagram, event: Element) -> Element:
    return next(
        found for found in diagram.definitions_of(event) if is_bpmn(found, "linkEventDefinition")
    )
