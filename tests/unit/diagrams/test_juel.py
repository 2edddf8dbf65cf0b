"""JUEL becomes FEEL with the same value, or is refused by name."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import feel
from engine.diagrams.imports.juel import Untranslated
from engine.diagrams.imports.juel_feel import METHODS, attribute, translate
from tests.unit.diagrams import juel

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
VARIABLES: dict[str, Any] = {
    "n": Decimal(7), "m": Decimal(-3), "zero": Decimal(0), "none": None, "yes": True, "no": False,
    "name": "Ada", "blank": "", "items": [Decimal(4), Decimal(5), Decimal(6)], "empties": [],
    "who": {"age": Decimal(36), "town": "Bath", "tags": ["a", "b"]}, "nobody": {},
    "i": Decimal(1),
}  # fmt: skip


def said(text: str, **more: Any) -> Any:
    return feel.compile(translate(text)).evaluate({**VARIABLES, **more}, now=NOW)


# ------------------------------------------------------------------ the same value

_numbers: st.SearchStrategy[str] = st.deferred(
    lambda: st.one_of(
        st.sampled_from(["n", "m", "zero", "none", "items[0]", "items[2]", "items[9]", "who.age",
                         "who['age']", "items[i]", "who.none", "items.size()"]),
        st.integers(0, 99).map(str),
        st.tuples(_numbers, st.sampled_from(["+", "-", "*"]), _numbers).map(
            lambda t: f"({t[0]} {t[1]} {t[2]})"
        ),
        st.tuples(_numbers, st.sampled_from(["/", "div", "%", "mod"]), st.integers(1, 9)).map(
            lambda t: f"({t[0]} {t[1]} {t[2]})"
        ),
        _numbers.map(lambda one: f"-({one})"),
        st.tuples(st.deferred(lambda: _logic), _numbers, _numbers).map(
            lambda t: f"({t[0]} ? {t[1]} : {t[2]})"
        ),
    )
)  # fmt: skip
_texts = st.one_of(
    st.sampled_from(["name", "blank", "none", "who.town", "who['town']", "name.toUpperCase()"]),
    st.sampled_from(["'Ada'", '"Bath"', "''", "'it\\'s'", '"}"']),
)
_things = st.sampled_from(
    ["n", "none", "name", "blank", "items", "empties", "who", "nobody", "yes"]
)
_orders = st.sampled_from(["<", ">", "lt", "gt"])
_logic: st.SearchStrategy[str] = st.deferred(
    lambda: st.one_of(
        st.sampled_from(["yes", "no", "none", "true", "false", "items.contains(n)",
                         "name.startsWith('A')", "empties.isEmpty()", "name.equals('Ada')"]),
        st.tuples(_numbers, st.one_of(_orders, st.sampled_from(["==", "!=", "eq", "ne"])), _numbers)
        .map(" ".join).map("({})".format),
        st.tuples(_texts, st.sampled_from(["==", "!=", "eq", "ne"]), _texts)
        .map(" ".join).map("({})".format),
        st.tuples(_logic, st.sampled_from(["&&", "||", "and", "or"]), _logic)
        .map(" ".join).map("({})".format),
        _logic.map("!{}".format), _logic.map("(not {})".format),
        _things.map("(empty {})".format),
        st.tuples(_things, st.sampled_from(["==", "!="])).map(lambda t: f"({t[0]} {t[1]} null)"),
    )
)  # fmt: skip


@given(st.one_of(_numbers, _texts, _logic))
def test_an_expression_has_the_value_that_juel_gives(inside: str) -> None:
    # given
    text = f"${{{inside}}}"
    # when
    wanted, found = juel.evaluate(text, VARIABLES), said(text)
    # then
    if isinstance(wanted, Decimal) and isinstance(found, Decimal):
        assert abs(wanted - found) <= abs(wanted) * Decimal("1e-20"), translate(text)
    else:
        assert (found, type(found) is bool) == (wanted, type(wanted) is bool), translate(text)


@given(_logic)
def test_a_condition_is_true_exactly_if_juel_says_so(inside: str) -> None:
    # given
    text = f"#{{{inside}}}"
    condition = feel.compile(translate(text, condition=True))
    # when / then
    assert (condition.evaluate(VARIABLES, now=NOW) is True) == (
        juel.evaluate(text, VARIABLES) is True
    )


@given(st.lists(st.one_of(st.sampled_from(["Order ", "; ", "a}b", "é"]),
                          st.sampled_from(["n", "none", "name", "yes"]).map("${{{}}}".format)),
                min_size=2))  # fmt: skip
def test_texts_around_expressions_are_joined(pieces: list[str]) -> None:
    # given
    text = "".join(pieces)
    # when / then
    assert said(text) == juel.evaluate(text, VARIABLES)


# ------------------------------------------------------------------ how it reads


@pytest.mark.parametrize(
    ("text", "feel_text"),
    [
        ("${amount >= 1000}", "amount >= 1000"),
        ("#{!approved}", "approved != true"),
        ("${approved && !late || vip}", "approved and late != true or vip"),
        ("${nrOfCompletedInstances == 1}", "numberOfCompletedInstances = 1"),
        ("${lines[0].price}", "lines[1].price"),
        ("${x ? 'a' : 'b'}", 'if x then "a" else "b"'),
        ("${dateTime().plusDays(3).toDate()}", 'now() + duration("P3D")'),
    ],
)
def test_a_condition_stays_readable(text: str, feel_text: str) -> None:
    assert translate(text, condition=True) == feel_text


@pytest.mark.parametrize(
    ("text", "written"),
    [("demo", "demo"), ("${owner}", "=owner"), ("=x", '="=x"'),
     ("mail to ${who}", '=string join(["mail to ", string(who)])'), ("\\${x}", "${x}")],
)  # fmt: skip
def test_an_attribute_says_whether_it_is_an_expression(text: str, written: str) -> None:
    if text.startswith("\\"):
        assert translate(text) == '"${x}"'
    else:
        assert attribute(text) == written


# ------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("${execution.setVariable('a', 1)}", "the method “setVariable”"),
        ("${mailer.send(order)}", "the method “send”"),
        ("${execution.processInstanceId}", "the object “execution”"),
        ("${currentUser()}", "the function “currentUser”"),
        ("${'a' + 1}", "“a” is no number"),
        ("${then}", "“then” cannot be the name"),
        ("${a b}", "“b” is not understood"),
        ("${a", "ends too early"),
        ("${a ? b}", "is not understood"),
        ("${" + "(" * 99 + "a" + ")" * 99 + "}", "nested too deeply"),
    ],
)
def test_what_feel_cannot_say_is_refused_by_name(text: str, words: str) -> None:
    # when
    with pytest.raises(Untranslated) as refused:
        translate(text)
    # then
    assert words in refused.value.reason.said("en")
    assert refused.value.advice.said("en")


def test_every_method_that_is_translated_compiles() -> None:
    for name, count in METHODS:
        base = "decisionResult" if name.startswith("getSingle") else "x"
        text = f"${{{base}.{name}({', '.join('ab'[:count])})}}"
        feel.check(translate(text))
