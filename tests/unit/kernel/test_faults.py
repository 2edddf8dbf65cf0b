"""What went wrong once: attacks on the kernel, each with the way it has to end."""

from __future__ import annotations

import pytest

from engine.errors import ExecutionFault
from engine.kernel import parse_cycle
from engine.kernel.triggers import next_due
from engine.languages import Languages, Python
from engine.model import InstanceState
from tests.drawing import (
    about,
    boundary,
    call,
    catch,
    diagram,
    end,
    flow,
    gateway,
    message,
    node,
    path,
    process,
    repeat,
    script,
    start,
    sub,
    task,
    timer,
    user,
)
from tests.unit.kernel.player import BEGIN, Player

PYTHON = Languages("feel", python=Python(restricted=True))


def python(id: str, text: str) -> str:
    return node("scriptTask", id, f'<script cw:language="python">{text}</script>')


def test_the_count_of_pieces_begins_again_at_every_wait() -> None:
    # given a loop of user tasks that needs more pieces in all than one run may have
    drawing = diagram(
        process(
            "p",
            start("s"),
            gateway("exclusive", "m"),
            script("a", "1", "x"),
            script("b", "2", "x"),
            user("u"),
            path("s", "m", "a", "b", "u", "m"),
        )
    )
    play = Player(drawing, activations=2, pieces=4).start()
    # when
    for _ in range(30):
        play.complete("u")
    # then
    assert not play.incidents


def test_a_cycle_that_would_never_fire_is_refused() -> None:
    with pytest.raises(ExecutionFault, match="never fire"):
        parse_cycle("R0/PT1S")


def test_a_cycle_between_two_dates_repeats_their_distance() -> None:
    # given
    text = "R3/2026-01-05T10:00:00Z/2026-01-05T12:00:00Z"
    drawing = diagram(
        process(
            "p",
            start("s"),
            user("u"),
            boundary("b", "u", timer("Cycle", text), cancels=False),
            end("late"),
            path("s", "u"),
            path("b", "late"),
        )
    )
    play = Player(drawing).start()
    # when
    play.advance(3600 * 3)
    # then at 10:00 and 12:00
    assert play.trail.count("late") == 2


def test_an_endless_cycle_that_slept_keeps_its_hour() -> None:
    # given a daily cycle, last due at 9:00, found five days and three hours later
    late = BEGIN.replace(day=10, hour=12)
    # when
    due = next_due(BEGIN, "P1D", late, endless=True)
    # then one missed turn is made up for, at its own hour
    assert due == BEGIN.replace(day=10)


def test_a_faulty_output_element_stops_the_instance_that_has_it() -> None:
    # given
    loop = repeat("items", "item", until="item")
    drawing = diagram(process("p", start("s"), user("u", loop), path("s", "u")))
    play = Player(drawing).start(items=["a"])
    # when
    play.complete("u")
    # then
    (incident,) = play.incidents.values()
    assert "completion condition" in incident.message
    play.retry("u")
    assert play.state is InstanceState.RUNNING


def test_a_change_of_type_alone_is_a_change() -> None:
    # given
    drawing = diagram(process("p", start("s"), user("u"), end("e"), path("s", "u", "e")))
    play = Player(drawing).start(x=[1], y={"a": 1})
    # when
    play.complete("u", x=[True], y={"a": True})
    # then
    assert play.variables() == {"x": [True], "y": {"a": True}}
    assert play.variables()["x"][0] is True


def test_a_process_that_calls_itself_without_end_becomes_an_incident() -> None:
    # given
    drawing = diagram(process("p", start("s"), call("c", "p"), path("s", "c")))
    # when
    play = Player(drawing).start()
    # then
    (incident,) = play.incidents.values()
    assert "nested deeper" in incident.message
    play.cancel()
    assert play.state is InstanceState.CANCELLED


def test_calls_end_one_after_the_other_however_deep() -> None:
    # given ninety calls within calls
    drawing = diagram(
        process(
            "p",
            start("s"),
            gateway("exclusive", "g", default="g-e"),
            script("more", "n - 1", "n"),
            call("c", "p"),
            user("u"),
            end("e"),
            end("d"),
            path("s", "g"),
            flow("g", "more", "n > 0"),
            path("g", "u", "e"),
            path("more", "c", "d"),
        ).replace('default="g-e"', 'default="g-u"')
    )
    play = Player(drawing).start(n=90)
    # when
    play.complete("u")
    # then
    assert play.ended


def test_a_call_of_a_process_that_only_a_message_starts_is_an_incident() -> None:
    # given
    drawing = diagram(
        message("m", "go"),
        process("p", start("s"), call("c", "q"), user("after"), path("s", "c", "after")),
        process("q", start("qs", about("message", "m")), end("qe"), path("qs", "qe")),
    )
    # when
    play = Player(drawing).start()
    # then
    assert [i.element_id for i in play.incidents.values()] == ["c"]
    assert play.open == []


def test_a_script_that_makes_a_set_or_leaves_by_exit_is_an_incident() -> None:
    for text in (
        "x = set([1, 2])",
        "raise ValueError('no')",
        "x = 1 / 0",
        "import os",
        "x = open('f')",
    ):
        # given
        drawing = diagram(process("p", start("s"), python("t", text), path("s", "t")))
        # when
        try:
            play = Player(drawing, languages=PYTHON).start()
        except ExecutionFault:
            continue  # refused when it is compiled
        # then
        assert [i.element_id for i in play.incidents.values()] == ["t"], text


def test_changes_in_place_reach_the_variables_and_only_them() -> None:
    # given
    drawing = diagram(
        process(
            "p",
            start("s"),
            python("t", "order['n'] = 2\nitems.append(3)"),
            end("e"),
            path("s", "t", "e"),
        )
    )
    first = {"n": 1}
    # when
    play = Player(drawing, languages=PYTHON).start(order=first, items=[1])
    # then
    assert play.variables() == {"order": {"n": 2}, "items": [1, 3]}
    assert first == {"n": 1}


def test_sub_processes_ninety_deep_are_cancelled_without_recursion() -> None:
    # given
    inside, first = user("u"), "u"
    for depth in range(90):
        inside = sub(f"d{depth}", start(f"s{depth}"), inside, path(f"s{depth}", first))
        first = f"d{depth}"
    play = Player(diagram(process("p", start("s"), inside, path("s", first)))).start()
    # when
    play.cancel("enough")
    # then
    assert play.happened("element.cancelled") == ["u", *[f"d{d}" for d in range(90)]]


def test_a_timer_without_a_value_is_an_incident_and_not_a_timer_for_now() -> None:
    # given
    drawing = diagram(
        process("p", start("s"), catch("t", timer("Duration", "=missing")), path("s", "t"))
    )
    # when
    play = Player(drawing).start()
    # then
    assert [i.element_id for i in play.incidents.values()] == ["t"]
    assert not play.works


def test_an_abstract_task_completes_at_once() -> None:
    drawing = diagram(process("p", start("s"), task("t"), end("e"), path("s", "t", "e")))
    assert Player(drawing).start().ended
