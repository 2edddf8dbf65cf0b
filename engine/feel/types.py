"""FEEL types: what `instance of` tests, and what parameters and variables are declared to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

from engine.feel import values
from engine.feel.moments import make_moment
from engine.feel.values import DATE, DAYS, MOMENT, MONTHS, NULL, Function, Range, kind_of


class Mismatch(Exception):
    """Raised by `Type.coerce`: the value is not of the type and cannot be made so."""


class Type:
    """A FEEL type. This base is `Any`; a decision model may add its own by subclassing."""

    name = "Any"

    def matches(self, value: Any) -> bool:
        """Tell whether a value is of this type; null is of every type."""
        return value is None or self._holds(value)

    def _holds(self, value: Any) -> bool:
        return True

    def coerce(self, value: Any) -> Any:
        """Return the value as this type (DMN 1.5, 10.3.2.9.4); Mismatch where it cannot be."""
        if self.matches(value):
            return value
        if isinstance(value, (list, tuple)) and len(value) == 1 and self.matches(value[0]):
            return value[0]
        raise Mismatch(self.why(value))

    def why(self, value: Any) -> str:
        """Return why a value is not of this type, down to the part that does not fit."""
        return f"expected {self}, got {kind_of(value)}"

    def __str__(self) -> str:
        return self.name


class Kind(Type):
    """A simple type: number, string, date and time and the like."""

    def __init__(self, kind: str) -> None:
        self.name = kind

    def _holds(self, value: Any) -> bool:
        return kind_of(value) == self.name

    def coerce(self, value: Any) -> Any:
        """Return the value as this kind; a date becomes midnight UTC where a moment is due."""
        if self.name == MOMENT and kind_of(value) == DATE:
            return make_moment(value, 0, UTC)
        return super().coerce(value)


class ListType(Type):
    """`list<T>`."""

    def __init__(self, item: Type) -> None:
        self.item = item
        self.name = f"list<{item}>"

    def _holds(self, value: Any) -> bool:
        return isinstance(value, (list, tuple)) and all(map(self.item.matches, value))

    def why(self, value: Any) -> str:
        """Return which item does not fit, and why."""
        for n, item in enumerate(value if isinstance(value, (list, tuple)) else (), 1):
            if not self.item.matches(item):
                return f"item {n}: {self.item.why(item)}"
        return super().why(value)

    def coerce(self, value: Any) -> Any:
        """Return the value as a list: a single value of the item type becomes a list of one."""
        if value is not None and not isinstance(value, (list, tuple)) and self.item.matches(value):
            return [value]
        return super().coerce(value)


class ContextType(Type):
    """`context<a: T, ...>`; further entries are allowed."""

    def __init__(self, entries: Mapping[str, Type]) -> None:
        self.entries = dict(entries)
        self.name = "context<" + ", ".join(f"{k}: {t}" for k, t in entries.items()) + ">"

    def _holds(self, value: Any) -> bool:
        return isinstance(value, Mapping) and all(
            key in value and kind.matches(value[key]) for key, kind in self.entries.items()
        )

    def why(self, value: Any) -> str:
        """Return which entry is missing or does not fit, and why."""
        for key, kind in self.entries.items() if isinstance(value, Mapping) else ():
            if key not in value:
                return f"the entry '{key}' is missing"
            if not kind.matches(value[key]):
                why = kind.why(value[key])
                return why if why.startswith(f"{key} ") else f"{key}: {why}"
        return super().why(value)


class RangeType(Type):
    """`range<T>`."""

    def __init__(self, item: Type) -> None:
        self.item = item
        self.name = f"range<{item}>"

    def _holds(self, value: Any) -> bool:
        ends = isinstance(value, Range) and (value.start, value.end)
        return bool(ends) and all(map(self.item.matches, ends or ()))


class FunctionType(Type):
    """`function<A, B> -> R`; parameters without a declared type are taken for Any."""

    def __init__(self, parameters: Sequence[Type], result: Type) -> None:
        self.parameters = tuple(parameters)
        self.result = result
        self.name = f"function<{', '.join(map(str, parameters))}> -> {result}"

    def _holds(self, value: Any) -> bool:
        if not isinstance(value, Function):
            return False
        declared = value.parameter_types or [ANY] * len(value.parameters)
        given = FunctionType([t if isinstance(t, Type) else ANY for t in declared], self.result)
        if isinstance(value.result_type, Type):
            given.result = value.result_type
        return conforms(given, self)


def conforms(one: Type, other: Type) -> bool:
    """Tell whether every value of `one` is one of `other` (DMN 1.5, 10.3.2.9.2)."""
    if type(other) is Type or one.name == NULL or one.name == other.name:
        return True
    if isinstance(one, (ListType, RangeType)) and type(one) is type(other):
        return conforms(one.item, other.item)
    if isinstance(one, ContextType) and isinstance(other, ContextType):
        entries = one.entries
        return all(k in entries and conforms(entries[k], kind) for k, kind in other.entries.items())
    if isinstance(one, FunctionType) and isinstance(other, FunctionType):
        return (
            len(one.parameters) == len(other.parameters)
            and all(map(conforms, other.parameters, one.parameters))
            and conforms(one.result, other.result)
        )
    return False


ANY = Type()
_SIMPLE = (values.NUMBER, values.STRING, values.BOOLEAN, DATE, values.TIME, MOMENT, DAYS, MONTHS)
#: the simple types by their FEEL name (older spellings included)
SIMPLE_TYPES: dict[str, Type] = {
    "Any": ANY,
    "Null": Kind(NULL),
    "list": ListType(ANY),
    "context": ContextType({}),
    "range": RangeType(ANY),
    "dateTime": Kind(MOMENT),
    "dayTimeDuration": Kind(DAYS),
    "yearMonthDuration": Kind(MONTHS),
    **{kind: Kind(kind) for kind in _SIMPLE},
}
