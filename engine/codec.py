"""Variables as bytes: `encode`/`decode` for storage (exact types), `parse_json`/`to_json` for the
API, and `admit`, the door that everything from outside passes. Built on orjson.

In storage a value JSON has no form for is a dict of one key that begins with U+0001, such as
{"\\u0001n": "1.50"}; `admit` refuses such keys, so no input can pretend to be one.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum
from typing import NoReturn
from zoneinfo import ZoneInfo

import orjson

from engine.errors import BadInput
from engine.feel.moments import (
    MAX_MONTHS,
    MAX_NS,
    FarDate,
    FarDateTime,
    FineDuration,
    FineTime,
    YearsMonthsDuration,
    iso_text,
    parse_date,
    parse_duration,
    parse_moment,
    parse_time,
)

TAG = "\u0001"
_MARK = b'"\\u0001'
_OPTIONS = (
    orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)
_NUMBER, _INTEGER, _DATE, _TIME, _MOMENT, _SPAN, _LARGE = (TAG + letter for letter in "nidtmpb")
_KINDS: dict[type, str] = {
    date: _DATE,
    FarDate: _DATE,
    time: _TIME,
    FineTime: _TIME,
    datetime: _MOMENT,
    FarDateTime: _MOMENT,
    timedelta: _SPAN,
    FineDuration: _SPAN,
    YearsMonthsDuration: _SPAN,
}
#: numbers that `orjson` writes and reads as ints
_INT_LOW, _INT_HIGH = -(2**63), 2**64 - 1
#: decimal128 with its subnormal numbers
_MOST, _LEAST = 6144, -6176
_HOURS_18 = 18 * 3600
#: of a whole number; Python converts none of more than 4,300 digits to text
_BITS = 14_000
#: a decimal text below this length without an exponent is within all limits
_SHORT = 40
_SMALL = 2**31
_DIGITS = frozenset("0123456789")


@dataclass(frozen=True, slots=True)
class Reference:
    """Stands for a large value that is stored elsewhere; no input can contain one."""

    #: SHA-256 of its JSON
    hash: str


# storage


def encode(value: object) -> bytes:
    """Return the bytes of a value made of what FEEL knows; `decode` gives back equal values of
    the same types (tuples come back as lists). BadInput for anything else."""
    tags = 0

    def tagged(item: object) -> object:
        nonlocal tags
        tags += 1
        return _tagged(item)

    try:
        found = orjson.dumps(value, tagged, _OPTIONS)
    except TypeError as cause:
        if isinstance(cause.__cause__, BadInput):
            raise cause.__cause__ from None
        found = _encode_slowly(value, cause)
    else:
        if found.count(_MARK) != tags:
            _refuse_tag_keys(value, "value")
    return found


def _encode_slowly(value: object, cause: TypeError) -> bytes:
    """Encode once more with long ints wrapped, which orjson does not hand over."""
    _refuse_tag_keys(value, "value")
    try:
        return orjson.dumps(_wrapped(value), _tagged, _OPTIONS)
    except TypeError as again:
        if isinstance(again.__cause__, BadInput):
            raise again.__cause__ from None
        raise BadInput(f"the value cannot be stored: {cause}") from again
    except RecursionError:
        raise BadInput("the value is nested too deeply to be stored") from None


def _wrapped(value: object) -> object:
    if isinstance(value, (list, tuple)):
        return [_wrapped(item) for item in value]
    if isinstance(value, dict):
        return {key: _wrapped(item) for key, item in value.items()}
    if type(value) is int and not _INT_LOW <= value <= _INT_HIGH:
        return {_INTEGER: hex(value)}
    return value


def _tagged(value: object) -> object:
    if type(value) is Decimal:
        return {_NUMBER: str(value)}
    if type(value) is Reference:
        return {_LARGE: value.hash}
    kind = _KINDS.get(type(value))
    if kind is None:
        return _plainer(value)
    if isinstance(value, (time, datetime, FineTime, FarDateTime)):
        _known_zone(value.tzinfo)
        if isinstance(value, (time, datetime)) and value.fold:
            return {kind: [iso_text(value)]}
    return {kind: iso_text(value)}


def _plainer(value: object) -> object:
    """Return a value of a subclass as its base; orjson does not accept subclasses."""
    if isinstance(value, Enum):
        raise BadInput(f"a value of type {type(value).__name__} cannot be stored")
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, (str, int)):
        return str(value) if isinstance(value, str) else int(value)
    if isinstance(value, (dict, list)):
        return dict(value) if isinstance(value, dict) else list(value)
    raise BadInput(f"a value of type {type(value).__name__} cannot be stored")


def _known_zone(zone: tzinfo | None) -> None:
    if zone is None or (isinstance(zone, ZoneInfo) and zone.key):
        return
    if isinstance(zone, timezone):
        offset = zone.utcoffset(None)
        if not offset.microseconds and abs(offset.total_seconds()) <= _HOURS_18:
            return
    raise BadInput(f"the time zone {zone} has no name and no offset of whole seconds")


def _refuse_tag_keys(value: object, path: str) -> None:
    if isinstance(value, (list, tuple)):
        for n, item in enumerate(value):
            _refuse_tag_keys(item, f"{path}[{n}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            if isinstance(key, str) and key.startswith(TAG):
                raise BadInput(f"{path}: a key begins with the control character U+0001")
            _refuse_tag_keys(item, f"{path}.{key}")


def decode(data: bytes) -> object:
    """Return the value that was encoded; BadInput when the bytes are not from `encode`."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as cause:
        raise BadInput(f"stored value damaged: {cause}") from cause
    return _restored(value) if _MARK in data else value


