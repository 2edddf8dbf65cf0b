"""The operators + - * / ** of FEEL on numbers, strings, moments and durations (DMN 1.5, 10.3.2.9).

All raise `Refused` with a sentence where the operands do not fit; the caller makes it null.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, tzinfo
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import cast

from engine.feel import kinds
from engine.feel.kinds import DATE, DAYS, MOMENT, MONTHS, NUMBER, STRING, TIME, a_kind, kind_of
from engine.feel.moments import (
    AnyDate,
    AnyDateTime,
    AnyDuration,
    AnyTime,
    add_to_date,
    add_to_moment,
    add_to_time,
    clock_ns,
    date_of,
    duration_ns,
    instant_ns,
    make_duration,
    make_moment,
    make_months,
    shift_months,
    time_instant_ns,
)
from engine.feel.values import YearsMonthsDuration

Number = int | Decimal

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


class Refused(Exception):
    """The operands or arguments do not fit: the result is null and the message a diagnostic."""


def fit(value: int) -> Number:
    """Return an int as it is, or rounded to 34 digits."""
    return value if -BOUND < value < BOUND else CTX.create_decimal(value)


def number_literal(text: str) -> Number:
    """Return the number a literal spells: int without fraction and exponent, else Decimal.

    ArithmeticError where it is too large for 34 digits and an exponent.
    """
    if text.isdigit() and len(text) <= 34:
        return int(text)
    return CTX.create_decimal(text)


def negated(value: Number) -> Number:
    """Return the number with the other sign, exactly."""
    return -value if isinstance(value, int) or not value else value.copy_negate()


def normal(value: Decimal) -> Decimal:
    """Return a quotient without trailing zeros and without a positive exponent."""
    value = value.normalize(CTX)
    if int(value.as_tuple().exponent) > 0 and value.adjusted() < 34:
        return value.quantize(Decimal(1), context=CTX)
    return value


def _numbers(left: object, right: object) -> tuple[Number, Number] | None:
    if (type(left) is Decimal or type(left) is int) and (
        type(right) is Decimal or type(right) is int
    ):
        return left, right
    one, two = kinds.number_of(left), kinds.number_of(right)
    return None if one is None or two is None else (one, two)


def _misfit(verb: str, left: object, right: object) -> Refused:
    return Refused(f"cannot {verb} {a_kind(left)} and {a_kind(right)}")


def add(left: object, right: object) -> object:
    """Return `left + right`."""
    if type(left) is int and type(right) is int:
        return fit(left + right)
    pair = _numbers(left, right)
    if pair is not None:
        one, two = pair
        if isinstance(one, int) and isinstance(two, int):
            return fit(one + two)
        return CTX.add(one, two)
    first, second = kind_of(left), kind_of(right)
    if first == STRING and second == STRING:
        return str(left) + str(right)
    if second in (DAYS, MONTHS) and first in (DATE, TIME, MOMENT, DAYS, MONTHS):
        return _shift(left, first, right, second, 1)
    if first in (DAYS, MONTHS):
        return _shift(right, second, left, first, 1)
    raise _misfit("add", left, right)


def subtract(left: object, right: object) -> object:
    """Return `left - right`."""
    if type(left) is int and type(right) is int:
        return fit(left - right)
    pair = _numbers(left, right)
    if pair is not None:
        one, two = pair
        if isinstance(one, int) and isinstance(two, int):
            return fit(one - two)
        return CTX.subtract(one, two)
    first, second = kind_of(left), kind_of(right)
    if second in (DAYS, MONTHS):
        return _shift(left, first, right, second, -1)
    if first in (DATE, MOMENT) and second in (DATE, MOMENT):
        return _elapsed(left, first, right, second)
    if first == TIME and second == TIME:
        early, late = cast(AnyTime, left), cast(AnyTime, right)
        _same_zoning(early.tzinfo, late.tzinfo)
        return make_duration(time_instant_ns(early) - time_instant_ns(late))
    raise _misfit("subtract", left, right)


def _same_zoning(one: tzinfo | None, other: tzinfo | None) -> None:
    if (one is None) != (other is None):
        raise Refused("one of the two has a time zone and the other has none")


def _elapsed(left: object, first: str, right: object, second: str) -> object:
    late, early = _midnight(left, first, right), _midnight(right, second, left)
    _same_zoning(late.tzinfo, early.tzinfo)
    return make_duration(instant_ns(late) - instant_ns(early))


def _midnight(value: object, kind: str, other: object) -> AnyDateTime:
    """Return a date as midnight: in UTC when it meets a moment with a zone."""
    if kind == MOMENT:
        return cast(AnyDateTime, value)
    zoned = kind_of(other) == MOMENT and cast(AnyDateTime, other).tzinfo is not None
    return make_moment(cast(AnyDate, value), 0, UTC if zoned else None)


def _shift(value: object, kind: str, span: object, span_kind: str, sign: int) -> object:
    """Return a date, time, moment or duration moved by a duration."""
    try:
        if span_kind == MONTHS:
            months = sign * cast(YearsMonthsDuration, span).months
            if kind == MONTHS:
                return make_months(cast(YearsMonthsDuration, value).months + months)
            if kind == DATE:
                return shift_months(cast(AnyDate, value), months)
            if kind == MOMENT:
                at = cast(AnyDateTime, value)
                return make_moment(shift_months(date_of(at), months), clock_ns(at), at.tzinfo)
        else:
            ns = sign * duration_ns(cast(AnyDuration, span))
            if kind == DAYS:
                return make_duration(duration_ns(cast(AnyDuration, value)) + ns)
            if kind == TIME:
                return add_to_time(cast(AnyTime, value), ns)
            if kind == DATE:
                return add_to_date(cast(AnyDate, value), ns)
            if kind == MOMENT:
                return add_to_moment(cast(AnyDateTime, value), ns)
    except ValueError as cause:
        raise Refused(str(cause)) from cause
    raise _misfit("add" if sign > 0 else "subtract", value, span)


def multiply(left: object, right: object) -> object:
    """Return `left * right`."""
    pair = _numbers(left, right)
    if pair is not None:
        one, two = pair
        if isinstance(one, int) and isinstance(two, int):
            return fit(one * two)
        return CTX.multiply(one, two)
    for span, factor in ((left, right), (right, left)):
        number = kinds.number_of(factor)
        if number is not None and kind_of(span) in (DAYS, MONTHS):
            return _scaled(span, number, CTX.multiply)
    raise _misfit("multiply", left, right)


def divide(left: object, right: object) -> object:
    """Return `left / right`, without trailing zeros."""
    pair = _numbers(left, right)
    if pair is not None:
        one, two = pair
        if not two:
            raise Refused("division by zero")
        return normal(CTX.divide(one, two))
    first, second = kind_of(left), kind_of(right)
    if first in (DAYS, MONTHS) and second == NUMBER:
        number = kinds.number_of(right)
        if not number:
            raise Refused("division by zero")
        return _scaled(left, number, CTX.divide)
    if first == second and first in (DAYS, MONTHS):
        dividend, divisor = _amount(left), _amount(right)
        if not divisor:
            raise Refused("division by a duration of zero")
        return normal(CTX.divide(dividend, divisor))
    raise _misfit("divide", left, right)


def _amount(span: object) -> int:
    if isinstance(span, YearsMonthsDuration):
        return span.months
    return duration_ns(cast(AnyDuration, span))


def _scaled(span: object, number: Number, operation: Callable[[Number, Number], Decimal]) -> object:
    amount = operation(_amount(span), number)
    if amount.adjusted() > 34:
        raise Refused("the duration is too long")
    try:
        if isinstance(span, YearsMonthsDuration):
            return make_months(int(amount))
        return make_duration(int(amount))
    except ValueError as cause:
        raise Refused(str(cause)) from cause


def power(left: object, right: object) -> object:
    """Return `left ** right`."""
    pair = _numbers(left, right)
    if pair is None:
        raise _misfit("raise to a power", left, right)
    base, exponent = pair
    whole = isinstance(base, int) and isinstance(exponent, int) and 0 <= exponent < 128
    if whole and int(base).bit_length() * exponent <= 512:
        return fit(int(base) ** int(exponent))
    return CTX.power(base, exponent)


def negate(value: object) -> object:
    """Return `-value`."""
    number = kinds.number_of(value)
    if number is not None:
        return negated(number)
    if isinstance(value, YearsMonthsDuration):
        return YearsMonthsDuration(-value.months)
    if kind_of(value) == DAYS:
        return make_duration(-duration_ns(cast(AnyDuration, value)))
    raise Refused(f"cannot negate {a_kind(value)}")


OPERATIONS: dict[str, Callable[[object, object], object]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "**": power,
}
