"""Decision tables: hit policies, defaults, what is explained, and cells that are looked up."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from unittest.mock import Mock, patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import feel
from engine.dmn import load
from engine.dmn.cells import Cell, Column
from engine.dmn.evaluation import Evaluation
from engine.errors import ExecutionFault
from engine.feel import Expression, YearsMonthsDuration
from engine.model import Severity
from tests.decision_drawing import data, decision, model, needs, table, tag, text

RULES = [[">= 1", '"small"'], [">= 10", '"large"'], [">= 10", '"large"']]


def drawn(*args: Any, **kwargs: Any) -> Any:
    """Return a model with the decision `d` over the input `n`."""
    return load(model(data("n"), decision("d", needs("n"), table(*args, **kwargs))))


def value(inputs: list[str], rules: list[list[str]], n: object, **more: Any) -> object:
    """Return the value of a table for one input."""
    return drawn(inputs, rules, **more).evaluate("d", {"n": n}).value


@pytest.mark.parametrize(
    ("hits", "n", "wanted"),
    [
        ("UNIQUE", 5, "small"),
        ("FIRST", 20, "small"),
        ("PRIORITY", 20, "large"),
        ("OUTPUT ORDER", 20, ["large", "large", "small"]),
        ("RULE ORDER", 20, ["small", "large", "large"]),
        ("COLLECT", 20, ["small", "large", "large"]),
        ("UNIQUE", 0, None),
        ("COLLECT", 0, None),
    ],
)
def test_the_hit_policy_makes_the_value(hits: str, n: int, wanted: object) -> None:
    assert value(["n"], RULES, n, hits=hits, output_values='"large", "small"') == wanted


@pytest.mark.parametrize(
    ("aggregation", "wanted"), [("SUM", 6), ("MIN", 1), ("MAX", 3), ("COUNT", 3)]
)
def test_a_collecting_table_gives_one_number(aggregation: str, wanted: int) -> None:
    rules = [["> 0", "3"], ["> 1", "1"], ["> 2", "2"]]

    assert value(["n"], rules, 9, hits="COLLECT", aggregation=aggregation) == wanted


def test_two_hits_in_a_unique_table_are_a_fault_that_names_them() -> None:
    with pytest.raises(ExecutionFault, match="n = 20: the rules 1, 2 and 3 match"):
        value(["n"], RULES, 20)


def test_any_accepts_rules_that_agree_only() -> None:
    assert value(["n"], RULES[1:], 20, hits="ANY") == "large"
    with pytest.raises(ExecutionFault, match="rules 1 and 2 match with different outputs"):
        value(["n"], RULES, 20, hits="ANY")


def test_the_default_output_stands_in_for_a_missing_rule() -> None:
    model = drawn(["n"], RULES[:1], default='"none"')

    made = model.evaluate("d", {"n": 0})

    assert made.value == "none"
    assert made.explanation[0]["tables"][0]["default"] is True


def test_several_outputs_give_a_context() -> None:
    rules = [["> 0", "n + 1", "n * 2"]]

    assert value(["n"], rules, 5, outputs=["more", "twice"]) == {"more": 6, "twice": 10}


@pytest.mark.parametrize(
    ("hits", "n", "wanted"),
    [
        ("PRIORITY", 3, {"p": "a", "q": "y"}),
        ("OUTPUT ORDER", 3, [{"p": "a", "q": "y"}, {"p": "a", "q": "z"}, {"p": "b", "q": "y"}]),
        ("RULE ORDER", 3, [{"p": "b", "q": "y"}, {"p": "a", "q": "z"}, {"p": "a", "q": "y"}]),
        ("OUTPUT ORDER", 0, None),
        ("COLLECT", 0, None),
    ],
)
def test_several_outputs_are_ordered_one_after_the_other(hits: str, n: int, wanted: object) -> None:
    head = tag("input", text("inputExpression", "n"))
    outs = [
        tag("output", text("outputValues", values), name=name)
        for name, values in (("p", '"a","b"'), ("q", '"y","z"'))
    ]
    cells = [("> 1", '"b"', '"y"'), ("> 2", '"a"', '"z"'), ("> 0", '"a"', '"y"')]
    rules = [
        tag("rule", text("inputEntry", one), text("outputEntry", p), text("outputEntry", q))
        for one, p, q in cells
    ]
    drawn = decision("d", tag("decisionTable", head, *outs, *rules, hitPolicy=hits))

    assert load(model(drawn)).evaluate("d", {"n": n}).value == wanted


def test_outputs_of_a_first_table_are_made_for_the_first_hit_only() -> None:
    made = drawn(["n"], [["-", "n"], ["-", "n / 0"]], hits="FIRST").evaluate("d", {"n": 1})

    assert made.value == 1
    assert "notes" not in made.explanation[0]


def test_the_explanation_names_rules_and_cells() -> None:
    rules = [["> 5", '"x"', '"big x"', "as agreed in May"], ["-", '"y"', '"y"']]

    made = drawn(["n.size", "n.kind"], rules).evaluate("d", {"n": {"size": 6, "kind": "x"}})

    (entry,) = made.explanation
    assert (entry["decision"], entry["value"]) == ("d", "big x")
    assert entry["tables"] == [
        {
            "table": "table",
            "hit_policy": "UNIQUE",
            "inputs": {"n.size": 6, "n.kind": "x"},
            "matched": [
                {
                    "rule": "rule1",
                    "number": 1,
                    "annotation": "as agreed in May",
                    "outputs": {"output 1": "big x"},
                    "because": [
                        {"input": "n.size", "test": "> 5"},
                        {"input": "n.kind", "test": '"x"'},
                    ],
                }
            ],
            "rejected": [{"rule": "rule2", "number": 2, "input": "n.kind", "test": '"y"'}],
        }
    ]


def test_a_null_input_matches_no_constant() -> None:
    rules = [["true", '"yes"'], ['"a"', '"text"'], ["< 5", '"few"'], ["null", '"nothing"']]

    assert value(["n"], rules, None) == "nothing"


def test_cells_see_other_inputs_and_functions_of_the_value() -> None:
    rules = [['starts with(?, "a")', "1"], ['not("b", "aa")', "2"], ["n", "3"]]

    assert value(["n"], rules, "ab", hits="COLLECT") == [1, 2, 3]


def test_a_rule_with_too_few_cells_is_a_problem() -> None:
    found = drawn(["n", "n"], [["1", "2"]]).problems

    assert [(p.element, p.line) for p in found] == [("rule1", 4)]
    assert found[0].message.startswith("The rule has ")


def test_a_priority_table_without_output_values_is_a_problem() -> None:
    found = drawn(["n"], RULES, hits="PRIORITY").problems

    assert found[0].severity == Severity.ERROR
    assert found[0].message == "A table with priorities lists its output values"


NUMBERS = st.one_of(st.integers(-6, 6), st.decimals(-6, 6, places=1))
CONSTANTS = st.one_of(
    NUMBERS.map(str),
    st.sampled_from(['"a"', '"b"', "true", "false", "null", 'date("2026-01-01")', '@"2026-01-02"']),
    st.sampled_from(['@"PT1H"', '@"P1M"', '@"08:00:00"', '@"08:00:00.5"', '@"08:00:00Z"']),
    st.sampled_from(
        ['@"2026-01-01T08:00:00"', '@"2026-01-01T08:00:00.5"', 'time("08:00:00+01:00")']
    ),
)
ENDS = st.one_of(
    st.tuples(NUMBERS, NUMBERS).map(lambda ends: f"{min(ends)}..{max(ends)}"),
    st.sampled_from(['"a".."b"', 'date("2026-01-01")..date("2026-01-03")', '@"PT1H"..@"PT2H"']),
)
PLAIN = st.one_of(
    CONSTANTS,
    st.builds("{} {}".format, st.sampled_from(["<", "<=", ">", ">=", "=", "!="]), CONSTANTS),
    st.builds("{}{}{}".format, st.sampled_from("[("), ENDS, st.sampled_from("])")),
)
LISTS = st.lists(PLAIN, min_size=1, max_size=3).map(", ".join)
CELLS = st.one_of(st.just("-"), LISTS, LISTS.map("not({})".format))
VALUES = st.one_of(
    NUMBERS,
    st.sampled_from(["a", "aa", "b", "c", True, False, None]),
    st.sampled_from([date(2026, 1, 1), date(2026, 1, 2), timedelta(hours=1), timedelta(hours=3)]),
    st.sampled_from([time(8), time(8, 0, 0, 500_000), time(8, tzinfo=UTC), time(7, tzinfo=UTC)]),
    st.sampled_from([datetime(2026, 1, 1, 8), datetime(2026, 1, 1, 8, tzinfo=UTC)]),  # noqa: DTZ001
    st.sampled_from([datetime(2026, 1, 1, 8, 0, 0, 500_000), YearsMonthsDuration(1)]),  # noqa: DTZ001
    st.just([1]),
)


@settings(max_examples=400, deadline=None)
@given(cells=st.lists(CELLS, min_size=1, max_size=6), value=VALUES)
def test_looking_up_finds_the_rules_that_trying_finds(cells: list[str], value: object) -> None:
    column = Column([Cell(text, partial(feel.compile, text, kind="unary")) for text in cells])

    found = column.accepted(value, (1 << len(cells)) - 1, {}, Evaluation(None))

    tried = [feel.compile(text, kind="unary").evaluate({"?": value}) is True for text in cells]
    assert [bool(found >> n & 1) for n in range(len(cells))] == tried


def test_numbers_are_found_however_they_are_written() -> None:
    rules = [["1.50", '"x"']]

    assert value(["n"], rules, Decimal("1.5")) == "x"
    assert value(["n"], rules, 1.5) == "x"


POLICIES = [
    ("UNIQUE", ""), ("ANY", ""), ("PRIORITY", ""), ("FIRST", ""), ("OUTPUT ORDER", ""),
    ("RULE ORDER", ""), ("COLLECT", ""), ("COLLECT", "SUM"), ("COLLECT", "MIN"),
    ("COLLECT", "MAX"), ("COLLECT", "COUNT"),
]  # fmt: skip
OUTPUTS = st.sampled_from(["1", "2", "a", '"x"', "null"])
ROWS = st.lists(st.tuples(CELLS, CELLS, OUTPUTS), min_size=1, max_size=6)


def outcome(drawn: bytes, inputs: dict[str, object]) -> object:
    """Return the value and the rules that matched, or the fault."""
    try:
        made = load(drawn, checks=False).evaluate("d", inputs)
    except ExecutionFault as fault:
        return str(fault)
    return made.value, [hit["number"] for hit in made.explanation[-1]["tables"][0]["matched"]]


@settings(max_examples=150, deadline=None)
@given(rows=ROWS, values=st.tuples(VALUES, VALUES), policy=st.sampled_from(POLICIES))
def test_a_table_decides_as_if_every_cell_were_tried(
    rows: list[tuple[str, str, str]], values: tuple[object, object], policy: tuple[str, str]
) -> None:
    rules = [list(row) for row in rows]
    hits, aggregation = policy
    drawn = model(
        data("a"), data("b"),
        decision("d", needs("a", "b"), table(
            ["a", "b"], rules, hits=hits, aggregation=aggregation, output_values='2, 1, "x"',
        )),
    )  # fmt: skip
    inputs = dict(zip("ab", values, strict=True))

    with patch("engine.dmn.cells.accepted", return_value=None):
        tried = outcome(drawn, inputs)

    assert outcome(drawn, inputs) == tried


def test_a_thousand_rules_are_looked_up_and_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = [
        [f'"s{n // 100}"', f"[{n % 100 * 10}..{n % 100 * 10 + 10})", f'"r{n}"'] for n in range(1000)
    ]
    drawn = model(
        data("a"), data("b"), decision("d", needs("a", "b"), table(["a", "b"], rules))
    )  # fmt: skip
    made = load(drawn)
    steps = Mock(side_effect=Expression.evaluate, autospec=True)
    monkeypatch.setattr(Expression, "evaluate", lambda self, *a, **k: steps(self, *a, **k))

    assert made.evaluate("d", {"a": "s7", "b": 125}).value == "r712"
    assert steps.call_count <= 3  # the two inputs and one output
