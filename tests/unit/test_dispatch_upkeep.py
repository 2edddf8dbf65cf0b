"""Upkeep runs beside the watch, one round at a time, and again when it is time."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from engine.dispatch.upkeep import Upkeep
from engine.errors import Unavailable

LONG_S = 10.0


@dataclass
class Chore:
    """Something that lasts until it is let go."""

    done: bool = True
    rounds: int = 0
    seconds: float = 0.0
    go: threading.Event = field(default_factory=threading.Event)

    def act(self) -> bool:
        self.rounds += 1
        assert self.go.wait(LONG_S)
        return self.done

    def timer(self) -> float:
        return self.seconds


def kept(chore: Chore) -> Upkeep:
    return Upkeep(chore.act, "the chore", timer=chore.timer)


def test_who_looks_does_not_wait_and_begins_no_second_round_meanwhile() -> None:
    chore = Chore()
    upkeep = kept(chore)

    upkeep.look()
    upkeep.look()

    chore.go.set()
    upkeep.stop(LONG_S)
    assert chore.rounds == 1


def test_what_was_done_is_done_again_after_an_hour() -> None:
    chore = Chore()
    chore.go.set()
    upkeep = kept(chore)

    for seconds in (0.0, 10.0, 3500.0, 3700.0):
        chore.seconds = seconds
        upkeep.look()
        upkeep.stop(LONG_S)

    assert chore.rounds == 2


def test_what_was_not_done_is_tried_again_at_the_next_look() -> None:
    chore = Chore(done=False)
    chore.go.set()
    upkeep = kept(chore)

    for seconds in (0.0, 10.0, 20.0):
        chore.seconds = seconds
        upkeep.look()
        upkeep.stop(LONG_S)

    assert chore.rounds == 3


def test_a_round_that_fails_is_tried_again_too() -> None:
    chore = Chore()

    def act() -> bool:
        chore.rounds += 1
        raise Unavailable("the database is away")

    upkeep = Upkeep(act, "the chore", timer=chore.timer)
    for _ in range(2):
        upkeep.look()
        upkeep.stop(LONG_S)

    assert chore.rounds == 2
