"""From an accepted file to the internal form that the kernel parses.

The tree is changed in place, so give it a tree of its own. Ids and the order of elements stay.
"""

from __future__ import annotations

from copy import deepcopy

from lxml.etree import _Element as Element

from engine.diagrams.diagram import Diagram
from engine.diagrams.expressions import texts
from engine.diagrams.global_tasks import as_processes
from engine.diagrams.links import link_pairs
from engine.diagrams.names import BPMN_DI, cw, is_bpmn, local, plain
from engine.diagrams.rewrite_data import rewrite_data
from engine.diagrams.schema import ROWS, is_a

#: where shapes stand; nothing is executed by it
_DRAWING = f"{{{BPMN_DI}}}*"


def rewrite(root: Element, *, file: str, default: str) -> Element:
    """Turn a parsed file into the internal form and return its root."""
    for drawn in list(root.iter(_DRAWING)):
        if (parent := drawn.getparent()) is not None:
            parent.remove(drawn)
    as_processes(root)
    diagram = Diagram(file, root)
    _strip_prefixes(diagram)
    _inline_definitions(diagram)
    diagram = Diagram(file, root)
    _name_flows(diagram)
    _join_links(diagram)
    rewrite_data(diagram, default)
    _mark_languages(diagram, default)
    return root


def _strip_prefixes(diagram: Diagram) -> None:
    """References become plain ids; QName prefixes mean nothing inside one file."""
    for element in diagram.elements:
        row = ROWS.get(local(element))
        if row is None:
            continue
        for slot in row.attributes.values():
            value = element.get(slot.name)
            if value and (slot.targets or slot.name == "calledElement"):
                element.set(slot.name, plain(value))
        for child in element.iterchildren():
            named = row.children.get(local(child)) if is_bpmn(child) else None
            if named is not None and named.targets:
                child.text = plain(child.text)


def _inline_definitions(diagram: Diagram) -> None:
    """An event that refers to a shared definition gets a copy of it."""
    for event in diagram.all("anyEvent"):
        for reference in list(event.iterchildren()):
            if not is_bpmn(reference, "eventDefinitionRef"):
                continue
            meant = diagram.find(reference.text, "eventDefinition")
            if meant is not None:
                copied = deepcopy(meant)
                copied.tail = reference.tail
                event.replace(reference, copied)


def _name_flows(diagram: Diagram) -> None:
    """Give an id to sequence flows without one; history and conditions need it."""
    for number, flow in enumerate(diagram.flows, 1):
        if not flow.get("id"):
            flow.set("id", f"{plain(flow.get('sourceRef'))}.flow-{number}")


def _join_links(diagram: Diagram) -> None:
    """The ends of a link find each other by a name that is unique: the id of the catching one."""
    for scope in diagram.scopes:
        events = [
            node
            for node in diagram.nodes(scope)
            if is_a(node, "anyEvent") and "link" in diagram.definition_kinds(node)
        ]
        for throw, catches in link_pairs(diagram, events).items():
            for event in (throw, *catches[:1]):
                for definition in diagram.definitions_of(event):
                    definition.set("name", str(catches[0].get("id")) if catches else "")


def _mark_languages(diagram: Diagram, default: str) -> None:
    """Say of every expression in element text, and every script, in which language it is."""
    for text in list(texts(diagram, default)):
        parent = text.holder.getparent()
        if text.attribute is None and not text.text and parent is not None:
            parent.remove(text.holder)  # an empty expression says as much as none
        elif text.attribute is None:
            text.holder.set(cw("language"), text.language)
            text.holder.text = text.text
