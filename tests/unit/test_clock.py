"""Time and ids."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from engine.clock import SystemClock, VirtualClock, new_id


def test_ids_are_version_seven_and_sort_in_the_order_they_were_made() -> None:
    made = [new_id() for _ in range(20_000)]

    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert all(uuid.UUID(one).version == 7 for one in made[:50])
    assert all(uuid.UUID(one).variant == uuid.RFC_4122 for one in made[:50])


def test_ids_made_by_several_threads_are_all_different() -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: new_id(), range(8_000)))

    assert len(set(made)) == len(made)


def test_a_virtual_clock_only_goes_forward() -> None:
    # given
    noon = datetime(2026, 1, 5, 12, tzinfo=UTC)
    clock = VirtualClock(noon)
    # when
    clock.advance(60)
    clock.move_to(noon)
    # then
    assert clock.now() == noon + timedelta(seconds=60)


def test_the_system_clock_tells_aware_utc() -> None:
    assert SystemClock().now().tzinfo is UTC
