"""Built-in functions on strings, and to and from text (DMN 1.5, 10.3.4.1 and 10.3.4.3).

Those of Camunda 8 are marked.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Sequence
from typing import Any

from engine.clock import new_id
from engine.errors import FeelError
from engine.feel import patterns
from engine.feel.library import builtin, declare
from engine.feel.operators import Number, negate, number_literal
from engine.feel.run import Run
from engine.feel.values import Refused, json_of, text_of

_number = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)

declare("string length(string: string) -> number", len, "Number of characters (code points).")
declare("upper case(string: string) -> string", str.upper, "The string in capitals.")
declare("lower case(string: string) -> string", str.lower, "The string in small letters.")
declare(
    "contains(string: string, match: string) -> boolean",
    str.__contains__,
    "Whether the match is part of the string.",
)
declare(
    "starts with(string: string, match: string) -> boolean",
    str.startswith,
    "Whether the string begins with the match.",
)
declare(
    "ends with(string: string, match: string) -> boolean",
    str.endswith,
    "Whether the string ends with the match.",
)
declare(
    "substring before(string: string, match: string) -> string",
    lambda string, match: string.partition(match)[0] if match and match in string else "",
    "What stands before the first match; nothing without a match.",
)
declare(
    "substring after(string: string, match: string) -> string",
    lambda string, match: string.partition(match)[2] if match else string,
    "What stands after the first match; nothing without a match.",
)
declare("trim(string: string) -> string", str.strip, "Without white space around it (Camunda 8).")
declare(
    "is blank(string: string) -> boolean",
    lambda string: not string.strip(),
    "Whether a string has nothing but white space (Camunda 8).",
)
declare("uuid() -> string", new_id, "A fresh UUID, another one each time (Camunda 8).")
declare(
    "to base64(value: string) -> string",
    lambda value: base64.b64encode(value.encode("utf-8", "surrogatepass")).decode("ascii"),
    "The UTF-8 of a string in Base64 (Camunda 8).",
)
declare(
    "matches(input: string, pattern: string, flags?: string|null) -> boolean",
    lambda run, text, pattern, flags=None: patterns.matches(pattern, flags or "", text, run),
    "Whether a regular expression occurs in the text.",
)
declare(
    "split(string: string, delimiter: string) -> list",
    lambda run, string, delimiter: patterns.split(delimiter, string, run),
    "The parts between the matches of a regular expression.",
)
declare(
    "extract(string: string, pattern: string) -> list",
    lambda run, string, pattern: patterns.extract(pattern, string, run),
    "All matches of a regular expression (Camunda 8).",
)
declare("number(from: number) -> number", lambda value: value, "The number itself (Camunda 8).")
declare(
    "string(from: any) -> string",
    lambda run, value: None if value is None else text_of(value, limit=run.limits.characters),
    "The text of a value; null stays null.",
)
declare(
    "to json(value: any) -> string",
    lambda run, value: json_of(value, run.limits.characters),
    "A value as JSON text, moments and durations as strings (Camunda 8).",
)


@builtin("from base64(value: string) -> string")
def from_base64(value: str) -> str:
    """The string behind a Base64 text (Camunda 8)."""
    try:
        return base64.b64decode(value, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError) as cause:
        raise Refused("the text is not Base64 of a string") from cause


@builtin("substring(string: string, start position: integer, length?: integer) -> string")
def substring(string: str, start: int, length: int | None = None) -> str:
    """The part from a place counted from 1, or from the end where it is negative."""
    if start == 0 or abs(start) > len(string):
        raise Refused(f"the string has no position {start}")
    if length is not None and length < 1:
        raise Refused("the length must be above zero")
    begin = start - 1 if start > 0 else len(string) + start
    return string[begin:] if length is None else string[begin : begin + length]


@builtin(
    "replace(input: string, pattern: string, replacement: string, flags?: string|null) -> string"
)
def replace(run: Run, text: str, pattern: str, new: str, flags: str | None = None) -> str:
    """The text with all matches of a regular expression replaced; `$1` stands for a group."""
    return patterns.replace(pattern, flags or "", text, new, run)


@builtin(
    "string join(list: list, delimiter?: string|null) -> string",
    "string join(list: list, delimiter: string|null, prefix: string, suffix: string) -> string",
)
def string_join(
    run: Run, items: Sequence[Any], between: str | None = None, before: str = "", after: str = ""
) -> str:
    """The strings of a list as one, nulls left out."""
    strings = [item for item in items if item is not None]
    if not all(isinstance(item, str) for item in strings):
        raise Refused("the list must hold strings only")
    size = sum(map(len, strings)) + len(between or "") * len(strings)
    if size > run.limits.characters:
        raise FeelError(f"a text has more than {run.limits.characters} characters")
    return before + (between or "").join(strings) + after


@builtin("number(from: string) -> number")
def number(text: str) -> Number:
    """The number that a text spells."""
    if _number.fullmatch(text) is None:
        raise Refused(f"'{text[:40]}' is not a number")
    found = number_literal(text.lstrip("+-").rstrip("."))
    value: Number = negate(found) if text.startswith("-") else found
    return value


@builtin(
    "number(from: string, grouping separator: string|null, decimal separator: string|null)"
    " -> number"
)
def number_with_separators(text: str, grouping: str | None, point: str | None) -> Number:
    """The number that a text spells with these separators."""
    if grouping not in (None, " ", ",", "."):
        raise Refused("'grouping separator' must be a blank, a comma or a point")
    if point not in (None, ",", "."):
        raise Refused("'decimal separator' must be a comma or a point")
    if grouping is not None and grouping == point:
        raise Refused("the two separators must differ")
    digits = text.replace(grouping, "") if grouping else text
    if point == "," and "." in digits:
        raise Refused(f"'{text[:40]}' is not a number")
    return number(digits.replace(",", ".") if point == "," else digits)


@builtin("number(from: string, grouping separator: string|null) -> number")
def number_with_groups(text: str, grouping: str | None) -> Number:
    """The number that a text with grouped digits spells (Camunda 8)."""
    return number_with_separators(text, grouping, None if grouping == "." else ".")


def _no_constant(text: str) -> object:
    raise ValueError(text)


_json = json.JSONDecoder(parse_float=number_literal, parse_constant=_no_constant)


@builtin("from json(value: string) -> any")
def from_json(text: str) -> Any:
    """The value of a JSON text, fractions as they are written (Camunda 8)."""
    try:
        return _json.decode(text)
    except (ValueError, ArithmeticError) as cause:
        raise Refused("the text is not JSON") from cause
