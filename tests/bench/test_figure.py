"""What a line says about its goal."""

from __future__ import annotations

import pytest

from tests.bench.figure import Figure, not_built


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
