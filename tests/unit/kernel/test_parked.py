"""Tokens that stay rows of the snapshot: what happens is the same, only less is made."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.kernel import parked, snapshot
from engine.kernel.tokens import Token
from tests.drawing import (
    about,
    boundary,
    diagram,
    end,
    error,
    gateway,
    path,
    process,
    repeat,
    script,
    service,
    start,
    sub,
    timer,
    user,
)
from tests.unit.kernel.player import Player

MANY = list(range(2 * parked.PARKED_FROM))
LOOP = repeat("items", "item", collect="results", result="vote")
PLAIN = diagram(process("p", start("s"), user("u", LOOP), end("e"), path("s", "u", "e")))


def made_by(act: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> int:
    """Return how many tokens an act makes."""
    made: list[int] = []
    plain = Token.__init__

    def counted(token: Token, *given: object) -> None:
        made.append(1)
        plain(token, *given)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Token, "__init__", counted)
        act()
    return len(made)


def test_the_end_of_one_instance_makes_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    play = Player(PLAIN).start(items=MANY)

    # the body and the instance
    assert made_by(lambda: play.complete("u", 7, vote="yes"), monkeypatch) == 2

    assert play.open == ["u"] * (len(MANY) - 1)
    assert made_by(lambda: play.cancel(), monkeypatch) == len(MANY)
    assert play.happened("element.cancelled") == ["u"] * len(MANY)


def test_few_instances_are_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    few = parked.PARKED_FROM - 2
    play = Player(PLAIN).start(items=list(range(few)))

    assert made_by(lambda: play.complete("u", vote="yes"), monkeypatch) == few + 1


def _people() -> tuple[bytes, Callable[[Player], None]]:
    def play(player: Player) -> None:
        for nth in (9, 0, 30):
            player.complete("u", nth, vote=nth)
        while not player.ended:
            player.complete("u", vote="last")

    return PLAIN, play


def _border() -> tuple[bytes, Callable[[Player], None]]:
    drawing = diagram(
        process(
            "p", start("s"), user("u", LOOP), boundary("b", "u", timer("Duration", "PT1H")),
            user("late"), path("s", "u"), path("b", "late"),
        )
    )  # fmt: skip

    def play(player: Player) -> None:
        player.complete("u", 5, vote=1)
        player.advance(3600)
        player.complete("late")

    return drawing, play


def _condition() -> tuple[bytes, Callable[[Player], None]]:
    loop = repeat("items", "item", until="numberOfCompletedInstances >= 3")
    drawing = diagram(process("p", start("s"), user("u", loop), user("w"), path("s", "u", "w")))

    def play(player: Player) -> None:
        for nth in (40, 3, 3):
            player.complete("u", nth)
        player.complete("w")

    return drawing, play


def _handlers() -> tuple[bytes, Callable[[Player], None]]:
    loop = repeat("items", "item", collect="results", result="item * 2")
    drawing = diagram(
        process(
            "p", start("s"), service("u", "work", loop), boundary("b", "u", about("error", "e1")),
            user("repair"), user("after"), path("s", "u", "after"), path("b", "repair"),
        ),
        error("e1", "BAD"),
    )  # fmt: skip

    def play(player: Player) -> None:
        player.complete("u", 11)
        player.throw("u", "BAD")
        player.complete("repair")

    return drawing, play


def _beside() -> tuple[bytes, Callable[[Player], None]]:
    inner = sub(
        "sp", start("is"), script("x", "item + 1", "y"), user("ask"), path("is", "x", "ask"),
        repeat("items", "item"),
    )  # fmt: skip
    drawing = diagram(
        process(
            "p", start("s"), gateway("parallel", "f"), user("u", LOOP), inner, user("alone"),
            gateway("parallel", "j"), path("s", "f"), path("f", "u", "j"), path("f", "sp", "j"),
            path("f", "alone", "j"),
        )
    )  # fmt: skip

    def play(player: Player) -> None:
        player.complete("ask", 20)
        player.complete("u", 20, vote=2)
        player.complete("alone")
        player.complete("ask", 1)
        while player.open:
            player.complete(player.open[-1])

    return drawing, play


SCENES = [_people, _border, _condition, _handlers, _beside]


@pytest.mark.parametrize("scene", SCENES)
def test_parked_or_not_the_same_happens(
    scene: Callable[[], tuple[bytes, Callable[[Player], None]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawing, play = scene()
    seen = []
    for least in (1, parked.PARKED_FROM, 10 * len(MANY)):
        monkeypatch.setattr(parked, "PARKED_FROM", least)
        player = Player(drawing).start(items=MANY)
        play(player)
        kept = [snapshot.read(s.snapshot) for s in player.steps if s.snapshot is not None]
        for state in kept:
            state["t"].sort()
        seen.append((player.events, kept, player.state))

    assert seen[0] == seen[1] == seen[2]
