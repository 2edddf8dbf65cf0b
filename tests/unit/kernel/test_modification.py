"""Repairs: tokens are taken away and put down in one step; the case never just stands empty."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from engine.errors import ChangeRefused
from engine.model import Begin, InstanceState, Modify, Problem, Step
from tests.drawing import (
    boundary,
    call,
    diagram,
    end,
    flow,
    gateway,
    node,
    path,
    process,
    repeat,
    service,
    start,
    sub,
    timer,
    user,
)
from tests.unit.kernel.player import Player

HOUR = timer("Duration", '=duration("PT1H")')


def running(*inside: str, beside: str = "", **variables: object) -> Player:
    return Player(diagram(process("p", *inside), beside)).start(**variables)


def modify(
    play: Player,
    *,
    cancel: Sequence[int | str] = (),
    before: Sequence[str | tuple[str, int]] = (),
    after: Sequence[str] = (),
    ends: bool = False,
    instance: str = "root",
) -> Step:
    begin = [Begin(one) if isinstance(one, str) else Begin(one[0], False, one[1]) for one in before]
    begin += [Begin(one, True) for one in after]
    return play.do(
        Modify(instance_id=instance, cancel=tuple(cancel), begin=tuple(begin), ends=ends, why="so")
    )


def refused(play: Player, **change: object) -> list[tuple[str | None, str]]:
    before = play.snapshot
    with pytest.raises(ChangeRefused) as found:
        modify(play, **change)  # type: ignore[arg-type]
    assert play.snapshot is before
    problems: Sequence[Problem] = found.value.problems
    assert all(problem.advice and problem.told("zh").advice for problem in problems)
    return [(problem.element, problem.rule) for problem in problems]


LINE = (start("s"), user("a"), user("b"), end("e"), path("s", "a", "b", "e"))


def test_a_token_is_taken_away_and_another_one_put_down() -> None:
    # given
    play = running(*LINE)
    # when
    step = modify(play, cancel=["a"], before=["b"])
    # then
    assert play.open == ["b"]
    assert [e.kind for e in step.events] == [
        "instance.modified", "element.cancelled", "element.activated",
    ]  # fmt: skip
    assert step.events[0].value == {
        "why": "so", "cancel": [["a", 2]], "before": ["b"], "after": [],
    }  # fmt: skip
    play.complete("b")
    assert play.ended


def test_it_can_go_on_behind_an_element() -> None:
    play = running(*LINE)
    modify(play, cancel=["a"], after=["b"])
    assert play.ended


def test_what_listens_for_a_cancelled_activity_goes_with_it() -> None:
    # given
    play = running(*LINE, boundary("t", "a", HOUR), end("late"), path("t", "late"))
    # when
    modify(play, cancel=["a"], before=["b"])
    # then
    assert not play.works


def test_all_that_runs_inside_goes_with_a_sub_process_and_a_call() -> None:
    # given
    inner = process("inner", start("si"), service("x", "job"), end("ei"), path("si", "x", "ei"))
    inside = sub("box", start("sb"), call("c", "inner"), end("eb"), path("sb", "c", "eb"))
    play = running(start("s"), inside, user("b"), end("e"), path("s", "box", "b", "e"),
                   beside=inner)  # fmt: skip
    # when
    step = modify(play, cancel=["box"], before=["b"])
    # then
    assert play.open == ["b"]
    assert step.returned == [("called-1", InstanceState.CANCELLED)]


def test_a_sub_process_that_does_not_run_is_entered_for_what_begins_inside() -> None:
    # given
    inside = sub("box", start("sb"), user("x"), user("y"), end("eb"), path("sb", "x", "y", "eb"))
    late = boundary("t", "box", HOUR), end("late"), path("t", "late")
    play = running(start("s"), user("a"), inside, end("e"), path("s", "a", "box", "e"), *late)
    # when
    modify(play, cancel=["a"], before=["y"])
    # then
    assert play.open == ["y"]
    assert [w.element_id for w in play.works.values()] == ["t"]
    play.complete("y")
    assert play.ended
    assert play.trail == ["s", "y", "eb", "box", "e"]


def test_a_scope_that_is_left_empty_goes_with_its_owner() -> None:
    # given
    inside = sub("box", start("sb"), user("x"), end("eb"), path("sb", "x", "eb"))
    play = running(start("s"), inside, user("b"), end("e"), path("s", "box", "b", "e"))
    # when
    modify(play, cancel=["x"], before=["b"])
    # then
    assert play.happened("element.cancelled") == ["x", "box"]
    assert play.open == ["b"]


def test_what_is_a_part_of_a_loop_or_of_an_undoing_is_not_emptied() -> None:
    """Neither a round nor a handler can go alone, so its last token cannot go either."""
    # given
    inside = (start("sb"), user("x"), end("eb"), path("sb", "x", "eb"))
    loop = sub("box", '<standardLoopCharacteristics loopMaximum="3"/>', *inside)
    looping = running(start("s"), loop, user("b"), path("s", "box", "b"))
    handler = node("subProcess", "box", *inside, isForCompensation="true")
    undone = node("boundaryEvent", "u", "<compensateEventDefinition/>", attachedToRef="a")
    link = node("association", "link", sourceRef="u", targetRef="box")
    throw = node("intermediateThrowEvent", "t", "<compensateEventDefinition/>")
    undoing = running(start("s"), user("a"), undone, link, handler, throw, end("e"),
                      path("s", "a", "t", "e"))  # fmt: skip
    early = refused(undoing, before=["x"])
    undoing.complete("a")
    for play, whole in ((looping, "box"), (undoing, "t")):
        # when
        found = refused(play, cancel=["x"])
        modify(play, cancel=[whole], before=["b" if play is looping else "a"])
        # then
        assert found == [("box", "modification-part")]
        assert early == [("x", "modification-middle")]
        assert play.open == ["b" if play is looping else "a"]


def test_one_instance_of_a_repeated_activity_can_be_taken_out() -> None:
    # given
    loop = repeat("[1,2,3]", "i", collect="all", result="i")
    play = running(start("s"), user("a", loop), end("e"), path("s", "a", "e"))
    second = sorted(play.people)[1]
    # when
    modify(play, cancel=[second])
    # then
    assert play.open == ["a", "a"]
    play.complete("a")
    play.complete("a")
    assert play.ended
    assert play.variables()["all"] == [1, None, 3]


def test_the_next_one_begins_when_a_turn_is_taken_out() -> None:
    # given
    loop = repeat("[1,2]", "i", sequential=True)
    play = running(start("s"), user("a", loop), end("e"), path("s", "a", "e"))
    # when
    modify(play, cancel=list(play.people))
    # then
    assert play.open == ["a"]
    play.complete("a")
    assert play.ended


def test_in_an_ad_hoc_sub_process_the_next_one_begins_when_a_turn_is_taken_out() -> None:
    # given
    box = node("adHocSubProcess", "box", service("a", "job"), service("b", "job"),
               ordering="Sequential")  # fmt: skip
    play = running(start("s"), box, user("z"), path("s", "box", "z"))
    assert play.open == ["a"]
    # when
    modify(play, cancel=["a"])
    # then
    assert play.open == ["b"]
    play.complete("b")
    assert play.open == ["z"]


def test_what_waits_at_a_join_can_be_taken_away() -> None:
    # given
    play = running(
        start("s"), gateway("parallel", "open"), user("a"), user("b"), gateway("parallel", "close"),
        end("e"), path("s", "open", "a", "close", "e"), path("open", "b", "close"),
    )  # fmt: skip
    play.complete("a")
    # when
    modify(play, cancel=["close"], before=["a"])
    play.complete("a")
    play.complete("b")
    # then
    assert play.ended


def test_a_join_counts_what_comes_after_an_element_and_opens_for_what_begins_at_it() -> None:
    # given
    def fork() -> Player:
        return running(
            start("s"), gateway("parallel", "open"), user("a"), user("b"),
            gateway("parallel", "close"), user("z"), end("e"),
            path("s", "open", "a", "close", "z", "e"), path("open", "b", "close"),
        )  # fmt: skip

    counted, opened = fork(), fork()
    # when
    modify(counted, cancel=["a"], after=["a"])
    modify(opened, cancel=["a", "b"], before=["close"])
    # then
    assert counted.open == ["b"]
    counted.complete("b")
    assert counted.open == opened.open == ["z"]


def test_a_case_ends_only_if_that_is_said() -> None:
    # given
    play = running(*LINE)
    # when
    found = refused(play, cancel=["a"])
    modify(play, cancel=["a"], ends=True)
    # then
    assert found == [(None, "modification-nothing-left")]
    assert play.state is InstanceState.CANCELLED


def test_an_incident_goes_with_its_token() -> None:
    # given
    play = running(start("s"), gateway("exclusive", "g"), user("a"), path("s", "g"),
                   flow("g", "a", "n > 1"), n=1)  # fmt: skip
    assert play.incidents
    # when
    modify(play, cancel=["g"], before=["a"])
    # then
    assert not play.incidents
    assert play.open == ["a"]


def test_a_called_instance_is_repaired_on_its_own() -> None:
    # given
    inner = process("inner", start("si"), user("x"), user("y"), end("ei"),
                    path("si", "x", "y", "ei"))  # fmt: skip
    play = running(start("s"), call("c", "inner"), end("e"), path("s", "c", "e"), beside=inner)
    # when
    modify(play, instance="called-1", cancel=["x"], before=["y"])
    # then
    assert play.open == ["y"]
    play.complete("y")
    assert play.ended


def test_a_called_instance_too_ends_only_if_that_is_said() -> None:
    """Else the call of its caller would be cancelled with it, and a join might wait for ever."""
    # given
    inner = process("inner", start("si"), user("x"), end("ei"), path("si", "x", "ei"))
    play = running(start("s"), gateway("parallel", "g"), call("c", "inner"), user("b"), end("e"),
                   path("s", "g", "c", "e"), path("g", "b"), beside=inner)  # fmt: skip
    # when
    found = refused(play, cancel=["x"], instance="called-1")
    step = modify(play, cancel=["x"], instance="called-1", ends=True)
    # then
    assert found == [(None, "modification-nothing-left")]
    assert step.returned == [("called-1", InstanceState.CANCELLED)]
    assert play.open == ["b"]


def test_all_that_forbids_a_repair_is_said_at_once() -> None:
    # given
    guard = node("subProcess", "g", node("startEvent", "sg", HOUR), user("ug"), end("eg"),
                 path("sg", "ug", "eg"), triggeredByEvent="true")  # fmt: skip
    loop = sub("loop", start("sl"), user("ul"), end("el"), path("sl", "ul", "el"),
               repeat("[1,2]", "i"))  # fmt: skip
    play = running(
        start("s"), user("a"), gateway("exclusive", "x", "x-b"), user("b"), loop, end("e"),
        path("s", "a", "x", "b", "e"), flow("x", "loop", "true"), path("loop", "e"), guard,
        boundary("t", "a", HOUR), end("late"), path("t", "late"),
    )  # fmt: skip
    listener = next(w.token for w in play.works.values() if w.element_id == "t")
    # when
    found = refused(
        play, cancel=[99, listener, "b", "nobody"], before=["g", "ug", "ul", "nowhere"],
        after=["x", "e"],
    )  # fmt: skip
    # then
    assert found == [
        (None, "modification-no-token"),
        ("t", "modification-listens"),
        ("b", "modification-not-active"),
        ("nobody", "modification-unknown"),
        ("g", "modification-begins-by-event"),
        ("ug", "modification-middle"),
        ("ul", "modification-middle"),
        ("nowhere", "modification-unknown"),
        ("x", "modification-several-ways"),
        ("e", "modification-several-ways"),
    ]


def test_of_several_sub_processes_the_token_says_which() -> None:
    # given
    box = sub("box", start("sb"), user("x"), user("y"), end("eb"), path("sb", "x", "y", "eb"),
              repeat("[1,2]", "i"))  # fmt: skip
    play = running(start("s"), box, end("e"), path("s", "box", "e"))
    owners = [e.token for e in play.events
              if (e.kind, e.element_id) == ("element.activated", "box")][1:]  # fmt: skip
    # when
    found = refused(play, before=["y"])
    modify(play, before=[("y", int(owners[0] or 0))])
    # then
    assert found == [("y", "modification-which-scope")]
    assert play.open == ["x", "x", "y"]
