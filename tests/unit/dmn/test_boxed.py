"""Boxed expressions other than tables."""

from __future__ import annotations

from typing import Any

import pytest

from engine.dmn import Model, load
from engine.errors import FeelError
from tests.decision_drawing import data, decision, literal, model, needs, tag


def drawn(*parts: str) -> Model:
    """Return a model with the decision `d` over the input `n`."""
    return load(model(data("n"), decision("d", needs("n"), *parts)))


def value(*parts: str, n: Any = None) -> object:
    """Return the value of a boxed expression that may use `n`."""
    made = drawn(*parts)
    assert not [problem for problem in made.problems if problem.stops]
    return made.evaluate("d", {"n": n}).value


def entry(name: str, inside: str, **more: str) -> str:
    """Return an entry of a context; one without a name is its result."""
    return tag("contextEntry", tag("variable", name=name, **more) if name else "", inside)


def test_entries_of_a_context_see_the_ones_before() -> None:
    drawn = tag(
        "context", entry("net price", literal("n * 2")), entry("b", literal("net price + 1"))
    )

    assert value(drawn, n=3) == {"net price": 6, "b": 7}


def test_an_entry_without_a_name_is_the_result() -> None:
    assert value(tag("context", entry("a", literal("5")), entry("", literal("a + n"))), n=1) == 6


def test_an_entry_of_the_wrong_type_is_null_with_a_note() -> None:
    made = drawn(tag("context", entry("a", literal('"x"'), typeRef="number"))).evaluate("d", {})

    assert made.value == {"a": None}
    assert made.explanation[0]["notes"] == [
        {"element": "d", "message": "expected number, got string"}
    ]


def test_lists_and_relations_hold_what_their_cells_give() -> None:
    columns = tag("column", name="a") + tag("column", name="b")
    rows = tag("row", literal("1"), literal("n")) + tag("row", literal("2"), literal("n + 1"))

    assert value(tag("list", literal("n"), literal("2")), n=1) == [1, 2]
    assert value(tag("relation", columns, rows), n=5) == [{"a": 1, "b": 5}, {"a": 2, "b": 6}]


def test_a_condition_that_is_not_true_takes_the_other_branch() -> None:
    choice = tag(
        "conditional",
        tag("if", literal("n > 5")),
        tag("then", literal('"big"')),
        tag("else", literal('"small"')),
    )

    assert [value(choice, n=n) for n in (6, 5, None)] == ["big", "small", "small"]
    assert value(choice.replace("n &gt; 5", "n"), n="neither true nor false") is None


def test_a_function_definition_may_call_itself() -> None:
    body = tag(
        "functionDefinition",
        tag("formalParameter", name="k", typeRef="number"),
        literal("if k < 2 then 1 else k * factorial(k - 1)"),
    )

    drawn = tag("context", entry("factorial", body), entry("", literal("factorial(n)")))

    assert value(drawn, n=5) == 120
    with pytest.raises(FeelError, match="calls inside each other"):
        value(drawn, n=500)


def test_functions_of_other_languages_are_unsupported() -> None:
    (problem,) = drawn(tag("functionDefinition", tag("context"), kind="Java")).problems

    assert problem.severity == "unsupported"


def test_a_filter_keeps_items_or_picks_one() -> None:
    def filtered(match: str) -> str:
        return tag("filter", tag("in", literal("n")), tag("match", literal(match)))

    orders = [{"size": 5}, {"size": 50}]
    assert value(filtered("size > 9 and item.size < 99"), n=orders) == orders[1:]
    assert value(filtered("-1"), n=[1, 2, 3]) == 3
    assert value(filtered("item > 1"), n=None) == []
    assert value(filtered('if item < 3 then true else "no"'), n=[1, 2, 3]) is None


@pytest.mark.parametrize(("match", "wanted"), [("1", None), ("item > 1", []), ("x = 1", [])])
def test_a_filter_on_nothing_does_what_feel_does(match: str, wanted: object) -> None:
    parts = tag("in", literal("[]")), tag("match", literal(match))

    made = load(model(decision("d", tag("filter", *parts)))).evaluate("d", {})

    assert made.value == wanted
    assert ("notes" in made.explanation[0]) == (wanted is None)


def test_for_goes_through_lists_and_ranges() -> None:
    def loop(domain: str, result: str) -> str:
        return tag(
            "for", tag("in", literal(domain)), tag("return", literal(result)), iteratorVariable="i"
        )

    assert value(loop("n", "i * 2"), n=[1, 2]) == [2, 4]
    assert value(loop("[1..3]", "count(partial) + i")) == [1, 3, 5]
    assert value(loop("null", "i")) is None


@pytest.mark.parametrize(
    ("kind", "n", "wanted"),
    [
        ("some", [1, 9], True),
        ("some", [1], False),
        ("every", [9, 8], True),
        ("every", [9, 1], False),
        ("every", [], True),
        ("some", ["x"], None),
    ],
)
def test_quantifiers_have_three_answers(kind: str, n: object, wanted: object) -> None:
    drawn = tag(
        kind, tag("in", literal("n")), tag("satisfies", literal("i > 5")), iteratorVariable="i"
    )

    assert value(drawn, n=n) is wanted


def test_a_loop_without_end_in_sight_is_stopped() -> None:
    drawn = tag(
        "for",
        tag("in", literal("1..99999")),
        tag(
            "return",
            tag(
                "for", tag("in", literal("[1, 2, 3]")), tag("return", literal("i")),
                iteratorVariable="j",
            ),
        ),
        iteratorVariable="i",
    )  # fmt: skip
    bounded = drawn.replace("1..99999", "[1..99999]")

    with pytest.raises(FeelError, match="more than 100000 calls and turns"):
        value(bounded)
