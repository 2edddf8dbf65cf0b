"""Closures of the operators: arithmetic, comparison, `and`/`or`, `if`. Ints take a short way."""

from __future__ import annotations

import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from engine.feel.arithmetic import BOUND, OPERATIONS, Refused, negate
from engine.feel.compiler import Compiler, compiles, constant, folded
from engine.feel.kinds import a_kind, equal, less, less_equal
from engine.feel.nodes import (
    Arithmetic,
    Between,
    Comparison,
    If,
    Literal,
    Logic,
    Negation,
)
from engine.feel.run import Code, Run
from engine.feel.values import YearsMonthsDuration

_Operation = Callable[[object, object], object]


def calculate(run: Run, operation: _Operation, left: object, right: object, at: int) -> object:
    """Return what an operation gives; null and a diagnostic where the operands do not fit."""
    try:
        found = operation(left, right)
    except Refused as cause:
        return run.fail(str(cause), at)
    except ArithmeticError:
        return run.fail("the result is no number within 34 digits", at)
    return run.checked(found, at) if type(found) is str else found


@compiles(Arithmetic)
def arithmetic(compiler: Compiler, node: Arithmetic) -> Code:
    """Compile a chain of operators of one precedence."""
    short = folded(node)
    if isinstance(short, Literal):
        return constant(short.value)
    first = compiler.code(folded(node.first))
    if len(node.rest) == 1:
        sign, operand, at = node.rest[0]
        right = compiler.code(folded(operand))
        return _BINARY.get(sign, _other)(first, right, OPERATIONS[sign], at)
    rest = [(OPERATIONS[op], compiler.code(folded(operand)), at) for op, operand, at in node.rest]

    def chain(env: Any) -> object:
        value = first(env)
        run = env.run
        for operation, code, at in rest:
            value = calculate(run, operation, value, code(env), at)
        return value

    return chain


def _plus(left: Code, right: Code, operation: _Operation, at: int) -> Code:
    def plus(env: Any) -> object:
        a, b = left(env), right(env)
        if type(a) is int and type(b) is int:
            found = a + b
            if -BOUND < found < BOUND:
                return found
        return calculate(env.run, operation, a, b, at)

    return plus


def _minus(left: Code, right: Code, operation: _Operation, at: int) -> Code:
    def minus(env: Any) -> object:
        a, b = left(env), right(env)
        if type(a) is int and type(b) is int:
            found = a - b
            if -BOUND < found < BOUND:
                return found
        return calculate(env.run, operation, a, b, at)

    return minus


def _times(left: Code, right: Code, operation: _Operation, at: int) -> Code:
    def times(env: Any) -> object:
        a, b = left(env), right(env)
        if type(a) is int and type(b) is int:
            found = a * b
            if -BOUND < found < BOUND:
                return found
        return calculate(env.run, operation, a, b, at)

    return times


def _other(left: Code, right: Code, operation: _Operation, at: int) -> Code:
    return lambda env: calculate(env.run, operation, left(env), right(env), at)


_BINARY = {"+": _plus, "-": _minus, "*": _times}


@compiles(Negation)
def negation(compiler: Compiler, node: Negation) -> Code:
    """Compile `-operand`."""
    short = folded(node)
    if isinstance(short, Literal):
        return constant(short.value)
    operand, at = compiler.code(node.operand), node.at

    def negated(env: Any) -> object:
        try:
            return negate(operand(env))
        except Refused as cause:
            return env.run.fail(str(cause), at)

    return negated


def compare(run: Run, sign: str, left: object, right: object, at: int) -> bool | None:
    """Return `left op right`; null and a diagnostic where the two cannot be compared."""
    found = TESTS[sign](left, right)
    if found is None:
        run.fail(f"cannot compare {a_kind(left)} with {a_kind(right)}", at)
    return found


def _unequal(left: object, right: object) -> bool | None:
    found = equal(left, right)
    return None if found is None else not found


TESTS: dict[str, Callable[[object, object], bool | None]] = {
    "=": equal,
    "!=": _unequal,
    "<": less,
    "<=": less_equal,
    ">": lambda left, right: less(right, left),
    ">=": lambda left, right: less_equal(right, left),
}


#: types whose values Python orders and equates as FEEL does, when both sides are of one
_ALIKE = frozenset({int, str, Decimal, YearsMonthsDuration})
_PYTHON: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@compiles(Comparison)
def comparison(compiler: Compiler, node: Comparison) -> Code:
    """Compile a comparison; two numbers or two strings have a short way."""
    left, right = compiler.code(folded(node.left)), compiler.code(folded(node.right))
    sign, at, plainly = node.operator, node.at, _PYTHON[node.operator]

    def test(env: Any) -> object:
        one, other = left(env), right(env)
        if type(one) is type(other) and type(one) in _ALIKE:
            return plainly(one, other)
        return compare(env.run, sign, one, other, at)

    return test


@compiles(Between)
def between(compiler: Compiler, node: Between) -> Code:
    """Compile `value between low and high`, both ends included."""
    value, low, high = (compiler.code(part) for part in (node.value, node.low, node.high))
    at = node.at

    def test(env: Any) -> object:
        found, run = value(env), env.run
        above = compare(run, ">=", found, low(env), at)
        below = compare(run, "<=", found, high(env), at)
        return None if above is None or below is None else above and below

    return test


@compiles(Logic)
def logic(compiler: Compiler, node: Logic) -> Code:
    """Compile `and`/`or` in three-valued logic; what is not true or false counts as null."""
    decisive = node.operator == "or"
    parts = [compiler.code(part) for part in node.parts]
    if len(parts) == 2:
        return (_either if decisive else _both)(parts[0], parts[1], node.at)
    at, word = node.at, node.operator

    def chain(env: Any) -> object:
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


def _complain(run: Run, word: str, found: object, at: int) -> None:
    if found is not None:
        run.fail(f"'{word}' needs true or false, got {a_kind(found)}", at)


def _both(left: Code, right: Code, at: int) -> Code:
    def both(env: Any) -> object:
        one = left(env)
        if one is False:
            return False
        other = right(env)
        if other is False:
            return False
        if one is True and other is True:
            return True
        _complain(env.run, "and", other if one is True else one, at)
        return None

    return both


def _either(left: Code, right: Code, at: int) -> Code:
    def either(env: Any) -> object:
        one = left(env)
        if one is True:
            return True
        other = right(env)
        if other is True:
            return True
        if one is False and other is False:
            return False
        _complain(env.run, "or", other if one is False else one, at)
        return None

    return either


@compiles(If)
def choice(compiler: Compiler, node: If) -> Code:
    """Compile `if`; anything but true takes the other branch."""
    branches = [(compiler.code(c), folded(value)) for c, value in node.branches]
    otherwise = folded(node.otherwise)
    if len(branches) == 1:
        condition, then = branches[0]
        if isinstance(then, Literal) and isinstance(otherwise, Literal):
            return _constants(condition, then.value, otherwise.value, node.at)
    codes = [(condition, compiler.code(value)) for condition, value in branches]
    last, at = compiler.code(otherwise), node.at

    def choose(env: Any) -> object:
        for condition, value in codes:
            found = condition(env)
            if found is True:
                return value(env)
            if found is not False:
                _complain(env.run, "if", found, at)
        return last(env)

    return choose


def _constants(condition: Code, then: object, otherwise: object, at: int) -> Code:
    def choose(env: Any) -> object:
        found = condition(env)
        if found is True:
            return then
        if found is not False:
            _complain(env.run, "if", found, at)
        return otherwise

    return choose
