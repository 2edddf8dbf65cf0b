"""Terminate end events at every place: what ends, and what does not (BPMN 2.0.2, 13.5.6)."""

from __future__ import annotations

import pytest

from tests.drawing import about, call, end, path, process, repeat, script, start, sub, user
from tests.unit.kernel.places import Place, everywhere
from tests.unit.kernel.test_variations_faults import ROOTS, guard


@everywhere
def test_terminate_ends_its_own_scope_and_no_other(place: Place) -> None:
    # 13.5.6: all that runs in the scope is ended at once; what surrounds it goes on
    body = (
        start("s")
        + user("a")
        + user("b")
        + sub("low", start("l_s"), user("c"), end("l_e"), path("l_s", "c", "l_e"))
        + end("kill", about("terminate"))
        + end("e")
        + end("e2")
        + guard("in", about("message", "m"))
        + path("s", "a", "kill")
        + path("s", "b", "e")
        + path("s", "low", "e2")
    )
    stage = place.play(body, *ROOTS)
    stage.complete("a")
    assert not [i for i in stage.open if i != "hold"]
    assert not stage.message("go")
    assert stage.ran("b", "low", "e", "e2", "in_caught") == []
    assert place.stopped(stage)
    assert stage.idle


@everywhere
@pytest.mark.parametrize("where", ["sub-process", "call", "one of three", "event sub-process"])
def test_terminate_inside_leaves_what_is_around_untouched(place: Place, where: str) -> None:
    inside = (
        start("l_s")
        + user("kill_it")
        + user("c")
        + end("kill", about("terminate"))
        + end("l_e")
        + path("l_s", "kill_it", "kill")
        + path("l_s", "c", "l_e")
    )
    below, extra = "", ""
    if where == "call":
        drawn, below = call("low", "below"), process("below", inside)
    elif where == "one of three":
        drawn = sub("low", repeat("[1,2,3]", "i"), inside)
    elif where == "event sub-process":
        drawn = user("low")
        extra = guard(
            "g",
            about("message", "m"),
            user("kill_it"),
            user("c"),
            end("kill", about("terminate")),
            end("l_e"),
            path("g_s", "kill_it", "kill"),
            path("g_s", "c", "l_e"),
            interrupting=False,
        )
    else:
        drawn = sub("low", inside)
    body = (
        start("s")
        + drawn
        + user("beside")
        + script("after", "1", "y")
        + end("e")
        + end("e2")
        + path("s", "low", "after", "e")
        + path("s", "beside", "e2")
        + extra
    )
    stage = place.play(body, *ROOTS, below)
    if where == "event sub-process":
        stage.message("go")
    count = stage.open.count("c")
    stage.complete("kill_it")
    assert stage.open.count("c") == count - 1
    assert "beside" in stage.open
    while "c" in stage.open:
        stage.complete("kill_it")
    if where == "event sub-process":
        stage.complete("low")
    stage.complete("beside")
    assert stage.ran("after", "l_e") == ["after"]
    assert place.over(stage)
    assert stage.idle
