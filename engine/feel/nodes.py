"""The parts of a FEEL text as a tree. `at` is always the offset in the text, for messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import dataclass_transform

from engine.feel.operators import calculate, negate, order_keys
from engine.feel.types import Type
from engine.feel.values import Range, Refused


@dataclass_transform(frozen_default=True)
@dataclass(frozen=True)
class Node:
    """Any part of an expression; every kind of it is a frozen dataclass."""

    at: int

    def __init_subclass__(cls) -> None:
        dataclass(frozen=True)(cls)


class Literal(Node):
    """A constant."""

    value: object


class Name(Node):
    """A variable."""

    name: str


class Arithmetic(Node):
    """`first op operand op operand ...` of one precedence, from left to right."""

    first: Node
    #: sign, operand and offset of the sign
    rest: tuple[tuple[str, Node, int], ...]


class Negation(Node):
    """`-operand`."""

    operand: Node


class Logic(Node):
    """`part and part ...` or `part or part ...`."""

    operator: str
    parts: tuple[Node, ...]


class Comparison(Node):
    """`left op right` with one of = != < <= > >=."""

    operator: str
    left: Node
    right: Node


class Test(Node):
    """`op operand`: a unary test, or in brackets a range with one end."""

    operator: str
    operand: Node


class Membership(Node):
    """`value in test`, `value in (test, ...)` or `value between low and high`."""

    value: Node
    tests: tuple[Node, ...]


class UnaryTests(Node):
    """A cell of a decision table; no tests at all accept everything."""

    tests: tuple[Node, ...]
    negated: bool


class Interval(Node):
    """`[start..end]` with any ends."""

    start: Node
    end: Node
    start_included: bool
    end_included: bool


class ListItems(Node):
    """`[item, ...]`."""

    items: tuple[Node, ...]


class Entries(Node):
    """`{key: value, ...}`."""

    entries: tuple[tuple[str, Node], ...]


class Path(Node):
    """`base.name`."""

    base: Node
    name: str


class Filter(Node):
    """`base[condition]`."""

    base: Node
    condition: Node


class Call(Node):
    """`callee(argument, ...)`; `names` is empty or has one name per argument."""

    callee: Node
    arguments: tuple[Node, ...]
    names: tuple[str, ...]


class If(Node):
    """`if c then a else if d then b ... else e`; branches are (condition, value)."""

    branches: tuple[tuple[Node, Node], ...]
    otherwise: Node


class Iterator(Node):
    """`name in domain` or `name in domain..end`."""

    name: str
    domain: Node
    end: Node | None


class For(Node):
    """`for iterator, ... return body`."""

    iterators: tuple[Iterator, ...]
    body: Node


class Quantified(Node):
    """`some|every iterator, ... satisfies condition`."""

    every: bool
    iterators: tuple[Iterator, ...]
    condition: Node


class InstanceOf(Node):
    """`value instance of type`; the name of a type that is not there stays text."""

    value: Node
    type: Type | str


class FunctionBody(Node):
    """`function(a: type, b) body`; no body for an external function."""

    parameters: tuple[str, ...]
    types: tuple[Type | str | None, ...]
    body: Node | None


def folded(node: Node) -> Node:
    """Return a literal in place of arithmetic or a range of literals; what cannot be calculated
    stays as it is and fails when it is evaluated."""
    try:
        match node:
            case Negation(operand=Literal(value=value)):
                return Literal(node.at, negate(value))
            case Interval(start=Literal(value=start), end=Literal(value=end)):
                if order_keys(start, end) is not None:
                    return Literal(
                        node.at, Range(start, end, node.start_included, node.end_included)
                    )
            case Arithmetic(first=Literal(value=value)) if not isinstance(value, str):
                for sign, operand, _ in node.rest:
                    if not isinstance(operand, Literal):
                        return node
                    value = calculate(sign, value, operand.value)
                return Literal(node.at, value)
    except (Refused, ArithmeticError):
        pass
    return node
