"""Data of plain BPMN and times, at several places.

BPMN 2.0.2: 10.4 (data objects, inputs, outputs, associations), 10.5.5 (timers). A data object, a
property, an input or output is the variable of its name.
"""

from __future__ import annotations

import pytest

from tests.drawing import (
    about,
    boundary,
    catch,
    end,
    flow,
    gateway,
    message,
    node,
    path,
    script,
    start,
    timer,
    user,
)
from tests.unit.kernel.places import Place, Stage, everywhere, in_three_places

M = message("m", "go")
FORMAL = 'xsi:type="tFormalExpression"'


def holding(name: str) -> str:
    """Return a data object with its reference; the variable is called like the object."""
    return node("dataObject", f"do_{name}", name=name) + node(
        "dataObjectReference", f"ref_{name}", dataObjectRef=f"do_{name}"
    )


def interface(node_id: str, inputs: str = "", outputs: str = "") -> str:
    """Return an ioSpecification; ids are made of the node and the name."""
    drawn = "".join(node("dataInput", f"{node_id}_i_{n}", name=n) for n in inputs.split())
    drawn += "".join(node("dataOutput", f"{node_id}_o_{n}", name=n) for n in outputs.split())
    took = "".join(f"<dataInputRefs>{node_id}_i_{n}</dataInputRefs>" for n in inputs.split())
    gave = "".join(f"<dataOutputRefs>{node_id}_o_{n}</dataOutputRefs>" for n in outputs.split())
    sets = f"<inputSet>{took}</inputSet><outputSet>{gave}</outputSet>"
    return f"<ioSpecification>{drawn}{sets}</ioSpecification>"


def moved(kind: str, source: str, target: str, how: str = "") -> str:
    """Return a data association from one item to another, perhaps with a computation."""
    ends = f"<sourceRef>{source}</sourceRef><targetRef>{target}</targetRef>"
    return node(f"data{kind}Association", f"{source}_{target}", ends, how)


def last(stage: Stage, name: str) -> object:
    """Return the last value that was written into a variable, wherever it lives."""
    values = [e.value for e in stage.events if e.kind == "variable.set" and e.name == name]
    return values[-1] if values else None


HOW = {
    "copied": ("", 5),
    "transformed": (f"<transformation {FORMAL}>=x * 2</transformation>", 10),
    "assigned": (
        f"<assignment><from {FORMAL}>=x + 1</from><to {FORMAL}>y</to></assignment>",
        6,
    ),
}


@everywhere
@pytest.mark.parametrize("how", HOW)
def test_an_input_is_a_copy_under_its_own_name(place: Place, how: str) -> None:
    # 10.4.2: filled when the activity begins; a change inside does not come back
    computed, expected = HOW[how]
    inner = interface("t", "y", "z") + moved("Input", "ref_x", "t_i_y", computed)
    inner += moved("Output", "t_o_z", "ref_kept")
    body = (
        holding("x")
        + holding("kept")
        + start("s")
        + user("t", inner)
        + end("e")
        + path("s", "t", "e")
    )
    stage = place.play(body, x=5)
    seen = [e.value for e in stage.events if e.kind == "variable.set" and e.name == "y"]
    assert seen == [expected]
    stage.complete("t", z=77)
    assert last(stage, "kept") == 77
    assert place.over(stage)


@everywhere
def test_a_local_input_hides_the_process_data_only_inside_its_activity(place: Place) -> None:
    # 10.4.1: a data input belongs to its activity; flows out of it see the scope around
    inner = interface("t", "x") + moved(
        "Input", "ref_x", "t_i_x", f"<transformation {FORMAL}>=x * 2</transformation>"
    )
    body = (
        holding("x")
        + start("s")
        + node("userTask", "t", inner, default="t-wrong")
        + script("right", "1", "r")
        + script("wrong", "1", "r")
        + end("e")
        + end("e2")
        + path("s", "t", "wrong", "e2")
        + flow("t", "right", "x = 5")
        + path("right", "e")
    )
    stage = place.play(body, x=5)
    stage.complete("t")
    assert stage.ran("right", "wrong") == ["right"]
    assert place.over(stage)


