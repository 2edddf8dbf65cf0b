"""Multi-instance activities."""

from __future__ import annotations

import pytest

from tests.drawing import (
    boundary,
    diagram,
    end,
    node,
    path,
    process,
    repeat,
    script,
    start,
    sub,
    timer,
    user,
)
from tests.unit.kernel.player import Player


@pytest.mark.parametrize("sequential", [False, True])
def test_results_are_collected_in_the_order_of_the_items(sequential: bool) -> None:
    # given
    loop = repeat("items", "item", sequential=sequential, collect="results", result="vote")
    drawing = diagram(process("p", start("s"), user("u", loop), end("e"), path("s", "u", "e")))
    play = Player(drawing).start(items=["a", "b", "c"])
    assert play.open == (["u"] if sequential else ["u"] * 3)
    # when the last comes first, where it can
    for index, vote in enumerate([30, 20, 10]):
        play.complete("u", 0 if sequential else 2 - index, vote=vote)
    # then
    assert play.ended
    expected = [30, 20, 10] if sequential else [10, 20, 30]
    assert play.variables() == {"items": ["a", "b", "c"], "results": expected}


def test_no_items_complete_the_activity_at_once() -> None:
    # given
    loop = repeat("items", "item", collect="results", result="x")
    drawing = diagram(process("p", start("s"), user("u", loop), end("e"), path("s", "u", "e")))
    # when
    play = Player(drawing).start(items=[])
    # then
    assert play.ended
    assert play.variables()["results"] == []


def test_the_completion_condition_cancels_the_rest() -> None:
    # given
    loop = repeat(times="5", until="numberOfCompletedInstances >= 2")
    drawing = diagram(process("p", start("s"), user("u", loop), user("w"), path("s", "u", "w")))
    play = Player(drawing).start()
    assert play.open == ["u"] * 5
    # when
    play.complete("u")
    play.complete("u")
    # then
    assert play.open == ["w"]
    assert play.happened("element.cancelled").count("u") == 3


def test_a_boundary_event_of_a_multi_instance_ends_all_instances() -> None:
    # given
    drawing = diagram(
        process(
            "p",
            start("s"),
            user("u", repeat(times="3")),
            boundary("b", "u", timer("Duration", "PT1H")),
            user("late"),
            path("s", "u"),
            path("b", "late"),
        )
    )
    play = Player(drawing).start()
    play.complete("u")
    # when
    play.advance(3600)
    # then
    assert play.open == ["late"]


def test_each_instance_of_a_repeated_sub_process_has_its_own_variables() -> None:
    # given
    inner = sub(
        "sp",
        repeat("items", "item", collect="doubled", result="twice"),
        start("is"),
        script("t", "item * 2", "twice"),
        path("is", "t"),
    )
    drawing = diagram(process("p", start("s"), inner, end("e"), path("s", "sp", "e")))
    # when
    play = Player(drawing).start(items=[1, 2, 3])
    # then
    assert play.ended
    assert play.variables() == {"items": [1, 2, 3], "doubled": [2, 4, 6]}


def test_a_thousand_parallel_instances_complete() -> None:
    # given
    loop = repeat("items", "item", collect="out", result="item + 1")
    drawing = diagram(
        process("p", start("s"), node("task", "t", loop), end("e"), path("s", "t", "e"))
    )
    # when
    play = Player(drawing).start(items=list(range(1000)))
    # then
    assert play.ended
    assert play.variables()["out"] == list(range(1, 1001))


def test_a_collection_that_is_no_list_is_an_incident_that_can_be_retried() -> None:
    # given
    loop = repeat("items", "item")
    drawing = diagram(process("p", start("s"), user("u", loop), path("s", "u")))
    play = Player(drawing).start(items="many")
    # then
    (incident,) = play.incidents.values()
    assert incident.element_id == "u"
    assert "not a list" in incident.message


def test_the_completion_condition_sees_the_results_so_far() -> None:
    # given a vote that ends with the second yes
    loop = repeat(
        "items",
        "item",
        collect="votes",
        result="vote",
        until="count(votes[item = true]) = 2",
    )
    drawing = diagram(process("p", start("s"), user("u", loop), user("w"), path("s", "u", "w")))
    play = Player(drawing).start(items=[1, 2, 3])
    # when
    play.complete("u", vote=True)
    assert play.open == ["u", "u"]
    play.complete("u", vote=True)
    # then
    assert play.open == ["w"]
    assert play.variables()["votes"] == [True, True, None]
