"""Built-in functions that compare points and ranges (DMN 1.5, 10.3.4.10), `is` and `range`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from engine.errors import FeelError
from engine.feel import parser
from engine.feel.library import builtin, declare
from engine.feel.moments import clock_ns, day_number, zone_text
from engine.feel.nodes import Literal
from engine.feel.operators import equal, less, order_keys
from engine.feel.values import MOMENT, TIME, Range, Refused, kind_of

_range = re.compile(r"([\[(\]])\s*(.*?)\s*\.\.\s*(.*?)\s*([\])\[])", re.DOTALL)

# A cut is where something begins or ends: a value, and -1, 0 or 1 for just below it, on it, just
# above it. A point begins and ends on itself, so that each relation needs one rule only.


def _start(of: Any) -> tuple[Any, int]:
    return (of.start, 0 if of.start_included else 1) if isinstance(of, Range) else (of, 0)


def _end(of: Any) -> tuple[Any, int]:
    return (of.end, 0 if of.end_included else -1) if isinstance(of, Range) else (of, 0)


def _order(one: tuple[Any, int], other: tuple[Any, int]) -> int:
    """Return -1, 0 or 1 as one cut lies before, on or after the other one."""
    before, same = less(one[0], other[0]), equal(one[0], other[0])
    if before is None:
        raise Refused("the values cannot be compared with each other")
    if not before and same:
        return (one[1] > other[1]) - (one[1] < other[1])
    return -1 if before else 1


def _before(a: Any, b: Any) -> bool:
    return _order(_end(a), _start(b)) < 0


def _meets(a: Any, b: Any) -> bool:
    return _order(_end(a), _start(b)) == 0


def _overlaps(a: Any, b: Any) -> bool:
    return not _before(a, b) and not _before(b, a)


def _overlaps_before(a: Any, b: Any) -> bool:
    earlier = _order(_start(a), _start(b)) < 0
    return earlier and _order(_start(b), _end(a)) <= 0 and _order(_end(a), _end(b)) <= 0


def _finishes(a: Any, b: Any) -> bool:
    return _order(_end(a), _end(b)) == 0 and _order(_start(b), _start(a)) <= 0


def _includes(a: Any, b: Any) -> bool:
    return _order(_start(a), _start(b)) <= 0 and _order(_end(b), _end(a)) <= 0


def _starts(a: Any, b: Any) -> bool:
    return _order(_start(a), _start(b)) == 0 and _order(_end(a), _end(b)) <= 0


def _coincides(a: Any, b: Any) -> bool:
    return _order(_start(a), _start(b)) == 0 and _order(_end(a), _end(b)) == 0


_Relation = Callable[[Any, Any], bool]


def _relation(names: str, forms: str, rule: _Relation, docs: str) -> None:
    """Declare a relation and its inverse for pairs such as "range point"."""
    for n, (name, doc) in enumerate(zip(names.split(" / "), docs.split(" / "), strict=True)):
        for form in forms.split(", "):
            pair = form.split()[:: -1 if n else 1]
            one, other = (f"{p}{i}" if pair[0] == pair[1] else p for i, p in enumerate(pair, 1))
            kinds = ["range" if part == "range" else "value" for part in pair]
            function = (lambda a, b: rule(b, a)) if n else rule
            declare(f"{name}({one}: {kinds[0]}, {other}: {kinds[1]}) -> boolean", function, doc)


_relation(
    "before / after",
    "range range, point range, range point, point point",
    _before,
    "Whether the first ends before the second begins. / Whether the second ends before the first.",
)
_relation(
    "meets / met by",
    "range range",
    _meets,
    "Whether the first ends where the second begins. / Whether the second ends where this begins.",
)
_relation("overlaps", "range range", _overlaps, "Whether the two have a point in common.")
_relation(
    "overlaps before / overlaps after",
    "range range",
    _overlaps_before,
    "Whether the first begins before and ends in the second. / The same the other way round.",
)
_relation(
    "finishes / finished by",
    "range range, point range",
    _finishes,
    "Whether the first is the end of the second. / Whether the second is the end of the first.",
)
_relation(
    "includes / during",
    "range range, range point",
    _includes,
    "Whether the second lies within the first. / Whether the first lies within the second.",
)
_relation(
    "starts / started by",
    "range range, point range",
    _starts,
    "Whether the first is the start of the second. / Whether the second is the start of it.",
)
_relation("coincides", "range range, point point", _coincides, "Whether the two are the same.")


@builtin("is(value1?: any, value2?: any) -> boolean")
def is_same(one: Any = None, other: Any = None) -> bool:
    """Whether two values are the same in the semantic domain: kind, parts and zone."""
    kind = kind_of(one)
    if kind != kind_of(other):
        return False
    if kind in (TIME, MOMENT):
        days = kind == TIME or day_number(one) == day_number(other)
        zones = zone_text(one.tzinfo) == zone_text(other.tzinfo)
        return days and zones and clock_ns(one) == clock_ns(other)
    return equal(one, other) is True


@builtin("range(from: string) -> range")
def range_from(text: str) -> Range:
    """The range that a text such as `[1..10)` spells; an open end may be left out: `(..10]`."""
    found = _range.fullmatch(text.strip())
    if found is None:
        raise Refused(f"'{text[:40]}' is not a range")
    start, end = _end_of(found[2]), _end_of(found[3])
    start_included, end_included = found[1] == "[", found[4] == "]"
    if start is None or end is None:
        if start is end or (start is None and start_included) or (end is None and end_included):
            raise Refused("a range has one end at least, and is open where it has none")
        operator = (">" if end is None else "<") + ("=" if start_included or end_included else "")
        return Range(start, end, start_included, end_included, operator)
    keys = order_keys(start, end)
    if keys is None or keys[0] > keys[1]:
        raise Refused("a range goes from a smaller value to a larger one of the same kind")
    return Range(start, end, start_included, end_included)


def _end_of(text: str) -> Any:
    """Return the value of a literal or of a call such as `date("2024-01-01")`."""
    if not text:
        return None
    try:
        node = parser.parse(text)
    except FeelError as cause:
        raise Refused(f"'{text[:40]}' is no end of a range") from cause
    if isinstance(node, Literal):
        return node.value
    raise Refused("the ends of the range must be literals")
