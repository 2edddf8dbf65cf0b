"""Closures of `in`, ranges and the unary tests of decision tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.feel.code_operators import TESTS
from engine.feel.compiler import Compiler, compiles, folded
from engine.feel.kinds import a_kind, holds, in_range, order_keys
from engine.feel.nodes import Interval, Literal, Membership, Name, Node, Test, UnaryTests
from engine.feel.run import Code
from engine.feel.values import Range

#: does the value pass? None where that cannot be told
_Check = Callable[[Any, object], bool | None]


@compiles(Interval)
def interval(compiler: Compiler, node: Interval) -> Code:
    """Compile a range; null where its ends cannot be compared."""
    short = folded(node)
    if isinstance(short, Literal):
        value = short.value
        return lambda env: value
    start, end, at = compiler.code(node.start), compiler.code(node.end), node.at
    flags = node.start_included, node.end_included

    def span(env: Any) -> object:
        one, other = start(env), end(env)
        if one is not None and other is not None and order_keys(one, other) is None:
            return env.run.fail(f"no range goes from {a_kind(one)} to {a_kind(other)}", at)
        return Range(one, other, *flags)

    return span


@compiles(Test)
def half_range(compiler: Compiler, node: Test) -> Code:
    """Compile `(> 5)` as a value: a range with one end."""
    operand, operator = compiler.code(node.operand), node.operator
    upper, lower = operator[0] != ">", operator[0] != "<"
    included = operator in ("=", "<=", ">=")

    def span(env: Any) -> object:
        end = operand(env)
        return Range(
            end if lower else None,
            end if upper else None,
            included and lower,
            included and upper,
            operator,
        )

    return span


def check_of(compiler: Compiler, node: Node) -> _Check:
    """Return the check for one test after `in`."""
    if isinstance(node, Test):
        compare, operand = TESTS[node.operator], compiler.code(folded(node.operand))
        return lambda env, value: compare(value, operand(env))
    short = folded(node)
    if isinstance(short, Literal) and isinstance(short.value, Range):
        span = short.value
        return lambda env, value: in_range(value, span)
    candidate = compiler.code(short)
    return lambda env, value: holds(candidate(env), value)


def _any_of(checks: list[_Check]) -> _Check:
    if len(checks) == 1:
        return checks[0]

    def check(env: Any, value: object) -> bool | None:
        unsure = True
        for one in checks:
            found = one(env, value)
            if found is True:
                return True
            if found is False:
                unsure = False
        return None if unsure else False

    return check


@compiles(Membership)
def membership(compiler: Compiler, node: Membership) -> Code:
    """Compile `value in test`; whole numbers within a constant range have a short way."""
    value, at = compiler.code(node.value), node.at
    check = _any_of([check_of(compiler, test) for test in node.tests])

    def general(env: Any) -> object:
        found = value(env)
        result = check(env, found)
        if result is None:
            return env.run.fail(f"cannot tell whether {a_kind(found)} is in it", at)
        return result

    span = folded(node.tests[0])
    if len(node.tests) == 1 and isinstance(span, Literal) and isinstance(span.value, Range):
        low, high = span.value.start, span.value.end
        if type(low) is int and type(high) is int:
            low += not span.value.start_included
            high -= not span.value.end_included
            return _within(value, low, high, check, at)
    return general


def _within(code: Code, low: int, high: int, check: _Check, at: int) -> Code:
    def test(env: Any) -> object:
        found = code(env)
        if type(found) is int:
            return low <= found <= high
        result = check(env, found)
        if result is None:
            return env.run.fail(f"cannot tell whether {a_kind(found)} is in it", at)
        return result

    return test


@compiles(UnaryTests)
def unary_tests(compiler: Compiler, node: UnaryTests) -> Code:
    """Compile a cell of a decision table: the input is the variable `?`."""
    if not node.tests:
        return lambda env: True
    check = _any_of([_cell(compiler, test) for test in node.tests])
    question = compiler.code(Name(node.at, "?"))
    negated = node.negated

    def test(env: Any) -> object:
        found = check(env, question(env))
        return found if not negated or found is None else not found

    return test


def _cell(compiler: Compiler, node: Node) -> _Check:
    """Return the check for one test; an expression with `?` decides by itself."""
    short = folded(node)
    if isinstance(node, Test) or isinstance(short, Literal):
        return check_of(compiler, node)
    before = len(compiler.reads)
    candidate = compiler.code(short)
    asks = any(read[0] == "?" for read in compiler.reads[before:])

    def decide(env: Any, value: object) -> bool | None:
        found = candidate(env)
        if isinstance(found, bool) and (asks or not isinstance(value, bool)):
            return found
        return None if asks and found is None else holds(found, value)

    return decide
