"""The codec: exact in storage, strict at the door, honest about where something is wrong."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.codec import TAG, admit, decode, encode, parse_json, to_json
from engine.errors import BadInput
from engine.feel import (
    FarDate,
    FarDateTime,
    FineDuration,
    FineTime,
    Range,
    YearsMonthsDuration,
)
from engine.feel.moments import make_date, make_duration, make_moment, make_time

zones = st.sampled_from(
    [None, UTC, timezone(timedelta(hours=-5, minutes=-30)), ZoneInfo("Europe/Paris")]
)
texts = st.text(st.characters(exclude_categories=["Cs"]))
atoms = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**200), 2**200),
    texts,
    st.decimals(allow_nan=False, allow_infinity=False),
    st.dates(),
    st.times(timezones=zones),
    st.datetimes(timezones=zones, allow_imaginary=False),
    st.timedeltas(),
    st.builds(YearsMonthsDuration, st.integers(-(10**9), 10**9)),
    st.builds(
        make_date, st.integers(-(10**9) + 1, 10**9 - 1), st.integers(1, 12), st.integers(1, 28)
    ),
    st.builds(make_time, st.integers(0, 86_399_999_999_999), zones),
    st.builds(make_duration, st.integers(-(10**20), 10**20)),
    st.builds(
        make_moment,
        st.builds(FarDate, st.integers(10_000, 99_999), st.just(2), st.just(29 - 1)),
        st.integers(0, 86_399_999_999_999),
        zones,
    ),
)
keys = texts.filter(lambda key: not key.startswith(TAG))
values = st.recursive(
    atoms, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4)
)


def zone(value: object) -> tzinfo | None:
    """Return the zone of a value that has one."""
    return value.tzinfo if isinstance(value, (time, datetime, FineTime, FarDateTime)) else None


def alike(one: object, other: object) -> bool:
    """Tell whether two values are equal in value and type, all the way down."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, (time, datetime)) and isinstance(other, (time, datetime)):
        parts = one.replace(tzinfo=None) == other.replace(tzinfo=None)
        return parts and one.fold == other.fold and zone(one) == zone(other)
    return one == other and zone(one) == zone(other) and str(one) == str(other)


@given(values)
def test_what_is_stored_comes_back_the_same(value: object) -> None:
    assert alike(decode(encode(value)), value)


@given(values)
def test_what_is_admitted_can_be_stored_and_shown(value: object) -> None:
    # when
    admitted = admit(value, max_bytes=1_000_000)

    # then
    assert alike(admitted, value)
    to_json(decode(encode(admitted)))


def test_tuples_come_back_as_lists() -> None:
    assert decode(encode({"a": (1, (Decimal("1.50"), 2))})) == {"a": [1, [Decimal("1.50"), 2]]}


def test_the_second_of_two_equal_hours_is_kept() -> None:
    # given half past two, for the second time in the night of the change
    moment = datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Paris"))

    # when
    found = decode(encode([moment, 2**70]))

    # then
    assert isinstance(found, list)
    assert found[0].fold == 1
    assert found[0].utcoffset() == timedelta(hours=1)


def test_texts_that_look_like_tags_are_only_texts() -> None:
    value = {"a": f"{TAG}n", "b": ['"\\u0001n"', f'{{"{TAG}n": "1"}}', Decimal(1)]}

    assert decode(encode(value)) == value


@pytest.mark.parametrize(
    "value", [{f"{TAG}n": "1"}, [{"a": {f"{TAG}x": 1}}, Decimal(1)], [{f"{TAG}n": 2**70}]]
)
def test_keys_that_look_like_tags_are_refused_everywhere(value: object) -> None:
    with pytest.raises(BadInput, match=r"U\+0001"):
        encode(value)
    with pytest.raises(BadInput, match=r"U\+0001"):
        admit(value, max_bytes=1000)


@pytest.mark.parametrize(
    "value", [{1, 2}, b"x", Range(1, 2), [object()], {"a": 2**70, "b": {1}}, {1: 2}]
)
def test_other_values_are_not_stored(value: object) -> None:
    with pytest.raises(BadInput):
        encode(value)


@pytest.mark.parametrize(
    "data", [b"", b"{", b'{"\\u0001n":"x"}', b'{"\\u0001z":"1"}', b'{"\\u0001d":1}']
)
def test_damaged_bytes_are_recognised(data: bytes) -> None:
    with pytest.raises(BadInput, match="damaged"):
        decode(data)


@dataclass
class Order:
    """Not a value of a diagram."""

    number: int


