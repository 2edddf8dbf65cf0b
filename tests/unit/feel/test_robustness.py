"""Random expressions: whatever is written, the outcome is a FEEL value or a FeelError."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import codec, feel
from engine.errors import BadInput
from engine.feel.library import BUILTINS

ATOMS = re.split(
    r"\s\s+",
    """1  0  -1  2.5  1/3  1e6000  99999999999999999999999999999999999  "a"  ""  "[a-z]+"  true
  null  a  b  xs  o  d  nope  o.x  xs[1]  []  [1,2,3]  ["a",null]  [[1],[2]]  {}  {x: 1}
  @"2024-01-31"  @"10:00:00"  @"10:00:00@Europe/Paris"  @"2024-01-31T10:00:00Z"
  @"2024-01-31T10:00:00.123456789"  @"P1D"  @"-P1M"  @"-999999999-01-01"
  @"P9999999999999999D"  [1..5]  (1..5)  (> 3)  function(x) x  function(x, y) x < y  abs
  item  ?""",
)
SHAPES = re.split(
    r"\s\s+",
    """({0}) + ({1})  ({0}) - ({1})  ({0}) * ({1})  ({0}) / ({1})  ({0}) ** ({1})  -({0})
  ({0}) < ({1})  ({0}) = ({1})  ({0}) and ({1})  ({0}) or ({1})  if {0} then {1} else {2}
  for i in {0} return {1}  for i in {0}..{1} return i  some i in {0} satisfies {1}
  every i in {0} satisfies {1}  ({0})[{1}]  ({0}).x  ({0}).year  ({0}).time offset
  ({0}).start  ({0}).months  ({0}) in ({1}, {2})  ({0}) between ({1}) and ({2})
  ({0}) instance of list<number>  ({0}) instance of function<Any>->Any  {{k: {0}, m: {1}}}
  [{0}..{1}]  [{0}, {1}]  ({0})({1})""",
)
TYPES = (int, Decimal, str, bool, type(None), list, dict, date, time, datetime, timedelta)
OWN = (feel.YearsMonthsDuration, feel.FineDuration, feel.FarDate, feel.FineTime, feel.FarDateTime)


def compose(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return texts that put smaller ones together."""
    shaped = st.builds(str.format, st.sampled_from(SHAPES), inner, inner, inner)
    called = st.builds(
        lambda name, parts: f"{name}({', '.join(parts)})",
        st.sampled_from(sorted(set(BUILTINS) - {"@"})),
        st.lists(inner, max_size=3),
    )
    return shaped | called


texts = st.recursive(st.sampled_from(ATOMS), compose, max_leaves=12)


def only_feel_values(value: object) -> bool:
    """Tell whether nothing but FEEL's own kinds of values is in it."""
    if isinstance(value, list):
        return all(map(only_feel_values, value))
    if isinstance(value, dict):
        return all(map(only_feel_values, value.values()))
    return type(value) in (*TYPES, *OWN, feel.Range, feel.Function)


@given(texts)
def test_any_expression_ends_well(text: str) -> None:
    # given
    scope = {
        "a": 5,
        "b": Decimal("1.5"),
        "xs": [3, 1.5, 2],
        "o": {"x": {"y": 1}},
        "d": date(2024, 2, 29),
    }
    limits = feel.Limits(steps=5_000, items=2_000, regex_s=0.1)
    now = datetime(2024, 1, 1, tzinfo=UTC)

    # when
    try:
        found = feel.compile(text).evaluate(scope, now=now, limits=limits, diagnostics=[])
    except feel.FeelError:
        return

    # then it is a value, and null where it was strict about it
    assert only_feel_values(found)


@given(texts)
def test_what_can_be_stored_comes_back(text: str) -> None:
    # given
    limits = feel.Limits(steps=5_000, items=2_000, regex_s=0.1)
    scope = {"a": 5, "b": Decimal("1.5"), "xs": [3, 1, 2], "o": {"x": {"y": 1}}}
    try:
        found = codec.admit(feel.compile(text).evaluate(scope, limits=limits), max_bytes=100_000)
    except (feel.FeelError, BadInput):
        return

    # then
    assert codec.decode(codec.encode(found)) == found


@given(st.text(st.sampled_from('ab1 .,:"@()[]{}<>=+-*/`?\\\n') | st.characters(), max_size=30))
def test_any_text_is_compiled_or_refused_with_a_place(text: str) -> None:
    try:
        feel.compile(text)
    except feel.FeelError as error:
        assert error.position is not None  # noqa: PT017
        assert 0 <= error.position <= len(text)  # noqa: PT017


@pytest.mark.parametrize(
    "text",
    [
        "count(for i in 1..900 return list contains(xs, i + 1000))",
        'count(for i in 1..900 return string length(s + "x"))',
        'count(for i in 1..900 return matches(s, "b"))',
        "count(for i in 1..900 return xs = ys)",
        "count(for i in 1..900 return [xs] = [ys])",
        "count(for i in 1..900 return upper case(s))",
    ],
)
def test_long_values_cost_more_steps_than_short_ones(text: str) -> None:
    # given
    long = {"xs": list(range(900)), "ys": list(range(900)), "s": "a" * 9_000}
    short = {"xs": [1], "ys": [1], "s": "a"}
    limits = feel.Limits(steps=9_000)

    # then
    assert feel.compile(text).evaluate(short, limits=limits) == 900
    with pytest.raises(feel.FeelError, match=r"steps|too large"):
        feel.compile(text).evaluate(long, limits=limits)


def test_long_chains_need_no_depth() -> None:
    for text, wanted in (
        (" and ".join(["flag"] * 5_000), True),
        (" or ".join(["not(flag)"] * 5_000), False),
        (" * ".join(["one"] * 5_000), 1),
        ("one in (" + ", ".join(["2"] * 5_000) + ", 1)", True),
        ("count([" + ", ".join(["[1]"] * 5_000) + "])", 5_000),
        ("{" + ", ".join(f"k{n}: {n}" for n in range(5_000)) + "}.k4999", 4_999),
    ):
        assert feel.compile(text).evaluate({"flag": True, "one": 1}) == wanted
