"""The due-time clock: it rings in time, it is pulled forward but never put off."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from engine.dispatch.alarm import Alarm
from engine.dispatch.process import listen_to

PATIENCE_S = 60.0


def now() -> datetime:
    return datetime.now(UTC)


class Bell:
    """Counts its rings and lets the test wait for one."""

    def __init__(self) -> None:
        self.rings: list[datetime] = []
        self._heard = threading.Semaphore(0)

    def ring(self) -> None:
        self.rings.append(now())
        self._heard.release()

    def wait(self) -> datetime:
        assert self._heard.acquire(timeout=PATIENCE_S)
        return self.rings[-1]


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def alarm(bell: Bell) -> Iterator[Alarm]:
    """Return a started alarm that has rung once and would not ring soon again."""
    alarm = Alarm(bell.ring, 60.0, now=now)
    alarm.start()
    bell.wait()
    yield alarm
    alarm.stop()


def test_alarm_rings_again_and_again(bell: Bell) -> None:
    alarm = Alarm(bell.ring, 0.01, now=now)
    alarm.start()

    for _ in range(5):
        bell.wait()

    alarm.stop()


def test_earlier_moment_pulls_the_ring_forward(alarm: Alarm, bell: Bell) -> None:
    due_at = now() + timedelta(seconds=0.05)

    alarm.pull_forward(due_at)

    assert bell.wait() >= due_at


def test_later_moment_does_not_put_the_ring_off(alarm: Alarm, bell: Bell) -> None:
    due_at = now() + timedelta(seconds=0.05)
    alarm.pull_forward(due_at)
    alarm.pull_forward(due_at + timedelta(seconds=30))

    assert bell.wait() < due_at + timedelta(seconds=30)


def test_past_moment_rings_at_once(alarm: Alarm, bell: Bell) -> None:
    alarm.pull_forward(now() - timedelta(days=1))

    assert len(bell.rings) == 2


def test_many_hints_leave_one_ring(alarm: Alarm, bell: Bell) -> None:
    # given many threads that announce the same due time
    due_at = now() + timedelta(seconds=0.2)
    threads = [threading.Thread(target=alarm.pull_forward, args=[due_at]) for _ in range(20)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # then it rings once for all of them
    bell.wait()
    assert len(bell.rings) == 2


def test_stopped_alarm_takes_no_offence_at_hints(bell: Bell) -> None:
    alarm = Alarm(bell.ring, 60.0, now=now)
    alarm.stop()
    alarm.start()
    bell.wait()
    alarm.stop()

    alarm.pull_forward(now() + timedelta(seconds=0.01))


def test_bytes_on_the_pipe_are_hints_and_its_end_is_heard() -> None:
    # given a pipe that a thread listens to
    reading, writing = os.pipe()
    hints, ends = Bell(), Bell()
    listen_to(reading, hints.ring, ends.ring)

    # when a byte comes, and later the last writer is gone
    os.write(writing, b".")
    hints.wait()
    assert ends.rings == []
    os.close(writing)

    # then both were heard
    ends.wait()
    os.close(reading)
