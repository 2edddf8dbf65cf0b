"""Pools below each other, their lanes, and the messages between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lxml.etree import _Element as Element

from engine.diagrams.diagram import Diagram, children, references
from engine.diagrams.layout.contents import named, picture_of, with_rest
from engine.diagrams.layout.picture import GAP, TRACK, Box, Picture, Point, straight, text_size
from engine.diagrams.names import is_bpmn, plain

#: width of the strip with the name of a pool or lane; height of a pool without a process
_STRIP, _CLOSED = 30, 60


@dataclass(slots=True)
class _Lanes:
    """The lanes of a process: leaves with their nodes, and how they are nested."""

    #: node -> number of its leaf
    of: dict[str, int] = field(default_factory=dict)
    #: lane -> (its depth, its first leaf, the leaf behind its last)
    spans: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    leaves: int = 0
    depth: int = 0

    def read(self, lane_set: Element, depth: int = 1) -> None:
        """Read a set of lanes and those inside them."""
        self.depth = max(self.depth, depth)
        for lane in children(lane_set, "lane"):
            first = self.leaves
            inner = children(lane, "childLaneSet")
            for one in inner:
                self.read(one, depth + 1)
            if self.leaves == first:
                for node in references(lane, "flowNodeRef"):
                    self.of[node] = self.leaves
                self.leaves += 1
            self.spans[named(lane)] = (depth, first, self.leaves)


def process_picture(diagram: Diagram, process: Element) -> Picture:
    """Return the picture of a process that stands in no pool."""
    lanes = _lanes(process)
    return picture_of(diagram, process, lanes.of, lanes.leaves)[0]


def _lanes(process: Element) -> _Lanes:
    found = _Lanes()
    for lane_set in children(process, "laneSet")[:1]:
        found.read(lane_set)
    return found


def pools_picture(diagram: Diagram, collaboration: Element) -> Picture:
    """Return the picture of a collaboration: pools, lanes, what is in them, messages."""
    out = Picture()
    messages = children(collaboration, "messageFlow")
    gap = 2 * GAP + TRACK * (len(messages) + 1)
    y = 0.0
    pools: list[Element] = [p for p in children(collaboration, "participant") if named(p)]
    for pool in pools:
        y = _pool(diagram, out, pool, y) + gap
    width = max((out.boxes[named(pool)].width for pool in pools), default=0)
    for name, box in list(out.boxes.items()):
        element = diagram.find(name)
        if element is not None and is_bpmn(element, "participant", "lane"):
            out.boxes[name] = Box(box.x, box.y, width - box.x, box.height)
    out.width, out.height = width, y
    owners = {named(p): named(p) for p in pools} | _owners(diagram, pools)
    for number, message in enumerate(messages):
        _message(out, owners, message, number)
    loose = [one for one in children(collaboration, "textAnnotation") if named(one)]
    return with_rest(diagram, out, (), loose)


def _owners(diagram: Diagram, pools: list[Element]) -> dict[str, str]:
    """Return the pool of each node."""
    by_process = {plain(pool.get("processRef")): named(pool) for pool in pools}
    found: dict[str, str] = {}
    for node in diagram.all("flowNode"):
        process = diagram.process_of(node)
        pool = by_process.get(named(process)) if process is not None else None
        if pool and named(node):
            found[named(node)] = pool
    return found


def _pool(diagram: Diagram, out: Picture, pool: Element, y: float) -> float:
    process = diagram.find(pool.get("processRef"), "process")
    if process is None:
        out.boxes[named(pool)] = Box(0, y, 600, _CLOSED)
        return y + _CLOSED
    lanes = _lanes(process)
    inner, bands = picture_of(diagram, process, lanes.of, lanes.leaves)
    left = _STRIP + _STRIP * lanes.depth + GAP
    height = max(inner.height, 100.0)
    out.boxes[named(pool)] = Box(0, y, left + inner.width + GAP, height)
    _draw_lanes(out, lanes, bands, y, height)
    out.put(inner, left, y)
    return y + height


def _draw_lanes(
    out: Picture, lanes: _Lanes, bands: list[tuple[float, float]], y: float, height: float
) -> None:
    for lane, (depth, first, behind) in lanes.spans.items():
        top = bands[first][0] if first < len(bands) else height
        bottom = bands[behind - 1][1] if behind - 1 < len(bands) else height
        bottom = max(bottom, height) if behind >= lanes.leaves else bottom
        out.boxes[lane] = Box(_STRIP * depth, y + top, 0, bottom - top)


def _message(out: Picture, owners: Mapping[str, str], message: Element, number: int) -> None:
    source, target = plain(message.get("sourceRef")), plain(message.get("targetRef"))
    first, last = owners.get(source), owners.get(target)
    if not named(message) or first is None or last is None:
        return
    down = out.boxes[first].y < out.boxes[last].y
    near = out.boxes[first].bottom if down else out.boxes[first].y
    between = near + (1 if down else -1) * (GAP + TRACK * number)
    points = [*_leave(out, source, source == first, down, number), (0.0, between)]
    points[-1] = (points[-2][0], between)
    arriving = _leave(out, target, target == last, not down, number + 1)
    points += [(arriving[-1][0], between), *reversed(arriving)]
    out.lines[named(message)] = straight(points)
    width, height = text_size(" ".join((message.get("name") or "").split()))
    if width:
        x = (points[-1][0] + points[0][0] - width) / 2
        out.labels[named(message)] = Box(x, between + 3, width, height)


def _leave(out: Picture, name: str, is_pool: bool, down: bool, number: int) -> list[Point]:
    """Return the points from a node, or the border of a pool, to a way that leads out."""
    box = out.boxes[name]
    shift = 4.0 * (number % 4)
    if is_pool:
        return [(box.x + 80 + 40.0 * number, box.bottom if down else box.y)]
    small = box.width < 60  # its name stands below it, so lines come from above
    x, below = (box.middle[0], False) if small else (box.right - 10 - shift, down)
    way, level = out.ways[name] - shift / 2, out.rows[name][0 if below else 1] - shift / 2
    return [(x, box.bottom if below else box.y), (x, level), (way, level)]
