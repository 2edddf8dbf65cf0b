"""What a diagram says to customers: the steps marked with the property `customer.step`.

The main steps are those of the root process, in the order they are drawn from left to right; what
called processes mark are notes about what has happened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from lxml.etree import _Element as Element

from engine.diagrams.names import bpmn, local, zeebe
from engine.diagrams.report import Report
from engine.diagrams.xml import read_xml

if TYPE_CHECKING:
    from engine.runtime.views import CaseView

STEP, PHASE = "customer.step", "phase"
_PROPERTIES = f"{bpmn('extensionElements')}/{zeebe('properties')}/{zeebe('property')}"
_SHAPE = "{http://www.omg.org/spec/BPMN/20100524/DI}BPMNShape"
_BOUNDS = "{http://www.omg.org/spec/DD/20100524/DC}Bounds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """An element that customers may know about."""

    element_id: str
    #: what they read, by language; "" is what has no language
    words: Mapping[str, str]
    #: it calls another process: a phase that takes time
    lasting: bool
    #: it stands in a sub-process: worth a note, no step of its own
    nested: bool
    #: where it stands, from the left
    x: float

    def say(self, language: str) -> str:
        """Return what a customer reads."""
        return self.words.get(language) or self.words[""]


@lru_cache(maxsize=64)
def marks(content: bytes, process_id: str) -> tuple[Mark, ...]:
    """Return the marked elements of a process, from left to right."""
    root = read_xml(content, Report(""), max_bytes=len(content) + 1)
    if root is None:
        return ()
    process = next((p for p in root.iter(bpmn("process")) if p.get("id") == process_id), None)
    if process is None:
        return ()
    places = dict(_places(root))
    found = [mark for element in process.iter() if (mark := _mark(element, places)) is not None]
    return tuple(sorted(found, key=lambda mark: mark.x))


def _mark(element: Element, places: Mapping[str, float]) -> Mark | None:
    pairs = {p.get("name") or "": p.get("value") or "" for p in element.iterfind(_PROPERTIES)}
    if not pairs.get(STEP):
        return None
    words = {name[len(STEP) + 1 :]: text for name, text in pairs.items() if name.startswith(STEP)}
    element_id, parent = str(element.get("id")), element.getparent()
    return Mark(
        element_id=element_id, words=words, lasting=local(element) == "callActivity",
        nested=parent is not None and local(parent) != "process", x=places.get(element_id, 0.0),
    )  # fmt: skip


def _places(root: Element) -> Iterator[tuple[str, float]]:
    for shape in root.iter(_SHAPE):
        bounds = shape.find(_BOUNDS)
        if bounds is not None:
            yield str(shape.get("bpmnElement")), float(bounds.get("x") or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One main step as the page shows it."""

    text: str
    #: done | here | open | left: the case ended here
    state: str
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something that has happened, in the customer's words."""

    text: str
    at: datetime


def steps(view: CaseView, marked: tuple[Mark, ...], language: str) -> list[Step]:
    """Return the main steps: what was reached, and the phases that are still to come."""
    found: list[Step] = []
    running = view.root.ended_at is None
    for mark in (mark for mark in marked if not mark.nested):
        state, at = _state(view, view.root.id, mark.element_id)
        if state == "open" and not (mark.lasting and running):
            continue  # a way that was not taken, or one that no longer can be
        if state == "here" and not running:
            state = "left"
        found.append(Step(text=mark.say(language), state=state, at=at))
    return found


def notes(view: CaseView, marked: Mapping[str, tuple[Mark, ...]], language: str) -> list[Note]:
    """Return what has happened beside the main steps, newest first; `marked` by instance."""
    found: list[Note] = []
    main = {mark.say(language) for mark in marked[view.root.id] if not mark.nested}
    for instance_id, these in marked.items():
        for mark in (mark for mark in these if mark.say(language) not in main):
            _, at = _state(view, instance_id, mark.element_id)
            if at is not None:
                found.append(Note(text=mark.say(language), at=at))
    return sorted(found, key=lambda note: note.at, reverse=True)


def _state(view: CaseView, instance_id: str, element_id: str) -> tuple[str, datetime | None]:
    """Return whether tokens were or are at an element, and when one came there last."""
    came = left = 0
    at: datetime | None = None
    for one in view.passages:
        if one.instance_id != instance_id:
            continue
        moved = one.kind == "element.migrated"
        if moved and one.flow == element_id:
            # it has gone on at an element with another id, with the whole case
            left += one.number
        if one.element_id != element_id:
            continue
        if moved or one.kind == "element.activated":
            came += one.number
            at = one.last_at if at is None else max(at, one.last_at)
        else:
            left += one.number
    if not came:
        return "open", None
    return ("done" if left >= came else "here"), at
