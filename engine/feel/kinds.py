"""What kind of FEEL value a Python value is; equality, order and the text of a value."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import cast

from engine.errors import FeelError
from engine.feel.iso import iso_text
from engine.feel.moments import (
    AnyDate,
    AnyDateTime,
    AnyDuration,
    AnyTime,
    day_number,
    duration_ns,
    instant_ns,
    time_instant_ns,
)
from engine.feel.values import (
    NS,
    FarDate,
    FarDateTime,
    FineDuration,
    FineTime,
    Function,
    Range,
    YearsMonthsDuration,
)

NUMBER, STRING, BOOLEAN, NULL = "number", "string", "boolean", "null"
LIST, CONTEXT, RANGE, FUNCTION = "list", "context", "range", "function"
DATE, TIME, MOMENT = "date", "time", "date and time"
DAYS, MONTHS, FOREIGN = "days and time duration", "years and months duration", "foreign value"

_KINDS: dict[type, str] = {
    int: NUMBER,
    Decimal: NUMBER,
    float: NUMBER,
    str: STRING,
    bool: BOOLEAN,
    type(None): NULL,
    list: LIST,
    tuple: LIST,
    dict: CONTEXT,
    Range: RANGE,
    Function: FUNCTION,
    date: DATE,
    FarDate: DATE,
    time: TIME,
    FineTime: TIME,
    datetime: MOMENT,
    FarDateTime: MOMENT,
    timedelta: DAYS,
    FineDuration: DAYS,
    YearsMonthsDuration: MONTHS,
}
_BASES = (
    (bool, BOOLEAN),
    (int, NUMBER),
    (Decimal, NUMBER),
    (str, STRING),
    (datetime, MOMENT),
    (date, DATE),
    (time, TIME),
    (timedelta, DAYS),
    ((list, tuple), LIST),
    (Mapping, CONTEXT),
    (Function, FUNCTION),
)
#: comparisons of nested values before a comparison is given up
EQUAL_STEPS = 2_000_000


def kind_of(value: object) -> str:
    """Return the FEEL kind of a Python value; `foreign value` for what FEEL does not know."""
    kind = _KINDS.get(type(value))
    if kind is not None:
        return kind
    for base, name in _BASES:
        if isinstance(value, base):
            return name
    return FOREIGN


def from_float(value: float) -> Decimal | None:
    """Return the number a float is written as; None for NaN and the infinities."""
    return Decimal(repr(value)) if math.isfinite(value) else None


def number_of(value: object) -> int | Decimal | None:
    """Return the value as a FEEL number, None when it is none (truth values are not)."""
    if type(value) is int or type(value) is Decimal:
        return value
    if isinstance(value, float):
        return from_float(value)
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return int(value) if isinstance(value, int) else Decimal(value)
    return None


def a_kind(value: object) -> str:
    """Return the kind with its article, for messages."""
    kind = kind_of(value)
    if kind == NULL:
        return kind
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def equal(left: object, right: object) -> bool | None:
    """Compare for `=`: None where the kinds differ and neither is null (DMN 1.5, table 53)."""
    kind = kind_of(left)
    if kind == kind_of(right):
        if kind == NUMBER:
            return number_of(left) == number_of(right)
        if kind in (LIST, CONTEXT, RANGE):
            return _Deep().same(left, right)
        return _same_atom(kind, left, right)
    if left is None or right is None:
        return False
    return None


def _same_atom(kind: str, left: object, right: object) -> bool:
    if kind == MOMENT:
        one, two = cast(AnyDateTime, left), cast(AnyDateTime, right)
        if (one.tzinfo is None) != (two.tzinfo is None):
            return False
        # the standard's moments have whole seconds when compared for equality
        return instant_ns(one) // NS == instant_ns(two) // NS
    if kind == TIME:
        early, late = cast(AnyTime, left), cast(AnyTime, right)
        if (early.tzinfo is None) != (late.tzinfo is None):
            return False
        return time_instant_ns(early) // NS == time_instant_ns(late) // NS
    if kind == DAYS:
        return duration_ns(cast(AnyDuration, left)) == duration_ns(cast(AnyDuration, right))
    return bool(left == right)


class _Deep:
    """One comparison of nested values, with a budget against values that share their parts."""

    def __init__(self) -> None:
        self.left = EQUAL_STEPS

    def same(self, one: object, two: object) -> bool:
        self.left -= 1
        if self.left < 0:
            raise FeelError("the values are too large to be compared")
        if isinstance(one, (list, tuple)) and isinstance(two, (list, tuple)):
            return len(one) == len(two) and all(map(self.same, one, two))
        if isinstance(one, Mapping) and isinstance(two, Mapping):
            return one.keys() == two.keys() and all(self.same(one[k], two[k]) for k in one)
        if isinstance(one, Range) and isinstance(two, Range):
            flags = (one.start_included, one.end_included, one.operator)
            if flags != (two.start_included, two.end_included, two.operator):
                return False
            return self.same(one.start, two.start) and self.same(one.end, two.end)
        return equal(one, two) is True


def order_keys(left: object, right: object) -> tuple[object, object] | None:
    """Return two Python values in the order of the given ones; None where FEEL has no order."""
    kind = kind_of(left)
    if kind != kind_of(right):
        return None
    if kind == NUMBER:
        one, two = number_of(left), number_of(right)
        return None if one is None or two is None else (one, two)
    if kind in (STRING, MONTHS):
        return left, right
    if kind == DATE:
        return day_number(cast(AnyDate, left)), day_number(cast(AnyDate, right))
    if kind == DAYS:
        return duration_ns(cast(AnyDuration, left)), duration_ns(cast(AnyDuration, right))
    if kind == TIME:
        early, late = cast(AnyTime, left), cast(AnyTime, right)
        if (early.tzinfo is None) != (late.tzinfo is None):
            return None
        return time_instant_ns(early), time_instant_ns(late)
    if kind == MOMENT:
        first, second = cast(AnyDateTime, left), cast(AnyDateTime, right)
        if (first.tzinfo is None) != (second.tzinfo is None):
            return None
        return instant_ns(first), instant_ns(second)
    return None


def less(left: object, right: object) -> bool | None:
    """Compare for `<`; None where the two have no order."""
    keys = order_keys(left, right)
    return None if keys is None else bool(keys[0] < keys[1])  # type: ignore[operator]


def less_equal(left: object, right: object) -> bool | None:
    """Compare for `<=`; None where the two have no order."""
    keys = order_keys(left, right)
    return None if keys is None else bool(keys[0] <= keys[1])  # type: ignore[operator]


def in_range(value: object, span: Range) -> bool | None:
    """Tell whether a range holds a value; None where they cannot be compared."""
    if span.operator == "=":
        return equal(value, span.start)
    if span.operator == "!=":
        same = equal(value, span.start)
        return None if same is None else not same
    above: bool | None = True
    below: bool | None = True
    if span.start is not None or span.operator is None:
        above = (less_equal if span.start_included else less)(span.start, value)
    if span.end is not None or span.operator is None:
        below = (less_equal if span.end_included else less)(value, span.end)
    if above is None or below is None:
        return None
    return above and below


def holds(candidate: object, value: object) -> bool | None:
    """Tell whether `value in candidate` for a test that is a plain value, list or range."""
    if isinstance(candidate, Range) and not isinstance(value, Range):
        return in_range(value, candidate)
    if isinstance(candidate, (list, tuple)):
        for item in candidate:
            if isinstance(item, Range) and in_range(value, item) is True:
                return True
            if equal(item, value) is True:
                return True
        return isinstance(value, (list, tuple)) and equal(candidate, value) is True
    return equal(candidate, value)


def number_text(value: int | Decimal) -> str:
    """Return a number in plain digits; a whole number without a fraction."""
    if isinstance(value, int) and value.bit_length() < 10_000:
        return str(value)
    value = Decimal(value)
    if value == value.to_integral_value():
        return f"{value.to_integral_value():f}" if value else "0"
    return f"{value:f}"


def text_of(value: object, *, nested: bool = False, limit: int = 1_000_000) -> str:
    """Return what `string(value)` gives; FeelError when the text grows over the limit."""
    parts: list[str] = []
    _write(value, nested, parts, [limit])
    return "".join(parts)


def _put(text: str, parts: list[str], room: list[int]) -> None:
    room[0] -= len(text)
    if room[0] < 0:
        raise FeelError("the text of the value is too long")
    parts.append(text)


def _write(value: object, nested: bool, parts: list[str], room: list[int]) -> None:
    if isinstance(value, (list, tuple)):
        _put("[", parts, room)
        for n, item in enumerate(value):
            if n:
                _put(", ", parts, room)
            _write(item, True, parts, room)
        _put("]", parts, room)
    elif isinstance(value, Mapping):
        _put("{", parts, room)
        for n, (key, item) in enumerate(value.items()):
            _put((", " if n else "") + _key_text(str(key)) + ": ", parts, room)
            _write(item, True, parts, room)
        _put("}", parts, room)
    elif isinstance(value, Range):
        _write_range(value, parts, room)
    else:
        _put(_atom_text(value, nested), parts, room)


def _write_range(value: Range, parts: list[str], room: list[int]) -> None:
    if value.operator:
        _put(f"({value.operator} ", parts, room)
        _write(value.start if value.start is not None else value.end, True, parts, room)
        _put(")", parts, room)
        return
    _put("[" if value.start_included else "(", parts, room)
    _write(value.start, True, parts, room)
    _put("..", parts, room)
    _write(value.end, True, parts, room)
    _put("]" if value.end_included else ")", parts, room)


def _atom_text(value: object, nested: bool) -> str:
    if isinstance(value, str):
        if not nested:
            return value
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    number = number_of(value)
    if number is not None:
        return number_text(number)
    return iso_text(value) or repr(value)


def _key_text(key: str) -> str:
    plain = key.replace(" ", "").replace("_", "").isalnum() and not key[:1].isdigit()
    return key if plain else _atom_text(key, True)
