"""Tasks that are put before or behind a node, or on a flow: scripts and listeners of other engines.

The new task takes over the flows of its neighbour, so conditions and defaults stay where they were.
"""

from __future__ import annotations

from lxml import etree
from lxml.etree import _Element as Element

from engine.diagrams.diagram import children
from engine.diagrams.imports.passage import Passage, add
from engine.diagrams.names import bpmn, is_bpmn, local, plain

#: nodes that nothing can be put before
_FIRST = ("startEvent", "boundaryEvent")
_REPEATS = ("multiInstanceLoopCharacteristics", "standardLoopCharacteristics")


def can_precede(node: Element) -> bool:
    """Tell whether a task may be put before a node without a change of what it means."""
    return (
        not is_bpmn(node, *_FIRST)
        and not _undoes(node)
        and not _is_event_sub_process(node)
        and all(_starts_freely(node, flow) for flow in flows(node, "targetRef"))
    )


def can_follow(node: Element) -> bool:
    """Tell whether a task may be put behind a node without a change of what it means."""
    splits = local(node).endswith("Gateway") and len(flows(node, "sourceRef")) > 1
    return (
        not is_bpmn(node, "endEvent")
        and not splits
        and not _undoes(node)
        and not _is_event_sub_process(node)
    )


def precede(passage: Passage, node: Element, tag: str, suffix: str) -> Element:
    """Put a task before a node and return it."""
    made = _made(passage, node, tag, suffix)
    for flow in flows(node, "targetRef"):
        flow.set("targetRef", str(made.get("id")))
    _forget(node, "incoming")
    _flow(made, node)
    return made


def follow(passage: Passage, node: Element, tag: str, suffix: str) -> Element:
    """Put a task behind a node and return it."""
    made = _made(passage, node, tag, suffix)
    if node.get("default"):
        made.set("default", node.attrib.pop("default"))
    for flow in flows(node, "sourceRef"):
        flow.set("sourceRef", str(made.get("id")))
    _forget(node, "outgoing")
    _flow(node, made)
    return made


def interpose(passage: Passage, flow: Element, tag: str, suffix: str) -> Element:
    """Put a task on a sequence flow and return it; the condition stays before it."""
    made = _made(passage, flow, tag, suffix)
    target = plain(flow.get("targetRef"))
    flow.set("targetRef", str(made.get("id")))
    onward = _between(made, str(made.get("id")), target, flow)
    for node in made.getparent() or ():
        for one in children(node, "incoming") if node.get("id") == target else ():
            if plain(one.text) == flow.get("id"):
                one.text = onward
    return made


def flows(node: Element, end: str) -> list[Element]:
    """Return the sequence flows that have a node at one end."""
    parent = node.getparent()
    found = [] if parent is None else children(parent, "sequenceFlow")
    return [flow for flow in found if plain(flow.get(end)) == node.get("id")]


def _made(passage: Passage, node: Element, tag: str, suffix: str) -> Element:
    parent = node.getparent()
    assert parent is not None
    made = etree.Element(bpmn(tag))
    made.sourceline = node.sourceline
    made.set("id", _free(passage.root, f"{node.get('id')}.{suffix}"))
    parent.insert(parent.index(node) + 1, made)
    for reference in passage.root.iter(bpmn("flowNodeRef")):
        lane = reference.getparent()
        if plain(reference.text) == node.get("id") and lane is not None:
            beside = add(lane, bpmn("flowNodeRef"), node)
            beside.text = made.get("id")
    passage.added.append(made)
    return made


def _free(root: Element, wanted: str) -> str:
    taken = {str(element.get("id")) for element in root.iter("{*}*") if element.get("id")}
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}-{number}"
    return name


def _flow(source: Element, target: Element) -> None:
    _between(source, str(source.get("id")), str(target.get("id")), source)


def _between(beside: Element, source: str, target: str, origin: Element) -> str:
    parent = beside.getparent()
    assert parent is not None
    flow = etree.Element(bpmn("sequenceFlow"))
    flow.sourceline = origin.sourceline
    flow.set("id", _free(parent.getroottree().getroot(), f"{source}-{target}"))
    flow.set("sourceRef", source)
    flow.set("targetRef", target)
    parent.insert(parent.index(beside) + 1, flow)
    return str(flow.get("id"))


def _forget(node: Element, tag: str) -> None:
    """Drop what a node says about its flows; the flows themselves say it."""
    for one in children(node, tag):
        node.remove(one)


def _undoes(node: Element) -> bool:
    return (node.get("isForCompensation") or "").strip() in ("true", "1")


def _is_event_sub_process(node: Element) -> bool:
    return (node.get("triggeredByEvent") or "").strip() in ("true", "1")


def _starts_freely(node: Element, flow: Element) -> bool:
    """Tell whether the flow comes from something that does not need this very node behind it."""
    parent = node.getparent()
    source = plain(flow.get("sourceRef"))
    return not any(
        is_bpmn(other, "eventBasedGateway") and other.get("id") == source
        for other in (() if parent is None else parent)
    )


def repeats(node: Element) -> bool:
    """Tell whether an activity is done several times."""
    return any(is_bpmn(one, *_REPEATS) for one in node.iterchildren())
