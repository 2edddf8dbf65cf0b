"""Listeners of Camunda 7: those that do something at a place of the flow become tasks there."""

from __future__ import annotations

from lxml.etree import _Element as Element

from engine.diagrams.imports.camunda_rules import taken
from engine.diagrams.imports.camunda_work import read_work
from engine.diagrams.imports.inserted import follow, interpose, precede
from engine.diagrams.imports.passage import Passage, extensions_of
from engine.diagrams.imports.zeebe import fits
from engine.diagrams.names import CAMUNDA, is_bpmn
from engine.sentences import phrase

_NAMESPACE = "{" + CAMUNDA + "}"
_TAKES = ("class", "delegateExpression", "expression")
#: event of a listener -> where its task stands
_PLACES = {"start": "before", "create": "before", "end": "behind", "complete": "behind",
           "take": "on"}  # fmt: skip


def read_listeners(passage: Passage, owner: Element) -> None:
    """Put a task where a listener does its work; report those that no task can replace."""
    for kind in ("executionListener", "taskListener"):
        found = taken(owner, kind)
        for listener in found:
            if is_bpmn(owner, "sequenceFlow"):
                listener.set("event", "take")
        first = [one for one in found if _PLACES.get(one.get("event") or "") == "before"]
        # each is put right behind the element, so the last one comes first
        rest = [one for one in reversed(found) if one not in first]
        for listener in (*first, *rest):
            _placed(passage, owner, listener, listener.get("event") or "")


def _placed(passage: Passage, owner: Element, listener: Element, event: str) -> None:
    """Put the task that stands for a listener."""
    place = _PLACES.get(event, "")
    if not (is_bpmn(owner, "sequenceFlow") if place == "on" else fits(owner, place)) or not any(
        listener.get(name) for name in _TAKES
    ):
        _refuse(passage, owner, listener, event)
        return
    suffix = f"{event}-listener"
    if place == "on":
        made = interpose(passage, owner, "serviceTask", suffix)
    elif place == "before":
        made = precede(passage, owner, "serviceTask", suffix)
    else:
        made = follow(passage, owner, "serviceTask", suffix)
    made.set("name", f"{owner.get('name') or owner.get('id')}: {event}")
    for name in _TAKES:
        if listener.get(name):
            made.set(f"{_NAMESPACE}{name}", listener.get(name) or "")
    for field in list(listener.iterchildren(f"{_NAMESPACE}field")):
        extensions_of(made).append(field)
    read_work(passage, made, made)
    passage.report.info(
        owner,
        "a listener of {who} became the task “{task}”",
        who=owner,
        task=made.get("id") or "",
    )


def _refuse(passage: Passage, owner: Element, listener: Element, event: str) -> None:
    script = listener.find(f"{_NAMESPACE}script")
    passage.report.unsupported(
        owner,
        "{who} has a listener for “{event}”, which is not executed",
        phrase("write its script as a script task in FEEL")
        if script is not None
        else phrase("draw its work as a service task"),
        who=owner,
        event=event,
    )
