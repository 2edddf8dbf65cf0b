"""Compensation and transactions at every place (BPMN 2.0.2, 10.7 and 13.5.5)."""

from __future__ import annotations

import pytest

from tests.drawing import (
    about,
    boundary,
    call,
    end,
    error,
    extension,
    flow,
    gateway,
    mapping,
    message,
    node,
    path,
    process,
    repeat,
    script,
    start,
    throw,
    user,
)
from tests.unit.kernel.places import Place, Stage, everywhere, in_three_places

ROOTS = (message("m", "go"), error("E", "bad"))
THROWN = ("through", "end", "background")
ways = pytest.mark.parametrize("way", THROWN)


def undoable(host: str, handler: str = "", *inside: str) -> str:
    """Return a compensation boundary event with its handler, a script or a user task."""
    id = handler or f"undo_{host}"
    tag = "userTask" if handler.startswith("ask") else "manualTask"
    return (
        boundary(f"c_{host}", host, about("compensate"))
        + node("association", f"as_{host}", sourceRef=f"c_{host}", targetRef=id)
        + node(tag, id, *inside, isForCompensation="true")
    )


def compensate(id: str, way: str = "through", activity: str = "") -> str:
    """Return a throw or end event."""
    about_it = {"activityRef": activity} if activity else {}
    if way == "background":
        about_it["waitForCompletion"] = "false"
    thrown = node("compensateEventDefinition", f"{id}_d", **about_it)
    return end(id, thrown) if way == "end" else throw(id, thrown)


def scope(id: str, *inside: str, tag: str = "subProcess", head: str = "") -> str:
    """Return a sub-process around a chain of drawn nodes; what must stand first is `head`."""
    return node(tag, id, head, start(f"{id}_s"), *inside, end(f"{id}_e"))


def results(stage: Stage) -> list[object]:
    """Return what was written into the variable result, without repetitions."""
    found: list[object] = []
    for event in stage.events:
        if event.kind == "variable.set" and event.name == "result" and event.value not in found:
            found.append(event.value)
    return found


@everywhere
@ways
def test_what_was_completed_is_undone_last_first_and_nothing_else(place: Place, way: str) -> None:
    body = (
        start("s")
        + "".join(script(i, "1", i) + undoable(i) for i in ("a", "b", "never"))
        + user("open")
        + undoable("open")
        + end("e1")
        + gateway("parallel", "f")
        + compensate("t", way)
        + path("s", "f", "a", "b", "t")
        + path("f", "open", "never", "e1")
        + ("" if way == "end" else script("after", "1", "y") + end("e") + path("t", "after", "e"))
    )
    stage = place.play(body)
    assert stage.ran("undo_a", "undo_b", "undo_open", "undo_never") == ["undo_b", "undo_a"]
    assert "open" in stage.open
    stage.complete("open")
    assert stage.ran("undo_a", "undo_b", "undo_open", "undo_never") == ["undo_b", "undo_a"]
    assert stage.ran("after") == ([] if way == "end" else ["after"])
    assert place.over(stage)
    assert stage.idle


@everywhere
@ways
def test_one_activity_is_undone_by_name_and_only_once(place: Place, way: str) -> None:
    body = (
        start("s")
        + "".join(script(i, "1", i) + undoable(i) for i in "ab")
        + compensate("t1", "background" if way == "background" else "through", "a")
        + user("pause")
        + compensate("t2", way)
        + path("s", "a", "b", "t1", "pause", "t2")
        + ("" if way == "end" else end("e") + path("t2", "e"))
    )
    stage = place.play(body)
    assert stage.ran("undo_a", "undo_b") == ["undo_a"]
    stage.complete("pause")
    assert stage.ran("undo_a", "undo_b") == ["undo_a", "undo_b"]
    assert place.over(stage)


@everywhere
@pytest.mark.parametrize("way", ["through", "end"])
def test_the_throw_waits_for_each_handler_in_turn(place: Place, way: str) -> None:
    # 13.5.5: handlers run one after the other, the token stays at the throw until all are done
    body = (
        start("s")
        + script("a", "1", "x")
        + undoable("a", "ask_a")
        + script("b", "1", "x")
        + undoable("b", "ask_b")
        + compensate("t", way)
        + path("s", "a", "b", "t")
        + ("" if way == "end" else script("after", "1", "y") + end("e") + path("t", "after", "e"))
    )
    stage = place.play(body)
    assert [i for i in stage.open if i != "hold"] == ["ask_b"]
    stage.complete("ask_b")
    assert [i for i in stage.open if i != "hold"] == ["ask_a"]
    assert stage.ran("after") == []
    stage.complete("ask_a")
    assert place.over(stage)
    assert stage.idle