@everywhere
@pytest.mark.parametrize("where", ["catch", "boundary", "event sub-process"])
def test_what_an_event_brings_goes_where_its_association_says(place: Place, where: str) -> None:
    # 10.4.2: the output of a catch event is the payload; its association fills the data object
    brought = (
        node("dataOutput", "ev_o", name="val")
        + moved("Output", "ev_o", "ref_kept")
        + "<outputSet><dataOutputRefs>ev_o</dataOutputRefs></outputSet>"
        + about("message", "m")
    )
    body = holding("kept") + start("s") + end("e")
    if where == "catch":
        body += catch("ev", brought) + path("s", "ev", "e")
    elif where == "boundary":
        body += user("u") + boundary("ev", "u", brought) + end("e2")
        body += path("s", "u", "e") + path("ev", "e2")
    else:
        handler = node("startEvent", "ev", brought) + end("e2") + path("ev", "e2")
        body += user("u") + path("s", "u", "e")
        body += node("subProcess", "guard", handler, triggeredByEvent="true")
    stage = place.play(body, M)
    assert stage.message("go", val=9)
    assert last(stage, "kept") == 9
    assert place.over(stage)


@in_three_places
@pytest.mark.parametrize(
    ("form", "text", "seconds"),
    [
        ("Duration", "PT1M30S", 90),
        ("Duration", "P1DT1H", 90_000),
        ("Duration", "P1W", 604_800),
        ("Date", "2026-01-05T18:00:10+09:00", 10),
        ("Date", "2026-01-05T09:00:10", 10),
        ("Cycle", "R3/PT10S", 10),
        ("Cycle", "R/2026-01-05T09:00:07Z/PT1H", 7),
    ],
)
def test_a_timer_is_due_at_its_moment_and_not_a_second_before(
    place: Place, form: str, text: str, seconds: int
) -> None:
    body = start("s") + catch("c", timer(form, f'="{text}"')) + end("e") + path("s", "c", "e")
    stage = place.play(body)
    stage.advance(seconds - 1)
    assert stage.ran("c") == []
    stage.advance(1)
    assert stage.ran("c") == ["c"]
    stage.advance(1_000_000)
    assert stage.ran("c") == ["c"]
    assert place.over(stage)
    assert stage.idle


@in_three_places
@pytest.mark.parametrize(("form", "text"), [("Date", "2020-01-01T00:00:00Z"), ("Duration", "PT0S")])
def test_what_is_due_already_fires_at_once(place: Place, form: str, text: str) -> None:
    body = (
        start("s")
        + user("u")
        + boundary("b", "u", timer(form, f'="{text}"'), cancels=False)
        + end("e")
        + end("e2")
        + path("s", "u", "e")
        + path("b", "e2")
    )
    stage = place.play(body)
    stage.advance(0)
    assert stage.ran("b") == ["b"]
    stage.advance(1_000_000)
    assert stage.ran("b") == ["b"]
    stage.complete("u")
    assert place.over(stage)


@in_three_places
@pytest.mark.parametrize(("times", "fired"), [("R1", 1), ("R3", 3), ("R", 10)])
def test_a_cycle_fires_as_often_as_it_says_while_its_host_lives(
    place: Place, times: str, fired: int
) -> None:
    body = (
        start("s")
        + user("u")
        + boundary("b", "u", timer("Cycle", f'="{times}/PT1M"'), cancels=False)
        + end("e")
        + end("e2")
        + path("s", "u", "e")
        + path("b", "e2")
    )
    stage = place.play(body)
    stage.advance(59)
    assert stage.ran("b") == []
    stage.advance(541)
    assert stage.ran("b") == ["b"] * fired
    stage.complete("u")
    stage.advance(10_000)
    assert stage.ran("b") == ["b"] * fired
    assert place.over(stage)
    assert stage.idle


@in_three_places
def test_the_first_due_of_several_timers_wins_whatever_their_order(place: Place) -> None:
    for order in (("PT5S", "PT9S"), ("PT9S", "PT5S")):
        body = (
            start("s")
            + gateway("eventBased", "g")
            + end("e1")
            + end("e2")
            + catch("c1", timer("Duration", f'="{order[0]}"'))
            + catch("c2", timer("Duration", f'="{order[1]}"'))
            + path("s", "g", "c1", "e1")
            + path("g", "c2", "e2")
        )
        stage = place.play(body)
        stage.advance(100)
        assert stage.ran("c1", "c2") == ["c1" if order[0] == "PT5S" else "c2"]
        assert place.over(stage)


@everywhere
def test_a_timer_counts_anew_each_time_its_activity_begins(place: Place) -> None:
    body = (
        start("s")
        + gateway("exclusive", "m")
        + user("u")
        + end("e")
        + end("e2")
        + gateway("exclusive", "x", default="x-m")
        + boundary("b", "u", timer("Duration", '="PT10S"'))
        + path("s", "m", "u", "x", "m")
        + path("b", "e2")
        + flow("x", "e", "stop = true")
    )
    stage = place.play(body)
    for _ in range(3):
        stage.advance(9)
        stage.complete("u", stop=False)
    assert stage.ran("b") == []
    stage.advance(10)
    assert stage.ran("b") == ["b"]
    assert place.over(stage)
    assert stage.idle
