"""A tiny evaluator of JUEL, written from the rules of JSR 245 (1.7 to 1.23) for the tests alone.

Values are None, bool, Decimal, str, list and dict; what JUEL would coerce between texts and
numbers is not generated, so it is not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from engine.diagrams.imports import juel

Variables = Mapping[str, Any]


def evaluate(text: str, variables: Variables) -> Any:
    """Return the value of a text; several pieces are joined as texts."""
    pieces = juel.parse(text)
    if len(pieces) == 1 and not isinstance(pieces[0], str):
        return value(pieces[0], variables)
    return "".join(
        piece if isinstance(piece, str) else _text(value(piece, variables)) for piece in pieces
    )


def value(node: juel.Node, variables: Variables) -> Any:  # noqa: C901 - one line for each node
    """Return the value of a tree."""
    match node:
        case juel.Literal(found):
            return found
        case juel.Number(text):
            return Decimal(text)
        case juel.Name(name):
            return variables.get(name)
        case juel.Member(base, name):
            return _item(value(base, variables), name)
        case juel.Index(base, index):
            return _item(value(base, variables), value(index, variables))
        case juel.Unary(operator, operand):
            return _unary(operator, value(operand, variables))
        case juel.Choice(condition, yes, no):
            return value(yes if value(condition, variables) is True else no, variables)
        case juel.Binary("&&" | "||" as operator, left, right):
            first = value(left, variables) is True
            if operator == "&&":
                return first and value(right, variables) is True
            return first or value(right, variables) is True
        case juel.Binary(operator, left, right):
            return _binary(operator, value(left, variables), value(right, variables))
        case juel.Call(base, name, arguments):
            assert base is not None
            given = [value(one, variables) for one in arguments]
            return _method(value(base, variables), name, given)
    raise AssertionError(node)


def _item(base: Any, key: Any) -> Any:
    if isinstance(base, dict):
        return base.get(key)
    if isinstance(base, list) and isinstance(key, Decimal) and 0 <= key < len(base):
        return base[int(key)]
    return None


def _unary(operator: str, operand: Any) -> Any:
    if operator == "!":
        return operand is not True
    if operator == "-":
        return -_number(operand)
    return operand in (None, "", [], {}) and operand is not False


def _binary(operator: str, left: Any, right: Any) -> Any:
    match operator:
        case "==":
            return _equal(left, right)
        case "!=":
            return not _equal(left, right)
        case "+":
            return _number(left) + _number(right)
        case "-":
            return _number(left) - _number(right)
        case "*":
            return _number(left) * _number(right)
        case "/":
            return _number(left) / _number(right)
        case "%":
            return _number(left) % _number(right)  # as in Java, the sign of the left operand
    if left is None or right is None:
        return False
    return {"<": left < right, ">": left > right, "<=": left <= right, ">=": left >= right}[
        operator
    ]


def _equal(left: Any, right: Any) -> bool:
    return type(left) is type(right) and bool(left == right)


def _number(found: Any) -> Decimal:
    return Decimal(0) if found is None else Decimal(found)


def _text(found: Any) -> str:
    if found is None:
        return ""
    return str(found).lower() if isinstance(found, bool) else str(found)


def _method(base: Any, name: str, given: list[Any]) -> Any:
    match name:
        case "size" | "length":
            return Decimal(len(base))
        case "isEmpty":
            return len(base) == 0
        case "contains":
            return given[0] in base
        case "equals":
            return _equal(base, given[0])
        case "startsWith":
            return base.startswith(given[0])
        case "toUpperCase":
            return base.upper()
    raise AssertionError(name)
