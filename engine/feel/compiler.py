"""The tree to Python closures, once per text. `code_*.py` hold the closures by kind of node.

Where a name lives (loop, context, parameter, filter item or scope) is settled here, so that at
run time a local variable is a fixed number of frames away.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from engine.feel.arithmetic import OPERATIONS, Refused, negate
from engine.feel.kinds import from_float, order_keys
from engine.feel.library import BUILTINS
from engine.feel.nodes import Arithmetic, Interval, Literal, Negation, Node
from engine.feel.run import Code, Run
from engine.feel.types import Type
from engine.feel.values import Range


class Level:
    """The names of one frame at compile time."""

    __slots__ = ("is_item", "names", "single")

    def __init__(self, names: Iterable[str] = (), *, is_item: bool = False, single: str = ""):
        #: names whose values are in the frame's dict
        self.names = set(names)
        #: the frame holds the item of a filter, whose entries are names as well
        self.is_item = is_item
        #: the frame holds the value of this one variable
        self.single = single


class Compiler:
    """The state of one compilation."""

    def __init__(self, names: Iterable[str], types: Mapping[str, Type]) -> None:
        #: variables declared by the caller
        self.names = frozenset(names)
        self.types = types
        #: innermost last
        self.levels: list[Level] = []
        #: (name, offset, whether it can only be a variable of the scope)
        self.reads: list[tuple[str, int, bool]] = []
        #: (offset, message)
        self.problems: list[tuple[int, str]] = []

    def code(self, node: Node) -> Code:
        """Return the closure of a node."""
        return COMPILERS[type(node)](self, node)

    def within(self, level: Level, node: Node) -> Code:
        """Return the closure of a node that runs one frame further in."""
        self.levels.append(level)
        found = self.code(node)
        self.levels.pop()
        return found

    def is_local(self, name: str) -> bool:
        """Tell whether a loop, context or parameter declares the name."""
        return any(name in level.names or level.single == name for level in self.levels)

    def note_read(self, name: str, at: int, sure: bool) -> None:
        """Remember that a variable of the scope is (or may be) read."""
        self.reads.append((name, at, sure))

    def problem(self, message: str, at: int) -> None:
        """Note something that cannot work at run time."""
        self.problems.append((at, message))


COMPILERS: dict[type[Node], Callable[[Compiler, Any], Code]] = {}
_Method = Callable[[Compiler, Any], Code]


def compiles(*kinds: type[Node]) -> Callable[[_Method], _Method]:
    """Mark a function as the one that compiles these kinds of nodes."""

    def mark(function: _Method) -> _Method:
        COMPILERS.update(dict.fromkeys(kinds, function))
        return function

    return mark


def constant(value: object) -> Code:
    """Return code that always gives the value."""
    return lambda env: value


def folded(node: Node) -> Node:
    """Return a literal in place of arithmetic and ranges of literals."""
    if isinstance(node, Negation):
        operand = folded(node.operand)
        if isinstance(operand, Literal):
            return _computed(node, lambda: negate(operand.value))
    elif isinstance(node, Interval):
        start, end = folded(node.start), folded(node.end)
        if not isinstance(start, Literal) or not isinstance(end, Literal):
            return node
        if order_keys(start.value, end.value) is not None:
            flags = node.start_included, node.end_included
            return Literal(node.at, Range(start.value, end.value, *flags))
    elif isinstance(node, Arithmetic):
        return _folded_chain(node)
    return node


def _folded_chain(node: Arithmetic) -> Node:
    first = folded(node.first)
    if not isinstance(first, Literal) or isinstance(first.value, str):
        return node
    value = first.value
    for sign, operand, _ in node.rest:
        part = folded(operand)
        if not isinstance(part, Literal):
            return node
        found = _computed(node, lambda o=sign, v=value, p=part: OPERATIONS[o](v, p.value))  # type: ignore[misc]
        if not isinstance(found, Literal):
            return node
        value = found.value
    return Literal(node.at, value)


def _computed(node: Node, compute: Callable[[], object]) -> Node:
    try:
        return Literal(node.at, compute())
    except (Refused, ArithmeticError):
        return node


def plain(value: object) -> object:
    """Return a value read from outside as FEEL sees it: a float as the number it is written as."""
    return from_float(value) if isinstance(value, float) else value


def cleaned(value: object, seen: dict[int, object]) -> object:
    """Return a result with lists for tuples and no floats inside; copied only where it must be.

    `seen` has what was cleaned before by id, as results may share their parts many times over.
    """
    if isinstance(value, float):
        return from_float(value)
    if not isinstance(value, (list, tuple, dict)):
        return value
    key = id(value)
    if key not in seen:
        if isinstance(value, dict):
            entries = {name: cleaned(item, seen) for name, item in value.items()}
            same = all(map(operator.is_, entries.values(), value.values()))
            seen[key] = value if same else entries
        else:
            items = [cleaned(item, seen) for item in value]
            same = isinstance(value, list) and all(map(operator.is_, items, value))
            seen[key] = value if same else items
    return seen[key]


def missing(run: Run, name: str, at: int) -> object:
    """Return a built-in as a value, or null with a diagnostic."""
    if name in BUILTINS:
        return BUILTINS[name].as_value(run)
    return run.fail(f"there is no variable '{name}'", at)
