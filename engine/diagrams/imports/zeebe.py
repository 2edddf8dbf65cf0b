"""Camunda 8: listeners become tasks of their own; filters that say nothing are left out."""

from __future__ import annotations

from lxml.etree import _Element as Element

from engine.diagrams.imports.inserted import can_follow, can_precede, follow, precede, repeats
from engine.diagrams.imports.juel_feel import names_in
from engine.diagrams.imports.passage import Passage, zeebe_block
from engine.diagrams.names import bpmn, is_bpmn, local, zeebe
from engine.diagrams.schema import is_a

#: event of a listener -> where its task stands
PLACES = {"start": "before", "creating": "before", "end": "behind", "completing": "behind"}
_LISTENERS = {"executionListeners": "executionListener", "taskListeners": "taskListener"}


def import_listeners(passage: Passage) -> None:
    """Put tasks where listeners of Camunda 8 do their work; the gate refuses what is left."""
    for node in passage.elements():
        if is_bpmn(node, "conditionalEventDefinition"):
            _filter(node)
        if not is_a(node, "flowNode"):
            continue
        for block_name, entry_name in _LISTENERS.items():
            block = zeebe_block(node, block_name)
            if block is not None:
                _listeners(passage, node, block, list(block.iterchildren(zeebe(entry_name))))


def _filter(definition: Element) -> None:
    """Leave out a filter that asks for nothing but what the condition asks for itself."""
    block = definition.find(bpmn("extensionElements"))
    found = None if block is None else block.find(zeebe("conditionalFilter"))
    condition = definition.find(bpmn("condition"))
    if block is None or found is None or condition is None:
        return
    names = {part.strip() for part in (found.get("variableNames") or "").split(",")} - {""}
    events = {part.strip() for part in (found.get("variableEvents") or "create, update").split(",")}
    if {"create", "update"} <= events and (not names or names_in(condition.text or "") <= names):
        block.remove(found)


def _listeners(passage: Passage, node: Element, block: Element, listeners: list[Element]) -> None:
    first = [one for one in listeners if PLACES.get(one.get("eventType") or "") == "before"]
    # each is put right behind the element, so the last one comes first
    for listener in (*first, *reversed([one for one in listeners if one not in first])):
        event = listener.get("eventType") or ""
        if not (listener.get("type") or "").strip() or not fits(node, PLACES.get(event, "")):
            continue
        put = precede if listener in first else follow
        made = put(passage, node, "serviceTask", f"{event}-listener")
        made.set("name", f"{node.get('name') or node.get('id')}: {event}")
        passage.zeebe(
            made, "taskDefinition", type=listener.get("type"), retries=listener.get("retries")
        )
        block.remove(listener)
        passage.report.info(
            node,
            "a listener of {who} became the task “{task}”",
            who=node,
            task=made.get("id") or "",
        )
    parent = block.getparent()
    if not len(block) and parent is not None:
        parent.remove(block)


def fits(node: Element, place: str) -> bool:
    """Tell whether a task before or behind a node does the same as its listener.

    A listener sees the inputs of its activity and is part of each repetition; a task is not.
    """
    if is_bpmn(node, "boundaryEvent") or repeats(node):
        return False
    if place == "before":
        return can_precede(node) and zeebe_block(node, "ioMapping") is None
    return place == "behind" and can_follow(node) and not _has_boundary(node)


def _has_boundary(node: Element) -> bool:
    """Tell whether something else may end the activity while the listener runs."""
    parent = node.getparent()
    return parent is not None and any(
        local(one) == "boundaryEvent" and one.get("attachedToRef") == node.get("id")
        for one in parent.iterchildren("{*}*")
    )
