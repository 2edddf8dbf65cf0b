"""The grammar: precedence, names of several words, and complaints an analyst understands."""

from __future__ import annotations

import pytest

from engine import feel
from tests.unit.feel.asking import value


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("10 - 4 - 3", 3),
        ("2 ** 3 ** 2", 64),
        ("-2 ** 2", 4),
        ("1 + 1 = 2 and 2 > 1 or false", True),
        ("if 1 > 2 then 1 else if 2 > 1 then 2 else 3", 2),
        ("1 + if true then 2 else 3", 3),
        ("-1 instance of number", True),
        ("1 in [1..3] and 4 in (1, > 3)", True),
        ("2 between 1 and 3 and true", True),
        ("for x in 1..2 return for y in 1..2 return x * y", [[1, 2], [2, 4]]),
        ("(function(a, b) a - b)(b: 1, a: 3)", 2),
        ("[1, 2, 3][item > 1][1]", 2),
        ("1 /* one */ + // two\n 1", 2),
        ("{a: 1, b: a + 1}.b", 2),
        ('{"first name": "Ann"}.first name', "Ann"),
        ("[1..5[ = [1..5)", True),
        ("]1..5] = (1..5]", True),
    ],
)
def test_texts_mean_what_the_standard_says(text: str, wanted: object) -> None:
    assert value(text) == wanted


def test_longest_known_name_wins() -> None:
    # given
    scope = {"order": 1, "order total": 2, "order total - net": 3, "total": 4}

    # then
    assert value("order total", **scope) == 2
    assert value("order total - net", **scope) == 3
    assert value("order total + net of nothing", **{**scope, "net of nothing": 5}) == 7
    assert value("order+total", **scope) == 5


def test_names_in_backticks_are_never_split() -> None:
    assert value("`a-b` + `if`", **{"a-b": 1, "if": 2}) == 3


def test_names_may_hold_keywords_when_they_are_known() -> None:
    assert value("terms and conditions", **{"terms and conditions": True}) is True
    assert value("days in week * 2", **{"days in week": 7}) == 14


def test_loop_variables_and_parameters_may_have_blanks() -> None:
    assert value("for line item in [1, 2] return line item + 1") == [2, 3]
    assert value("(function(unit price: number) unit price * 2)(4)") == 8


@pytest.mark.parametrize(
    ("text", "message", "position"),
    [
        ("", "there is no expression; write one, or null", 0),
        ("1 +", "expected a value, found the end of the text", 3),
        ("a b", "expected an operator", 2),
        ("a == b", "write '=' to compare", 2),
        ("a && b", "write 'and' or 'or'", 2),
        ('"abc', "no closing quote", 0),
        ("1 /* x", "not closed with */", 2),
        ("if a then 1", "expected 'else'", 11),
        ("if a 1", "expected 'then' after the condition", 5),
        ("then 1", "'then' without 'if'", 0),
        ("for x return 1", "expected 'in' after the variable 'x'", 6),
        ("[1, 2", "expected ']' to close the list", 5),
        ("{a 1}", "expected ':'", 4),
        ("count(1", "expected ')'", 7),
        ("f(a: 1, 2)", "name all arguments of a call or none", 8),
        ("x between 1 or 2", "expected 'and' between the two limits", 12),
        ("1e9999", "too large", 0),
        ("“x”", "straight quote", 0),
    ],
)
def test_syntax_errors_say_what_and_where(text: str, message: str, position: int) -> None:
    with pytest.raises(feel.FeelError) as caught:
        feel.compile(text)

    assert message in str(caught.value)
    assert caught.value.position == position


def test_strings_know_all_escapes() -> None:
    assert (
        value(r'"a\n\t\"\\ \u00e9 \U01F40E \ud83d\udc0e"')
        == 'a\n\t"\\ \u00e9 \U0001f40e \U0001f40e'
    )
    assert value(r'"\d+"') == r"\d+"
    assert value(r'"\ud83d"') == "\ufffd"


def test_long_but_flat_texts_are_no_problem() -> None:
    assert value("[" + ", ".join(["1"] * 10_000) + "]") == [1] * 10_000
    assert value(" + ".join(["x"] * 5_000), x=1) == 5_000
    assert value("-" * 5_001 + "1") == -1
    branches = " else ".join(f"if x = {n} then {n}" for n in range(1_000))
    assert value(f"{branches} else -1", x=999) == 999


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5_000 + "1" + ")" * 5_000,
        "(" * 50_000,
        "[" * 500 + "]" * 500,
        "not(" * 500 + "true" + ")" * 500,
        "a" + ".b" * 5_000,
        "a" + "[1]" * 5_000,
        "if a then " * 500 + "1" + " else 2" * 500,
        "function() " * 500 + "1",
        "1 instance of " + "list<" * 500 + "number" + ">" * 500,
    ],
)
def test_deep_nesting_is_refused_politely(text: str) -> None:
    with pytest.raises(feel.FeelError, match="nested too deeply"):
        feel.compile(text)
