"""What a layout is made of: boxes, labels and lines, and how large they are. Lengths in pixels."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

#: a place: x, y
Point = tuple[float, float]

EVENT, GATEWAY = 36, 50
TASK_WIDTH, TASK_HEIGHT = 100, 80
#: free space between things, between parallel lines, around the inside of a sub-process
GAP, TRACK, PADDING = 20, 12, 30
#: width that the text of a label is broken at, height of its lines
LABEL_WIDTH, LINE = 90, 14
_LETTER, _WIDE_LETTER, _SPARE = 6.6, 12.0, 12


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle by its upper left corner and its size."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The x of the right side."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """The y of the lower side."""
        return self.y + self.height

    @property
    def middle(self) -> Point:
        """The centre."""
        return self.x + self.width / 2, self.y + self.height / 2

    def moved(self, dx: float, dy: float) -> Box:
        """Return the same box elsewhere."""
        return replace(self, x=self.x + dx, y=self.y + dy)


@dataclass(slots=True)
class Picture:
    """Shapes and lines by the ids of their elements, within a width and a height from (0, 0)."""

    boxes: dict[str, Box] = field(default_factory=dict)
    labels: dict[str, Box] = field(default_factory=dict)
    lines: dict[str, list[Point]] = field(default_factory=dict)
    width: float = 0
    height: float = 0
    #: places through which lines may leave a node downwards or upwards: id -> (below, above)
    rows: dict[str, tuple[float, float]] = field(default_factory=dict)
    #: x of the free way right of each node
    ways: dict[str, float] = field(default_factory=dict)

    def put(self, other: Picture, dx: float, dy: float) -> None:
        """Add another picture at an offset."""
        for name, box in other.boxes.items():
            self.boxes[name] = box.moved(dx, dy)
        for name, box in other.labels.items():
            self.labels[name] = box.moved(dx, dy)
        for name, points in other.lines.items():
            self.lines[name] = [(x + dx, y + dy) for x, y in points]
        for name, (below, above) in other.rows.items():
            self.rows[name] = (below + dy, above + dy)
        for name, x in other.ways.items():
            self.ways[name] = x + dx


def text_size(text: str, width: float = LABEL_WIDTH) -> tuple[float, float]:
    """Return the room a text takes when it is broken at a width; (0, 0) for none.

    Fonts differ, so there is room to spare.
    """
    if not text.strip():
        return 0, 0
    widest, lines = 0.0, 0
    for line in _broken(text, width - _SPARE):
        widest, lines = max(widest, line), lines + 1
    return widest + _SPARE, lines * LINE


def _broken(text: str, width: float) -> Iterator[float]:
    """Yield the length of each line of a text that is broken between words."""
    line = 0.0
    for word in text.split():
        length = sum(
            _WIDE_LETTER if unicodedata.east_asian_width(c) in "WF" else _LETTER for c in word
        )
        if line and line + _LETTER + length > width:
            yield line
            line = 0.0
        while length > width:  # a word without blanks is broken anywhere
            yield width
            length -= width
        line += length + (_LETTER if line else 0)
    yield line


def straight(points: list[Point]) -> list[Point]:
    """Drop points that lie on the line between their neighbours, and doubled ones."""
    kept: list[Point] = []
    for point in points:
        if kept and _near(kept[-1], point):
            continue
        if len(kept) > 1 and _in_line(kept[-2], kept[-1], point):
            kept.pop()
        kept.append(point)
    return kept


def _near(one: Point, other: Point) -> bool:
    return abs(one[0] - other[0]) < 0.5 and abs(one[1] - other[1]) < 0.5


def _in_line(first: Point, second: Point, third: Point) -> bool:
    return any(
        abs(first[axis] - second[axis]) < 0.5 and abs(second[axis] - third[axis]) < 0.5
        for axis in (0, 1)
    )
