"""Built-in functions that turn values of one kind into another (DMN 1.5, 10.3.4.1)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from engine.errors import FeelError
from engine.feel import parser
from engine.feel.arithmetic import Number, Refused, negated, number_literal
from engine.feel.iso import iso_text
from engine.feel.kinds import a_kind, number_of, number_text, order_keys, text_of
from engine.feel.library import BUILTINS, LONG_NAMES, builtin
from engine.feel.nodes import Call, Literal, Name
from engine.feel.run import Run
from engine.feel.values import Range

_number = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_range = re.compile(r"([\[(\]])\s*(.*?)\s*\.\.\s*(.*?)\s*([\])\[])", re.DOTALL)
_CONSTRUCTORS = frozenset({"date", "time", "date and time", "duration"})


@builtin("string(from: any)", with_run=True)
def string(run: Run, value: object) -> str | None:
    """Return the text of a value; null stays null."""
    return None if value is None else text_of(value, limit=run.limits.characters)


@builtin("number(from: string)")
def number(text: str) -> Number:
    """Return the number that a text spells."""
    if _number.fullmatch(text) is None:
        raise Refused(f"'{text[:40]}' is not a number")
    found = number_literal(text.lstrip("+-").rstrip("."))
    return negated(found) if text.startswith("-") else found


@builtin("number(from: string, grouping separator: string|null, decimal separator: string|null)")
def number_with_separators(text: str, grouping: str | None, point: str | None) -> Number:
    """Return the number that a text spells with these separators."""
    if grouping not in (None, " ", ",", "."):
        raise Refused("'grouping separator' must be a blank, a comma or a point")
    if point not in (None, ",", "."):
        raise Refused("'decimal separator' must be a comma or a point")
    if grouping is not None and grouping == point:
        raise Refused("the two separators must differ")
    plain = text.replace(grouping, "") if grouping else text
    if point == ",":
        if "." in plain:
            raise Refused(f"'{text[:40]}' is not a number")
        plain = plain.replace(",", ".")
    return number(plain)


@builtin("number(from: string, grouping separator: string|null)")
def number_with_groups(text: str, grouping: str | None) -> Number:
    """Return the number that a text with grouped digits spells (Camunda 8)."""
    return number_with_separators(text, grouping, None if grouping == "." else ".")


@builtin("number(from: number)")
def number_as_is(value: Number) -> Number:
    """Return the number (Camunda 8)."""
    return value


@builtin("from json(value: string)")
def from_json(text: str) -> object:
    """Return the value of a JSON text, fractions as they are written (Camunda 8)."""
    try:
        return _json.decode(text)
    except (ValueError, ArithmeticError) as cause:
        raise Refused("the text is not JSON") from cause


def _no_constant(text: str) -> object:
    raise ValueError(text)


_json = json.JSONDecoder(parse_float=number_literal, parse_constant=_no_constant)


@builtin("to json(value: any)", with_run=True)
def to_json(run: Run, value: object) -> str:
    """Return a value as JSON text, moments and durations as strings (Camunda 8)."""
    parts: list[str] = []
    _write_json(value, parts, [run.limits.characters])
    return "".join(parts)


def _write_json(value: object, parts: list[str], room: list[int]) -> None:
    if isinstance(value, (list, tuple)):
        for n, item in enumerate(value):
            _put("," if n else "[", parts, room)
            _write_json(item, parts, room)
        _put("]" if value else "[]", parts, room)
    elif isinstance(value, Mapping):
        for n, (key, item) in enumerate(value.items()):
            _put(("," if n else "{") + json.dumps(key, ensure_ascii=False) + ":", parts, room)
            _write_json(item, parts, room)
        _put("}" if value else "{}", parts, room)
    else:
        _put(_json_atom(value), parts, room)


def _put(text: str, parts: list[str], room: list[int]) -> None:
    room[0] -= len(text)
    if room[0] < 0:
        raise FeelError("the JSON text is too long")
    parts.append(text)


def _json_atom(value: object) -> str:
    if value is None or isinstance(value, (bool, str)):
        return json.dumps(value, ensure_ascii=False)
    found = number_of(value)
    if found is not None:
        return number_text(found)
    text = iso_text(value)
    if text is None:
        raise Refused(f"{a_kind(value)} has no JSON form")
    return f'"{text}"'


@builtin("range(from: string)", with_run=True)
def range_from(run: Run, text: str) -> Range:
    """Return the range that a text such as `[1..10)` spells; its ends must be literals.

    An end may be left out where it is open: `(..10]` is the range of `<= 10`.
    """
    found = _range.fullmatch(text.strip())
    if found is None:
        raise Refused(f"'{text[:40]}' is not a range")
    start, end = _end(run, found[2]), _end(run, found[3])
    start_included, end_included = found[1] == "[", found[4] == "]"
    if start is None or end is None:
        if start is end or (start is None and start_included) or (end is None and end_included):
            raise Refused("a range has one end at least, and is open where it has none")
        operator = (">" if end is None else "<") + ("=" if start_included or end_included else "")
        return Range(start, end, start_included, end_included, operator)
    if order_keys(start, end) is None:
        raise Refused("the ends of the range cannot be compared with each other")
    return Range(start, end, start_included, end_included)


def _end(run: Run, text: str) -> object:
    """Return the value of a literal or of a call such as `date("2024-01-01")`."""
    if not text:
        return None
    try:
        node = parser.parse(text, "expression", (), LONG_NAMES)
    except FeelError as cause:
        raise Refused(f"'{text[:40]}' is no end of a range") from cause
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, Call) and isinstance(node.callee, Name) and not node.names:
        values = [a.value for a in node.arguments if isinstance(a, Literal)]
        if node.callee.name in _CONSTRUCTORS and len(values) == len(node.arguments):
            found = BUILTINS[node.callee.name].invoke(run, values, None)
            if found is not None:
                return found
    raise Refused("the ends of the range must be literals")
