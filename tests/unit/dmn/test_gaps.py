"""Gaps, overlaps and idle rules of decision tables, each with an example input."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import feel
from engine.dmn import gaps, load, table_reader
from engine.model import Severity
from tests.decision_drawing import data, decision, model, needs, table, tag, text


def said(rules: list[list[str]], *more: str, names: str = "a b", **settings: Any) -> list[str]:
    """Return what is said about a table over the inputs `a` and `b` (as many as are typed)."""
    inputs = names.split()[: len(settings.get("types", "n"))]
    drawn = model(
        *more, *map(data, inputs), decision("d", needs(*inputs), table(inputs, rules, **settings))
    )
    return [problem.message for problem in load(drawn).problems]


def number(rules: list[str], **more: Any) -> list[str]:
    """Return what is said about a table with one input of a type (a number, if not said)."""
    return said([[cell, '"x"'] for cell in rules], **{"types": ["number"], **more})


# ------------------------------------------------ by example


@pytest.mark.parametrize(
    ("kind", "cells", "example"),
    [
        ("number", ["< 5", "> 5"], "5"),
        ("number", ["<= 5", "[10..20]", "> 20"], "6"),
        ("number", ["<= 1", ">= 1.5"], "1.25"),
        ("string", ['"x"', '"y"'], '"other"'),
        ("boolean", ["true"], "false"),
        ("date", ['<= date("2026-01-31")', '>= date("2026-03-01")'], "2026-02-01"),
        (
            "date",
            ['< date("2026-01-01")', '(date("2026-01-01")..date("9999-12-31")]'],
            "2026-01-01",
        ),
        ("time", ['< @"12:00:00"', '> @"13:00:00"'], "12:00:00"),
        (
            "dateTime",
            ['< @"2026-01-01T12:00:00Z"', '> @"2026-01-01T12:00:00Z"'],
            "2026-01-01T12:00:00Z",
        ),
        ("dayTimeDuration", ['< @"P1D"', '> @"P2D"'], "P1D"),
        ("yearMonthDuration", ['<= @"P1M"', '>= @"P3M"'], "P2M"),
    ],
)
def test_a_gap_is_told_with_an_input_that_falls_into_it(
    kind: str, cells: list[str], example: str
) -> None:
    assert number(cells, types=[kind])[0] == f"No rule matches, for instance, a = {example}"


@pytest.mark.parametrize(
    ("kind", "cells"),
    [
        ("number", ["< 5", "[5..10)", ">= 10"]),
        ("number", ["not(7)", "7"]),
        ("integer", ["[1..5]", "[6..10]", "< 1", "> 10"]),
        ("boolean", ["true", "false"]),
        ("string", ['"x"', 'not("x")']),
        ("date", ['<= date("2026-01-31")', '>= date("2026-02-01")']),
        ("time", ['[time("00:00:00")..time("12:00:00")]', '> time("12:00:00")']),
        ("yearMonthDuration", ['<= @"P1M"', '>= @"P2M"']),
        ("Any", ["-"]),
    ],
)
def test_a_table_without_gaps_is_not_complained_about(kind: str, cells: list[str]) -> None:
    assert number(cells, types=[kind]) == []


def test_only_allowed_values_can_be_a_gap() -> None:
    assert number(['"x"'], types=["string"], allowed=['"x"']) == []
    assert number(['"x"'], types=["string"], allowed=['"x", "y"']) == [
        'No rule matches, for instance, a = "y"'
    ]
    levels = tag("itemDefinition", tag("typeRef"), name="level").replace(
        "<typeRef></typeRef>", "<typeRef>number</typeRef>" + text("allowedValues", "[1..3]")
    )
    assert said([["< 3", '"x"']], levels, types=["level"]) == [
        "No rule matches, for instance, a = 3"
    ]


def test_a_gap_of_several_inputs_names_those_that_matter() -> None:
    rules = [["< 5", "true", '"x"'], [">= 5", "-", '"y"']]

    assert said(rules, types=["number", "boolean"]) == [
        "No rule matches, for instance, a = 4, b = false"
    ]


def test_overlapping_rules_are_named_with_an_example() -> None:
    rules = [["<= 5", '"x"'], [">= 5", '"y"']]

    assert said(rules, types=["number"]) == [
        "Rule 1 and rule 2 both match, for instance, a = 5; but only one may"
    ]
    assert said(rules, types=["number"], hits="ANY") == [
        "Rule 1 and rule 2 contradict each other, for instance, for a = 5"
    ]
    assert said([rules[0], [">= 5", '"x"']], types=["number"], hits="ANY") == []


@pytest.mark.parametrize(
    ("cells", "wanted"),
    [
        (["(5..5]", "-"], "Rule 1 can never match: “(5..5]” under “a” leaves no value"),
        (['"x"', "-"], "Rule 1 can never match: “a” is of type number, and “"),
        (["> 9", "<= 9"], "Rule 1 can never match: “> 9” is not among the values of “a”"),
    ],
)
def test_a_rule_that_can_never_match_is_told_with_its_cell(cells: list[str], wanted: str) -> None:
    (found,) = number(cells, allowed=["[0..5]"])

    assert found.startswith(wanted)


def test_a_rule_that_is_never_reached_is_told() -> None:
    assert number(["< 10", "[1..5]", "-"], hits="FIRST") == [
        "Rule 2 never decides: rule 1 comes first whenever it matches"
    ]
    assert number(["< 3", ">= 3", "[1..5]", "null"], hits="FIRST") == [
        "Rule 3 never decides: other rules come first whenever it matches"
    ]
    ranked = [["[1..5]", '"low"'], ["-", '"high"']]
    assert said(ranked, types=["number"], hits="PRIORITY", output_values='"high", "low"') == [
        "Rule 1 never decides: rule 2 comes first whenever it matches"
    ]


def test_outputs_that_are_missing_or_not_allowed_are_told() -> None:
    rules = [["< 1", ""], [">= 1", '"z"']]

    assert said(rules, types=["number"], output_values='"x", "y"') == [
        "Rule 1 gives nothing for “output 1”",
        'Rule 2 gives "z" for “output 1”, which takes "x", "y" only',
    ]


def test_cells_that_cannot_be_analysed_are_told_once_and_raise_no_alarm() -> None:
    drawn = model(
        data("a"), data("b"),
        decision("d", needs("a", "b"), table(["a"], [["< b", "1"], ["> b", "2"]], types=["Any"])),
    )  # fmt: skip

    (found,) = load(drawn).problems

    assert found.severity == Severity.INFO
    assert found.message.startswith("2 cell(s) are not compared with constants alone")


def test_inputs_that_depend_on_each_other_raise_no_alarm() -> None:
    rules = [["< 5", "true", '"x"'], [">= 5", "false", '"y"']]
    drawn = model(data("a"), decision("d", needs("a"), table(["a", "a < 5"], rules)))

    assert [problem.severity for problem in load(drawn).problems] == [Severity.INFO]


def test_problems_have_the_rule_as_their_element_and_come_in_chinese() -> None:
    drawn = model(
        data("a"), decision("d", needs("a"), table(["a"], [["<= 5", "1"], [">= 5", "2"]]))
    )

    (found,) = load(drawn, file="x.dmn").problems

    assert (found.file, found.element, found.line) == ("x.dmn", "rule2", 4)
    assert found.rule == "table-overlap"
    assert "规则 1 和规则 2" in found.told("zh").message


def test_an_input_of_another_type_than_what_it_reads_is_told() -> None:
    drawn = model(
        data("a", "string"), decision("d", needs("a"), table(["a"], [["-", "1"]], types=["number"]))
    )

    assert [problem.message for problem in load(drawn).problems] == [
        "“a” is of type number, but “a” is of type string"
    ]


def test_a_table_too_large_to_search_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as few_steps:
        few_steps.setattr(gaps, "MAX_STEPS", 10)
        found = number([str(n) for n in range(20)])

    too_large = "The table is too large to be searched to the end: gaps and overlaps may be left"
    assert found == [too_large]
    monkeypatch.setattr(gaps, "MAX_RULES", 3)
    assert number(["1", "2", "3", "4"]) == [too_large]
    assert number(["1", "2", "-"]) != [too_large]


def test_a_table_of_very_many_inputs_is_read() -> None:
    inputs = [f"a{n}" for n in range(1200)]
    rules = [["1"] * len(inputs) + ["1"], ["2"] * len(inputs) + ["2"]]
    drawn = model(*map(data, inputs), decision("d", needs(*inputs), table(inputs, rules)))

    assert [problem.rule for problem in load(drawn).problems] == ["table-too-large"]


def test_a_table_of_too_many_rules_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_reader, "MAX_RULES", 3)

    assert "The table has more than 3 rules" in number(["1", "2", "3", "4"])


# ------------------------------------------------ by brute force

ENDS = st.integers(-2, 2)
NUMBER = st.one_of(
    ENDS.map(str),
    st.builds("{} {}".format, st.sampled_from(["<", "<=", ">", ">=", "!="]), ENDS),
    st.builds("{}{}..{}{}".format, st.sampled_from("[("), ENDS, ENDS, st.sampled_from("])")),
)
STRING = st.sampled_from(['"x"', '"y"', '"x", "y"'])
OPAQUE = st.just('? = 1 + 1 - 2 or ? = "x"')


def cells(plain: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(plain, plain, plain.map("not({})".format), st.just("-"), st.just("null"))


MIXED = st.one_of(cells(NUMBER), OPAQUE)
BOOLEAN = st.sampled_from(["true", "false"])
ROWS = st.lists(st.tuples(cells(NUMBER), cells(STRING), cells(BOOLEAN)), min_size=1, max_size=5)
GRID: tuple[list[Any], ...] = (
    [Decimal(n) / 2 for n in range(-7, 8)],
    ["x", "y", "z", "other", ""],
    [True, False],
)


def points(nulls: bool) -> Iterator[tuple[Any, ...]]:
    extra = [None] if nulls else []
    return product(*([*axis, *extra] for axis in GRID))


def matching(rows: list[tuple[str, ...]], point: tuple[Any, ...]) -> list[int]:
    """Return the rules that match, found by evaluating every cell."""
    return [
        n
        for n, row in enumerate(rows, 1)
        if all(
            feel.compile(cell, kind="unary").evaluate({"?": value}) is True
            for cell, value in zip(row, point, strict=True)
        )
    ]


def example_in(message: str) -> tuple[Any, ...]:
    """Return the values of an example; an input that does not matter gets any value."""
    found = dict(re.findall(r"(\w) = (\"[^\"]*\"|-?[\d.]+|true|false|null)", message))
    return tuple(
        feel.compile(found[name]).evaluate({}) if name in found else axis[0]
        for name, axis in zip("abc", GRID, strict=True)
    )


@settings(max_examples=60, deadline=None)
@given(rows=ROWS)
def test_gaps_overlaps_and_idle_rules_are_those_that_trying_finds(
    rows: list[tuple[str, ...]],
) -> None:
    drawn = [[*row, str(n)] for n, row in enumerate(rows)]
    names, types = "a b c", ["number", "string", "boolean"]
    unique = said(drawn, names=names, types=types)
    hits = [matching(rows, point) for point in points(True)]
    present = [matching(rows, point) for point in points(False)]

    told = [message for message in unique if message.startswith("No rule matches, for")]
    assert bool(told) == any(not found for found in present)
    assert all(matching(rows, example_in(message)) == [] for message in told)

    pairs = {(i, j) for found in hits for i in found for j in found if i < j}
    named = {
        (int(one), int(other)): message
        for message in unique
        for one, other in re.findall(r"Rule (\d+) and rule (\d+) both", message)
    }
    assert set(named) <= pairs
    assert len(named) == min(len(pairs), gaps.MAX_TOLD)
    for pair, message in named.items():
        assert set(pair) <= set(matching(rows, example_in(message)))

    fired = {n for found in hits for n in found}
    never = {int(n) for n in re.findall(r"Rule (\d+) can never", " ".join(unique))}
    assert never == set(range(1, len(rows) + 1)) - fired

    first = said(drawn, names=names, types=types, hits="FIRST")
    idle = {int(n) for n in re.findall(r"Rule (\d+) (?:never|can never)", " ".join(first))}
    assert idle == set(range(1, len(rows) + 1)) - {found[0] for found in hits if found}


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.one_of(cells(NUMBER), OPAQUE), cells(STRING)), min_size=1, max_size=4
    )
)
def test_no_gap_and_no_overlap_is_told_that_is_not_there(rows: list[tuple[str, ...]]) -> None:
    drawn = [[*row, str(n)] for n, row in enumerate(rows)]

    for message in said(drawn, types=["number", "string"]):
        point = example_in(message)[:2]
        if message.startswith("No rule matches, for"):
            assert matching(rows, point) == []
        elif " both match" in message:
            assert len(matching(rows, point)) > 1
