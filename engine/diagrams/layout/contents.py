"""What a scope of a file holds for the layout: nodes, boundary events, data, notes and flows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lxml.etree import _Element as Element

from engine.diagrams.diagram import Diagram, children, is_event_sub_process, references
from engine.diagrams.layout.picture import (
    EVENT,
    GAP,
    GATEWAY,
    LINE,
    PADDING,
    TASK_HEIGHT,
    TASK_WIDTH,
    Box,
    Picture,
    text_size,
)
from engine.diagrams.layout.ranks import Arc
from engine.diagrams.layout.scope import Thing, arrange
from engine.diagrams.names import bpmn, is_bpmn, plain
from engine.diagrams.schema import is_a

_SCOPES = ("subProcess", "subChoreography")
#: data and notes: kind -> width and height
_BESIDE: Mapping[str, tuple[float, float]] = {
    "dataObjectReference": (36, 50),
    "dataStoreReference": (50, 50),
    "dataInput": (36, 50),
    "dataOutput": (36, 50),
}
#: room for the name of a sub-process above what is in it
_TITLE = 20


@dataclass(frozen=True, slots=True)
class _Note:
    """Data or a note, with what it is tied to: node -> id of the line."""

    element: Element
    ties: tuple[tuple[str, str], ...]


def named(element: Element) -> str:
    """Return the id of an element."""
    return element.get("id") or ""


def picture_of(
    diagram: Diagram, scope: Element, lanes: Mapping[str, int], count: int = 1
) -> tuple[Picture, list[tuple[float, float]]]:
    """Return the picture of what stands in a scope, and the bands of its lanes."""
    nodes = [node for node in diagram.nodes(scope) if named(node)]
    events = [node for node in nodes if is_bpmn(node, "boundaryEvent")]
    apart = [node for node in nodes if is_event_sub_process(node)]
    drawn = [node for node in nodes if node not in events and node not in apart]
    notes = list(_notes(diagram, scope, {named(node) for node in drawn}))
    things = [_thing(diagram, node, events, notes, lanes) for node in drawn]
    arcs, names = _arcs(diagram, scope, drawn, events)
    picture, bands = arrange(things, arcs, names, count)
    loose = [note.element for note in notes if not note.ties]
    picture = with_rest(diagram, picture, apart, loose)
    for note in notes:
        _more_lines(picture, note)
    if bands:
        bands[-1] = (bands[-1][0], picture.height)
    return picture, bands


# ------------------------------------------------------------------ nodes


def _thing(
    diagram: Diagram,
    node: Element,
    events: Sequence[Element],
    notes: Sequence[_Note],
    lanes: Mapping[str, int],
) -> Thing:
    attached = [one for one in events if plain(one.get("attachedToRef")) == node.get("id")]
    width, height, inside = _size(diagram, node)
    width = max(width, 100.0 * len(attached))
    beside = [
        (
            named(note.element),
            *_note_size(note.element),
            _beside_label(note.element),
            note.ties[0][1],
        )
        for note in notes
        if note.ties and note.ties[0][0] == node.get("id")
    ]
    outside = is_a(node, "anyEvent", "gateway")
    return Thing(
        id=named(node),
        width=width,
        height=height,
        label=_name(node) if outside else "",
        lane=lanes.get(named(node), 0),
        inside=inside,
        boundary=tuple((named(one), _name(one)) for one in attached),
        notes=tuple(beside),
    )


def _size(diagram: Diagram, node: Element) -> tuple[float, float, Picture | None]:
    if is_a(node, "anyEvent"):
        return EVENT, EVENT, None
    if is_a(node, "gateway"):
        return GATEWAY, GATEWAY, None
    if is_a(node, *_SCOPES):
        return _opened(diagram, node)
    lines = text_size(_name(node), TASK_WIDTH - 10)[1] / LINE
    more = max(lines - 4, 0)
    return TASK_WIDTH + (40 if more else 0), TASK_HEIGHT + (10 * more if more > 2 else 0), None


def _opened(diagram: Diagram, node: Element) -> tuple[float, float, Picture]:
    inner, _bands = picture_of(diagram, node, {})
    whole = Picture()
    whole.put(inner, PADDING, PADDING + _TITLE)
    title = text_size(_name(node), 400)[0]
    width = max(inner.width + 2 * PADDING, title + 2 * PADDING, TASK_WIDTH)
    height = max(inner.height + 2 * PADDING + _TITLE, TASK_HEIGHT)
    whole.width, whole.height = width, height
    return width, height, whole


def _name(element: Element) -> str:
    return " ".join((element.get("name") or "").split())


# ------------------------------------------------------------------ flows


def _arcs(
    diagram: Diagram, scope: Element, drawn: Sequence[Element], events: Sequence[Element]
) -> tuple[list[Arc], dict[str, str]]:
    known = {named(node) for node in drawn}
    hosts = {named(event): plain(event.get("attachedToRef")) for event in events}
    arcs: list[Arc] = []
    names: dict[str, str] = {}
    for flow in children(scope, "sequenceFlow", "association"):
        source, target = plain(flow.get("sourceRef")), plain(flow.get("targetRef"))
        port = source if source in hosts else ""
        source = hosts.get(source, source)
        undoes = is_bpmn(flow, "association") and not port
        if source in known and target in known and named(flow) and not undoes:
            arcs.append(Arc(named(flow), source, target, port))
            names[named(flow)] = _name(flow)
    return arcs, names


# ------------------------------------------------------------------ data and notes


def _notes(diagram: Diagram, scope: Element, nodes: set[str]) -> Iterator[_Note]:
    ties: dict[str, list[tuple[str, str]]] = {}
    for one in diagram.all("association"):
        source, target = plain(one.get("sourceRef")), plain(one.get("targetRef"))
        for note, node in ((source, target), (target, source)):
            if node in nodes and named(one):
                ties.setdefault(note, []).append((node, named(one)))
    for one in diagram.all("dataAssociation"):
        owner = one.getparent()
        far = references(one, "sourceRef" if is_bpmn(one, "dataInputAssociation") else "targetRef")
        if owner is not None and named(owner) in nodes and named(one):
            for note in far:
                ties.setdefault(note, []).append((named(owner), named(one)))
    for element in children(scope, *_BESIDE, "textAnnotation"):
        if named(element):
            yield _Note(element, tuple(ties.get(named(element), ())))


def _note_size(element: Element) -> tuple[float, float]:
    for kind, size in _BESIDE.items():
        if is_bpmn(element, kind):
            return size
    return 100, max(text_size(_note_text(element), 90)[1] + 10, 30)


def _beside_label(element: Element) -> str:
    return "" if is_bpmn(element, "textAnnotation") else _name(element)


def _note_text(element: Element) -> str:
    text = element.find(bpmn("text"))
    return "" if text is None else text.text or ""


def _more_lines(picture: Picture, note: _Note) -> None:
    """Draw the further lines of data that several nodes use, through the ways between them."""
    box = picture.boxes.get(named(note.element))
    for node, line in note.ties[1:]:
        other = picture.boxes.get(node)
        if box is not None and other is not None:
            way, above = picture.ways[note.ties[0][0]], picture.rows[node][1]
            x, y = other.middle[0] - 10, box.middle[1]
            picture.lines[line] = [(box.right, y), (way, y), (way, above), (x, above), (x, other.y)]


# ------------------------------------------------------------------ what stands apart


def with_rest(
    diagram: Diagram, picture: Picture, apart: Sequence[Element], loose: Sequence[Element]
) -> Picture:
    """Put event sub-processes and what is tied to nothing below the flow."""
    x, y, lowest = 0.0, picture.height, 0.0
    for node in apart:
        width, height, inside = _opened(diagram, node)
        picture.boxes[named(node)] = Box(x, y + GAP, width, height)
        picture.put(inside, x, y + GAP)
        picture.rows[named(node)] = (y + GAP + height + 5, y + GAP / 2)
        picture.ways[named(node)] = x + width + GAP / 2
        x, lowest = x + width + 2 * GAP, max(lowest, height + 2 * GAP)
    for note in loose:
        width, height = _note_size(note)
        wide, high = text_size(_beside_label(note))
        room = max(width, wide)
        box = Box(x + (room - width) / 2, y + GAP, width, height)
        picture.boxes[named(note)] = box
        if high:
            picture.labels[named(note)] = Box(x + (room - wide) / 2, box.bottom, wide, high)
        x, lowest = x + room + 2 * GAP, max(lowest, height + high + 2 * GAP)
    picture.width = max(picture.width, x)
    picture.height += lowest
    return picture