@in_three_places
@ways
@pytest.mark.parametrize("host", ["sub-process", "deep", "call", "transaction", "ad hoc", "three"])
def test_a_completed_scope_is_undone_by_its_parts_and_the_flow_goes_on_once(
    place: Place, host: str, way: str
) -> None:
    # 13.5.5: default compensation; no token leaves the scope a second time
    parts = (
        script("a", "1", "x")
        + undoable("a")
        + script("b", "1", "x")
        + undoable("b")
        + path("low_s", "a", "b", "low_e")
    )
    below, times = "", 1
    if host == "call":
        below = process("below", start("low_s"), parts, end("low_e"))
        drawn = call("low", "below")
    elif host == "deep":
        inner = scope("low", parts)
        drawn = scope("mid", inner, path("mid_s", "low", "mid_e"))
    elif host == "transaction":
        drawn = scope("low", parts, tag="transaction")
    elif host == "ad hoc":
        drawn = node("adHocSubProcess", "ad", scope("low", parts))
    elif host == "three":
        drawn, times = scope("low", parts, head=repeat("[1,2,3]", "i")), 3
    else:
        drawn = scope("low", parts)
    first = {"deep": "mid", "ad hoc": "ad"}.get(host, "low")
    body = (
        start("s")
        + drawn
        + script("after", "1", "y")
        + compensate("t", way)
        + path("s", first, "after", "t")
        + ("" if way == "end" else script("last", "1", "y") + end("e") + path("t", "last", "e"))
    )
    stage = place.play(body, below)
    assert stage.ran("undo_a", "undo_b") == ["undo_b", "undo_a"] * times or (
        host == "three" and stage.bag("undo_a", "undo_b") == ["undo_a"] * 3 + ["undo_b"] * 3
    )
    assert stage.ran("after", "last") == (["after"] if way == "end" else ["after", "last"])
    assert place.over(stage)
    assert stage.idle


@everywhere
@pytest.mark.parametrize("kind", ["parallel", "sequential", "loop"])
def test_every_round_of_a_repeated_activity_is_undone_with_its_own_data(
    place: Place, kind: str
) -> None:
    # 13.5.5: multi-instance and loop: each completed instance; sequential ones in reverse order
    if kind == "loop":
        again, item = '<standardLoopCharacteristics loopMaximum="3"/>', "loopCounter"
    else:
        again, item = repeat("[1,2,3]", "item", sequential=kind == "sequential"), "item"
    handler = node(
        "scriptTask",
        "undo_a",
        '<extensionElements><zeebe:script expression="=append(if undone = null then [] else undone,'
        f' {item})" resultVariable="undone"/></extensionElements>',
        isForCompensation="true",
    )
    body = (
        start("s")
        + user("a", again)
        + boundary("c_a", "a", about("compensate"))
        + handler
        + node("association", "as_a", sourceRef="c_a", targetRef="undo_a")
        + compensate("t")
        + script("result", "undone", "result")
        + end("e")
        + path("s", "a", "t", "result", "e")
    )
    stage = place.play(body, undone=[])
    while "a" in stage.open:
        stage.complete("a")
    assert stage.ran("undo_a") == ["undo_a"] * 3
    assert results(stage) == [[3, 2, 1]]
    assert place.over(stage)


@everywhere
def test_a_handler_inside_replaces_the_default_and_may_undo_the_parts_itself(place: Place) -> None:
    # 10.7.1: a compensation event sub-process is the handler of its sub-process
    guard = node(
        "subProcess",
        "g",
        node("startEvent", "g_s", about("compensate")),
        script("own", "x", "seen"),
        compensate("g_t", activity="a"),
        end("g_e"),
        path("g_s", "own", "g_t", "g_e"),
        triggeredByEvent="true",
    )
    parts = (
        script("a", "1", "x")
        + undoable("a")
        + script("b", "1", "x")
        + undoable("b")
        + path("low_s", "a", "b", "low_e")
        + guard
    )
    body = (
        start("s")
        + scope("low", parts)
        + compensate("t")
        + compensate("t2")
        + end("e")
        + path("s", "low", "t", "t2", "e")
    )
    stage = place.play(body)
    assert stage.ran("own", "undo_a", "undo_b") == ["own", "undo_a"]
    assert place.over(stage)


@everywhere
def test_a_scope_that_was_interrupted_is_not_undone_from_outside(place: Place) -> None:
    # 13.5.5: only what has completed can be compensated; an active scope is cancelled instead
    parts = (
        script("a", "1", "x") + undoable("a") + user("wait") + path("low_s", "a", "wait", "low_e")
    )
    body = (
        start("s")
        + script("before", "1", "x")
        + undoable("before")
        + scope("low", parts)
        + boundary("b", "low", about("message", "m"))
        + compensate("t")
        + end("e")
        + end("e2")
        + path("s", "before", "low", "e2")
        + path("b", "t", "e")
    )
    stage = place.play(body, *ROOTS)
    assert stage.message("go")
    assert stage.ran("undo_a", "undo_before") == ["undo_before"]
    assert place.over(stage)


