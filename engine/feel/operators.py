"""Equality, order and arithmetic of FEEL's values, by their kinds (DMN 1.5, 10.3.2).

Comparisons give None and calculations raise `Refused` where the operands do not fit.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import UTC
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Any

from engine.errors import FeelError
from engine.feel.moments import (
    DAY_NS,
    NS,
    civil,
    clock_ns,
    date_of,
    day_number,
    duration_ns,
    from_instant,
    instant_ns,
    make_date,
    make_duration,
    make_moment,
    make_months,
    make_time,
    shift_months,
)
from engine.feel.values import (
    CONTEXT,
    DATE,
    DAYS,
    LIST,
    MOMENT,
    MONTHS,
    NUMBER,
    RANGE,
    STRING,
    TIME,
    Range,
    Refused,
    a_kind,
    kind_of,
    number_of,
)

Number = int | Decimal
Verdict = bool | None

#: decimal128 as the standard asks: 34 digits, half to even
CTX = Context(
    prec=34,
    rounding=ROUND_HALF_EVEN,
    Emin=-6143,
    Emax=6144,
    traps=[InvalidOperation, DivisionByZero, Overflow],
)
#: first int that does not have 34 digits
BOUND = 10**34
#: comparisons of nested values before a comparison is given up
EQUAL_STEPS = 2_000_000

# equality and order

#: kind -> what Python compares values of this kind by
_KEYS: dict[str, Callable[[Any], Any]] = {
    NUMBER: number_of,
    STRING: lambda value: value,
    MONTHS: lambda value: value.months,
    DAYS: duration_ns,
    DATE: day_number,
    TIME: instant_ns,
    MOMENT: instant_ns,
}
#: kinds whose values have an order
ORDERED = frozenset(_KEYS)


def order_keys(left: Any, right: Any) -> tuple[Any, Any] | None:
    """Return two Python values in the order of the given ones; None where FEEL has no order."""
    kind = kind_of(left)
    key = _KEYS.get(kind)
    if key is None or kind != kind_of(right):
        return None
    if kind in (TIME, MOMENT) and (left.tzinfo is None) != (right.tzinfo is None):
        return None
    one, two = key(left), key(right)
    return None if one is None or two is None else (one, two)


def equal(left: Any, right: Any, room: list[int] | None = None) -> Verdict:
    """Compare for `=`: None where the kinds differ and neither is null (DMN 1.5, table 53).

    Nested values take a step each from `room`; FeelError where there is none left.
    """
    kind = kind_of(left)
    if kind != kind_of(right):
        return False if left is None or right is None else None
    if kind in (LIST, CONTEXT, RANGE):
        return _same(left, right, [EQUAL_STEPS] if room is None else room)
    if kind not in _KEYS:
        return bool(left == right)
    keys = order_keys(left, right)
    if keys is not None and kind in (TIME, MOMENT):
        # the standard's moments have whole seconds when compared for equality
        return bool(keys[0] // NS == keys[1] // NS)
    return keys is not None and bool(keys[0] == keys[1])


def _same(one: Any, two: Any, room: list[int]) -> bool:
    """Compare nested values; they may share their parts many times over."""
    room[0] -= 1
    if room[0] < 0:
        raise FeelError("the values are too large to be compared")
    kind = kind_of(one)
    if kind != kind_of(two) or kind not in (LIST, CONTEXT, RANGE):
        return equal(one, two) is True
    if kind == LIST:
        return len(one) == len(two) and all(
            _same(a, b, room) for a, b in zip(one, two, strict=True)
        )
    if kind == CONTEXT:
        return one.keys() == two.keys() and all(_same(one[key], two[key], room) for key in one)
    flags = (one.start_included, one.end_included, one.operator)
    if flags != (two.start_included, two.end_included, two.operator):
        return False
    return _same(one.start, two.start, room) and _same(one.end, two.end, room)


def _unequal(left: Any, right: Any) -> Verdict:
    found = equal(left, right)
    return None if found is None else not found


def _ordered(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], Verdict]:
    def compare(left: Any, right: Any) -> Verdict:
        keys = order_keys(left, right)
        return None if keys is None else test(*keys)

    return compare


less, less_equal = _ordered(operator.lt), _ordered(operator.le)
#: the six comparisons: None where the two cannot be compared
COMPARISONS: dict[str, Callable[[Any, Any], Verdict]] = {
    "=": equal,
    "!=": _unequal,
    "<": less,
    "<=": less_equal,
    ">": _ordered(operator.gt),
    ">=": _ordered(operator.ge),
}
#: the same for two numbers or two strings
PLAIN_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def in_range(value: Any, span: Range) -> Verdict:
    """Tell whether a range holds a value; None where they cannot be compared."""
    if span.operator in ("=", "!="):
        return COMPARISONS[span.operator](value, span.start)
    above: Verdict = True
    below: Verdict = True
    if span.start is not None or span.operator is None:
        above = (less_equal if span.start_included else less)(span.start, value)
    if span.end is not None or span.operator is None:
        below = (less_equal if span.end_included else less)(value, span.end)
    return None if above is None or below is None else above and below


def holds(candidate: Any, value: Any) -> Verdict:
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


# numbers


def fit(value: int) -> Number:
    """Return an int as it is, or rounded to 34 digits."""
    return value if -BOUND < value < BOUND else CTX.create_decimal(value)


def number_literal(text: str) -> Number:
    """Return the number a literal spells: int without fraction and exponent, else Decimal.

    ArithmeticError where it is too large for 34 digits and an exponent.
    """
    return int(text) if text.isdigit() and len(text) <= 34 else CTX.create_decimal(text)


def _quotient(left: Number, right: Number) -> Number:
    """Return a quotient without trailing zeros and without a positive exponent."""
    if not right:
        raise Refused("division by zero")
    value = CTX.divide(left, right).normalize(CTX)
    if int(value.as_tuple().exponent) > 0 and value.adjusted() < 34:
        return value.quantize(Decimal(1), context=CTX)
    return value


def _power(base: Number, exponent: Number) -> Number:
    if not base and exponent < 0:
        raise Refused("division by zero")
    whole = isinstance(base, int) and isinstance(exponent, int) and 0 <= exponent < 128
    if whole and int(base).bit_length() * exponent <= 512:
        return fit(int(base) ** int(exponent))
    return CTX.power(base, exponent)


#: sign -> what is done with two ints (Python's, exact), and with any two numbers (34 digits)
EXACT: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}
ROUNDED: dict[str, Callable[[Any, Any], Any]] = {
    "+": CTX.add,
    "-": CTX.subtract,
    "*": CTX.multiply,
    "/": _quotient,
    "**": _power,
}

# moments and durations


def midnight(value: Any) -> Any:
    """Return a date as the moment it counts as: midnight in UTC (DMN 1.5, 10.3.2.3.6)."""
    return make_moment(value, 0, UTC) if kind_of(value) == DATE else value


def _elapsed(left: Any, right: Any) -> Any:
    """Return the duration between two dates, two times or two moments."""
    late, early = midnight(left), midnight(right)
    if (late.tzinfo is None) != (early.tzinfo is None):
        raise Refused("one of the two has a time zone and the other has none")
    return make_duration(instant_ns(late) - instant_ns(early))


def _later(value: Any, ns: int) -> Any:
    """Return a date, time, moment or duration so many elapsed nanoseconds later."""
    kind = kind_of(value)
    if kind == DAYS:
        return make_duration(duration_ns(value) + ns)
    if kind == TIME:
        return make_time((clock_ns(value) + ns) % DAY_NS, value.tzinfo)
    if kind == DATE:
        return make_date(*civil((day_number(value) * DAY_NS + ns) // DAY_NS))
    return from_instant(instant_ns(value) + ns, value.tzinfo)


def _months_later(value: Any, months: int) -> Any:
    """Return a date, moment or duration so many months later."""
    kind = kind_of(value)
    if kind == MONTHS:
        return make_months(value.months + months)
    if kind == DATE:
        return shift_months(value, months)
    return make_moment(shift_months(date_of(value), months), clock_ns(value), value.tzinfo)


def _scaled(rounded: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def scaled(span: Any, number: Any) -> Any:
        months = kind_of(span) == MONTHS
        amount = Decimal(rounded(span.months if months else duration_ns(span), number_of(number)))
        if amount.adjusted() > 34:
            raise Refused("the duration is too long")
        return make_months(int(amount)) if months else make_duration(int(amount))

    return scaled


def _flipped(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda left, right: function(right, left)


def _table() -> dict[tuple[str, str, str], tuple[Callable[[Any, Any], Any], str]]:
    """Return (sign, kind, kind) -> what is done with two such values, and what comes out."""
    days = (DATE, MOMENT)
    found: dict[tuple[str, str, str], tuple[Callable[[Any, Any], Any], str]] = {
        ("+", STRING, STRING): (operator.add, STRING),
        ("/", DAYS, DAYS): (lambda a, b: _quotient(duration_ns(a), duration_ns(b)), NUMBER),
        ("/", MONTHS, MONTHS): (lambda a, b: _quotient(a.months, b.months), NUMBER),
        ("-", TIME, TIME): (_elapsed, DAYS),
        **{("-", one, other): (_elapsed, DAYS) for one in days for other in days},
    }
    for sign, function in ROUNDED.items():
        found[sign, NUMBER, NUMBER] = _numeric(sign, function), NUMBER
    plus, minus = (
        (lambda a, b: _later(a, duration_ns(b))),
        (lambda a, b: _later(a, -duration_ns(b))),
    )
    for kind in (DATE, TIME, MOMENT, DAYS):
        found |= {("+", kind, DAYS): (plus, kind), ("-", kind, DAYS): (minus, kind)}
        found.setdefault(("+", DAYS, kind), (_flipped(plus), kind))
    for kind in (DATE, MOMENT, MONTHS):
        found["+", kind, MONTHS] = (lambda a, b: _months_later(a, b.months)), kind
        found["-", kind, MONTHS] = (lambda a, b: _months_later(a, -b.months)), kind
        found.setdefault(("+", MONTHS, kind), (lambda a, b: _months_later(b, a.months), kind))
    for kind in (DAYS, MONTHS):
        times = _scaled(CTX.multiply)
        found["*", kind, NUMBER], found["*", NUMBER, kind] = (times, kind), (_flipped(times), kind)
        found["/", kind, NUMBER] = _scaled(_quotient), kind
    return found


def _numeric(sign: str, rounded: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    exact = EXACT.get(sign)

    def calculate(left: Any, right: Any) -> Any:
        one, two = number_of(left), number_of(right)
        if one is None or two is None:
            raise Refused("a number is infinite, or none")
        if exact is not None and isinstance(one, int) and isinstance(two, int):
            return fit(exact(one, two))
        return rounded(one, two)

    return calculate


CALCULATIONS = _table()
_VERBS = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "**": "raise to a power"}


def misfit(sign: str, left: str, right: str) -> str:
    """Return the complaint that two things (kinds with their articles) do not go together."""
    return f"cannot {_VERBS[sign]} {left} and {right}"


def calculate(sign: str, left: Any, right: Any) -> Any:
    """Return `left sign right`; Refused where the operands do not fit, ArithmeticError where the
    result is no number within 34 digits."""
    known = CALCULATIONS.get((sign, kind_of(left), kind_of(right)))
    if known is None:
        raise Refused(misfit(sign, a_kind(left), a_kind(right)))
    try:
        return known[0](left, right)
    except ValueError as cause:
        raise Refused(str(cause)) from cause


def negate(value: Any) -> Any:
    """Return `-value` of a number or a duration."""
    if kind_of(value) in (DAYS, MONTHS):
        return calculate("*", value, -1)
    number = number_of(value)
    if number is None:
        raise Refused(f"cannot negate {a_kind(value)}")
    return -number if isinstance(number, int) or not number else number.copy_negate()
