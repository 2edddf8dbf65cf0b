"""Built-in functions on numbers (DMN 1.5, 10.3.4.5)."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Decimal,
)

from engine.feel.arithmetic import CTX, Number, Refused, negate
from engine.feel.kinds import number_of
from engine.feel.library import builtin
from engine.feel.moments import duration_ns
from engine.feel.values import YearsMonthsDuration

_dice = random.SystemRandom()


def rounded(n: Number, scale: int, rounding: str) -> Number:
    """Return n with so many digits after the point (a negative scale rounds before it)."""
    if not -6111 <= scale <= 6176:
        raise Refused("the scale must be between -6111 and 6176")
    if isinstance(n, int):
        if scale >= 0:
            return n
        n = Decimal(n)
    if -int(n.as_tuple().exponent) <= scale:
        return n
    found = n.quantize(Decimal((0, (1,), -scale)), rounding=rounding, context=CTX)
    return int(found) if scale <= 0 else found


def _rounding(name: str, mode: str) -> None:
    def scaled(n: Number, scale: int) -> Number:
        return rounded(n, scale, mode)

    builtin(f"{name}(n: number, scale: integer)")(scaled)


for _name, _mode in {
    "decimal": ROUND_HALF_EVEN,
    "floor": ROUND_FLOOR,
    "ceiling": ROUND_CEILING,
    "round up": ROUND_UP,
    "round down": ROUND_DOWN,
    "round half up": ROUND_HALF_UP,
    "round half down": ROUND_HALF_DOWN,
}.items():
    _rounding(_name, _mode)


@builtin("floor(n: number)")
def floor(n: Number) -> Number:
    """Return the greatest whole number that is not above n."""
    return rounded(n, 0, ROUND_FLOOR)


@builtin("ceiling(n: number)")
def ceiling(n: Number) -> Number:
    """Return the smallest whole number that is not below n."""
    return rounded(n, 0, ROUND_CEILING)


@builtin("abs(n: number)")
def absolute(n: Number) -> Number:
    """Return n without its sign."""
    return abs(n) if isinstance(n, int) else CTX.abs(n)


@builtin("abs(n: days|months)")
def absolute_duration(n: object) -> object:
    """Return a duration without its sign."""
    if isinstance(n, YearsMonthsDuration):
        return YearsMonthsDuration(abs(n.months))
    return negate(n) if duration_ns(n) < 0 else n  # type: ignore[arg-type]


@builtin("modulo(dividend: number, divisor: number)")
def modulo(dividend: Number, divisor: Number) -> Number:
    """Return the remainder with the sign of the divisor."""
    if not divisor:
        raise Refused("division by zero")
    if isinstance(dividend, int) and isinstance(divisor, int):
        return dividend % divisor
    rest = CTX.remainder(dividend, divisor)
    return CTX.add(rest, divisor) if rest and (rest < 0) != (divisor < 0) else rest


@builtin("sqrt(number: number)")
def sqrt(number: Number) -> Number:
    """Return the square root."""
    if number < 0:
        raise Refused("a negative number has no square root")
    return CTX.sqrt(Decimal(number))


@builtin("log(number: number)")
def log(number: Number) -> Number:
    """Return the natural logarithm."""
    if number <= 0:
        raise Refused("only numbers above zero have a logarithm")
    return CTX.ln(Decimal(number))


@builtin("exp(number: number)")
def exp(number: Number) -> Number:
    """Return e to the power of the number."""
    return CTX.exp(Decimal(number))


def _parity(wanted: int) -> Callable[[Number], bool]:
    def parity(number: Number) -> bool:
        whole = number if isinstance(number, int) else number.to_integral_value()
        if whole != number:
            raise Refused("only whole numbers are odd or even")
        return int(whole) % 2 == wanted

    return parity


builtin("odd(number: number)")(_parity(1))
builtin("even(number: number)")(_parity(0))


@builtin("random number()")
def random_number() -> Decimal:
    """Return a number from 0 up to but not including 1 (Camunda 8)."""
    return Decimal(_dice.randrange(10**16)).scaleb(-16)


def numbers_in(values: object) -> list[Number]:
    """Return a list of numbers; Refused when another thing is in it."""
    found: list[Number] = []
    for value in values if isinstance(values, (list, tuple)) else (values,):
        number = number_of(value)
        if number is None:
            raise Refused("the list must hold numbers only")
        found.append(number)
    return found
