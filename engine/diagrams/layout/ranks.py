"""In which column and row each node of a scope stands, and over which cells its flows pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

#: a row: number of the lane, number within it
Row = tuple[int, int]
Cell = tuple[int, Row]


@dataclass(frozen=True, slots=True)
class Arc:
    """A flow between two nodes of a scope."""

    id: str
    source: str
    target: str
    #: boundary event it leaves by; "" for the node itself
    port: str = ""


@dataclass(slots=True)
class Grid:
    """Nodes and flows on a grid."""

    cells: dict[str, Cell] = field(default_factory=dict)
    #: flow -> the cells from its source to its target; those of a flow back are only these two
    paths: dict[str, list[Cell]] = field(default_factory=dict)
    #: flows that lead to the left or back to where they come from
    back: set[str] = field(default_factory=set)

    @property
    def columns(self) -> int:
        """How many columns there are."""
        return 1 + max((column for column, _ in self.cells.values()), default=0)

    def rows(self, lanes: int) -> list[Row]:
        """Return all rows from top to bottom; each lane has at least one."""
        used = [row for path in self.paths.values() for _, row in path]
        used += [row for _, row in self.cells.values()]
        found = []
        for lane in range(max(lanes, 1)):
            last = max((number for at, number in used if at == lane), default=0)
            found += [(lane, number) for number in range(last + 1)]
        return found


def rank(nodes: Sequence[str], arcs: Sequence[Arc], lanes: Mapping[str, int]) -> Grid:
    """Place nodes (in the order of the file) and flows on a grid."""
    grid = Grid()
    grid.back = _back(nodes, arcs)
    forward = [arc for arc in arcs if arc.id not in grid.back]
    columns = _columns(nodes, forward)
    _rows(grid, nodes, forward, columns, lanes)
    for arc in arcs:
        if arc.id in grid.back:
            grid.paths[arc.id] = [grid.cells[arc.source], grid.cells[arc.target]]
    return grid


def _back(nodes: Sequence[str], arcs: Sequence[Arc]) -> set[str]:
    """Return the flows that close a loop, found by a walk from the beginnings."""
    leaving: dict[str, list[Arc]] = {node: [] for node in nodes}
    entered = set()
    for arc in arcs:
        leaving[arc.source].append(arc)
        entered.add(arc.target)
    found: set[str] = set()
    state: dict[str, int] = {}
    for first in [*(n for n in nodes if n not in entered), *nodes]:
        if first in state:
            continue
        state[first] = 1
        stack = [(first, iter(leaving[first]))]
        while stack:
            node, rest = stack[-1]
            onward = next(rest, None)
            if onward is None:
                state[node] = 2
                stack.pop()
            elif state.get(onward.target) == 1:
                found.add(onward.id)
            elif onward.target not in state:
                state[onward.target] = 1
                stack.append((onward.target, iter(leaving[onward.target])))
    return found


def _columns(nodes: Sequence[str], arcs: Sequence[Arc]) -> dict[str, int]:
    """Return the longest way to each node."""
    left = dict.fromkeys(nodes, 0)
    leaving: dict[str, list[str]] = {node: [] for node in nodes}
    for arc in arcs:
        left[arc.target] += 1
        leaving[arc.source].append(arc.target)
    found = dict.fromkeys(nodes, 0)
    ready = [node for node in nodes if not left[node]]
    for node in ready:
        for target in leaving[node]:
            found[target] = max(found[target], found[node] + 1)
            left[target] -= 1
            if not left[target]:
                ready.append(target)
    return found


@dataclass(slots=True)
class _Item:
    """A node, or a flow that passes through a column."""

    #: id of the node; "" for a flow that passes
    node: str
    arc: Arc | None
    lane: int
    #: the row it would like best
    wish: float
    order: int


def _rows(
    grid: Grid,
    nodes: Sequence[str],
    arcs: Sequence[Arc],
    columns: Mapping[str, int],
    lanes: Mapping[str, int],
) -> None:
    """Give each column its rows from top to bottom; a flow that passes keeps its row."""
    entering: dict[str, list[Arc]] = {node: [] for node in nodes}
    for arc in arcs:
        entering[arc.target].append(arc)
    order = {arc.id: number for number, arc in enumerate(arcs)}
    passing: list[Arc] = []
    for column in range(1 + max(columns.values(), default=0)):
        items: list[_Item] = []
        for node in (n for n in nodes if columns[n] == column):
            wish = _wish(grid, entering[node], lanes, lanes.get(node, 0))
            first = min((order[arc.id] for arc in entering[node]), default=-1)
            items.append(_Item(node, None, lanes.get(node, 0), wish, first))
        for arc in passing:
            lane, number = grid.paths[arc.id][-1][1]
            below = 0.5 if arc.port and len(grid.paths[arc.id]) == 1 else 0
            items.append(_Item("", arc, lane, number + below, order[arc.id]))
        _fill(grid, items, column)
        passing = [
            arc
            for arc in (*passing, *(a for a in arcs if columns[a.source] == column))
            if columns[arc.target] > column + 1
        ]
        for arc in (a for a in arcs if columns[a.source] == column):
            grid.paths[arc.id] = [grid.cells[arc.source]]
        for arc in (a for a in arcs if columns[a.target] == column):
            grid.paths[arc.id].append(grid.cells[arc.target])


def _wish(grid: Grid, entering: Sequence[Arc], lanes: Mapping[str, int], lane: int) -> float:
    """Return the row of the first flow that comes from the same lane; 0 without one."""
    wishes = []
    for arc in entering:
        at, number = grid.paths[arc.id][-1][1]
        if at == lane:
            wishes.append(number + (0.5 if arc.port and len(grid.paths[arc.id]) == 1 else 0.0))
    return min(wishes, default=0.0)


def _fill(grid: Grid, items: list[_Item], column: int) -> None:
    taken: dict[int, int] = {}
    for item in sorted(items, key=lambda one: (one.lane, one.wish, one.order)):
        wish = int(item.wish + 0.999) if item.wish % 1 else int(item.wish)
        number = max(wish, taken.get(item.lane, -1) + 1)
        taken[item.lane] = number
        cell = (column, (item.lane, number))
        if item.arc is None:
            grid.cells[item.node] = cell
        else:
            grid.paths[item.arc.id].append(cell)
