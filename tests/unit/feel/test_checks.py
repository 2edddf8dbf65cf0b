"""What an editor is told: diagnostics with their places, kinds that never fit, completions."""

from __future__ import annotations

import pytest

from engine import feel
from engine.feel.types import SIMPLE_TYPES
from tests.unit.feel.asking import value


def test_a_diagnostic_covers_what_is_wrong() -> None:
    # given
    text = 'order total + nope + 2 * "a"'

    # when
    unknown, product = feel.diagnose(text, ["order total"])

    # then
    assert text[unknown.start : unknown.end] == "nope"
    assert unknown.severity == "unknown"
    assert unknown.message == "there is no variable 'nope'; known are order total"
    assert text[product.start : product.end] == "*"
    assert product.severity == "warning"


def test_a_syntax_error_is_the_only_diagnostic() -> None:
    assert feel.diagnose("1 +") == [
        feel.Diagnostic(
            start=3, end=3, message="expected a value, found the end of the text", severity="error"
        )
    ]


@pytest.mark.parametrize(
    ("text", "message", "at"),
    [
        ('1 + "a"', "cannot add a number and a string", 2),
        ('upper case("a") * 2', "cannot multiply a string and a number", 16),
        ('@"P1D" + @"P1M"', "cannot add a days and time duration and a years and", 7),
        ('@"2024-01-01" - @"2024-01-02" + 1', "cannot add a days and time duration and a", 30),
        ("-true", "cannot negate a boolean", 0),
        ('1 < "a"', "cannot compare a number with a string", 2),
        ("[1] < [2]", "cannot compare a list with a list", 4),
        ("1 and true", "'and' needs true or false, got a number", 0),
        ('if "yes" then 1 else 2', "'if' needs true or false, got a string", 3),
        ("string length(5)", "string length: 'string' must be string, got a number", 0),
        ('floor(n: "a")', "floor: 'n' must be number, got a string", 0),
        ("[string length(count([1]))]", "string length: 'string' must be string", 1),
        ('xs[item > 1 + "a"]', "cannot add a number and a string", 12),
    ],
)
def test_what_can_never_fit_is_found_without_running(text: str, message: str, at: int) -> None:
    # when
    found = feel.check(text)

    # then
    assert len(found) == 1
    assert found[0][0] == at
    assert found[0][1].startswith(message)


@pytest.mark.parametrize(
    "text",
    [
        "1 = null",
        "a + b",
        'if a then 1 else "x"',
        "max([1, 2]) + 1",
        "string length([a])",
        'date("2024-01-01") + duration("P1D")',
        "for i in 1..3 return i + partial[-1]",
        '{f: function(s) string length(s), r: f("x")}.r',
        "count(1)",
        'not(contains("abc", "b"))',
    ],
)
def test_what_may_fit_is_no_complaint(text: str) -> None:
    assert feel.check(text) == []


def test_types_of_variables_are_taken_into_account() -> None:
    # given
    types = {"name": SIMPLE_TYPES["string"], "age": SIMPLE_TYPES["number"], "free": object()}

    # then
    assert feel.check("age + 1 > free", types) == []
    assert feel.check("name + 1", types) == [(5, "cannot add a string and a number")]
    assert feel.check("people[name > 1]", [*types, "people"]) == []
    assert feel.check("for name in [1] return name + 1", types) == []


def test_impossible_parts_are_null_when_they_are_run() -> None:
    assert value("name + 1", name="x") is None


def test_completions_name_variables_and_functions() -> None:
    # when
    found = {one.label: one for one in feel.completions(["order total"])}

    # then
    assert found["order total"].kind == "variable"
    assert found["string length"].detail == "string length(string: string) -> number"
    assert found["string length"].doc == "Number of characters (code points)."
    assert len(found["date"].detail.splitlines()) == 3
    assert "@" not in found
    assert all(one.doc for one in found.values() if one.kind == "function")
