"""The shortest way for the conditions and sums that diagrams are full of: variables and constants
with operators between them. Such code takes the scope itself, without a run.

Whatever is not plain sailing raises `Detour` (or KeyError, ArithmeticError), and the compiled text
is evaluated the long way, which knows about nulls, diagnostics and limits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from engine.feel.nodes import (
    Arithmetic,
    Call,
    Comparison,
    If,
    Literal,
    Logic,
    Membership,
    Name,
    Node,
)
from engine.feel.operators import BOUND, EXACT, PLAIN_COMPARISONS, ROUNDED
from engine.feel.values import Range

Scope = Mapping[str, Any]
Direct = Callable[[Scope], Any]


class Detour(Exception):
    """The short way does not lead there.

    Raised anew each time: one instance would keep the frames of every place it came through.
    """


_LONGEST = 16
#: values that are handed on as they are
_PLAIN = frozenset({str, int, Decimal, bool})
_NUMBERS = frozenset({int, Decimal})


def direct(node: Node) -> Direct | None:
    """Return the short way for an expression, None where there is none."""
    match node:
        case If(branches=branches) if len(branches) <= _LONGEST:
            return _choice(node)
        case Name(name=key) if key != "?":
            return _finite(_variable(key, _PLAIN))
        case Arithmetic():
            return _finite(_number(node))
    return _condition(node)


def _finite(inner: Direct | None) -> Direct | None:
    """Return the short way to a value that is no number which is infinite, or none."""
    if inner is None:
        return None

    def read(scope: Scope) -> Any:
        found = inner(scope)
        if type(found) is Decimal and not found.is_finite():
            raise Detour
        return found

    return read


def _variable(key: str, types: frozenset[type]) -> Direct:
    def read(scope: Scope) -> Any:
        found = scope[key]
        if type(found) in types:
            return found
        raise Detour

    return read


def _choice(node: If) -> Direct | None:
    result = _constant(node.otherwise)
    for test, value in reversed(node.branches):
        check, then = _condition(test), _constant(value)
        if check is None or then is None or result is None:
            return None
        result = _branch(check, then, result)
    return result


def _constant(node: Node) -> Direct | None:
    if isinstance(node, Literal):
        value = node.value
        return lambda scope: value
    return None


def _branch(check: Direct, then: Direct, otherwise: Direct) -> Direct:
    return lambda scope: then(scope) if check(scope) else otherwise(scope)


def _condition(node: Node) -> Direct | None:
    """Return the short way for what can only be true or false."""
    match node:
        case Comparison(left=Name(name=key), right=Literal(value=value)) if type(value) in _NUMBERS:
            return _compared(key, node.operator, value, _NUMBERS)
        case Comparison(operator="=" | "!=", left=Name(name=key), right=Literal(value=str(value))):
            return _compared(key, node.operator, value, frozenset({str}))
        case Comparison():
            left, right = _number(node.left), _number(node.right)
            return left and right and _related(node.operator, left, right)
        case Membership(value=Name(name=key), tests=(Literal(value=Range() as span),)):
            return _within(key, span)
        case Logic(parts=parts) if len(parts) <= _LONGEST:
            return _logic(node)
        case Name(name=key) if key != "?":
            return _variable(key, frozenset({bool}))
        case Call(callee=Name(name="not"), arguments=(only,), names=()):
            inner = _condition(only)
            return inner and _opposite(inner)
    return None


def _opposite(inner: Direct) -> Direct:
    return lambda scope: not inner(scope)


def _logic(node: Logic) -> Direct | None:
    *before, last = [_condition(part) for part in node.parts]
    for part in reversed(before):
        if part is None or last is None:
            return None
        last = (_both if node.operator == "and" else _either)(part, last)
    return last


def _both(left: Direct, right: Direct) -> Direct:
    return lambda scope: left(scope) and right(scope)


def _either(left: Direct, right: Direct) -> Direct:
    return lambda scope: left(scope) or right(scope)


def _compared(key: str, operator: str, value: Any, types: frozenset[type]) -> Direct:
    test = PLAIN_COMPARISONS[operator]

    def compare(scope: Scope) -> bool:
        found = scope[key]
        if type(found) in types:
            return test(found, value)
        raise Detour

    return compare


def _within(key: str, span: Range) -> Direct | None:
    low, high = span.start, span.end
    if type(low) not in _NUMBERS or type(high) not in _NUMBERS:
        return None
    if span.start_included and span.end_included:

        def inside(scope: Scope) -> Any:
            found = scope[key]
            if type(found) in _NUMBERS:
                return low <= found <= high
            raise Detour

        return inside
    above, below = (
        PLAIN_COMPARISONS["<=" if included else "<"]
        for included in (span.start_included, span.end_included)
    )
    read = _variable(key, _NUMBERS)
    return lambda scope: above(low, found := read(scope)) and below(found, high)


def _number(node: Node) -> Direct | None:
    """Return the short way for what can only be a number."""
    match node:
        case Literal(value=value) if type(value) in _NUMBERS:
            return lambda scope: value
        case Name(name=key) if key != "?":
            return _variable(key, _NUMBERS)
        case Arithmetic(first=first, rest=rest) if len(rest) <= _LONGEST:
            result = _number(first)
            for sign, operand, _ in rest:
                right = _number(operand)
                if result is None or right is None or sign not in EXACT:
                    return None
                result = _calculated(sign, result, right)
            return result
    return None


def _calculated(sign: str, left: Direct, right: Direct) -> Direct:
    exact, rounded = EXACT[sign], ROUNDED[sign]

    def operation(scope: Scope) -> Any:
        a, b = left(scope), right(scope)
        if type(a) is int and type(b) is int:
            found = exact(a, b)
            if -BOUND < found < BOUND:
                return found
            raise Detour
        return rounded(a, b)

    return operation


def _related(operator: str, left: Direct, right: Direct) -> Direct:
    test = PLAIN_COMPARISONS[operator]
    return lambda scope: test(left(scope), right(scope))
