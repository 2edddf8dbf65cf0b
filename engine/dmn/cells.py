"""The input cells of a decision table as sets of values, looked up instead of tried one by one.

Values of one kind lie on an axis. A cell that compares with constants is a set of spans between
cuts: a cut is just before or just after a value. All cells of a column cut their axes into places,
and each place knows the rules (bits of a whole number) that accept what lies there. The same places
show what no rule, or more than one, accepts (gaps.py). Any other cell is evaluated, and only while
its rule is still possible.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

from engine import feel
from engine.dmn.evaluation import Evaluation, Scope
from engine.errors import FeelError
from engine.feel.moments import NS
from engine.feel.nodes import Literal, Node, Test, UnaryTests
from engine.feel.operators import order_keys
from engine.feel.parser import CONSTRUCTORS, parse
from engine.feel.values import BOOLEAN, MOMENT, NUMBER, STRING, TIME, Range, kind_of

#: (key, 0) is just before a value, (key, 1) just after it; None is the end of the axis
Cut = tuple[Any, int] | None
Span = tuple[Cut, Cut]
#: ends the name of the axis of times and moments with a zone; those without lie on another
WITH_ZONE = " with zone"


@dataclass(slots=True)
class Accepted:
    """The values that a cell accepts, where constants alone decide."""

    #: per axis the spans; sorted, disjoint
    spans: dict[str, list[Span]] = field(default_factory=dict)
    null: bool = False
    #: everything but null
    present: bool = False
    #: per axis and key the value as written
    values: dict[tuple[str, Any], object] = field(default_factory=dict)

    @property
    def everything(self) -> bool:
        """Tell whether the cell tests nothing."""
        return self.null and self.present


@lru_cache(maxsize=4096)
def tests_of(text: str, *names: str) -> UnaryTests | None:
    """Return the tests of a cell; None for what cannot be read without its surroundings.

    `names` are those of built-ins that a variable has, too, and that may be something else.
    """
    try:
        node = parse(text, "unary", names)
    except FeelError:
        return None
    return node if isinstance(node, UnaryTests) else None


def accepted(text: str, names: Collection[str] = ()) -> Accepted | None:
    """Return what a cell accepts; None where it must be evaluated to tell."""
    node = tests_of(text, *sorted(CONSTRUCTORS.intersection(names)))
    if node is None:
        return None
    if not node.tests:
        return Accepted(null=True, present=True)
    parts = [_one(test) for test in node.tests]
    whole = Accepted()
    for part in parts:
        if part is None:
            return None
        whole.null |= part.null
        whole.present |= part.present
        whole.values |= part.values
        for axis, spans in part.spans.items():
            whole.spans[axis] = _merged([*whole.spans.get(axis, ()), *spans])
    return _but(whole, node) if node.negated else whole


def _one(test: Node) -> Accepted | None:
    operator = test.operator if isinstance(test, Test) else "="
    found = constant(test.operand if isinstance(test, Test) else test)
    if found is None:
        return None
    (value,) = found
    if isinstance(value, Range):
        return _between(value) if operator == "=" else None
    if value is None:
        if operator not in ("=", "!="):
            return None
        return Accepted(null=operator == "=", present=operator == "!=")
    place = place_of(value)
    if place is None:
        return None
    axis, key = place
    if operator == "!=" and axis.startswith((TIME, MOMENT)):
        return None  # moments with and without a zone differ, on two axes
    before, after = _around(axis, key, operator)
    ways: dict[str, list[Span]] = {
        "=": [(before, after)],
        "!=": [(None, before), (after, None)],
        "<": [(None, before)],
        "<=": [(None, after)],
        ">": [(after, None)],
        ">=": [(before, None)],
    }
    return Accepted({axis: ways[operator]}, null=operator == "!=", values={(axis, key): value})


def _around(axis: str, key: Any, operator: str) -> tuple[Cut, Cut]:
    """Return the cuts before and after a value; equal moments agree to the whole second."""
    if operator == "=" and axis.startswith((TIME, MOMENT)):
        second = key // NS * NS
        return (second, 0), (second + NS, 0)
    return (key, 0), (key, 1)


def _between(span: Range) -> Accepted | None:
    low, high = place_of(span.start), place_of(span.end)
    if low is None or high is None or low[0] != high[0] or span.operator is not None:
        return None
    cuts = (low[1], int(not span.start_included)), (high[1], int(span.end_included))
    spans: list[Span] = [cuts] if cuts[0] < cuts[1] else []
    return Accepted({low[0]: spans}, values={low: span.start, high: span.end})


def _but(whole: Accepted, node: UnaryTests) -> Accepted | None:
    """Return all but what tests accept; values of a kind that no test has do not fit either way."""
    if whole.present or any(constant(test) == (None,) for test in node.tests):
        return Accepted(present=True) if whole.null and not whole.spans else None
    if any(axis.startswith((TIME, MOMENT)) for axis in whole.spans):
        return None  # moments with and without a zone differ, on two axes
    # null is neither below nor above anything, but it is certainly not equal
    exact = not whole.null and any(
        not isinstance(getattr(test, "value", None), Range)
        and (not isinstance(test, Test) or test.operator == "=")
        for test in node.tests
    )
    turned = {axis: _turned(spans) for axis, spans in whole.spans.items()}
    return Accepted(turned, null=exact, values=whole.values)


def _turned(spans: list[Span]) -> list[Span]:
    """Return what lies between and around spans."""
    if not spans:
        return [(None, None)]
    lows, highs = [low for low, _ in spans], [high for _, high in spans]
    found: list[Span] = list(zip(highs[:-1], lows[1:], strict=True))
    if lows[0] is not None:
        found.insert(0, (None, lows[0]))
    if highs[-1] is not None:
        found.append((highs[-1], None))
    return found


def constant(node: Node) -> tuple[object] | None:
    """Return the value of a part that is a constant, in a tuple; None for any other."""
    return (node.value,) if isinstance(node, Literal) else None


def place_of(value: object) -> tuple[str, Any] | None:
    """Return the axis of a value and where it lies; None for what cells do not compare."""
    kind = type(value)
    if kind is int or kind is Decimal:
        return NUMBER, value
    if kind is str:
        return STRING, value
    if kind is bool:
        return BOOLEAN, int(value)  # type: ignore[call-overload]
    keys = order_keys(value, value)
    if keys is None:
        return None
    name = kind_of(value)
    if name in (TIME, MOMENT) and getattr(value, "tzinfo", None) is not None:
        name += WITH_ZONE
    return name, keys[0]


def _merged(spans: list[Span]) -> list[Span]:
    """Return spans in order and without overlaps."""
    found: list[Span] = []
    for low, high in sorted(spans, key=lambda span: (span[0] is not None, span[0])):
        last = found[-1][1] if found else None
        if found and (last is None or low is None or low <= last):
            far = None if last is None or high is None else max(last, high)
            found[-1] = (found[-1][0], far)
        else:
            found.append((low, high))
    return found


class Cell:
    """One cell: its text, and how to decide."""

    __slots__ = ("accepts", "expression", "text")

    def __init__(
        self,
        text: str,
        compiled: Callable[[], feel.Expression | None],
        names: Collection[str] = (),
    ) -> None:
        self.text = text
        #: the values it accepts; None where it must be evaluated
        self.accepts = accepted(text, names)
        #: what is evaluated; None for a cell that is looked up, or wrong
        self.expression = compiled() if self.accepts is None else None

    @property
    def says(self) -> bool:
        """Tell whether the cell tests anything."""
        return self.accepts is None or not self.accepts.everything


class Axis:
    """The places of one kind of values; place 2n + 1 is the nth limit, 2n what lies below it."""

    __slots__ = ("limits", "rules", "values")

    def __init__(self, spans: Sequence[tuple[Span, int]]) -> None:
        #: every key that a cell compares with, in order
        self.limits: list[Any] = sorted({cut[0] for span, _ in spans for cut in span if cut})
        turns = [0] * (2 * len(self.limits) + 2)
        for (low, high), bit in spans:
            turns[0 if low is None else self.place(low[0]) + low[1]] ^= bit
            if high is not None:
                turns[self.place(high[0]) + high[1]] ^= bit
        current = 0
        #: per place the rules that accept it
        self.rules = [current := current ^ turn for turn in turns[:-1]]
        #: the limits as they are written, by key
        self.values: dict[Any, object] = {}

    def place(self, key: Any) -> int:
        """Return the place of a key."""
        at = bisect_left(self.limits, key)
        return 2 * at + (at < len(self.limits) and bool(self.limits[at] == key))


class Column:
    """All cells below one input."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        self.cells = tuple(cells)
        #: rules that accept everything but null, and those that accept null
        self.present = self.null = 0
        #: rules whose cell has to be evaluated
        self.slow = 0
        spans: dict[str, list[tuple[Span, int]]] = {}
        for n, cell in enumerate(self.cells):
            bit, one = 1 << n, cell.accepts
            if one is None:
                self.slow |= bit
                continue
            self.present |= bit * one.present
            self.null |= bit * one.null
            for axis, found in one.spans.items():
                spans.setdefault(axis, []).extend((span, bit) for span in found)
        self.axes = {axis: Axis(found) for axis, found in spans.items()}
        for cell in self.cells:
            for (axis, key), value in cell.accepts.values.items() if cell.accepts else ():
                self.axes[axis].values.setdefault(key, value)

    def accepted(self, value: object, possible: int, scope: Scope, run: Evaluation) -> int:
        """Return those of the possible rules whose cell accepts the value."""
        found = self.null if value is None else self.present
        place = place_of(value)
        if place is not None and place[0] in self.axes:
            axis = self.axes[place[0]]
            found |= axis.rules[axis.place(place[1])]
        slow = self.slow & possible
        if slow:
            found |= self._tried(slow, {**scope, "?": value}, run)
        return found & possible

    def _tried(self, rules: int, scope: Scope, run: Evaluation) -> int:
        found = 0
        for n in bits(rules):
            expression = self.cells[n].expression
            if expression is not None and expression.evaluate(scope, now=run.now) is True:
                found |= 1 << n
        return found


def bits(rules: int) -> Iterator[int]:
    """Yield the rules of a set, counted from 0."""
    while rules:
        bit = rules & -rules
        rules ^= bit
        yield bit.bit_length() - 1
