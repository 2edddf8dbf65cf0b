"""Whose turn it is at a claim: fair, by priority, and nobody starves."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from engine.runtime.turns import SHARE, Turns
from engine.store.work import Cell

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def _cell(topic: str, due: int = 1000, priority: int = 0, waits_s: float = 0.0) -> Cell:
    return Cell("service", topic, priority, NOON - timedelta(seconds=waits_s), due)


def _dealt(turns: Turns, cells: list[Cell], limit: int, **room: int) -> dict[str, int]:
    shares: Counter[str] = Counter()
    for cell, share in turns.deal(cells, limit, room):
        shares[cell.topic] += share
    return dict(shares)


def test_a_small_topic_comes_beside_a_large_one() -> None:
    turns = Turns()

    assert _dealt(turns, [_cell("huge", waits_s=9000), _cell("small", 1)], 16) == {
        "huge": 15,
        "small": 1,
    }


def test_single_claims_take_turns() -> None:
    turns, cells = Turns(), [_cell(topic) for topic in "abc"]

    got = [_dealt(turns, cells, 1) for _ in range(9)]

    assert Counter(topic for one in got for topic in one) == {"a": 3, "b": 3, "c": 3}


def test_a_topic_that_was_away_goes_first() -> None:
    turns = Turns()
    for _ in range(10):
        turns.deal([_cell("a"), _cell("b")], 1, {})

    assert _dealt(turns, [_cell("a"), _cell("b"), _cell("fresh")], 1) == {"fresh": 1}


def test_the_larger_priority_gets_most_and_the_smaller_its_share() -> None:
    turns = Turns()
    cells = [_cell("urgent", priority=9), _cell("usual")]

    got = Counter(topic for _ in range(40) for topic in _dealt(turns, cells, 1))

    assert got["usual"] >= 40 // (2 * SHARE)
    assert got["urgent"] > 2 * got["usual"]


def test_the_longest_due_goes_first_among_equals() -> None:
    assert _dealt(Turns(), [_cell("a"), _cell("b", waits_s=5)], 1) == {"b": 1}


def test_no_more_of_a_topic_than_there_is_room_for() -> None:
    cells = [_cell("a"), _cell("a", priority=3), _cell("b")]

    assert _dealt(Turns(), cells, 10, a=2) == {"a": 2, "b": 8}
    assert _dealt(Turns(), cells, 10, a=0, b=0) == {}


def test_a_row_that_was_left_out_comes_next() -> None:
    turns, cells = Turns(), [_cell("a", priority=5), _cell("b")]
    turns.left_out("service", "b", 0)

    assert _dealt(turns, cells, 1) == {"b": 1}


@given(
    st.lists(
        st.tuples(st.sampled_from("abcdef"), st.integers(0, 2), st.integers(1, 30)),
        min_size=1, max_size=12, unique_by=lambda one: one[:2],
    ),
    st.integers(1, 20),
)  # fmt: skip
def test_nobody_starves(given_cells: list[tuple[str, int, int]], limit: int) -> None:
    # given cells that are always full
    turns = Turns()
    cells = [_cell(topic, due, priority) for topic, priority, due in given_cells]

    # when so many rows were claimed as everybody's share allows
    served: Counter[tuple[str, str, int]] = Counter()
    claimed = 0
    while claimed < SHARE * len(cells) + limit:
        shares = turns.deal(cells, limit, {})
        assert sum(share for _, share in shares) == min(limit, sum(cell.due for cell in cells))
        assert all(share <= cell.due for cell, share in shares)
        for cell, share in shares:
            served[cell.key] += share
            claimed += share

    # then each has had a turn
    assert all(served[cell.key] > 0 for cell in cells)


def test_what_is_long_gone_is_forgotten() -> None:
    turns = Turns()
    for number in range(500):
        turns.deal([_cell(f"topic {number}"), _cell("always")], 2, {})

    assert len(turns._served) <= 4 * 2 + 64 + 2