class Colour(Enum):
    """Not a value of a diagram either."""

    RED = "red"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"order": {"items": [1, 2, 3, {4}]}}, r"^variables\.order\.items\[3\]: .*set"),
        ({"a": float("nan")}, r"^variables\.a: nan is not a number"),
        ({"a": [float("inf")]}, r"^variables\.a\[0\]: inf is not a number"),
        ({"a": Decimal("NaN")}, r"^variables\.a: NaN is not a number"),
        ({"a": Decimal("1E+99999")}, r"^variables\.a: .*too large"),
        ({"a": 10**5000}, r"^variables\.a: .*too many digits"),
        ({"a": {1: 2}}, r"^variables\.a: the key 1 is not a string"),
        ({"a": b"x"}, r"^variables\.a: .*bytes"),
        ({"a": Order(1)}, r"^variables\.a: .*Order"),
        ({"a": Colour.RED}, r"^variables\.a: .*Colour"),
        ({"a": "\ud800"}, r"^variables\.a: .*surrogate"),
        ({"a": Range(1, 2)}, r"^variables\.a: .*Range"),
        (
            {"a": time(1, tzinfo=timezone(timedelta(microseconds=5)))},
            r"^variables\.a: the time zone",
        ),
        ([[[[1]]]], r"^variables\[0\]\[0\]\[0\]: nested more than 3 deep"),
        (["x" * 400] * 3, r"^variables\[2\]: .*more than 1000 bytes"),
        (["字" * 400], r"^variables\[0\]: .*more than 1000 bytes"),
    ],
)
def test_the_door_names_the_place(value: object, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        admit(value, max_bytes=1000, max_depth=3)


def test_the_door_returns_a_normalised_copy() -> None:
    # given
    inner = [1]
    value = OrderedDict(a=(1, 0.1), b=inner, c=True)

    # when
    found = admit(value, max_bytes=1000)

    # then
    assert found == {"a": [1, Decimal("0.1")], "b": [1], "c": True}
    assert type(found) is dict
    assert found["b"] is not inner


def test_values_that_hold_themselves_are_refused() -> None:
    # given
    value: list[object] = []
    value.append(value)

    # then
    with pytest.raises(BadInput, match="nested"):
        admit(value, max_bytes=1000)


def test_fractions_are_read_exactly_as_written() -> None:
    found = parse_json(b'{"a": 1.10, "b": 1e5, "c": 12345678901234567890123, "d": 0.1}')

    assert found == {
        "a": Decimal("1.10"),
        "b": Decimal("1E+5"),
        "c": 12345678901234567890123,
        "d": Decimal("0.1"),
    }
    assert str(found["a"]) == "1.10"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"a": 1,\n "a": 2}', 'the key "a" occurs twice at line 2, column 2'),
        (b'[{"a": {"b": 1}}, {"a": 1, "\\u0061": 2}]', "occurs twice at line 1, column 28"),
        (b'["NaN",\n  NaN]', "NaN is not JSON at line 2, column 3"),
        (b"[-Infinity]", "-Infinity is not JSON at line 1, column 2"),
        (b'{"a" 1}', "not JSON at line 1, column 6"),
        (b"", "not JSON at line 1, column 1"),
        (b'\n"\xff"', "not UTF-8 at line 2, column 2"),
        (b"[" * 100_000, "nested too deeply"),
        (b"1" * 5000, "number that is too long"),
        (b"1e99999", "number that is too long"),
    ],
)
def test_wrong_json_is_refused_with_its_place(data: bytes, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_json(data)

    assert message in str(caught.value)


def test_json_for_the_outside_has_exact_numbers_and_iso_texts() -> None:
    # given
    value = {
        "n": [Decimal("1.50"), Decimal("0E-7"), 2**70],
        "d": [date(2024, 1, 1), time(1, 2, 3, tzinfo=UTC), FarDate(-5, 1, 1)],
        "p": [timedelta(hours=1), YearsMonthsDuration(14), FineDuration(1)],
        "t": (True, None),
    }

    # then
    assert to_json(value) == (
        b'{"n":[1.50,0E-7,1180591620717411303424],'
        b'"d":["2024-01-01","01:02:03Z","-0005-01-01"],'
        b'"p":["PT1H","P1Y2M","PT0.000000001S"],"t":[true,null]}'
    )


@given(st.decimals(allow_nan=False, allow_infinity=False, places=8))
def test_numbers_pass_json_unharmed(number: Decimal) -> None:
    assert str(parse_json(to_json([number]))) == str([number])


def test_what_has_no_json_form_is_named() -> None:
    with pytest.raises(BadInput, match=r"^value\.a\[1\]: .*set"):
        to_json({"a": [1, {2}]})
