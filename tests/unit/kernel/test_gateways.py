"""Splits and joins."""

from __future__ import annotations

import pytest

from tests.drawing import diagram, end, flow, gateway, node, path, process, script, start, user
from tests.unit.kernel.player import Player


def test_the_first_true_condition_wins_in_the_order_of_the_file() -> None:
    # given
    drawing = diagram(
        process(
            "p",
            start("s"),
            gateway("exclusive", "g", default="g-c"),
            user("a"),
            user("b"),
            user("c"),
            path("s", "g"),
            flow("g", "a", "n > 10"),
            flow("g", "b", "n > 5"),
            flow("g", "c"),
        )
    )
    # when / then
    assert Player(drawing).start(n=20).open == ["a"]
    assert Player(drawing).start(n=7).open == ["b"]
    assert Player(drawing).start(n=1).open == ["c"]


def test_a_parallel_join_waits_for_one_token_on_each_flow_and_keeps_spare_ones() -> None:
    # given a join that gets two tokens on one flow and one on the other
    drawing = diagram(
        process(
            "p",
            start("s"),
            gateway("parallel", "f"),
            user("a1"),
            user("a2"),
            user("b"),
            gateway("exclusive", "m"),
            gateway("parallel", "j"),
            user("after"),
            path("s", "f", "a1", "m", "j", "after"),
            path("f", "a2", "m"),
            path("f", "b", "j"),
        )
    )
    play = Player(drawing).start()
    # when
    play.complete("a1")
    play.complete("a2")
    assert play.open == ["b"]
    play.complete("b")
    # then one went on, the spare token still waits
    assert play.open == ["after"]
    play.complete("after")
    assert not play.ended


def test_an_inclusive_join_waits_for_exactly_what_was_split() -> None:
    # given
    drawing = diagram(
        process(
            "p",
            start("s"),
            gateway("inclusive", "f", default="f-c"),
            user("a"),
            user("b"),
            user("c"),
            gateway("inclusive", "j"),
            user("after"),
            path("s", "f"),
            flow("f", "a", "n > 1"),
            flow("f", "b", "n > 2"),
            flow("f", "c"),
            path("a", "j", "after"),
            path("b", "j"),
            path("c", "j"),
        )
    )
    one, two = Player(drawing).start(n=2), Player(drawing).start(n=3)
    # when
    one.complete("a")
    two.complete("a")
    # then
    assert one.open == ["after"]
    assert two.open == ["b"]
    two.complete("b")
    assert two.open == ["after"]


def test_an_inclusive_join_inside_a_loop_lets_each_round_pass() -> None:
    # given
    drawing = diagram(
        process(
            "p",
            start("s"),
            gateway("inclusive", "m"),
            script("t", "n + 1", "n"),
            gateway("exclusive", "x", default="x-e"),
            end("e"),
            path("s", "m", "t", "x"),
            flow("x", "m", "n < 50"),
            flow("x", "e"),
        )
    )
    # when
    play = Player(drawing).start(n=0)
    # then
    assert play.ended
    assert play.variables()["n"] == 50


def test_a_loop_of_user_tasks_turns_two_thousand_times_and_its_snapshot_stays_small() -> None:
    # given
    drawing = diagram(
        process(
            "p",
            start("s"),
            gateway("exclusive", "m"),
            user("u"),
            gateway("exclusive", "x", default="x-e"),
            end("e"),
            path("s", "m", "u", "x"),
            flow("x", "m", "again"),
            flow("x", "e"),
        )
    )
    play = Player(drawing).start()
    sizes = []
    # when
    for _ in range(2000):
        play.complete("u", again=True)
        sizes.append(len(play.snapshot or b""))
    # then
    assert sizes[-1] <= sizes[9] * 1.2
    play.complete("u", again=False)
    assert play.ended


@pytest.mark.parametrize("width", [2, 200])
def test_parallel_branches_fork_and_join_again(width: int) -> None:
    # given
    names = [f"t{i}" for i in range(width)]
    drawing = diagram(
        process(
            "p",
            start("s"),
            gateway("parallel", "f"),
            *[script(n, "1", n) for n in names],
            gateway("parallel", "j"),
            end("e"),
            path("s", "f"),
            path("j", "e"),
            *[path("f", n, "j") for n in names],
        )
    )
    # when
    play = Player(drawing).start()
    # then
    assert play.ended
    assert play.trail.count("j") == 1
    assert len(play.variables()) == width


def test_a_null_condition_behind_a_complex_gateway_is_an_incident_and_not_false() -> None:
    # given
    condition = "<activationCondition>=activationCount &gt;= 1</activationCondition>"
    drawing = diagram(
        process(
            "p",
            start("s"),
            gateway("parallel", "f"),
            user("a"),
            user("b"),
            node("complexGateway", "c", condition, default="c-d"),
            user("t"),
            user("d"),
            path("s", "f", "a", "c"),
            path("f", "b", "c"),
            flow("c", "t", "missing > 1"),
            flow("c", "d"),
        )
    )
    play = Player(drawing).start()
    # when
    play.complete("a")
    # then
    assert [i.element_id for i in play.incidents.values()] == ["c"]
    assert play.open == ["b"]


def test_an_activation_condition_that_is_null_stops_at_the_gateway_and_can_be_retried() -> None:
    # given a gateway that begins at as many tokens as the variable `limit` says
    condition = "<activationCondition>=activationCount &gt;= limit</activationCondition>"
    drawing = diagram(
        process(
            "p",
            start("s"),
            gateway("parallel", "f"),
            user("a"),
            user("b"),
            user("other"),
            node("complexGateway", "c", condition),
            user("t"),
            path("s", "f", "a", "c", "t"),
            path("f", "b", "c"),
            path("f", "other"),
        )
    )
    play = Player(drawing).start()
    # when
    play.complete("a")
    # then
    assert [i.element_id for i in play.incidents.values()] == ["c"]
    assert play.open == ["b", "other"]
    # when there is a limit
    play.complete("other", limit=1)
    play.retry("c")
    # then
    assert play.incidents == {}
    assert play.open == ["b", "t"]
    # when the late one comes, the gateway is reset without a further token
    play.complete("b")
    assert play.open == ["t"]
