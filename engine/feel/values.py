"""FEEL's values in Python: the kinds, ranges and functions, and the text of a value."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from engine.errors import FeelError
from engine.feel.moments import (
    FarDate,
    FarDateTime,
    FineDuration,
    FineTime,
    YearsMonthsDuration,
    iso_text,
)

NUMBER, STRING, BOOLEAN, NULL = "number", "string", "boolean", "null"
LIST, CONTEXT, RANGE, FUNCTION = "list", "context", "range", "function"
DATE, TIME, MOMENT = "date", "time", "date and time"
DAYS, MONTHS, FOREIGN = "days and time duration", "years and months duration", "foreign value"
#: the kind of what can be told when it is evaluated only
ANYTHING = "any"
#: what messages call a function that has no name
ANONYMOUS = "the function"


#: names that are looked through for a like one, and that are listed in a message
_COMPARED, _LISTED = 200, 8


_Show = Callable[[object], str]


class Refused(Exception):
    """The operands or arguments do not fit: the result is null and the message a diagnostic."""


@dataclass(frozen=True, slots=True)
class Range:
    """An interval as a value; an end that is missing in a unary range such as `(> 5)` is None."""

    #: lower end
    start: Any
    #: upper end
    end: Any
    #: whether `start` itself belongs to it
    start_included: bool = True
    #: whether `end` itself belongs to it
    end_included: bool = True
    #: `=`, `!=`, `<`, `<=`, `>`, `>=` when written as a unary test, else None
    operator: str | None = None

    def __hash__(self) -> int:
        return hash((self.start_included, self.end_included, self.operator))


class Function:
    """A function as a value: defined in FEEL, built in, or given by the host (a decision model).

    `invoke(arguments)` takes already evaluated values in the order of `parameters`.
    """

    __slots__ = ("invoke", "name", "parameter_types", "parameters", "result_type", "variadic")

    def __init__(
        self,
        name: str,
        parameters: Sequence[str],
        invoke: Callable[[list[Any]], Any],
        *,
        parameter_types: Sequence[object] = (),
        result_type: object = None,
        variadic: bool = False,
    ) -> None:
        self.name = name
        self.parameters = tuple(parameters)
        #: called with the values of all parameters
        self.invoke = invoke
        #: `types.Type` per parameter, or empty where none is declared
        self.parameter_types = tuple(parameter_types)
        #: `types.Type` of the result, None where not declared
        self.result_type = result_type
        #: accepts any number of arguments (a built-in used as a value)
        self.variadic = variadic

    def __repr__(self) -> str:
        name = "" if self.name == ANONYMOUS else f" {self.name}"
        return f"function{name}({', '.join(self.parameters)})"


#: subclasses stand before their bases, as they are asked in this order where the type is not exact
_KINDS: dict[type, str] = {
    bool: BOOLEAN,
    int: NUMBER,
    Decimal: NUMBER,
    float: NUMBER,
    str: STRING,
    type(None): NULL,
    list: LIST,
    tuple: LIST,
    dict: CONTEXT,
    datetime: MOMENT,
    FarDateTime: MOMENT,
    date: DATE,
    FarDate: DATE,
    time: TIME,
    FineTime: TIME,
    timedelta: DAYS,
    FineDuration: DAYS,
    YearsMonthsDuration: MONTHS,
    Range: RANGE,
    Function: FUNCTION,
    Mapping: CONTEXT,
}


def kind_of(value: object) -> str:
    """Return the FEEL kind of a Python value; `foreign value` for what FEEL does not know."""
    kind = _KINDS.get(type(value))
    if kind is None:
        kind = next((k for base, k in _KINDS.items() if isinstance(value, base)), FOREIGN)
    return kind


def named(kind: str) -> str:
    """Return a kind with its article, for messages."""
    if kind == NULL:
        return kind
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def a_kind(value: object) -> str:
    """Return the kind of a value with its article, for messages."""
    return named(kind_of(value))


def missing(what: str, name: str, known: Iterable[str], otherwise: str = "") -> str:
    """Return the complaint that nothing has a name, with the way out: a name that is like it, or
    what else to do, or some of the names that are known."""
    names = sorted(map(str, known))
    near = get_close_matches(name, names[:_COMPARED], 1, 0.7)
    listed = ", ".join(names[:_LISTED]) + (", ..." if len(names) > _LISTED else "")
    if near:
        way = f"did you mean '{near[0]}'?"
    else:
        way = otherwise or (f"known are {listed}" if names else "none is known here")
    return f"there is no {what} '{name}'; {way}"


def plain(value: Any) -> Any:
    """Return a value read from outside as FEEL sees it: a float as the number it is written as,
    NaN and the infinities as null."""
    if isinstance(value, float):
        return Decimal(repr(value)) if math.isfinite(value) else None
    return None if isinstance(value, Decimal) and not value.is_finite() else value


def number_of(value: Any) -> int | Decimal | None:
    """Return the value as a FEEL number, None when it is none (truth values are not)."""
    if type(value) is int:
        return value
    if isinstance(value, int):
        return None if isinstance(value, bool) else int(value)
    return plain(value) if isinstance(value, (Decimal, float)) else None


def number_text(value: int | Decimal) -> str:
    """Return a number in plain digits; a whole number without a fraction."""
    if isinstance(value, int) and value.bit_length() < 10_000:
        return str(value)
    value = Decimal(value)
    whole = value.to_integral_value()
    return f"{whole if value == whole else value:f}" if value else "0"


def text_of(value: object, *, nested: bool = False, limit: int = 1_000_000) -> str:
    """Return what `string(value)` gives; FeelError when the text grows over the limit."""
    if isinstance(value, str) and not nested:
        return value
    return _joined(_pieces(value, ", ", ": ", _atom, _key), limit)


def json_of(value: object, limit: int) -> str:
    """Return a value as JSON, moments and durations as strings; Refused for ranges and functions,
    FeelError when the text grows over the limit."""
    return _joined(_pieces(value, ",", ":", _json_atom, _json_atom), limit)


def _joined(pieces: Iterable[str], room: int) -> str:
    found = []
    for piece in pieces:
        room -= len(piece)
        if room < 0:
            raise FeelError("the text of the value is too long")
        found.append(piece)
    return "".join(found)


def _pieces(value: object, comma: str, colon: str, atom: _Show, key: _Show) -> Iterator[str]:
    """Yield the text of a value piece by piece; `atom` and `key` show what has no parts."""
    if isinstance(value, (list, tuple)):
        yield "["
        for n, item in enumerate(value):
            yield comma if n else ""
            yield from _pieces(item, comma, colon, atom, key)
        yield "]"
    elif isinstance(value, Mapping):
        yield "{"
        for n, (name, item) in enumerate(value.items()):
            yield (comma if n else "") + key(str(name)) + colon
            yield from _pieces(item, comma, colon, atom, key)
        yield "}"
    else:
        yield atom(value)


def _range_text(value: Range) -> str:
    start, end = (text_of(one, nested=True) for one in (value.start, value.end))
    if value.operator:
        return f"({value.operator} {end if value.start is None else start})"
    first, last = "[" if value.start_included else "(", "]" if value.end_included else ")"
    return f"{first}{start}..{end}{last}"


def _atom(value: object) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if isinstance(value, Range):
        return _range_text(value)
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    number = number_of(value)
    return iso_text(value) or repr(value) if number is None else number_text(number)


def _key(key: object) -> str:
    name = str(key)
    simple = name.replace(" ", "").replace("_", "").isalnum() and not name[:1].isdigit()
    return name if simple else _atom(name)


def _json_atom(value: object) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if kind_of(value) in (RANGE, FUNCTION, FOREIGN):
        raise Refused(f"{a_kind(value)} has no JSON form")
    iso = iso_text(value)
    return f'"{iso}"' if iso else _atom(value)
