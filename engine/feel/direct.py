"""The shortest way for the conditions that diagrams are full of: comparisons of variables with
constants, joined by `and`, `or`, `not` and `if`. Such code takes the scope itself, without a run.

Whatever is not plain sailing raises `Detour` (or KeyError), and the compiled text is evaluated
the long way, which knows about nulls, diagnostics and limits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from engine.feel.compiler import folded
from engine.feel.nodes import Call, Comparison, If, Literal, Logic, Membership, Name, Node
from engine.feel.values import Range

Scope = Mapping[str, object]
Direct = Callable[[Scope], object]
Condition = Callable[[Scope], bool]


class Detour(Exception):
    """The short way does not lead there.

    Raised anew each time: one instance would keep the frames of every place it came through.
    """


_LONGEST = 16
#: values that are handed on as they are
_PLAIN = frozenset({str, int, Decimal, bool})


def direct(node: Node) -> Direct | None:
    """Return the short way for a whole expression, None where there is none."""
    if isinstance(node, If) and len(node.branches) <= _LONGEST:
        return _choice(node)
    if isinstance(node, Name):
        return _variable(node.name)
    return condition(node)


def _variable(key: str) -> Direct:
    def read(scope: Scope) -> object:
        found = scope[key]
        if type(found) in _PLAIN:
            return found
        raise Detour

    return read


def _choice(node: If) -> Direct | None:
    result = _value(node.otherwise)
    for test, value in reversed(node.branches):
        check, then = condition(test), _value(value)
        if check is None or then is None or result is None:
            return None
        result = _branch(check, then, result)
    return result


def _value(node: Node) -> Direct | None:
    short = folded(node)
    if isinstance(short, Literal):
        value = short.value
        return lambda scope: value
    return None


def _branch(check: Condition, then: Direct, otherwise: Direct) -> Direct:
    return lambda scope: then(scope) if check(scope) else otherwise(scope)


def condition(node: Node) -> Condition | None:
    """Return the short way for what can only be true or false, None where there is none."""
    if isinstance(node, Comparison):
        return _comparison(node)
    if isinstance(node, Membership):
        return _membership(node)
    if isinstance(node, Logic) and len(node.parts) <= _LONGEST:
        return _logic(node)
    if isinstance(node, Name) and node.name != "?":
        return _flag(node.name)
    if isinstance(node, Call) and isinstance(node.callee, Name) and node.callee.name == "not":
        inner = condition(node.arguments[0]) if len(node.arguments) == 1 else None
        return None if inner is None or node.names else _opposite(inner)
    return None


def _logic(node: Logic) -> Condition | None:
    parts = [condition(part) for part in node.parts]
    join = _both if node.operator == "and" else _either
    result = parts.pop()
    while parts:
        before = parts.pop()
        if before is None or result is None:
            return None
        result = join(before, result)
    return result


def _both(left: Condition, right: Condition) -> Condition:
    return lambda scope: left(scope) and right(scope)


def _either(left: Condition, right: Condition) -> Condition:
    return lambda scope: left(scope) or right(scope)


def _opposite(inner: Condition) -> Condition:
    return lambda scope: not inner(scope)


def _flag(key: str) -> Condition:
    def test(scope: Scope) -> bool:
        found = scope[key]
        if found is True or found is False:
            return found
        raise Detour

    return test


def _comparison(node: Comparison) -> Condition | None:
    left, right = node.left, folded(node.right)
    if not isinstance(left, Name) or not isinstance(right, Literal):
        return None
    value = right.value
    if type(value) is int or type(value) is Decimal:
        return _NUMERIC[node.operator](left.name, value)
    if type(value) is str and node.operator in ("=", "!="):
        return _text(left.name, value, node.operator == "=")
    return None


def _text(key: str, value: str, wanted: bool) -> Condition:
    def test(scope: Scope) -> bool:
        found = scope[key]
        if type(found) is str:
            return (found == value) is wanted
        raise Detour

    return test


def _above(key: str, value: int | Decimal) -> Condition:
    def test(scope: Scope) -> bool:
        found = scope[key]
        if type(found) is int or type(found) is Decimal:
            return found > value
        raise Detour

    return test


def _not_below(key: str, value: int | Decimal) -> Condition:
    def test(scope: Scope) -> bool:
        found = scope[key]
        if type(found) is int or type(found) is Decimal:
            return found >= value
        raise Detour

    return test


def _same(key: str, value: int | Decimal) -> Condition:
    def test(scope: Scope) -> bool:
        found = scope[key]
        if type(found) is int or type(found) is Decimal:
            return found == value
        raise Detour

    return test


_NUMERIC: dict[str, Callable[[str, int | Decimal], Condition]] = {
    ">": _above,
    ">=": _not_below,
    "<": lambda key, value: _opposite(_not_below(key, value)),
    "<=": lambda key, value: _opposite(_above(key, value)),
    "=": _same,
    "!=": lambda key, value: _opposite(_same(key, value)),
}


def _membership(node: Membership) -> Condition | None:
    span = folded(node.tests[0])
    if len(node.tests) != 1 or not isinstance(node.value, Name) or not isinstance(span, Literal):
        return None
    if not isinstance(span.value, Range):
        return None
    low, high = span.value.start, span.value.end
    if type(low) is not int or type(high) is not int:
        return None
    return _within(node.value.name, low, high, span.value.start_included, span.value.end_included)


def _within(key: str, low: int, high: int, from_low: bool, to_high: bool) -> Condition:
    first, last = low + (not from_low), high - (not to_high)

    def test(scope: Scope) -> bool:
        found = scope[key]
        if type(found) is int:
            return first <= found <= last
        raise Detour

    return test
