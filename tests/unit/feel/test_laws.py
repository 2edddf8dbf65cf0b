"""Laws of FEEL, each against an oracle in plain Python: numbers, logic, order, text, time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine import feel
from tests.unit.feel.asking import value

decimals = st.decimals(
    allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12
)
numbers = decimals | st.integers(-(10**30), 10**30)
small = st.integers(-20, 20)
dates = st.dates(date(1600, 1, 1), date(2400, 12, 31))
moments = st.datetimes(datetime(1600, 1, 1), datetime(2400, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
words = st.text(st.characters(codec="utf-8"), max_size=12)


def rounded(exact: Fraction) -> Decimal:
    """Return a fraction with 34 digits, half to even, as the standard wants numbers."""
    wide = Context(prec=200)
    found = wide.divide(Decimal(exact.numerator), Decimal(exact.denominator))
    return Context(prec=34, rounding=ROUND_HALF_EVEN).plus(found)


@given(numbers, numbers, st.sampled_from("+-*/"))
def test_arithmetic_is_exact_and_then_rounded(a: Decimal, b: Decimal, sign: str) -> None:
    # given
    assume(sign != "/" or b != 0)
    one, other = Fraction(a), Fraction(b)
    exact = {"+": one + other, "-": one - other, "*": one * other}
    wanted = rounded(one / other if sign == "/" else exact[sign])

    # then
    assert value(f"a {sign} b", a=a, b=b) == wanted
    assert value(f"[a][1] {sign} [b][1]", a=a, b=b) == wanted


@given(numbers, numbers, st.sampled_from(["<", "<=", ">", ">=", "=", "!="]))
def test_numbers_are_compared_by_value(a: Decimal, b: Decimal, sign: str) -> None:
    # given
    one, other = Fraction(a), Fraction(b)
    wanted = {
        "<": one < other,
        "<=": one <= other,
        ">": one > other,
        ">=": one >= other,
        "=": one == other,
        "!=": one != other,
    }

    # then
    assert value(f"a {sign} b", a=a, b=b) is wanted[sign]
    assert value(f"[a][1] {sign} [b][1]", a=a, b=b) is wanted[sign]


@given(decimals, st.integers(-3, 6))
def test_rounding_agrees_with_its_definition(n: Decimal, scale: int) -> None:
    # given
    unit = Fraction(10) ** -scale
    below = Fraction(n) // unit * unit

    # when
    floor, ceiling = (value(f"{name}(n, s)", n=n, s=scale) for name in ("floor", "ceiling"))

    # then
    assert floor == below
    assert ceiling == (below if below == n else below + unit)


@given(st.integers(-(10**9), 10**9), st.integers(-(10**6), 10**6))
def test_the_remainder_has_the_sign_of_the_divisor(a: int, b: int) -> None:
    assume(b != 0)
    assert value("modulo(a, b)", a=a, b=b) == a % b
    assert value("a = b * floor(a / b) + modulo(a, b)", a=a, b=b) is True


TRUTH = [True, False, None]


@pytest.mark.parametrize("a", TRUTH)
@pytest.mark.parametrize("b", TRUTH)
def test_the_laws_of_de_morgan_hold_with_null(a: bool | None, b: bool | None) -> None:
    for left, right in (
        ("not(a and b)", "not(a) or not(b)"),
        ("not(a or b)", "not(a) and not(b)"),
        ("a and b", "all([a, b])"),
        ("a or b", "any([a, b])"),
        ("a and b", "every x in [a, b] satisfies x"),
        ("a or b", "some x in [a, b] satisfies x"),
    ):
        assert value(left, a=a, b=b) is value(right, a=a, b=b), (left, right)


RANGES = st.tuples(small, small, st.booleans(), st.booleans())


def span(parts: tuple[int, int, bool, bool]) -> feel.Range:
    """Return a range that holds at least one whole number."""
    low, high, left, right = parts
    low, high = min(low, high), max(low, high)
    return feel.Range(low, high + 2, left, right)


def holds(of: feel.Range) -> set[Fraction]:
    """Return what lies in a range, in steps of a quarter."""
    steps = (Fraction(n, 4) for n in range(-100, 100))
    return {
        n
        for n in steps
        if (of.start <= n if of.start_included else of.start < n)
        and (n <= of.end if of.end_included else n < of.end)
    }


@given(RANGES, RANGES)
def test_relations_of_ranges_are_those_of_their_points(
    one: tuple[int, int, bool, bool], other: tuple[int, int, bool, bool]
) -> None:
    # given
    a, b = span(one), span(other)
    points, others = holds(a), holds(b)

    # then
    said = {
        name: value(f"{name}(a, b)", a=a, b=b)
        for name in ("before", "after", "overlaps", "includes", "during", "coincides")
    }
    assert said == {
        "before": max(points) < min(others),
        "after": min(points) > max(others),
        "overlaps": bool(points & others),
        "includes": points >= others,
        "during": points <= others,
        "coincides": points == others,
    }


@given(RANGES, RANGES)
def test_each_relation_has_its_inverse(
    one: tuple[int, int, bool, bool], other: tuple[int, int, bool, bool]
) -> None:
    scope = {"a": span(one), "b": span(other)}

    for name, inverse in (
        ("before", "after"),
        ("meets", "met by"),
        ("overlaps before", "overlaps after"),
        ("finishes", "finished by"),
        ("includes", "during"),
        ("starts", "started by"),
    ):
        assert value(f"{name}(a, b)", **scope) is value(f"{inverse}(b, a)", **scope)


@given(RANGES, small)
def test_a_point_is_before_within_or_after_a_range(
    parts: tuple[int, int, bool, bool], x: int
) -> None:
    # given
    scope = {"a": span(parts), "x": x}

    # when
    places = [value(text, **scope) for text in ("before(x, a)", "x in a", "after(x, a)")]

    # then
    assert places.count(True) == 1
    assert value("during(x, a)", **scope) is places[1]
    assert value("includes(a, x)", **scope) is places[1]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 99)), max_size=20))
def test_sorting_keeps_equal_items_in_their_order(pairs: list[tuple[int, int]]) -> None:
    # given
    items = [{"key": key, "n": n} for key, n in pairs]

    # then
    found = value("sort(xs, function(x, y) x.key < y.key)", xs=items)
    assert found == sorted(items, key=lambda item: item["key"])
    assert value("sort(xs.n)", xs=items) == sorted(n for _, n in pairs)


@given(st.lists(st.integers(-5, 5), max_size=12))
def test_list_functions_agree_with_python(xs: list[int]) -> None:
    assert value("distinct values(xs)", xs=xs) == list(dict.fromkeys(xs))
    assert value("reverse(xs)", xs=xs) == xs[::-1]
    assert value("index of(xs, 3)", xs=xs) == [n for n, x in enumerate(xs, 1) if x == 3]
    assert value("[min(xs), max(xs), sum(xs)]", xs=xs) == (
        [min(xs), max(xs), sum(xs)] if xs else [None, None, None]
    )
    assert value("xs[item > 0]", xs=xs) == [x for x in xs if x > 0]
    assert value("for x in xs return x * x", xs=xs) == [x * x for x in xs]


@given(words, words, st.integers(-13, 13), st.integers(1, 5))
def test_strings_are_counted_by_code_point(s: str, t: str, start: int, length: int) -> None:
    # given
    scope = {"s": s, "t": t, "p": start, "n": length}

    # then
    assert value("string length(s)", **scope) == len(s)
    assert value("contains(s, t)", **scope) is (t in s)
    assert value("starts with(s + t, s) and ends with(s + t, t)", **scope) is True
    if t and t in s:
        assert value("substring before(s, t) + t + substring after(s, t)", **scope) == s
    if 1 <= abs(start) <= len(s):
        begin = start - 1 if start > 0 else len(s) + start
        assert value("substring(s, p, n)", **scope) == s[begin : begin + length]
    else:
        assert value("substring(s, p, n)", **scope) is None


@given(words, words)
def test_what_is_split_can_be_joined_again(s: str, t: str) -> None:
    # given
    text = f"{s};{t}"

    # then
    assert value('string join(split(s, ";"), ";")', s=text) == text
    assert value('replace(s, t, "", "q")', s=text, t=";") == text.replace(";", "")
    assert value("from json(to json(s))", s=text) == text
    assert value("from base64(to base64(s))", s=text) == text


@given(dates, dates, st.integers(-100_000, 100_000))
def test_dates_agree_with_those_of_python(a: date, b: date, days: int) -> None:
    # given
    span = timedelta(days=days)

    # then
    assert value("a - b", a=a, b=b) == a - b
    assert value("a + s", a=a, s=span) == a + span
    assert value("a + s - s = a", a=a, s=span) is True
    assert value("(a < b) = before(a, b)", a=a, b=b) is True
    assert value("date(string(a)) = a", a=a) is True


@given(moments, moments, st.timedeltas(timedelta(-9999), timedelta(9999)))
def test_moments_agree_with_those_of_python(a: datetime, b: datetime, s: timedelta) -> None:
    assert value("a - b", a=a, b=b) == a - b
    assert value("a + s", a=a, s=s) == a + s
    assert value("s + a = a + s", a=a, s=s) is True
    assert value("a < b", a=a, b=b) is (a < b)
    assert value("[a.year, a.month, a.day, a.hour, a.minute]", a=a) == [*a.timetuple()[:5]]


@given(dates, st.integers(-5_000, 5_000))
def test_months_are_added_up_to_the_end_of_a_month(day: date, months: int) -> None:
    # when
    found = value("d + m", d=day, m=feel.YearsMonthsDuration(months))

    # then
    assert isinstance(found, date)
    assert (found.year * 12 + found.month) - (day.year * 12 + day.month) == months
    assert found.day == day.day or (found + timedelta(days=1)).month != found.month
    assert found.day <= day.day