def _restored(value: object) -> object:
    if type(value) is list:
        for n, item in enumerate(value):
            if type(item) is dict or type(item) is list:
                value[n] = _restored(item)
    elif type(value) is dict:
        if len(value) == 1:
            key = next(iter(value))
            if key[:1] == TAG:
                return _untagged(key, value[key])
        for key, item in value.items():
            if type(item) is dict or type(item) is list:
                value[key] = _restored(item)
    return value


def _untagged(key: str, text: object) -> object:
    read = _READERS.get(key)
    folded = type(text) is list and len(text) == 1
    source = text[0] if type(text) is list and folded else text
    if read is None or type(source) is not str:
        raise BadInput("stored value damaged: unknown tag")
    try:
        found = read(source)
    except (ValueError, ArithmeticError) as cause:
        raise BadInput(f"stored value damaged: {cause}") from cause
    return found.replace(fold=1) if folded and isinstance(found, (time, datetime)) else found


_READERS: dict[str, Callable[[str], object]] = {
    _NUMBER: Decimal,
    _INTEGER: lambda text: int(text, 16),
    _DATE: parse_date,
    _TIME: parse_time,
    _MOMENT: parse_moment,
    _SPAN: parse_duration,
    _LARGE: Reference,
}


# the door


def admit(value: object, *, max_bytes: int, max_depth: int = 64, path: str = "variables") -> object:
    """Return a normalised copy of a value from outside: lists for tuples, Decimal for float.

    BadInput names the offending place, as in `variables.order.items[3]`, for a type that FEEL
    does not know, a key that is no plain string, NaN, or a value too large or nested too deeply.
    """
    return _Door(max_bytes, max_depth).pass_through(value, (None, path), max_depth)


#: (the place around it, key or index)
_Place = tuple[object, object]


