"""The kinds that the parts of a text must have, and those that can never fit together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import Any

from engine.feel import nodes
from engine.feel.library import BUILTINS, Signature
from engine.feel.nodes import Node
from engine.feel.operators import CALCULATIONS, ORDERED, misfit
from engine.feel.values import (
    BOOLEAN,
    CONTEXT,
    DATE,
    DAYS,
    FOREIGN,
    FUNCTION,
    LIST,
    MOMENT,
    MONTHS,
    NULL,
    NUMBER,
    RANGE,
    STRING,
    TIME,
    kind_of,
    named,
)

ANYTHING = "any"
#: kinds that a result can be told to have
_KNOWN = frozenset(
    {NUMBER, STRING, BOOLEAN, LIST, CONTEXT, RANGE, DATE, TIME, MOMENT, DAYS, MONTHS}
)
#: words of declarations that take more than the kind of their name
_WIDE = {"any": _KNOWN | {NULL, FUNCTION}, "value": _KNOWN | {FUNCTION}, "integer": {NUMBER}}
_Complain = Callable[[str, int], None]


def problems(node: Node, kinds: Mapping[str, str]) -> list[tuple[int, str]]:
    """Return (offset, message) for every part whose operands or arguments can never fit.

    `kinds` are those of the variables, as far as they are known.
    """
    found: list[tuple[int, str]] = []
    bound = {name for part in _parts(node) for name in _binds(part)}
    known = {name: kind for name, kind in kinds.items() if name not in bound and kind in _KNOWN}
    _Statics(known, bound, lambda message, at: found.append((at, message))).kind(node)
    return found


def _children(node: Node) -> Iterator[Node]:
    """Yield the parts right below a node."""
    waiting = [getattr(node, field.name) for field in fields(node)]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Node):
            yield part
        elif isinstance(part, tuple):
            waiting.extend(part)


def _parts(node: Node) -> Iterator[Node]:
    """Yield a node and everything below it."""
    waiting = [node]
    while waiting:
        yield (part := waiting.pop())
        waiting.extend(_children(part))


def _binds(node: Node) -> tuple[str, ...]:
    match node:
        case nodes.Iterator(name=name):
            return (name, "partial")
        case nodes.Entries(entries=entries):
            return tuple(key for key, _ in entries)
        case nodes.FunctionBody(parameters=parameters):
            return parameters
    return ()


class _Statics:
    """Goes through one tree."""

    def __init__(self, known: Mapping[str, str], bound: set[str], complain: _Complain) -> None:
        self._known = known
        self._bound = bound
        self._complain = complain

    def kind(self, node: Node) -> str:
        """Return the kind a part has unless it is null, `any` where that cannot be told."""
        read = _READERS.get(type(node))
        if read is not None:
            return read(self, node)
        for part in _children(node):
            self.kind(part)
        return _RESULTS.get(type(node), ANYTHING)

    def _literal(self, node: nodes.Literal) -> str:
        return kind_of(node.value)

    def _name(self, node: nodes.Name) -> str:
        return self._known.get(node.name, ANYTHING)

    def _negation(self, node: nodes.Negation) -> str:
        kind = self.kind(node.operand)
        if kind not in (ANYTHING, NUMBER, DAYS, MONTHS):
            self._complain(f"cannot negate {named(kind)}", node.at)
        return kind

    def _arithmetic(self, node: nodes.Arithmetic) -> str:
        left = self.kind(node.first)
        for sign, operand, at in node.rest:
            right = self.kind(operand)
            if ANYTHING in (left, right):
                left = ANYTHING
            elif (sign, left, right) in CALCULATIONS:
                left = _result(sign, left, right)
            else:
                self._complain(misfit(sign, named(left), named(right)), at)
                left = ANYTHING
        return left

    def _comparison(self, node: nodes.Comparison) -> str:
        left, right = self.kind(node.left), self.kind(node.right)
        equality = node.operator in ("=", "!=")
        told = ANYTHING not in (left, right) and not (equality and NULL in (left, right))
        if told and (left != right or (not equality and left not in ORDERED)):
            self._complain(f"cannot compare {named(left)} with {named(right)}", node.at)
        return BOOLEAN

    def _logic(self, node: nodes.Logic) -> str:
        for part in node.parts:
            self._truth(part, node.operator)
        return BOOLEAN

    def _truth(self, node: Node, word: str) -> None:
        kind = self.kind(node)
        if kind not in (ANYTHING, BOOLEAN, NULL):
            self._complain(f"'{word}' needs true or false, got {named(kind)}", node.at)

    def _if(self, node: nodes.If) -> str:
        found = {self.kind(node.otherwise)}
        for condition, value in node.branches:
            self._truth(condition, "if")
            found.add(self.kind(value))
        found.discard(NULL)
        return found.pop() if len(found) == 1 else ANYTHING

    def _filter(self, node: nodes.Filter) -> str:
        self.kind(node.base)
        # the entries of an item are names as well
        kept, self._known = self._known, {}
        self.kind(node.condition)
        self._known = kept
        return ANYTHING

    def _call(self, node: nodes.Call) -> str:
        kinds = [self.kind(argument) for argument in node.arguments]
        name = node.callee.name if isinstance(node.callee, nodes.Name) else ""
        if name not in BUILTINS or name in self._bound:
            self.kind(node.callee)
            return ANYTHING
        able, complaint = [], ""
        for signature in BUILTINS[name].signatures:
            arranged = signature.arranged(kinds, node.names)
            if arranged is not None:
                wrong = _misfit(signature, arranged)
                complaint = complaint or wrong
                able += [] if wrong else [signature]
        if complaint and not able:
            self._complain(f"{name}: {complaint}", node.at)
        results = {signature.result for signature in able}
        return results.pop() if len(results) == 1 and results <= _KNOWN else ANYTHING


def _result(sign: str, left: str, right: str) -> str:
    """Return the kind of a calculation that is possible."""
    if sign == "-" and {left, right} <= {DATE, TIME, MOMENT}:
        return DAYS
    if sign == "/" and left == right:
        return NUMBER
    spans = {DAYS, MONTHS}
    if sign in ("*", "/"):
        return left if left in spans else right
    return right if left in spans else left


def _misfit(signature: Signature, arguments: Any) -> str:
    """Return what is wrong with arguments of these kinds, "" if nothing is for sure."""
    for parameter, kind in zip(signature.parameters, arguments, strict=False):
        if parameter.rest or kind not in _KNOWN | {NULL, FOREIGN}:
            continue
        takes: set[str] = set()
        for word in parameter.accepts:
            takes |= _KNOWN if word == LIST else _WIDE.get(word, {word})
        if kind not in takes and kind != LIST:  # a list of one item stands for the item
            return parameter.complaint(named(kind))
    return ""


_RESULTS: dict[type[Node], str] = {
    nodes.Membership: BOOLEAN,
    nodes.UnaryTests: BOOLEAN,
    nodes.Quantified: BOOLEAN,
    nodes.InstanceOf: BOOLEAN,
    nodes.Interval: RANGE,
    nodes.Test: RANGE,
    nodes.ListItems: LIST,
    nodes.For: LIST,
    nodes.Entries: CONTEXT,
    nodes.FunctionBody: FUNCTION,
}
_READERS: dict[type[Node], Callable[[_Statics, Any], str]] = {
    nodes.Literal: _Statics._literal,
    nodes.Name: _Statics._name,
    nodes.Negation: _Statics._negation,
    nodes.Arithmetic: _Statics._arithmetic,
    nodes.Comparison: _Statics._comparison,
    nodes.Logic: _Statics._logic,
    nodes.If: _Statics._if,
    nodes.Filter: _Statics._filter,
    nodes.Call: _Statics._call,
}
