"""The layout of one scope: its nodes on a grid, its flows through the ways between the cells.

Between two columns there is a way for lines that go up and down, each on a track of its own;
below each row there is one for lines that leave boundary events; below all rows one for lines that
lead back. Labels of flows stand at the end of the way, where no line goes up or down.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from engine.diagrams.layout.picture import (
    EVENT,
    GAP,
    LABEL_WIDTH,
    LINE,
    TRACK,
    Box,
    Picture,
    Point,
    straight,
    text_size,
)
from engine.diagrams.layout.ranks import Arc, Grid, Row, rank


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """A node with what stands at it."""

    id: str
    width: float
    height: float
    #: the name where it is written beside the shape; "" where inside
    label: str = ""
    lane: int = 0
    #: what is drawn inside
    inside: Picture | None = None
    #: boundary events: id and name
    boundary: tuple[tuple[str, str], ...] = ()
    #: data and notes above it: id, width, height, name beside it, id of the line
    notes: tuple[tuple[str, float, float, str, str], ...] = ()


@dataclass(slots=True)
class _Way:
    """The space right of a column: verticals (line, from row, to row) and labels."""

    tracks: list[tuple[str, float, float]] = field(default_factory=list)
    label: float = 0
    #: x where it begins, track of each line
    x: float = 0
    at: dict[str, float] = field(default_factory=dict)


#: number of a row in a way: what lies below all rows
_BELOW = float("inf")


def arrange(
    things: Sequence[Thing], arcs: Sequence[Arc], names: Mapping[str, str], lanes: int = 1
) -> tuple[Picture, list[tuple[float, float]]]:
    """Return the picture of a scope, and the top and bottom of each lane.

    `names` are the texts on flows.
    """
    by_id = {thing.id: thing for thing in things}
    grid = rank([t.id for t in things], arcs, {t.id: t.lane for t in things})
    return _Arranging(by_id, arcs, names, grid, max(lanes, 1)).picture()


class _Arranging:
    def __init__(
        self,
        things: Mapping[str, Thing],
        arcs: Sequence[Arc],
        names: Mapping[str, str],
        grid: Grid,
        lanes: int,
    ) -> None:
        self.things, self.arcs, self.names, self.grid, self.lanes = things, arcs, names, grid, lanes
        self.rows = grid.rows(lanes)
        self.number = {row: float(n) for n, row in enumerate(self.rows)}
        #: row -> axis, ways below and above it, lines through the way below
        self.axis: dict[Row, float] = {}
        self.below: dict[Row, float] = {}
        self.above: dict[Row, float] = {}
        self.leaving: dict[Row, list[str]] = {row: [] for row in self.rows}
        self.ways = {column: _Way() for column in range(-1, grid.columns)}
        self.columns: dict[int, tuple[float, float]] = {}
        self.back_y: dict[str, float] = {}
        self.out = Picture()

    def picture(self) -> tuple[Picture, list[tuple[float, float]]]:
        """Place everything."""
        for arc in self.arcs:
            self._reserve(arc)
        bands = self._place_rows()
        self._place_columns()
        for thing in self.things.values():
            self._draw(thing)
        for arc in self.arcs:
            self._line(arc)
        last = self.ways[self.grid.columns - 1]
        self.out.width = last.x + self._way_width(last)
        return self.out, bands

    # ------------------------------------------------ reserving

    def _reserve(self, arc: Arc) -> None:
        path = self.grid.paths[arc.id]
        width, _height = text_size(self.names.get(arc.id, ""))
        if arc.port:
            self.leaving[path[0][1]].append(arc.id)
        if arc.id in self.grid.back:
            (left, first), (target, last) = path
            self.ways[left].tracks.append((arc.id, self._level(arc, first), _BELOW))
            way = self.ways[target - 1]
            way.tracks.append((f"{arc.id}<", _BELOW, self.number[last]))
            return
        for hop, ((column, row), (_next, other)) in enumerate(itertools.pairwise(path)):
            way = self.ways[column]
            level = self._level(arc, row) if hop == 0 else self.number[row]
            if level != self.number[other]:
                way.tracks.append((arc.id, level, self.number[other]))
            if hop == 0:
                way.label = max(way.label, width)

    def _level(self, arc: Arc, row: Row) -> float:
        """A line of a boundary event starts between its row and the next."""
        return self.number[row] + (0.5 if arc.port else 0.0)

    def _way_width(self, way: _Way) -> float:
        label = way.label + GAP if way.label else 0
        return 2 * GAP + TRACK * max(len(way.tracks) - 1, 0) + label

    # ------------------------------------------------ placing

    def _place_rows(self) -> list[tuple[float, float]]:
        bands: list[tuple[float, float]] = []
        y, lane, top = 0.0, 0, 0.0
        for row in self.rows:
            if row[0] != lane:
                bands.append((top, y))
                lane, top = row[0], y
            here = [self.things[n] for n, cell in self.grid.cells.items() if cell[1] == row]
            self.above[row] = y + GAP / 2
            y += GAP
            axis = y + max((_above(thing) for thing in here), default=25)
            self.axis[row] = axis
            y = axis + max((_under(thing) for thing in here), default=25) + GAP / 2
            self.below[row] = y
            y += TRACK * len(self.leaving[row]) + GAP / 2
        for arc in self.arcs:
            if arc.id in self.grid.back:
                _width, height = text_size(self.names.get(arc.id, ""), 200)
                y += height + TRACK
                self.back_y[arc.id] = y
        y += GAP
        bands.append((top, y))
        self.out.height = y
        return bands

    def _place_columns(self) -> None:
        x = 0.0
        for column in range(-1, self.grid.columns):
            if column >= 0:
                here = [self.things[n] for n, cell in self.grid.cells.items() if cell[0] == column]
                width = max((_breadth(thing) for thing in here), default=0)
                self.columns[column] = (x, width)
                x += width
            way = self.ways[column]
            way.x = x
            for number, line in enumerate(_ordered(way.tracks)):
                way.at[line] = x + GAP + TRACK * number
            x += self._way_width(way) if column >= 0 or way.tracks else 0

    # ------------------------------------------------ drawing

    def _draw(self, thing: Thing) -> None:
        column, row = self.grid.cells[thing.id]
        left, width = self.columns[column]
        axis = self.axis[row]
        box = Box(left + (width - thing.width) / 2, axis - thing.height / 2,
                  thing.width, thing.height)  # fmt: skip
        out = self.out
        out.boxes[thing.id] = box
        out.rows[thing.id] = (self.below[row], self.above[row])
        out.ways[thing.id] = self.ways[column].x + GAP / 2
        if thing.inside is not None:
            out.put(thing.inside, box.x, box.y)
        if thing.label:
            size = text_size(thing.label)
            out.labels[thing.id] = Box(box.middle[0] - size[0] / 2, box.bottom + 4, *size)
        for number, (event, name) in enumerate(thing.boundary):
            share = box.width / len(thing.boundary)
            x = box.x + share * number + share * 0.62
            at = Box(x - EVENT / 2, box.bottom - EVENT / 2, EVENT, EVENT)
            out.boxes[event] = at
            out.rows[event], out.ways[event] = out.rows[thing.id], out.ways[thing.id]
            if name:
                wide, high = text_size(name, _room(thing))
                out.labels[event] = Box(x - 6 - wide, at.bottom + 2, wide, high)
        self._notes(thing, box)

    def _notes(self, thing: Thing, box: Box) -> None:
        total = sum(max(width, LABEL_WIDTH) for _, width, *_ in thing.notes)
        x = box.middle[0] - total / 2
        for number, (name, width, height, label, line) in enumerate(thing.notes):
            wide = max(width, LABEL_WIDTH)
            size = text_size(label)
            bottom = box.y - GAP
            at = Box(x + (wide - width) / 2, bottom - height - size[1], width, height)
            self.out.boxes[name] = at
            if label:
                self.out.labels[name] = Box(at.middle[0] - size[0] / 2, at.bottom, *size)
            end = box.x + box.width * (number + 1) / (len(thing.notes) + 1)
            start = at.middle[0]
            between = box.y - GAP / 2
            self.out.lines[line] = straight(
                [(start, bottom), (start, between), (end, between), (end, box.y)]
            )
            x += wide

    def _line(self, arc: Arc) -> None:
        path = self.grid.paths[arc.id]
        points = self._first(arc)
        if arc.id in self.grid.back:
            (left, _first), (target, last) = path
            down, up = self.ways[left].at[arc.id], self.ways[target - 1].at[f"{arc.id}<"]
            y, axis = self.back_y[arc.id], self.axis[last]
            points += [(down, points[-1][1]), (down, y), (up, y), (up, axis)]
            self._back_label(arc, down, up, y)
        for (column, _row), (_next, other) in (
            [] if arc.id in self.grid.back else itertools.pairwise(path)
        ):
            axis, track = self.axis[other], self.ways[column].at.get(arc.id)
            if track is not None:
                points += [(track, points[-1][1]), (track, axis)]
            points.append((self.ways[column].x + self._way_width(self.ways[column]), axis))
        box = self.out.boxes[arc.target]
        points.append((box.x, box.middle[1]))
        self.out.lines[arc.id] = straight(points)
        if arc.id not in self.grid.back:
            self._label(arc, path)

    def _first(self, arc: Arc) -> list[Point]:
        """Return the points before the first way."""
        if not arc.port:
            box = self.out.boxes[arc.source]
            return [(box.right, box.middle[1])]
        row = self.grid.cells[arc.source][1]
        box = self.out.boxes[arc.port]
        y = self.below[row] + TRACK * self.leaving[row].index(arc.id)
        return [(box.middle[0], box.bottom), (box.middle[0], y)]

    def _label(self, arc: Arc, path: list[tuple[int, Row]]) -> None:
        name = self.names.get(arc.id, "")
        width, height = text_size(name)
        if not width:
            return
        way = self.ways[path[0][0]]
        x = way.x + self._way_width(way) - GAP / 2 - width
        y = self.axis[path[1][1]] - height - 3
        while any(_overlap(Box(x, y, width, height), one) for one in self.out.labels.values()):
            y -= LINE
        self.out.labels[arc.id] = Box(x, y, width, height)

    def _back_label(self, arc: Arc, down: float, up: float, y: float) -> None:
        width, height = text_size(self.names.get(arc.id, ""), 200)
        if width:
            self.out.labels[arc.id] = Box((down + up - width) / 2, y - height - 2, width, height)


# ------------------------------------------------------------------ sizes


def _room(thing: Thing) -> float:
    """Return the width for the name of a boundary event."""
    return max(thing.width / max(len(thing.boundary), 1) * 0.62 - 6, 55)


def _above(thing: Thing) -> float:
    notes = max((height + text_size(label)[1] + GAP for _, _, height, label, _ in thing.notes),
                default=0)  # fmt: skip
    return thing.height / 2 + notes


def _under(thing: Thing) -> float:
    label = text_size(thing.label)[1] + 4 if thing.label else 0
    events = max(
        (EVENT / 2 + text_size(name, _room(thing))[1] + 4 for _, name in thing.boundary), default=0
    )
    return thing.height / 2 + max(label, events)


def _breadth(thing: Thing) -> float:
    notes = sum(max(width, LABEL_WIDTH) for _, width, *_ in thing.notes)
    return max(thing.width, notes, LABEL_WIDTH if thing.label else 0)


def _overlap(one: Box, other: Box) -> bool:
    return (
        one.x < other.right and other.x < one.right
        and one.y < other.bottom and other.y < one.bottom
    )  # fmt: skip


def _ordered(tracks: Sequence[tuple[str, float, float]]) -> list[str]:
    """Order the lines of a way so that what leaves a row stands left of what arrives there."""
    left = list(tracks)
    found: list[str] = []
    while left:
        free = next(
            (one for one in left if not any(o is not one and o[1] == one[2] for o in left)), left[0]
        )
        left.remove(free)
        found.append(free[0])
    return found