class _Door:
    """One pass of one value; counts the bytes its JSON would have, roughly."""

    def __init__(self, max_bytes: int, max_depth: int) -> None:
        self.left = max_bytes
        self.max_bytes = max_bytes
        self.max_depth = max_depth

    def refuse(self, place: _Place, message: str) -> NoReturn:
        keys: list[object] = []
        at: object = place
        while isinstance(at, tuple):
            at, key = at
            keys.append(key)
        text = str(keys.pop())
        for key in reversed(keys):
            text += f"[{key}]" if isinstance(key, int) else f".{key}"
        raise BadInput(f"{text[:300]}: {message}")

    def spend(self, size: int, place: _Place) -> None:
        """Take bytes off what is left; BadInput when there are none."""
        self.left -= size
        if self.left < 0:
            self.refuse(place, f"the value has more than {self.max_bytes} bytes")

    def pass_through(self, value: object, place: _Place, depth: int) -> object:
        kind = type(value)
        if value is None or kind is bool or (type(value) is int and -_SMALL < value < _SMALL):
            self.spend(5, place)
            return value
        if type(value) is str and value.isascii():
            self.spend(len(value) + 3, place)
            return value
        if type(value) is list or type(value) is dict:
            return self.container(value, place, depth)
        if isinstance(value, str) and not isinstance(value, Enum):
            return self.string(str(value), place)
        if isinstance(value, (int, float, Decimal)) and not isinstance(value, Enum):
            return self.number(value, place)
        if isinstance(value, (list, tuple, dict)):
            return self.container(value, place, depth)
        if kind in _KINDS:
            return self.moment(value, place)
        return self.refuse(place, f"a value of type {kind.__name__} is not allowed")

    def string(self, value: str, place: _Place) -> str:
        self.spend(len(value) + 3, place)
        if not value.isascii():
            try:
                self.spend(len(value.encode("utf-8")) - len(value), place)
            except UnicodeEncodeError:
                self.refuse(place, "the text has half of a surrogate pair")
        return value

    def number(self, value: int | float | Decimal, place: _Place) -> int | Decimal:
        if isinstance(value, int):
            if value.bit_length() > _BITS:
                self.refuse(place, "the number has too many digits")
            self.spend(value.bit_length() // 3 + 2, place)
            return int(value)
        if isinstance(value, float):
            if not math.isfinite(value):
                self.refuse(place, f"{value} is not a number")
            value = Decimal(repr(float(value)))
        text = str(value)
        if len(text) < _SHORT and "E" not in text and text[-1] in _DIGITS:
            self.spend(len(text) + 8, place)
            return value if type(value) is Decimal else Decimal(value)
        if not value.is_finite():
            self.refuse(place, f"{value} is not a number")
        if value and not _LEAST <= value.adjusted() <= _MOST:
            self.refuse(place, "the number is too large or too small")
        if not _LEAST <= int(value.as_tuple().exponent) <= _MOST:
            self.refuse(place, "the number has too many digits")
        self.spend(len(value.as_tuple().digits) + 8, place)
        return value if type(value) is Decimal else Decimal(value)

    def moment(self, value: object, place: _Place) -> object:
        self.spend(40, place)
        if isinstance(value, YearsMonthsDuration) and abs(value.months) > MAX_MONTHS:
            self.refuse(place, "the duration is too long")
        if isinstance(value, FineDuration) and abs(value.ns) > MAX_NS:
            self.refuse(place, "the duration is too long")
        if isinstance(value, (time, datetime, FineTime, FarDateTime)):
            try:
                _known_zone(value.tzinfo)
            except BadInput as cause:
                self.refuse(place, str(cause))
        return value

    def container(
        self, value: list[object] | tuple[object, ...] | dict[object, object], place: _Place, d: int
    ) -> object:
        self.spend(3, place)
        if d <= 0:
            self.refuse(place, f"nested more than {self.max_depth} deep")
        d -= 1
        if not isinstance(value, dict):
            return [self.pass_through(item, (place, n), d) for n, item in enumerate(value)]
        result: dict[str, object] = {}
        for key, item in value.items():
            if not isinstance(key, str) or isinstance(key, Enum):
                self.refuse(place, f"the key {key!r} is not a string"[:200])
            if key[:1] == TAG:
                self.refuse(place, "a key begins with the control character U+0001")
            inside = (place, key)
            if type(key) is str and key.isascii():
                self.left -= len(key) + 3
            else:
                key = self.string(str(key), inside)
            result[key] = self.pass_through(item, inside, d)
        return result


# JSON of the outside world

_json_token = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|-?Infinity|NaN', re.DOTALL)


def parse_json(data: bytes | str) -> object:
    """Return the value of a JSON text; fractions become Decimal, exactly as written.

    BadInput with line and column for what is no JSON (RFC 8259), and for duplicate keys.
    """
    try:
        text = data if isinstance(data, str) else data.decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        before = cause.object[: cause.start].decode("utf-8")
        raise BadInput(f"not UTF-8 at {_spot(before, len(before))}") from cause
    try:
        return _decoder.decode(text)
    except json.JSONDecodeError as cause:
        where = f"line {cause.lineno}, column {cause.colno}"
        raise BadInput(f"not JSON at {where}: {cause.msg}") from cause
    except _Unwanted as cause:
        raise BadInput(f"{cause} at {_spot(text, _place_of(text, cause.what))}") from cause
    except RecursionError:
        raise BadInput("the JSON text is nested too deeply") from None
    except (ValueError, ArithmeticError) as cause:
        raise BadInput("the JSON text has a number that is too long") from cause


class _Unwanted(Exception):
    """JSON that Python would take and we do not."""

    def __init__(self, message: str, what: str) -> None:
        super().__init__(message)
        #: the constant as written, or "" for a duplicate key
        self.what = what


def _constant(text: str) -> NoReturn:
    raise _Unwanted(f"{text} is not JSON", text)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Unwanted(f"the key {json.dumps(key)[:100]} occurs twice", "")
            seen.add(key)
    return found


def _fraction(text: str) -> Decimal:
    value = Decimal(text)
    if abs(int(value.as_tuple().exponent)) > _MOST or (value and abs(value.adjusted()) > _MOST):
        raise ValueError(text[:40])
    return value


_decoder = json.JSONDecoder(
    parse_float=_fraction, parse_constant=_constant, object_pairs_hook=_object
)


def _spot(text: str, at: int) -> str:
    line = text.count("\n", 0, at) + 1
    return f"line {line}, column {at - text.rfind(chr(10), 0, at)}"


def _place_of(text: str, what: str) -> int:
    """Return the offset of the first such constant, or of the first duplicate key."""
    seen: list[set[str]] = []
    for token in _json_token.finditer(text):
        piece = token.group()
        if piece in "{[":
            seen.append(set())
        elif piece in "}]":
            seen.pop()
        elif piece == what:
            return token.start()
        elif piece[0] == '"' and seen and text[token.end() :].lstrip()[:1] == ":":
            key = str(json.loads(piece, strict=False))
            if key in seen[-1] and not what:
                return token.start()
            seen[-1].add(key)
    return 0


def to_json(value: object) -> bytes:
    """Return a value as JSON for the outside: Decimal as a number written exactly, moments and
    durations as ISO 8601 strings. BadInput names the place of what has no JSON form."""
    try:
        return orjson.dumps(value, _outward, _OPTIONS)
    except TypeError:
        try:
            return orjson.dumps(_outward_all(value, "value"), _outward, _OPTIONS)
        except TypeError as cause:
            raise BadInput(f"the value has no JSON form: {cause}") from cause
        except RecursionError:
            raise BadInput("the value is nested too deeply for JSON") from None


def _outward(value: object) -> object:
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(str(value).encode("ascii"))
    text = iso_text(value)
    return text if text is not None else _plainer(value)


def _outward_all(value: object, path: str) -> object:
    """Return the value with all parts that orjson refuses replaced; BadInput with the path."""
    if isinstance(value, (list, tuple)):
        return [_outward_all(item, f"{path}[{n}]") for n, item in enumerate(value)]
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise BadInput(f"{path}: the key {key!r} is not a string"[:300])
        return {key: _outward_all(item, f"{path}.{key}") for key, item in value.items()}
    if type(value) is int and not _INT_LOW <= value <= _INT_HIGH:
        return orjson.Fragment(str(value).encode("ascii"))
    if value is None or isinstance(value, (str, int, float)):
        return value
    try:
        return _outward(value)
    except BadInput:
        raise BadInput(f"{path}: a value of type {type(value).__name__} has no JSON form") from None
