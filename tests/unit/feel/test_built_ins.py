"""The built-in functions: of the standard and of Camunda 8, by place and by name."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import feel
from engine.feel.library import BUILTINS
from tests.unit.feel.asking import NOW, complaints, value


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('substring("foobar", 3)', "obar"),
        ('substring("foobar", -2, 1)', "a"),
        ('substring("\\U01F40Eab", 2)', "ab"),
        ('substring("foobar", 0)', None),
        ('string length("\\U01F40E")', 1),
        ('substring before("foobar", "bar")', "foo"),
        ('substring before("foobar", "x")', ""),
        ('substring after("foobar", "ob")', "ar"),
        ('upper case("aé")', "AÉ"),
        ('contains(match: "o", string: "foo")', True),
        ('replace("abcd", "(ab)|(a)", "[1=$1][2=$2]")', "[1=ab][2=]cd"),
        ('replace("a.b", ".", "x", "q")', "axb"),
        ('replace("abc", "b*", "x")', None),
        ('matches("abracadabra", "^a.*a$")', True),
        ('matches("hello\\nworld", "hello.world", "s")', True),
        ('matches("helloworld", "hello world", "x")', True),
        ('matches("aa", "(a)\\\\1")', True),
        ('matches("x", "[a-z-[x]]")', False),
        ('matches("hello world", "hello\\ sworld", "x")', True),
        ('matches("a1", "(a)\\2")', None),
        ('matches("x", "(")', None),
        ('matches("x", "x", "y")', None),
        ('split("a;b;;", ";")', ["a", "b", "", ""]),
        ('extract("a1b22", "[0-9]+")', ["1", "22"]),
        ('string join(["a", null, "b"], "-")', "a-b"),
        ('string join(["a", "b"], ", ", "[", "]")', "[a, b]"),
        ('trim("  a ")', "a"),
        ('is blank(" ")', True),
        ('to base64("FEEL")', "RkVFTA=="),
        ('from base64(to base64("日本"))', "日本"),
    ],
)
def test_strings(text: str, wanted: object) -> None:
    assert value(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("modulo(-12, 5)", 3),
        ("modulo(10.1, -4.5)", Decimal("-3.4")),
        ("floor(-1.5)", -2),
        ("ceiling(1.21, 1)", Decimal("1.3")),
        ("round half up(5.125, 2)", Decimal("5.13")),
        ("round half down(5.125, 2)", Decimal("5.12")),
        ("round up(-1.121, 2)", Decimal("-1.13")),
        ("round down(1.129, 2)", Decimal("1.12")),
        ("decimal(1234, -2)", 1200),
        ("sqrt(16)", 4),
        ("sqrt(-1)", None),
        ("odd(3) and even(-2)", True),
        ('abs(@"-P1D") = @"P1D"', True),
        ('number("1 000,50", " ", ",")', Decimal("1000.50")),
        ('number("1.5e3")', 1500),
        ('number("abc")', None),
        ("string(10.50)", "10.50"),
        ("string(10.0)", "10"),
    ],
)
def test_numbers(text: str, wanted: object) -> None:
    assert value(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("min(3, 1, 2)", 1),
        ('max(["a", "c", "b"])', "c"),
        ('min(@"2024-01-02", @"2024-01-01")', date(2024, 1, 1)),
        ("max([1, null])", None),
        ("sum([1, 2.5])", Decimal("3.5")),
        ("sum([])", None),
        ('sum([@"P1D", @"P2D"])', timedelta(days=3)),
        ("mean(1, 2, 3)", 2),
        ("median([8, 2, 5, 3])", 4),
        ("mode([6, 1, 9, 6, 1])", [1, 6]),
        ("stddev([2, 4, 7, 5])", Decimal("2.081665999466132735282297706979931")),
        ("product([2, 3, 4])", 24),
        ("all([true, null])", None),
        ("any([true, null])", True),
        ("count(5)", 1),
        ("sublist([1, 2, 3], 2)", [2, 3]),
        ("sublist([1, 2, 3], -2, 1)", [2]),
        ("insert before([1, 3], 2, 2)", [1, 2, 3]),
        ("remove([1, 2, 3], -1)", [1, 2]),
        ("reverse([1, 2])", [2, 1]),
        ("index of([1, 2, null, 2], 2)", [2, 4]),
        ("union([1, 2], [2, 3])", [1, 2, 3]),
        ("distinct values([1, 1.0, true, null, null, [1], [1]])", [1, True, None, [1]]),
        ("duplicate values([1, 2, [3], 2, [3], 1, 1])", [1, 2, [3]]),
        ("flatten([1, [2, [3]], []])", [1, 2, 3]),
        ("partition([1, 2, 3], 2)", [[1, 2], [3]]),
        ("is empty([])", True),
        ("sort([3, 1, 2])", [1, 2, 3]),
        ("list replace([1, 2, 3], function(item, newItem) item > 1, 9)", [1, 9, 9]),
        ("concatenate([1], 2, [3])", [1, 2, 3]),
    ],
)
def test_lists(text: str, wanted: object) -> None:
    assert value(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('get value({a: {b: 1}}, ["a", "b"])', 1),
        ("get entries({a: 1})", [{"key": "a", "value": 1}]),
        ('context([{key: "a", value: 1}])', {"a": 1}),
        ('context([{key: "a", value: 1}, {key: "a", value: 2}])', None),
        ('context put({a: {b: 1}}, ["a", "c"], 2)', {"a": {"b": 1, "c": 2}}),
        ("context merge([{a: 1}, {a: 2, b: 3}])", {"a": 2, "b": 3}),
        ("not(null)", None),
        ("is defined(null)", False),
        ("get or else(null, 1)", 1),
        ("assert(5, 1 < 2)", 5),
        ('string({a: "x", b: [1, true, null]})', '{a: "x", b: [1, true, null]}'),
        ('range("[1..5)") = [1..5)', True),
        ('5 in range("(..10]")', True),
        ('range("[..5]")', None),
        ('number("1,500", ",")', 1500),
        ('from json("{\\"a\\": [1.50, null]}").a[1]', Decimal("1.50")),
        ('from json("{a}")', None),
        (
            'to json({a: [1.50, null, "x"], d: @"2024-01-01"})',
            '{"a":[1.50,null,"x"],"d":"2024-01-01"}',
        ),
        ("to json([[], {}])", "[[],{}]"),
    ],
)
def test_contexts_and_conversions(text: str, wanted: object) -> None:
    assert value(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("now()", NOW),
        ("today()", date(2024, 2, 29)),
        ('date("2023-02-29")', None),
        ("date(2024, 2, 29)", date(2024, 2, 29)),
        ('time("14:30:00Z")', time(14, 30, tzinfo=UTC)),
        ('time(14, 30, 0, duration("PT0S"))', time(14, 30, tzinfo=UTC)),
        ('time(date("2024-01-01"))', time(0, tzinfo=UTC)),
        ('date and time(date("2024-01-01"), time("10:00:00"))', datetime(2024, 1, 1, 10)),  # noqa: DTZ001
        ('date and time(@"2024-01-01T10:00:00Z", "Asia/Tokyo").hour', 19),
        ('duration("P1DT2H").hours', 2),
        ('duration("-P1Y2M").months', -2),
        ('years and months duration(@"2011-12-22", @"2013-08-24")', feel.YearsMonthsDuration(20)),
        ('day of week(@"2024-02-29")', "Thursday"),
        ('month of year(@"2024-02-29")', "February"),
        ('day of year(@"2024-12-31")', 366),
        ('week of year(@"2005-01-01")', 53),
        ('last day of month(@"2024-02-01")', date(2024, 2, 29)),
        ('@"2024-02-29".weekday', 4),
        ('@"10:00:00+02:00".time offset', timedelta(hours=2)),
        ('@"10:00:00@Europe/Paris".timezone', "Europe/Paris"),
        ('@"10:00:00".time offset', None),
        ('is(@"10:00:00Z", @"11:00:00+01:00")', False),
        ("before([1..5), 5)", True),
        ("overlaps after([1..5], [1..5))", False),
        ("includes([1..10], [2..9])", True),
    ],
)
def test_moments_and_ranges(text: str, wanted: object) -> None:
    assert value(text) == wanted


def test_wrong_arguments_give_null_and_say_why() -> None:
    assert complaints('floor("a")') == [("floor: 'n' must be number, got a string", 0)]
    assert complaints("floor()") == [("floor: takes 1 or 2 arguments, got 0", 0)]
    assert complaints("floor(m: 1)") == [("floor: has no parameters named m", 0)]


def test_a_failed_assert_ends_the_evaluation() -> None:
    with pytest.raises(feel.FeelError, match="too much"):
        value('assert(5, 5 < 2, "too much")')


def test_no_clock_moment_means_no_time() -> None:
    assert feel.compile("now()").evaluate({}) is None


@given(st.dates(min_value=date(1600, 1, 1)))
def test_calendar_functions_agree_with_python(day: date) -> None:
    assert value("week of year(d)", d=day) == day.isocalendar().week
    assert value("day of year(d)", d=day) == day.timetuple().tm_yday
    assert value("d.weekday", d=day) == day.isoweekday()


ANYTHING: list[object] = [
    *(None, True, 0, -1, Decimal("2.5"), Decimal("1E+6000"), "", "a("),
    *([], [None], {}, {"key": "k", "value": 1}, feel.Range(1, 2)),
    *(date(2024, 1, 1), time(1), timedelta(1), feel.FarDate(-5, 1, 1)),
    feel.Function("f", ("x", "y"), lambda given: given[0]),
]


@given(
    st.sampled_from(sorted(set(BUILTINS) - {"assert"})),
    st.lists(st.sampled_from(ANYTHING), max_size=4),
)
def test_no_argument_breaks_a_built_in(name: str, arguments: list[object]) -> None:
    # given
    scope = {f"v{n}": argument for n, argument in enumerate(arguments)}

    # then it gives a value, and null only with a reason or by its nature
    value(f"`{name}`({', '.join(scope)})", **scope)
