"""Built-in functions on numbers (DMN 1.5, 10.3.4.5)."""

from __future__ import annotations

import decimal
import random
from collections.abc import Callable
from decimal import Decimal

from engine.feel.library import builtin, declare
from engine.feel.operators import CTX, Number, negate
from engine.feel.values import Refused

_dice = random.SystemRandom()


def rounded(n: Number, scale: int, rounding: str) -> Number:
    """Return n with so many digits after the point (a negative scale rounds before it)."""
    if not -6111 <= scale <= 6176:
        raise Refused("the scale must be between -6111 and 6176")
    exact = Decimal(n)
    if -int(exact.as_tuple().exponent) <= scale:
        return n
    found = exact.quantize(Decimal((0, (1,), -scale)), rounding=rounding, context=CTX)
    return int(found) if scale <= 0 else found


def _rounding(mode: str) -> Callable[..., Number]:
    return lambda n, scale=0: rounded(n, scale, mode)


for _declaration, _mode, _doc in (
    ("decimal(n: number, scale: integer)", decimal.ROUND_HALF_EVEN, "Rounded, half to even."),
    ("floor(n: number, scale?: integer)", decimal.ROUND_FLOOR, "Rounded down."),
    ("ceiling(n: number, scale?: integer)", decimal.ROUND_CEILING, "Rounded up."),
    ("round up(n: number, scale: integer)", decimal.ROUND_UP, "Rounded away from zero."),
    ("round down(n: number, scale: integer)", decimal.ROUND_DOWN, "Rounded towards zero."),
    ("round half up(n: number, scale: integer)", decimal.ROUND_HALF_UP, "Rounded, half up."),
    ("round half down(n: number, scale: integer)", decimal.ROUND_HALF_DOWN, "Rounded, half down."),
):
    declare(f"{_declaration} -> number", _rounding(_mode), _doc)


@builtin(
    "abs(n: number) -> number",
    "abs(n: days and time duration|years and months duration) -> duration",
)
def absolute(n: object) -> object:
    """A number or duration without its sign."""
    return negate(n) if str(n).startswith("-") else n


@builtin("modulo(dividend: number, divisor: number) -> number")
def modulo(dividend: Number, divisor: Number) -> Number:
    """The remainder with the sign of the divisor."""
    if not divisor:
        raise Refused("division by zero")
    if isinstance(dividend, int) and isinstance(divisor, int):
        return dividend % divisor
    rest = CTX.remainder(dividend, divisor)
    return CTX.add(rest, divisor) if rest and (rest < 0) != (divisor < 0) else rest


@builtin("sqrt(number: number) -> number")
def sqrt(number: Number) -> Number:
    """The square root."""
    if number < 0:
        raise Refused("a negative number has no square root")
    return CTX.sqrt(Decimal(number))


@builtin("log(number: number) -> number")
def log(number: Number) -> Number:
    """The natural logarithm."""
    if number <= 0:
        raise Refused("only numbers above zero have a logarithm")
    return CTX.ln(Decimal(number))


@builtin("exp(number: number) -> number")
def exp(number: Number) -> Number:
    """e to the power of the number."""
    return CTX.exp(Decimal(number))


@builtin("odd(number: number) -> boolean")
def odd(number: Number) -> bool:
    """Whether a whole number is odd."""
    if number != int(number):
        raise Refused("only whole numbers are odd or even")
    return int(number) % 2 == 1


declare("even(number: number) -> boolean", lambda n: not odd(n), "Whether a whole number is even.")


@builtin("random number() -> number")
def random_number() -> Decimal:
    """A number from 0 up to but not including 1, another one each time (Camunda 8)."""
    return Decimal(_dice.randrange(10**16)).scaleb(-16)
