"""Built-in functions that compare points and ranges (DMN 1.5, 10.3.4.10), and `is`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from engine.feel.arithmetic import Refused
from engine.feel.kinds import (
    MOMENT,
    TIME,
    equal,
    kind_of,
    less,
)
from engine.feel.library import builtin
from engine.feel.moments import clock_ns, day_number
from engine.feel.values import Range, zone_text

Point = object


def _sure(found: bool | None) -> bool:
    if found is None:
        raise Refused("the values cannot be compared with each other")
    return found


def _before(one: object, other: object) -> bool:
    return _sure(less(one, other))


def _same(one: object, other: object) -> bool:
    return _sure(equal(one, other))


def _declare(name: str, forms: dict[str, Callable[[Any, Any], bool]]) -> None:
    for form, function in forms.items():
        one, other = form.split()
        one, other = (one + "1", other + "2") if one == other else (one, other)
        kinds = [("range" if p.startswith("range") else "value") for p in (one, other)]
        builtin(f"{name}({one}: {kinds[0]}, {other}: {kinds[1]})")(function)


def _ends_before(one: Range, other: Range) -> bool:
    apart = not one.end_included or not other.start_included
    return _before(one.end, other.start) or (apart and _same(one.end, other.start))


def _above_start(point: Point, span: Range) -> bool:
    return _before(span.start, point) or (span.start_included and _same(span.start, point))


def _below_end(point: Point, span: Range) -> bool:
    return _before(point, span.end) or (span.end_included and _same(point, span.end))


def _inside(point: Point, span: Range) -> bool:
    return _above_start(point, span) and _below_end(point, span)


def _starts_within(one: Range, other: Range) -> bool:
    """Tell whether `one` starts where `other` starts, or later."""
    earlier_allowed = other.start_included or not one.start_included
    return _before(other.start, one.start) or (earlier_allowed and _same(one.start, other.start))


def _ends_within(one: Range, other: Range) -> bool:
    later_allowed = other.end_included or not one.end_included
    return _before(one.end, other.end) or (later_allowed and _same(one.end, other.end))


def _includes(one: Range, other: Range) -> bool:
    return _starts_within(other, one) and _ends_within(other, one)


def _meets(one: Range, other: Range) -> bool:
    return one.end_included and other.start_included and _same(one.end, other.start)


def _overlaps(one: Range, other: Range) -> bool:
    return not _ends_before(one, other) and not _ends_before(other, one)


def _starts_earlier(one: Range, other: Range) -> bool:
    wider = one.start_included and not other.start_included
    return _before(one.start, other.start) or (wider and _same(one.start, other.start))


def _overlaps_before(one: Range, other: Range) -> bool:
    reaches = _before(other.start, one.end) or (
        one.end_included and other.start_included and _same(one.end, other.start)
    )
    return _starts_earlier(one, other) and reaches and _ends_within(one, other)


def _finishes_point(point: Point, span: Range) -> bool:
    return span.end_included and _same(span.end, point)


def _finishes(one: Range, other: Range) -> bool:
    return (
        one.end_included == other.end_included
        and _same(one.end, other.end)
        and _starts_within(one, other)
    )


def _starts_point(point: Point, span: Range) -> bool:
    return span.start_included and _same(span.start, point)


def _starts(one: Range, other: Range) -> bool:
    return (
        one.start_included == other.start_included
        and _same(one.start, other.start)
        and _ends_within(one, other)
    )


def _coincides(one: Range, other: Range) -> bool:
    return (
        one.start_included == other.start_included
        and one.end_included == other.end_included
        and _same(one.start, other.start)
        and _same(one.end, other.end)
    )


def _flip(function: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda one, other: function(other, one)


def _point_before_range(point: Point, span: Range) -> bool:
    outside = not span.start_included
    return _before(point, span.start) or (outside and _same(point, span.start))


def _range_before_point(span: Range, point: Point) -> bool:
    outside = not span.end_included
    return _before(span.end, point) or (outside and _same(span.end, point))


_declare(
    "before",
    {
        "range range": _ends_before,
        "point range": _point_before_range,
        "range point": _range_before_point,
        "point point": _before,
    },
)
_declare(
    "after",
    {
        "range range": _flip(_ends_before),
        "point range": _flip(_range_before_point),
        "range point": _flip(_point_before_range),
        "point point": _flip(_before),
    },
)
_declare("meets", {"range range": _meets})
_declare("met by", {"range range": _flip(_meets)})
_declare("overlaps", {"range range": _overlaps})
_declare("overlaps before", {"range range": _overlaps_before})
_declare("overlaps after", {"range range": _flip(_overlaps_before)})
_declare("finishes", {"range range": _finishes, "point range": _finishes_point})
_declare("finished by", {"range range": _flip(_finishes), "range point": _flip(_finishes_point)})
_declare("includes", {"range range": _includes, "range point": _flip(_inside)})
_declare("during", {"range range": _flip(_includes), "point range": _inside})
_declare("starts", {"range range": _starts, "point range": _starts_point})
_declare("started by", {"range range": _flip(_starts), "range point": _flip(_starts_point)})
_declare("coincides", {"range range": _coincides, "point point": _same})


@builtin("is(value1?: any, value2?: any)")
def is_same(one: object = None, other: object = None) -> bool:
    """Tell whether two values are the same in the semantic domain: kind, parts and zone."""
    kind = kind_of(one)
    if kind != kind_of(other):
        return False
    if kind in (TIME, MOMENT):
        left, right = cast(Any, one), cast(Any, other)
        if kind == MOMENT and day_number(left) != day_number(right):
            return False
        zones = zone_text(left.tzinfo) == zone_text(right.tzinfo)
        return zones and clock_ns(left) == clock_ns(right)
    return equal(one, other) is True
