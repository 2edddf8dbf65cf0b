"""The parent's arithmetic and its children, without a database; the whole is in acceptance."""

from __future__ import annotations

import os
import socket

import pytest

from engine.dispatch.process import EXIT_REPLACE
from engine.errors import SettingsError
from web.child import Heartbeat, teller
from web.serve import LONGEST_DELAY_S, REPLACED, Child, bind, restart_delay_s, url_of


def test_the_first_restart_is_immediate_and_the_wait_grows_to_a_limit() -> None:
    waits = [restart_delay_s(failures) for failures in range(1, 20)]

    assert waits[0] == 0.0
    assert waits == sorted(waits)
    assert waits[1] < 1.0
    assert waits[-1] == LONGEST_DELAY_S


class Ended:
    """A process that has ended with this status."""

    def __init__(self, status: int) -> None:
        self.returncode = status

    def poll(self) -> int:
        return self.returncode


class Living:
    """A process that lives until it is killed."""

    pid = 7
    returncode: int | None = None

    def poll(self) -> int | None:
        return self.returncode

    def kill(self) -> None:
        self.returncode = -9

    def wait(self) -> None:
        assert self.returncode is not None


def died(child: Child, *, born: float, at: float) -> None:
    child.process = Ended(-9)  # type: ignore[assignment]
    child.started_at = born
    assert child.note_end(at) == -9


def test_a_child_that_lived_long_starts_again_at_once() -> None:
    child = Child("web", {})

    died(child, born=0.0, at=0.1)
    died(child, born=0.1, at=0.2)
    assert child.not_before > 0.2

    died(child, born=1.0, at=1000.0)
    assert child.not_before == 1000.0


def test_a_living_child_has_no_end() -> None:
    assert Child("web", {}).note_end(1.0) is None


def test_a_taken_port_is_refused_with_its_number() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(SettingsError, match=str(port)):
            bind("127.0.0.1", port)


def test_port_zero_takes_a_free_one() -> None:
    with bind("127.0.0.1", 0) as listener:
        assert url_of(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"


def pipe() -> tuple[int, int]:
    ends = os.pipe()
    for end in ends:
        os.set_blocking(end, False)
    return ends


def test_a_heartbeat_is_heard_and_grows_old() -> None:
    reading, writing = pipe()
    now = [0.0]
    heartbeat = Heartbeat(reading, now=lambda: now[0])
    assert heartbeat.age_s() is None

    teller(writing)()
    assert heartbeat.age_s() == 0.0

    now[0] = 7.0
    assert heartbeat.age_s() == 7.0
    os.close(reading)
    os.close(writing)


def test_hints_are_dropped_when_nobody_reads_them() -> None:
    reading, writing = pipe()
    announce = teller(writing)

    for _ in range(100_000):  # more than a pipe holds
        announce(None)

    assert len(os.read(reading, 10)) == 10
    os.close(reading)
    announce(None)
    os.close(writing)


def test_a_worker_that_asks_to_be_replaced_is_not_kept_waiting() -> None:
    child = Child("worker", {}, failures=5)
    child.process = Ended(EXIT_REPLACE)  # type: ignore[assignment]

    assert child.note_end(1.0) == REPLACED
    assert child.not_before == 1.0


def test_a_worker_that_hangs_ends_beside_the_next_one() -> None:
    # given a worker that has told its pid
    child, hanging = Child("worker", {}, not_before=99.0), Living()
    child.process = hanging  # type: ignore[assignment]

    # when it is retired, then the next one need not wait for its end
    child.retire(hanging.pid, until=25.0)
    assert (child.process, child.not_before) == (None, 0.0)
    child.bury(24.0)
    assert hanging.returncode is None

    # and it has its time, not more
    child.bury(25.0)
    assert child.alive() == []
    assert hanging.returncode == -9


def test_what_a_dead_worker_has_said_does_not_replace_the_living_one() -> None:
    child, living = Child("worker", {}), Living()
    child.process = living  # type: ignore[assignment]

    child.retire(6, until=25.0)

    assert child.process is living  # type: ignore[comparison-overlap]


def test_a_retired_worker_that_has_ended_is_forgotten() -> None:
    child, ended = Child("worker", {}), Ended(EXIT_REPLACE)
    child.retired[ended] = 25.0  # type: ignore[index]

    child.bury(1.0)

    assert child.alive() == []


def test_a_worker_is_told_of_those_that_died_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    # given children whose commands are only noted
    commands: list[list[str]] = []

    def noted(command: list[str], **options: object) -> Ended:
        commands.append(command)
        return Ended(-9)

    monkeypatch.setattr("web.serve.subprocess.Popen", noted)
    worker, web = Child("worker", {}, claims=True), Child("web", {})

    # when they die twice
    for child in (worker, web):
        for now in (1.0, 2.0, 3.0):
            child.start({}, now)
            assert child.note_end(now) == -9

    # then each worker has a name of its own, and learns those of the dead
    told = [[word for word in command if word.startswith("--owner=")] for command in commands]
    (first,), (second, *before_second), (third, *before_third) = told[:3]
    assert len({first, second, third}) == 3
    assert (before_second, before_third) == ([first], [first, second])
    assert told[3:] == [[], [], []]
