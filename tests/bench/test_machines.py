"""The model of the machines agrees with what queueing theory knows."""

from __future__ import annotations

import pytest

pytest.importorskip("simpy")
from tests.bench import machines
from tests.bench.machines import CORES, Place, Times

FAST = Times(ours=0.004, database=0.001, waiting=0.002)


def test_a_lonely_transaction_takes_what_its_parts_take() -> None:
    # p99 of three exponential times, nobody else there: within a few means
    p99 = machines.slowest(Place("", 1, CORES), FAST, 0.5)

    assert 0.015 < p99 < 0.03


def test_the_load_it_can_take_is_near_what_its_cores_can_do_and_below() -> None:
    place = Place("", 1, CORES)

    rate = machines.highest(place, FAST)

    assert 0.85 * CORES / FAST.ours < rate < CORES / FAST.ours


def test_more_machines_help_until_the_database_is_full() -> None:
    one, three, thirty = (machines.highest(Place("", number, CORES), FAST) for number in (1, 3, 30))

    assert 2.5 * one < three < 3.2 * one
    assert thirty < CORES / FAST.database
    assert machines.highest(Place("", 30, CORES, shards=3), FAST) > 2.5 * thirty
