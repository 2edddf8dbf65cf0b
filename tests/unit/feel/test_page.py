"""docs/feel.md tells the truth: its tour is run, its lists are those of the code."""

from __future__ import annotations

import dataclasses
import doctest

from engine.feel import Limits
from tests.unit.feel.page import PAGE, listed, parts


def test_the_tour_of_the_page_runs_as_it_is_printed() -> None:
    # when
    result = doctest.testfile(str(PAGE), module_relative=False)

    # then
    assert result.attempted > 20
    assert result.failed == 0


def test_the_page_lists_every_built_in_as_it_is() -> None:
    assert parts(PAGE.read_text(encoding="utf-8"))[1] == listed()


def test_the_page_names_every_limit_with_its_default() -> None:
    text = PAGE.read_text(encoding="utf-8")

    for limit in dataclasses.fields(Limits):
        number = f"{limit.default:,}" if isinstance(limit.default, int) else f"{limit.default} s"
        assert f"| `{limit.name}` | {number} |" in text
