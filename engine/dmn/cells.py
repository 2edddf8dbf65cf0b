"""The input cells of a decision table, looked up instead of tried one by one.

Rules are bits of a whole number. A column answers with the rules whose cell accepts a value: texts,
numbers and truth values are found in a dict, intervals of numbers by bisection; any other cell is
evaluated, and only while its rule is still possible.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from decimal import Decimal

from engine import feel
from engine.dmn.evaluation import Evaluation, Scope
from engine.errors import FeelError
from engine.feel.compiler import folded
from engine.feel.kinds import number_of
from engine.feel.library import LONG_NAMES
from engine.feel.nodes import Literal, Node, Test, UnaryTests
from engine.feel.parser import parse
from engine.feel.values import Range

Number = int | Decimal
#: places on the line of numbers: 2n + 1 is the nth limit itself, 2n what is below it
_Places = tuple[int, int]
_TRUTH = {True: "\0true", False: "\0false"}


class Cell:
    """One cell: its text, and how to decide."""

    __slots__ = ("always", "expression", "keys", "spans", "text")

    def __init__(self, text: str, compiled: Callable[[], feel.Expression | None]) -> None:
        self.text = text
        #: accepts everything
        self.always = False
        #: exact values it accepts; None where the cell must be evaluated
        self.keys: list[object] | None = None
        #: intervals of numbers it accepts
        self.spans: list[Range] = []
        self._simplify()
        #: what is evaluated; None for a cell that is looked up, or wrong
        self.expression = compiled() if self.keys is None else None

    def _simplify(self) -> None:
        try:
            node = parse(self.text, "unary", (), LONG_NAMES)
        except FeelError:
            return
        if not isinstance(node, UnaryTests) or node.negated:
            return
        self.always = not node.tests
        keys: list[object] = []
        spans: list[Range] = []
        for test in node.tests:
            found = simple_test(test)
            if found is None:
                return
            if isinstance(found, Range):
                spans.append(found)
            else:
                keys.append(found)
        self.keys, self.spans = keys, spans


def simple_test(test: Node) -> object:
    """Return the key or the interval of numbers a test stands for; None if it must be evaluated."""
    if isinstance(test, Test):
        limit = folded(test.operand)
        number = number_of(limit.value) if isinstance(limit, Literal) else None
        if number is None or test.operator == "!=":
            return None
        low, high = test.operator[0] != "<", test.operator[0] != ">"
        closed = "=" in test.operator
        return Range(number if low else None, number if high else None, closed, closed)
    short = folded(test)
    if not isinstance(short, Literal):
        return None
    value = short.value
    if isinstance(value, Range):
        bounded = number_of(value.start) is not None and number_of(value.end) is not None
        return value if bounded else None
    return key_of(value)


def key_of(value: object) -> object:
    """Return what a value is looked up by; None for what no cell can be found by."""
    if isinstance(value, bool):
        return _TRUTH[value]
    if isinstance(value, str):
        return value
    return number_of(value)


class Column:
    """All cells below one input."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        self.cells = tuple(cells)
        self._always = 0
        self._exact: dict[object, int] = {}
        #: rules whose cell has to be evaluated
        self._slow = 0
        spans: list[tuple[Range, int]] = []
        for n, cell in enumerate(self.cells):
            bit = 1 << n
            if cell.always:
                self._always |= bit
            elif cell.keys is None:
                self._slow |= bit
            for key in cell.keys or ():
                self._exact[key] = self._exact.get(key, 0) | bit
            spans += [(span, bit) for span in cell.spans]
        self._limits, self._between = _divided(spans)

    def accepted(self, value: object, possible: int, scope: Scope, run: Evaluation) -> int:
        """Return those of the possible rules whose cell accepts the value."""
        found = self._always
        key = key_of(value)
        if key is not None:
            found |= self._exact.get(key, 0)
            if self._limits and isinstance(key, (int, Decimal)):
                found |= self._between[_place(self._limits, key)]
        slow = self._slow & possible
        if slow:
            found |= self._tried(slow, {**scope, "?": value}, run)
        return found & possible

    def _tried(self, rules: int, scope: Scope, run: Evaluation) -> int:
        found = 0
        while rules:
            bit = rules & -rules
            rules ^= bit
            expression = self.cells[bit.bit_length() - 1].expression
            if expression is not None and expression.evaluate(scope, now=run.now) is True:
                found |= bit
        return found


def _place(limits: list[Number], value: Number) -> int:
    at = bisect_left(limits, value)
    return 2 * at + (at < len(limits) and limits[at] == value)


def _divided(spans: Sequence[tuple[Range, int]]) -> tuple[list[Number], list[int]]:
    """Return the limits of all intervals, and the rules for each place at and between them."""
    limits = sorted(
        {
            number
            for span, _ in spans
            for number in (number_of(span.start), number_of(span.end))
            if number is not None
        }
    )
    begins = [0] * (2 * len(limits) + 2)
    ends = [0] * (2 * len(limits) + 2)
    repeated: list[tuple[_Places, int]] = []
    seen = 0
    for span, bit in spans:
        first, last = _reach(span, limits)
        if first > last:
            continue
        if seen & bit:  # a second interval of one cell: laid over the first one below
            repeated.append(((first, last), bit))
            continue
        seen |= bit
        begins[first] |= bit
        ends[last + 1] |= bit
    between: list[int] = []
    current = 0
    for place in range(2 * len(limits) + 1):
        current = (current & ~ends[place]) | begins[place]
        between.append(current)
    for (first, last), bit in repeated:
        for place in range(first, last + 1):
            between[place] |= bit
    return limits, between


def _reach(span: Range, limits: list[Number]) -> _Places:
    first, last = 0, 2 * len(limits)
    low, high = number_of(span.start), number_of(span.end)
    if low is not None:
        first = _place(limits, low) + (not span.start_included)
    if high is not None:
        last = _place(limits, high) - (not span.end_included)
    return first, last