@everywhere
def test_a_handler_of_an_error_inside_undoes_what_its_scope_had_done(place: Place) -> None:
    # 10.7: an error handler compensates the scope it belongs to
    guard = node(
        "subProcess",
        "g",
        node("startEvent", "g_s", about("error", "E")),
        compensate("g_t"),
        end("g_e"),
        path("g_s", "g_t", "g_e"),
        triggeredByEvent="true",
    )
    done = scope("deep", script("b", "1", "x"), undoable("b"), path("deep_s", "b", "deep_e"))
    body = (
        start("s")
        + script("a", "1", "x")
        + undoable("a")
        + done
        + user("work")
        + end("bad", about("error", "E"))
        + path("s", "a", "deep", "work", "bad")
        + guard
    )
    stage = place.play(body, *ROOTS)
    assert stage.ran("undo_a", "undo_b") == []
    stage.complete("work")
    assert stage.ran("undo_a", "undo_b") == ["undo_b", "undo_a"]
    assert place.over(stage)


@everywhere
def test_a_throw_inside_a_scope_undoes_nothing_outside_it(place: Place) -> None:
    inner = scope(
        "low",
        script("b", "1", "x"),
        undoable("b"),
        compensate("t"),
        path("low_s", "b", "t", "low_e"),
    )
    body = (
        start("s")
        + script("a", "1", "x")
        + undoable("a")
        + inner
        + end("e")
        + path("s", "a", "low", "e")
    )
    stage = place.play(body)
    assert stage.ran("undo_a", "undo_b") == ["undo_b"]
    assert place.over(stage)


@everywhere
def test_handlers_without_a_throw_never_run(place: Place) -> None:
    inner = scope("low", script("b", "1", "x"), undoable("b"), path("low_s", "b", "low_e"))
    body = (
        start("s")
        + script("a", "1", "x")
        + undoable("a")
        + inner
        + end("e")
        + path("s", "a", "low", "e")
    )
    stage = place.play(body)
    assert stage.ran("undo_a", "undo_b") == []
    assert place.over(stage)


@in_three_places
def test_a_scope_undone_in_the_background_does_not_hold_up_the_throw(place: Place) -> None:
    # Table 10.84: waitForCompletion false; the scope still completes only after the handlers
    parts = script("a", "1", "x") + undoable("a", "ask_a") + path("low_s", "a", "low_e")
    body = (
        start("s")
        + scope("low", parts)
        + compensate("t", "background")
        + script("after", "1", "y")
        + end("e")
        + path("s", "low", "t", "after", "e")
    )
    stage = place.play(body)
    assert stage.ran("after") == ["after"]
    assert stage.open == ["ask_a"]
    assert stage.ran("behind") == []
    stage.complete("ask_a")
    assert place.over(stage)


@everywhere
def test_a_handler_that_is_a_sub_process_is_not_undone_itself(place: Place) -> None:
    handler = node(
        "subProcess",
        "undo_a",
        start("u_s"),
        script("part", "1", "x"),
        undoable("part"),
        end("u_e"),
        path("u_s", "part", "u_e"),
        isForCompensation="true",
    )
    body = (
        start("s")
        + script("a", "1", "x")
        + boundary("c_a", "a", about("compensate"))
        + handler
        + node("association", "as_a", sourceRef="c_a", targetRef="undo_a")
        + compensate("t1")
        + compensate("t2")
        + end("e")
        + path("s", "a", "t1", "t2", "e")
    )
    stage = place.play(body)
    assert stage.ran("part", "undo_part") == ["part"]
    assert place.over(stage)


@everywhere
def test_undoing_writes_no_outputs_of_the_scope_again(place: Place) -> None:
    mapped = extension(mapping(outputs={"seen": "x"}))
    inside = script("a", "1", "x") + undoable("a") + path("low_s", "a", "low_e")
    drawn = scope("low", inside, head=mapped)
    body = (
        start("s")
        + drawn
        + script("later", "7", "seen")
        + compensate("t")
        + script("result", "seen", "result")
        + end("e")
        + path("s", "low", "later", "t", "result", "e")
    )
    stage = place.play(body)
    assert results(stage) == [7]
    assert place.over(stage)


@everywhere
def test_an_activity_done_again_after_it_was_undone_is_undone_again(place: Place) -> None:
    # 13.5.5: each completion counts; a loop through the throw undoes each round
    body = (
        start("s")
        + gateway("exclusive", "m")
        + script("a", "1", "x")
        + undoable("a")
        + compensate("t")
        + user("more")
        + gateway("exclusive", "x", default="x-m")
        + end("e")
        + path("s", "m", "a", "t", "more", "x", "m")
        + flow("x", "e", "stop = true")
    )
    stage = place.play(body)
    stage.complete("more")
    stage.complete("more", stop=True)
    assert stage.ran("a", "undo_a") == ["a", "undo_a", "a", "undo_a"]
    assert place.over(stage)
