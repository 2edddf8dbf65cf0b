"""Explanations in sentences, for the pages of a case."""

from __future__ import annotations

from datetime import date

import pytest

from engine.dmn import in_words, load
from tests.decision_drawing import data, decision, literal, model, needs, table


def told(rules: list[list[str]], value: object, language: str = "en", **more: str) -> list[str]:
    """Return the sentences about a table over the input `revenue`."""
    drawn = model(
        data("revenue"), decision("tier", needs("revenue"), table(["revenue"], rules, **more))
    )
    return in_words(load(drawn).evaluate("tier", {"revenue": value}).explanation, language)


def test_a_matching_rule_is_told_with_its_cells_and_its_number() -> None:
    rules = [["< 100000", '"basic"'], [">= 100000", '"VIP"']]

    assert told(rules, 250000) == ["tier = VIP because revenue ≥ 100000 (rule 2)"]
    assert told(rules, 250000, "zh") == ["tier = VIP，因为 revenue ≥ 100000（规则 2）"]


@pytest.mark.parametrize(
    ("cell", "value", "wanted"),
    [
        ("[1..5)", 1, "1 ≤ revenue < 5"),
        ('"a", "b"', "b", "revenue = a or b"),
        ('not("a")', "b", "revenue ≠ a"),
        ('not("a", "c")', "b", "not (revenue = a or c)"),
        ('date("2026-01-31")', date(2026, 1, 31), "revenue = 2026-01-31"),
        ("? > 2 + 1", 9, "revenue fits ? > 2 + 1"),
        ("-", 9, "it applies always"),
    ],
)
def test_a_cell_is_told_as_people_write_it(cell: str, value: object, wanted: str) -> None:
    assert told([[cell, '"x"']], value) == [f"tier = x because {wanted} (rule 1)"]


def test_without_a_hit_the_cells_that_said_no_are_told() -> None:
    assert told([["> 5", '"x"']], 3) == [
        "tier has no value, because no rule matches",
        "rule 1 does not match: it wants revenue > 5, and revenue = 3",
    ]
    assert told([["> 5", '"x"']], 3, default='"low"')[0] == (
        "tier = low by default, because no rule matches"
    )


def test_the_remark_of_a_rule_and_the_sum_of_several_are_told() -> None:
    rules = [["> 1", "3", "as agreed"], ["> 2", "4"]]

    assert told(rules, 5, hits="COLLECT", aggregation="SUM") == [
        "tier = 3 because revenue > 1 (rule 1: as agreed)",
        "tier = 4 because revenue > 2 (rule 2)",
        "together tier = 7",
    ]


def test_a_formula_is_told_with_what_went_in_and_what_was_wrong() -> None:
    drawn = model(data("a"), decision("twice", needs("a"), literal("a * 2")))

    assert in_words(load(drawn).evaluate("twice", {"a": 4}).explanation) == [
        "twice = 8, worked out from a = 4"
    ]
    said = in_words(load(drawn).evaluate("twice", {"a": "x"}).explanation)
    assert said[0] == "twice = null, worked out from a = x"
    assert said[1].startswith("in twice: ")


def test_an_explanation_stored_before_cells_were_kept_is_told_by_its_inputs() -> None:
    old = {
        "decision": "d", "name": "tier", "value": "VIP",
        "tables": [{
            "table": "t", "hit_policy": "UNIQUE", "inputs": {"revenue": 5}, "rejected": [],
            "matched": [{"rule": "r", "number": 2, "annotation": "", "outputs": {"tier": "VIP"}}],
        }],
    }  # fmt: skip

    assert in_words([old]) == ["tier = VIP because revenue = 5 (rule 2)"]
