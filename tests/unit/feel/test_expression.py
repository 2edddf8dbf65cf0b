"""What callers rely on: sharing, free names, static checks, limits, the short way."""

from __future__ import annotations

import weakref
from collections import ChainMap
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import feel
from engine.feel.nodes import Call, Literal
from engine.feel.parser import parse
from engine.feel.short import direct
from tests.unit.feel.asking import value


def test_equal_texts_share_one_expression() -> None:
    assert feel.compile("a + 1", names=["a"]) is feel.compile("a + 1", names=("a",))
    assert feel.compile("a - b") is not feel.compile("a - b", names=["a - b"])


def test_free_names_are_those_read_from_the_scope() -> None:
    # given
    text = "{k: a, l: k + b}.l + sum(for i in xs return i * c) + count(ys[d > 1])"

    # then
    assert feel.compile(text).free_names == {"a", "b", "xs", "c", "ys", "d"}
    assert feel.compile("? > limit", kind="unary").free_names == {"?", "limit"}


def test_the_check_finds_what_can_never_work() -> None:
    assert feel.check("1 +") == [(3, "expected a value, found the end of the text")]
    wanted = "there is no function 'flor'; did you mean 'floor'?"
    assert feel.check("flor(1)") == [(0, wanted)]
    assert feel.check("nope(1)", ["nope"]) == []
    assert feel.check("floor(1, 2, 3)") == [(0, "floor takes 1 or 2 arguments, got 3")]
    assert feel.check("floor(m: 1)") == [(0, "floor has no parameters named m")]
    assert feel.check('@"2024-13-01"')[0][0] == 0
    assert feel.check("1 instance of nmber") == [
        (2, "there is no type 'nmber'; did you mean 'number'?")
    ]


def test_the_check_knows_the_variables_it_is_told() -> None:
    assert feel.check("a + b", ["a"]) == [(4, "there is no variable 'b'; known are a")]
    assert feel.check("a + b") == []
    assert feel.check("xs[price > 1]", ["xs"]) == []


@pytest.mark.parametrize(
    "text",
    [
        "for x in 1..1000000000000 return x",
        "for x in 1..1000, y in 1..1000 return 1",
        "some x in 1..1000000000000 satisfies false",
        "{f: function(n) f(n + 1), r: f(1)}.r",
        'for i in 1..60 return if i = 1 then "xxxxxxxx" else partial[-1] + partial[-1]',
        "for i in 1..60 return if i = 1 then [1] else concatenate(partial[-1], partial[-1])",
        "string(for i in 1..60 return if i = 1 then [1] else [partial[-1], partial[-1]])",
        "{x: for i in 1..60 return if i = 1 then [1] else [partial[-1], partial[-1]], y: x = x}",
        'replace(string join(for i in 1..999 return "aaaa"), "a", "' + "b" * 500 + '")',
        'matches("' + "a" * 40 + 'b", "^(a|aa)+$")',
        "distinct values(for i in 1..9000 return {a: i})",
        "for i in 1..40 return partial",
        "{a: for i in 1..60 return [partial, {b: partial}]}",
        'count(for i in 1..9999 return matches("' + "a" * 20 + 'b", "^(a|aa)+$"))',
    ],
)
def test_runaway_expressions_end_in_an_error(text: str) -> None:
    limits = feel.Limits(steps=20_000, items=10_000, characters=100_000, regex_s=0.05)

    with pytest.raises(feel.FeelError):
        feel.compile(text).evaluate({}, limits=limits)


def test_deep_data_end_in_an_error_not_in_a_crash() -> None:
    # given
    deep: list[object] = []
    for _ in range(5_000):
        deep = [deep]

    # then
    with pytest.raises(feel.FeelError, match="nested too deeply"):
        value("string(xs)", xs=deep)


def test_the_scope_is_never_changed() -> None:
    # given
    scope = {"o": {"a": [1]}, "xs": [1, 2]}

    # when
    value('[append(xs, 3), context put(o, ["a"], 2), reverse(xs), for i in xs return i]', **scope)

    # then
    assert scope == {"o": {"a": [1]}, "xs": [1, 2]}


def test_any_mapping_can_be_a_scope() -> None:
    # given
    scope = ChainMap({"a": 11}, {"b": 3})

    # then
    assert feel.compile("a > 10 and b in [1..5]").evaluate(scope) is True
    assert feel.compile("a + b").evaluate(scope) == 14
    assert feel.compile("a > 10 and c > 1").evaluate(scope) is None


def test_list_literals_are_fresh_every_time() -> None:
    expression = feel.compile("[1, 2]")

    assert expression.evaluate({}) is not expression.evaluate({})


CONDITIONS = [
    'if a > 10 and b in [1..5] then "x" else "y"',
    "a < 3 or b >= 2.5",
    "not(a = 1) and b != 2",
    "a in (0..3) or flag",
    'text = "x" and text != "y"',
    "if a <= 1 then 1 else if b > 1 then 2 else 3",
]
things = st.sampled_from([None, True, False, 0, 1, 2, 3, 11, Decimal("2.5"), "x", "y", 0.5, [1]])


@given(st.sampled_from(CONDITIONS), things, things, things, things, st.booleans())
def test_the_short_way_agrees_with_the_long_one(
    text: str, a: object, b: object, flag: object, word: object, whole: bool
) -> None:
    # given the same condition once so that no short way exists
    scope = {"a": a, "b": b, "flag": flag, "text": word}
    if not whole:
        del scope["b"]
    long_way = f"{{r: {text}}}.r"

    # then
    assert feel.compile(text).evaluate(scope) == feel.compile(long_way).evaluate(scope)


def test_plain_conditions_do_have_a_short_way() -> None:
    for text in CONDITIONS[1:5]:
        assert direct(parse(text)) is not None


def test_the_long_way_keeps_nothing_of_an_evaluation() -> None:
    class Witness(dict[str, object]):
        """A scope that a weak reference can watch."""

    expression = feel.compile("amount > 5")
    scope = Witness(amount="many")
    watched = weakref.ref(scope)

    expression.evaluate(scope)
    del scope

    assert watched() is None


def test_moments_of_literals_are_constants_unless_their_name_means_something_else() -> None:
    node = parse('[date("2024-01-01")..date(2024, 12, 31)]')
    assert isinstance(node, Literal)
    assert node.value == feel.Range(date(2024, 1, 1), date(2024, 12, 31))
    assert isinstance(parse('date("never")'), Call)

    scope = {"date": feel.Function("date", ["text"], lambda values: f"own {values[0]}")}
    assert value('date("2024-01-01")', **scope) == "own 2024-01-01"
    assert value('{date: function(t) "mine", r: date("2024-01-01")}.r') == "mine"
    assert value('date("2024-01-01").year + date', date=1) == 2025
