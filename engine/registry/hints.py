"""How a handler's type hint reads a variable: `hint_of(annotation).read(value)`.

Variables are JSON, Decimal and FEEL's temporal values; nothing is guessed, a text is no number.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import (
    Annotated,
    Any,
    Literal,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from engine.feel.moments import parse_date, parse_duration, parse_moment, parse_time

#: more digits than any FEEL number has; keeps int(Decimal("1E+999999")) from filling the memory
_MAX_DIGITS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """One type hint, ready to read values."""

    #: name of the type for people, such as `list of text`
    text: str
    #: returns the converted value; raises ValueError saying what the value is not
    read: Callable[[Any], Any]
    #: whether null is a value of it
    nullable: bool = False
    #: the only values allowed; empty: any
    choices: tuple[Any, ...] = ()
    #: the text of an Annotated hint
    note: str = ""


def hint_of(annotation: Any) -> Hint:
    """Return how to read values for a hint; TypeError where a handler cannot take such a type."""
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    if is_typeddict(annotation):
        return _record(annotation)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in _GENERIC:
        return _GENERIC[origin](arguments)
    if annotation is float:
        raise TypeError("float loses digits: take Decimal")
    raise TypeError(f"{getattr(annotation, '__name__', annotation)} is no type of a variable")


# ------------------------------------------------------------------ plain types


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError(f"{_shown(value)} is not a number")
    return Decimal(value)


def _whole(value: Any) -> int:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if isinstance(value, Decimal) and value.is_finite() and value.adjusted() <= _MAX_DIGITS:
        whole = value == int(value)
    if not whole:
        raise ValueError(f"{_shown(value)} is not a whole number")
    return int(value)


def _exactly(kind: type, name: str) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if type(value) is not kind:
            raise ValueError(f"{_shown(value)} is not {name}")
        return value

    return read


def _temporal(kind: type, name: str, parse: Callable[[str], Any]) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        # JSON from outside has only texts for these
        found = parse(value) if isinstance(value, str) else value
        if type(found) is not kind:
            raise ValueError(f"{_shown(value)} is not {name}")
        return found

    return read


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"{_shown(value)} is not a list")
    return list(value)


def _dict(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{_shown(value)} is not a context")
    return dict(value)


_PLAIN: dict[Any, Hint] = {
    Any: Hint(text="any", read=lambda value: value, nullable=True),
    object: Hint(text="any", read=lambda value: value, nullable=True),
    str: Hint(text="text", read=_exactly(str, "a text")),
    bool: Hint(text="yes or no", read=_exactly(bool, "true or false")),
    int: Hint(text="whole number", read=_whole),
    Decimal: Hint(text="number", read=_number),
    date: Hint(text="date", read=_temporal(date, "a date", parse_date)),
    time: Hint(text="time", read=_temporal(time, "a time", parse_time)),
    datetime: Hint(text="date and time", read=_temporal(datetime, "a date and time", parse_moment)),
    timedelta: Hint(text="duration", read=_temporal(timedelta, "a duration", parse_duration)),
    list: Hint(text="list", read=_list),
    dict: Hint(text="context", read=_dict),
}


# ------------------------------------------------------------------ hints with arguments


def _annotated(arguments: tuple[Any, ...]) -> Hint:
    note = next((part for part in arguments[1:] if isinstance(part, str)), "")
    return replace(hint_of(arguments[0]), note=note)


def _literal(arguments: tuple[Any, ...]) -> Hint:
    def read(value: Any) -> Any:
        # the type counts too, since 1 == True
        for choice in arguments:
            if choice == value and isinstance(choice, bool) == isinstance(value, bool):
                return choice
        allowed = ", ".join(map(repr, arguments))
        raise ValueError(f"{_shown(value)} is none of {allowed}")

    return Hint(text="choice", read=read, choices=arguments, nullable=None in arguments)


def _union(arguments: tuple[Any, ...]) -> Hint:
    members = [hint_of(part) for part in arguments if part is not type(None)]
    nullable = len(members) < len(arguments) or any(member.nullable for member in members)

    def read(value: Any) -> Any:
        for member in members[:-1]:
            try:
                return member.read(value)
            except ValueError:
                continue
        return members[-1].read(value)

    if len(members) == 1:
        return replace(members[0], nullable=nullable)
    return Hint(text=" or ".join(m.text for m in members), read=read, nullable=nullable)


def _list_of(arguments: tuple[Any, ...]) -> Hint:
    item = hint_of(arguments[0])

    def read(value: Any) -> list[Any]:
        return [_within(f"item {n}", item, part) for n, part in enumerate(_list(value), 1)]

    return Hint(text=f"list of {item.text}", read=read)


def _dict_of(arguments: tuple[Any, ...]) -> Hint:
    if arguments[0] is not str:
        raise TypeError("the keys of a context are texts: take dict[str, ...]")
    item = hint_of(arguments[1])

    def read(value: Any) -> dict[str, Any]:
        return {key: _within(repr(key), item, part) for key, part in _dict(value).items()}

    return Hint(text=f"context of {item.text}", read=read)


def _record(annotation: Any) -> Hint:
    fields = {name: hint_of(part) for name, part in get_type_hints(annotation).items()}
    required = annotation.__required_keys__

    def read(value: Any) -> dict[str, Any]:
        found = _dict(value)
        if missing := sorted(required - found.keys()):
            raise ValueError(f"the entry {missing[0]!r} is missing")
        known = {n: _within(repr(n), hint, found[n]) for n, hint in fields.items() if n in found}
        return found | known

    return Hint(text="context", read=read)


def _within(place: str, hint: Hint, value: Any) -> Any:
    if value is None and hint.nullable:
        return None
    try:
        return hint.read(value)
    except ValueError as error:
        raise ValueError(f"{place}: {error}")


_GENERIC: dict[Any, Callable[[tuple[Any, ...]], Hint]] = {
    Annotated: _annotated,
    Literal: _literal,
    Union: _union,
    types.UnionType: _union,
    list: _list_of,
    Sequence: _list_of,
    dict: _dict_of,
    Mapping: _dict_of,
}


def _shown(value: Any) -> str:
    text = "null" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
