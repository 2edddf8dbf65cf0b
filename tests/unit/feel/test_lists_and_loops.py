"""Lists, filters, loops, ranges, contexts, functions: what holds many values."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import feel
from tests.unit.feel.asking import complaints, passes, value


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("xs[1]", 10),
        ("xs[-1]", 30),
        ("xs[4]", None),
        ("xs[0]", None),
        ("xs[item > 10]", [20, 30]),
        ("xs[n]", 20),
        ("xs[n + 1]", 30),
        ("[][1]", None),
        ("[][item > 1]", []),
        ("5[1]", 5),
        ("5[item > 9]", []),
        ("people[age > 33].name", ["Bo"]),
        ("people[item.age < n * 16].name", ["Al"]),
        ("people.age", [31, 35]),
        ("people[name = wanted]", [{"name": "Bo", "age": 35}]),
        ("[{item: 1}, {item: 5}][item > 2]", [{"item": 5}]),
    ],
)
def test_filters_pick_by_place_and_by_condition(text: str, wanted: object) -> None:
    # given
    people = [{"name": "Al", "age": 31}, {"name": "Bo", "age": 35}]

    # then
    assert value(text, xs=[10, 20, 30], n=2, people=people, wanted="Bo") == wanted


def test_loops_go_through_lists_ranges_and_dates() -> None:
    assert value("for i in 3..1 return i") == [3, 2, 1]
    assert value("for i in [1..3) return i") == [1, 2]
    assert value("for i in [3..1] return i") is None
    assert value("for i in 1..2, j in [i, i * 10] return j") == [1, 10, 2, 20]
    assert value('for d in @"2024-02-28"..@"2024-03-01" return d') == [
        date(2024, 2, 28),
        date(2024, 2, 29),
        date(2024, 3, 1),
    ]
    assert value("for i in null return i") is None


def test_partial_results_are_copies() -> None:
    assert value("for i in 1..3 return partial") == [[], [[]], [[], [[]]]]
    assert value("for i in 0..4 return if i = 0 then 1 else i * partial[-1]") == [1, 1, 2, 6, 24]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("some x in [1, 2] satisfies x > 1", True),
        ("every x in [1, 2] satisfies x > 1", False),
        ("some x in [] satisfies true", False),
        ("every x in [] satisfies false", True),
        ("some x in [null, 2] satisfies x > 1", True),
        ("some x in [null, 0] satisfies x > 1", None),
        ("every x in [null, 2] satisfies x > 1", None),
        ("some x in [1, 2], y in [2, 3] satisfies x = y", True),
        ('some x in [1] satisfies "a"', None),
    ],
)
def test_quantifiers_have_three_values(text: str, wanted: object) -> None:
    assert value(text) is wanted


@given(
    st.integers(-50, 50), st.integers(-50, 50), st.integers(-50, 50), st.booleans(), st.booleans()
)
def test_ranges_hold_what_lies_between(a: int, b: int, x: int, left: bool, right: bool) -> None:
    # given
    text = f"x in {'[' if left else '('}{a}..{b}{']' if right else ')'}"

    # when
    found = value(text, x=x)

    # then
    assert found is ((a <= x if left else a < x) and (x <= b if right else x < b))


def test_contexts_see_earlier_entries_and_functions_themselves() -> None:
    assert value("{a: 1, b: a + 1, c: {d: b + 1}}") == {"a": 1, "b": 2, "c": {"d": 3}}
    assert (
        value("{f: function(n) if n < 2 then 1 else n * f(n - 1), r: f(20)}.r")
        == 2432902008176640000
    )
    assert value("{a: 1, a: 2}") is None


def test_functions_keep_the_variables_around_them() -> None:
    assert value("(for i in 1..3 return function() i * n)[2]()", n=10) == 20
    assert value("sort(xs, function(x, y) x > y)", xs=[2, 3, 1]) == [3, 2, 1]
    assert value("(function(f, x) f(x))(abs, -3)") == 3


def test_typed_parameters_are_checked_and_coerced() -> None:
    assert value("(function(x: number) x + 1)([1])") == 2
    assert value('(function(x: number) x)("a")') is None
    assert value("(function(x: list<number>) count(x))(5)") == 1


def test_a_variable_hides_a_built_in_only_if_it_is_a_function() -> None:
    # given
    own = feel.Function("count", ("list",), lambda given: "mine")

    # then
    assert value("count(count)", count=[1, 2]) == 2
    assert value('{date: "2024-01-01", d: date(date)}.d') == date(2024, 1, 1)
    assert value("count([1, 2])", count=own) == "mine"


def test_host_functions_are_called_by_place_and_by_name() -> None:
    # given
    rate = feel.Function("rate", ("amount", "years"), lambda given: given[:2])

    # then
    assert value("rate(1, 2)", rate=rate) == [1, 2]
    assert value("rate(years: 1, amount: 2)", rate=rate) == [2, 1]
    assert value("rate(1)", rate=rate) is None


@pytest.mark.parametrize(
    ("tests", "question", "wanted"),
    [
        ("-", 1, True),
        ("", 1, True),
        ("5", 5, True),
        ("< 5", 5, False),
        ("[1..5], > 10", 11, True),
        ("not(1, 2)", 3, True),
        ("not(1, 2)", 2, False),
        ('"a", "b"', "b", True),
        ("limit", 7, True),
        ("> limit", 7, False),
        ("? > 5 and ? < 8", 7, True),
        ('ends with(?, "x")', "ax", True),
        ("[1, 2, 3]", 2, True),
        ("true", True, True),
        ("true", False, False),
        ("null", None, True),
        ("< 5", None, None),
        ("not(?) and limit = 7", False, True),
        ("true", None, False),
        ("false", "text", None),
    ],
)
def test_unary_tests_judge_the_input(tests: str, question: object, wanted: object) -> None:
    assert passes(tests, question, limit=7) is wanted


def test_missing_things_are_reported_with_their_place() -> None:
    assert complaints("1 + nope")[0] == ("there is no variable 'nope'; none is known here", 4)
    assert complaints("o.x", o={}) == [("the context has no entry 'x'", 1)]
    assert complaints("o.x", o=None) == [("null has no 'x'", 1)]
    assert complaints("xs[9]", xs=[1]) == [("the list has no item at this position", 2)]
    assert complaints("is defined(nope.x)") == []
    assert complaints("get or else(nope, 1)") == []
