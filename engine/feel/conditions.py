"""Closures of the operators: arithmetic, comparison, `and`/`or`, `if`, `in`, unary tests.

Numbers have a short way: two ints, or two of int and Decimal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from engine.feel import nodes
from engine.feel.compiler import Compiler, Typed, compiles, constant
from engine.feel.operators import (
    BOUND,
    CALCULATIONS,
    COMPARISONS,
    EXACT,
    ORDERED,
    PLAIN_COMPARISONS,
    ROUNDED,
    Verdict,
    calculate,
    equal,
    holds,
    in_range,
    misfit,
    negate,
    order_keys,
)
from engine.feel.run import Code, Run
from engine.feel.values import (
    ANYTHING,
    BOOLEAN,
    DAYS,
    MONTHS,
    NULL,
    NUMBER,
    RANGE,
    Range,
    Refused,
    a_kind,
    named,
)

#: does the value pass? None where that cannot be told
_Check = Callable[[Any, Any], Verdict]


def _calculated(run: Run, sign: str, left: Any, right: Any, at: int) -> Any:
    """Return what an operation gives; null and a diagnostic where the operands do not fit."""
    try:
        found = calculate(sign, left, right)
    except Refused as cause:
        return run.fail(str(cause), at)
    except ArithmeticError:
        return run.fail("the result is no number within 34 digits", at)
    return run.checked(found, at) if type(found) is str else found


@compiles(nodes.Arithmetic, None)
def arithmetic(compiler: Compiler, node: nodes.Arithmetic) -> Typed:
    """Compile a chain of operators of one precedence."""
    first, kind = compiler.typed(node.first)
    rest = []
    for sign, operand, at in node.rest:
        code, right = compiler.typed(operand)
        known = CALCULATIONS.get((sign, kind, right))
        if known is None and ANYTHING not in (kind, right):
            compiler.complain(misfit(sign, named(kind), named(right)), at)
        kind = known[1] if known else ANYTHING
        rest.append((sign, code, at))
    if len(rest) == 1:
        return _binary(first, *rest[0]), kind

    def chain(env: Any) -> Any:
        value, run = first(env), env.run
        for sign, code, at in rest:
            value = _calculated(run, sign, value, code(env), at)
        return value

    return chain, kind


def _binary(left: Code, sign: str, right: Code, at: int) -> Code:
    exact, rounded = EXACT.get(sign), ROUNDED[sign]

    def operation(env: Any) -> Any:
        a, b = left(env), right(env)
        one, other = type(a), type(b)
        if one is int and other is int:
            if exact is not None:
                found = exact(a, b)
                if -BOUND < found < BOUND:
                    return found
        elif (one is Decimal or one is int) and (other is Decimal or other is int):
            try:
                return rounded(a, b)
            except (ArithmeticError, Refused):
                pass
        return _calculated(env.run, sign, a, b, at)

    return operation


@compiles(nodes.Negation, None)
def negation(compiler: Compiler, node: nodes.Negation) -> Typed:
    """Compile `-operand`."""
    (operand, kind), at = compiler.typed(node.operand), node.at
    if kind not in (ANYTHING, NUMBER, DAYS, MONTHS):
        compiler.complain(f"cannot negate {named(kind)}", at)

    def negated(env: Any) -> Any:
        try:
            return negate(operand(env))
        except Refused as cause:
            return env.run.fail(str(cause), at)

    return negated, kind


@compiles(nodes.Comparison, BOOLEAN)
def comparison(compiler: Compiler, node: nodes.Comparison) -> Code:
    """Compile a comparison; two numbers or two strings have a short way."""
    (left, kind), (right, other_kind) = compiler.typed(node.left), compiler.typed(node.right)
    at = node.at
    compare, plainly = COMPARISONS[node.operator], PLAIN_COMPARISONS[node.operator]
    alike, sign = frozenset({int, str, Decimal}), node.operator
    equality = sign in ("=", "!=")
    told = ANYTHING not in (kind, other_kind) and not (equality and NULL in (kind, other_kind))
    if told and (kind != other_kind or (not equality and kind not in ORDERED)):
        compiler.complain(f"cannot compare {named(kind)} with {named(other_kind)}", at)

    def test(env: Any) -> Any:
        one, other = left(env), right(env)
        if type(one) is type(other) and type(one) in alike:
            return plainly(one, other)
        if equality and isinstance(one, (list, tuple, Mapping)):
            run = env.run
            room = [run.limits.steps - run.steps]
            found = equal(one, other, room)
            run.steps = run.limits.steps - room[0]
            found = found if found is None else found is (sign == "=")
        else:
            found = compare(one, other)
        if found is None:
            env.run.fail(f"cannot compare {a_kind(one)} with {a_kind(other)}", at)
        return found

    return test


def _complain(run: Run, word: str, found: Any, at: int) -> None:
    if found is not None:
        run.fail(f"'{word}' needs true or false, got {a_kind(found)}", at)


@compiles(nodes.Logic, BOOLEAN)
def logic(compiler: Compiler, node: nodes.Logic) -> Code:
    """Compile `and`/`or` in three-valued logic; what is not true or false counts as null."""
    word, at, decisive = node.operator, node.at, node.operator == "or"
    parts = [compiler.truth(part, word) for part in node.parts]

    def chain(env: Any) -> Any:
        sure = True
        for part in parts:
            found = part(env)
            if found is decisive:
                return decisive
            if found is not True and found is not False:
                sure = False
                _complain(env.run, word, found, at)
        return not decisive if sure else None

    return chain


@compiles(nodes.If, None)
def choice(compiler: Compiler, node: nodes.If) -> Typed:
    """Compile `if`; anything but true takes the other branch."""
    tests = [compiler.truth(test, "if") for test, _ in node.branches]
    results = [compiler.typed(value) for _, value in node.branches]
    branches = list(zip(tests, [code for code, _ in results], strict=True))
    (otherwise, last), at = compiler.typed(node.otherwise), node.at
    kinds = {last, *(kind for _, kind in results)} - {NULL}

    def choose(env: Any) -> Any:
        for condition, value in branches:
            found = condition(env)
            if found is True:
                return value(env)
            if found is not False:
                _complain(env.run, "if", found, at)
        return otherwise(env)

    return choose, kinds.pop() if len(kinds) == 1 else ANYTHING


@compiles(nodes.Interval, RANGE)
def interval(compiler: Compiler, node: nodes.Interval) -> Code:
    """Compile a range; null where its ends cannot be compared."""
    start, end, at = compiler.code(node.start), compiler.code(node.end), node.at
    flags = node.start_included, node.end_included

    def span(env: Any) -> Any:
        one, other = start(env), end(env)
        if one is not None and other is not None and order_keys(one, other) is None:
            return env.run.fail(f"no range goes from {a_kind(one)} to {a_kind(other)}", at)
        return Range(one, other, *flags)

    return span


@compiles(nodes.Test, RANGE)
def half_range(compiler: Compiler, node: nodes.Test) -> Code:
    """Compile `(> 5)` as a value: a range with one end."""
    operand, operator = compiler.code(node.operand), node.operator
    upper, lower = operator[0] != ">", operator[0] != "<"
    closed = operator in ("=", "<=", ">=")

    def span(env: Any) -> Any:
        end = operand(env)
        ends = (end if lower else None, end if upper else None)
        return Range(*ends, closed and lower, closed and upper, operator)

    return span


# tests


def _check_of(compiler: Compiler, node: nodes.Node) -> _Check:
    """Return the check for one test after `in`."""
    if isinstance(node, nodes.Test):
        compare, operand = COMPARISONS[node.operator], compiler.code(node.operand)
        return lambda env, value: compare(value, operand(env))
    if isinstance(node, nodes.Literal) and isinstance(node.value, Range):
        span = node.value
        return lambda env, value: in_range(value, span)
    candidate = compiler.code(node)
    return lambda env, value: holds(candidate(env), value)


def _any_of(checks: Sequence[_Check]) -> _Check:
    if len(checks) == 1:
        return checks[0]

    def check(env: Any, value: Any) -> Verdict:
        unsure = True
        for one in checks:
            found = one(env, value)
            if found is True:
                return True
            unsure = unsure and found is None
        return None if unsure else False

    return check


@compiles(nodes.Membership, BOOLEAN)
def membership(compiler: Compiler, node: nodes.Membership) -> Code:
    """Compile `value in tests`."""
    value, at = compiler.code(node.value), node.at
    check = _any_of([_check_of(compiler, test) for test in node.tests])

    def test(env: Any) -> Any:
        found = value(env)
        result = check(env, found)
        if result is None:
            return env.run.fail(f"cannot tell whether {a_kind(found)} is in it", at)
        return result

    return test


@compiles(nodes.UnaryTests, BOOLEAN)
def unary_tests(compiler: Compiler, node: nodes.UnaryTests) -> Code:
    """Compile a cell of a decision table: the input is the variable `?`."""
    if not node.tests:
        return constant(True)
    check = _any_of([_cell(compiler, test) for test in node.tests])
    question, negated = compiler.code(nodes.Name(node.at, "?")), node.negated

    def test(env: Any) -> Any:
        found = check(env, question(env))
        return found if not negated or found is None else not found

    return test


def _cell(compiler: Compiler, node: nodes.Node) -> _Check:
    """Return the check for one test; an expression with `?` decides by itself."""
    if isinstance(node, (nodes.Test, nodes.Literal)):
        return _check_of(compiler, node)
    before = len(compiler.reads)
    candidate = compiler.code(node)
    asks = any(read[0] == "?" for read in compiler.reads[before:])

    def decide(env: Any, value: Any) -> Verdict:
        found = candidate(env)
        if isinstance(found, bool) and (asks or not isinstance(value, bool)):
            return found
        return None if asks and found is None else holds(found, value)

    return decide
