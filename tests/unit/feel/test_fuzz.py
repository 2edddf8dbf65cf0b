"""Thousands of hostile expressions, the same ones in every run; see fuzzing.py for longer ones."""

from __future__ import annotations

from itertools import islice

import pytest

from tests.unit.feel.fuzzing import Tally, outside, texts, tried


@pytest.mark.parametrize("seed", range(4))
def test_hostile_expressions_stay_within_their_limits(seed: int) -> None:
    # given
    tally = Tally()

    # when
    for text in islice(texts(seed), 800):
        tried(text, tally)

    # then
    assert tally.broken == []
    assert min(tally.values, tally.nulls, tally.refused, tally.ended) > 0


def test_the_judge_sees_what_is_too_large_or_foreign() -> None:
    assert outside([1, {"a": object()}]) == "a object"
    assert outside("x" * 5_001) == "a text of 5001 characters"
    assert outside({"a": [None] * 501}) == "a list of 501 items"
    assert outside([1, {"a": "x"}]) == ""
