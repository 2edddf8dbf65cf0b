"""What a line says about its goal."""

from __future__ import annotations

import pytest

from tests.bench.figure import Figure, beside, not_built, read


@pytest.mark.parametrize(
    ("value", "goal", "met"),
    [
        (1.0, "<= 1.0", True),
        (1.01, "<= 1.0", False),
        (1.0, "< 1", False),
        (0.3, ">= 0.25", True),
        (0, "= 0", True),
        (1, "= 0", False),
        (1.0, "", None),
        (None, "<= 1.0", None),
    ],
)
def test_a_goal_is_met_or_not_or_there_is_none(
    value: float | None, goal: str, met: bool | None
) -> None:
    assert Figure(name="1 x", value=value, unit="x", goal=goal).met is met


def test_a_row_that_is_not_built_says_so_and_has_no_value() -> None:
    line = not_built("6 something", "x", "<= 1.3").line()
    assert line["name"].endswith("(not built yet)")
    assert (line["value"], line["met"]) == (None, None)
    assert {"name", "value", "unit", "goal", "met"} <= set(line)


def test_rows_that_are_measured_anew_replace_their_old_figures_and_no_others() -> None:
    # given
    old = [Figure(name=f"{row} old", value=1.0, unit="x") for row in (1, 2, 2, 10)]
    new = [Figure(name="2 new", value=2.0, unit="x"), Figure(name="6 new", value=3.0, unit="x")]
    # when
    both = beside(new, old)
    # then
    assert [figure.name for figure in both] == ["1 old", "2 new", "6 new", "10 old"]


@pytest.mark.parametrize("goal", ["<= 1.1", ""])
def test_a_figure_is_read_as_it_was_written(goal: str) -> None:
    figure = Figure(name="2 x", value=0.5, unit="x", goal=goal, detail="1 / 2 ms")

    assert read(figure.line()) == figure
