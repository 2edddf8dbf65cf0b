"""Events from outside, at every place: boundary events and event sub-processes of every kind.

Each test says what BPMN 2.0.2 demands: 13.5.3 (boundary events), 13.5.4 (event sub-processes),
10.5.6 (handling events). Triggers come never, once and twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.drawing import (
    about,
    boundary,
    call,
    end,
    gateway,
    message,
    node,
    path,
    process,
    repeat,
    script,
    signal,
    start,
    sub,
    timer,
    user,
)
from tests.drawing import flow as flow_to
from tests.unit.kernel.places import PLACES, Place, Stage, everywhere, in_three_places


@dataclass(frozen=True)
class Kind:
    """One kind of event that comes from outside."""

    name: str
    definition: str
    root: str
    #: lets the event happen; tells whether anybody listened
    happen: Callable[[Stage], object]


def _condition(stage: Stage) -> None:
    stage.complete("side", go=False)
    stage.complete("side", go=True)


CONDITION = (
    "<conditionalEventDefinition><condition>=go = true</condition></conditionalEventDefinition>"
)
KINDS = (
    Kind("message", about("message", "r"), message("r", "go"), lambda s: s.message("go")),
    Kind("signal", about("signal", "r"), signal("r", "go"), lambda s: s.signal("go")),
    Kind("timer", timer("Cycle", '="R/PT10S"'), "", lambda s: s.advance(10)),
    Kind("condition", CONDITION, "", _condition),
)
kinds = pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.name)

#: a branch that people can change variables in, as often as they like, until they stop it
SIDE = (
    user("side")
    + gateway("exclusive", "again", default="again-side")
    + end("side_e")
    + path("s", "side", "again", "side")
    + flow_to("again", "side_e", "stop = true")
)

HOSTS = {
    "user task": user("a"),
    "sub-process": sub("host", start("hs"), user("a"), end("he"), path("hs", "a", "he")),
    "parallel instances": user("a", repeat("[1,2]", "i")),
    "sequential instances": user("a", repeat("[1,2]", "i", sequential=True)),
    "loop": user("a", '<standardLoopCharacteristics loopMaximum="2"/>'),
    "repeated sub-process": sub(
        "host", repeat("[1,2]", "i"), start("hs"), user("a"), end("he"), path("hs", "a", "he")
    ),
    "transaction": node(
        "transaction", "host", start("hs"), user("a"), end("he"), path("hs", "a", "he")
    ),
    "ad hoc sub-process": node("adHocSubProcess", "host", user("a")),
    "call": call("host", "below"),
}
BELOW = process("below", start("zs"), user("a"), end("ze"), path("zs", "a", "ze"))


def _below(host: str) -> str:
    return BELOW if host == "call" else ""


hosts = pytest.mark.parametrize("host", HOSTS)
in_two_places = pytest.mark.parametrize("place", PLACES[2:4], ids=lambda place: place.name)


def _attached(host: str, kind: Kind, *, cancels: bool) -> str:
    drawn = HOSTS[host]
    id = "host" if 'id="host"' in drawn else "a"
    return (
        start("s")
        + drawn
        + boundary("b", id, kind.definition, cancels=cancels)
        + script("caught", "1", "x")
        + script("after", "1", "y")
        + end("e")
        + end("be")
        + path("s", id, "after", "e")
        + path("b", "caught", "be")
        + SIDE
    )


def _finish(stage: Stage) -> None:
    """Complete all that is open of the body."""
    while "a" in stage.open:
        stage.complete("a")
    stage.complete("side", stop=True)


@in_two_places
@kinds
@hosts
def test_an_interrupting_boundary_event_ends_its_host_and_listens_no_more(
    place: Place, kind: Kind, host: str
) -> None:
    # 13.5.3: the activity is cancelled, the exception flow taken, the normal flow not
    stage = place.play(_attached(host, kind, cancels=True), kind.root, _below(host))
    assert "a" in stage.open
    kind.happen(stage)
    assert stage.bag("caught", "after") == ["caught"]
    assert "a" not in stage.open
    kind.happen(stage)
    _finish(stage)
    assert stage.bag("caught", "after") == ["caught"]
    assert place.over(stage)
    assert stage.idle


@in_two_places
@kinds
@hosts
@pytest.mark.parametrize("times", [0, 2])
def test_a_boundary_event_that_does_not_interrupt_is_caught_as_often_as_it_comes(
    place: Place, kind: Kind, host: str, times: int
) -> None:
    # 13.5.3: the activity continues, a new token takes the exception flow each time
    stage = place.play(_attached(host, kind, cancels=False), kind.root, _below(host))
    for _ in range(times):
        kind.happen(stage)
    assert stage.bag("caught", "after") == ["caught"] * times
    while "a" in stage.open:
        stage.complete("a")
    kind.happen(stage)  # too late: the host has completed
    stage.complete("side", stop=True)
    assert stage.bag("caught", "after") == ["after"] + ["caught"] * times
    assert place.over(stage)
    assert stage.idle


def _guarded(kind: Kind, *, interrupting: bool, handler: str = "") -> str:
    """Return a body with an event sub-process; its handler is a script unless given."""
    event = node("startEvent", "g_s", kind.definition, isInterrupting=str(interrupting).lower())
    inside = handler or script("caught", "1", "x") + end("g_e") + path("g_s", "caught", "g_e")
    guard = node("subProcess", "guard", event, inside, triggeredByEvent="true")
    main = (
        start("s") + user("a") + script("after", "1", "y") + end("e") + path("s", "a", "after", "e")
    )
    return guard + main + SIDE


@everywhere
@kinds
def test_an_interrupting_event_sub_process_replaces_all_that_runs_in_its_scope(
    place: Place, kind: Kind
) -> None:
    # 13.5.4: the scope is interrupted and completes behind the handler; it is caught once
    handler = user("repair") + end("g_e") + path("g_s", "repair", "g_e")
    stage = place.play(_guarded(kind, interrupting=True, handler=handler), kind.root)
    kind.happen(stage)
    open_here = [i for i in stage.open if i != "hold"]
    assert open_here == ["repair"]
    if kind.name != "condition":  # the branch that changes variables is gone, too
        kind.happen(stage)
        assert [i for i in stage.open if i != "hold"] == ["repair"]
    stage.complete("repair")
    assert stage.ran("after", "g_e") == ["g_e"]
    assert place.over(stage)
    assert stage.idle


@everywhere
@kinds
@pytest.mark.parametrize("times", [0, 2])
def test_an_event_sub_process_that_does_not_interrupt_runs_once_for_each_event(
    place: Place, kind: Kind, times: int
) -> None:
    stage = place.play(_guarded(kind, interrupting=False), kind.root)
    for _ in range(times):
        kind.happen(stage)
    assert stage.bag("caught", "after") == ["caught"] * times
    _finish(stage)
    assert stage.bag("caught", "after") == ["after"] + ["caught"] * times
    assert place.over(stage)
    kind.happen(stage) if kind.name != "condition" else None
    assert stage.bag("caught", "after") == ["after"] + ["caught"] * times
    assert stage.idle


@everywhere
@kinds
def test_a_scope_waits_for_its_running_handlers_but_begins_no_new_ones(
    place: Place, kind: Kind
) -> None:
    # 13.5.4: the parent completes only when its event sub-processes have; then none is initiated
    handler = user("repair") + end("g_e") + path("g_s", "repair", "g_e")
    stage = place.play(_guarded(kind, interrupting=False, handler=handler), kind.root)
    kind.happen(stage)
    kind.happen(stage)
    assert stage.open.count("repair") == 2
    _finish(stage)
    assert stage.open.count("repair") == 2
    if kind.name != "condition":
        kind.happen(stage)
    assert stage.open.count("repair") == 2
    stage.complete("repair")
    stage.complete("repair")
    assert place.over(stage)
    assert stage.idle


@everywhere
def test_an_interrupting_handler_ends_handlers_that_did_not_interrupt(place: Place) -> None:
    # 13.5.4: an interrupting event sub-process ends all that runs in the scope
    def guard(id: str, name: str, interrupting: str) -> str:
        event = node("startEvent", f"{id}_s", about("message", name), isInterrupting=interrupting)
        return node(
            "subProcess",
            id,
            event,
            user(f"{id}_u"),
            end(f"{id}_e"),
            path(f"{id}_s", f"{id}_u", f"{id}_e"),
            triggeredByEvent="true",
        )

    body = (
        start("s")
        + user("a")
        + end("e")
        + path("s", "a", "e")
        + guard("soft", "m1", "false")
        + guard("hard", "m2", "true")
    )
    stage = place.play(body, message("m1", "soft"), message("m2", "hard"))
    stage.message("soft")
    stage.message("soft")
    assert [i for i in stage.open if i != "hold"] == ["a", "soft_u", "soft_u"]
    stage.message("hard")
    assert [i for i in stage.open if i != "hold"] == ["hard_u"]
    assert not stage.message("soft")
    assert not stage.message("hard")
    stage.complete("hard_u")
    assert place.over(stage)


@in_three_places
@kinds
def test_a_handler_catches_what_comes_while_its_own_handler_runs_inside_it(
    place: Place, kind: Kind
) -> None:
    # 10.5.2: an event sub-process may hold event sub-processes, armed while it runs
    inner = node(
        "subProcess",
        "inner",
        node("startEvent", "i_s", kind.definition, isInterrupting="true"),
        script("caught", "1", "x"),
        end("i_e"),
        path("i_s", "caught", "i_e"),
        triggeredByEvent="true",
    )
    outer = node(
        "subProcess",
        "outer",
        node("startEvent", "g_s", about("message", "begin"), isInterrupting="false"),
        user("b"),
        end("g_e"),
        path("g_s", "b", "g_e"),
        inner,
        triggeredByEvent="true",
    )
    body = start("s") + user("a") + end("e") + path("s", "a", "e") + SIDE + outer
    stage = place.play(body, kind.root, message("begin", "begin"))
    kind.happen(stage)
    assert stage.ran("caught") == []
    stage.message("begin")
    if kind.name == "condition":
        stage.complete("side", go=False)
        stage.complete("side", go=True)
    else:
        kind.happen(stage)
    assert stage.ran("caught") == ["caught"]
    assert "b" not in stage.open
    assert "a" in stage.open
    _finish(stage)
    assert place.over(stage)


@everywhere
@kinds
def test_an_event_gateway_goes_the_one_way_whose_event_came(place: Place, kind: Kind) -> None:
    # 13.4.4: the first event decides, the others are withdrawn
    body = (
        start("s")
        + gateway("eventBased", "g")
        + node("intermediateCatchEvent", "c1", kind.definition)
        + node("intermediateCatchEvent", "c2", about("message", "r2"))
        + node("intermediateCatchEvent", "c3", about("signal", "r3"))
        + script("one", "1", "x")
        + script("two", "1", "x")
        + script("three", "1", "x")
        + end("e")
        + end("e2")
        + end("e3")
        + path("s", "g", "c1", "one", "e")
        + path("g", "c2", "two", "e2")
        + path("g", "c3", "three", "e3")
        + SIDE
    )
    roots = kind.root, message("r2", "two"), signal("r3", "three")
    for event, way in (("", "one"), ("two", "two"), ("three", "three")):
        stage = place.play(body, *roots)
        assert stage.ran("one", "two", "three") == []
        if event:
            assert stage.message(event) or stage.signal(event)
        else:
            kind.happen(stage)
        assert stage.ran("one", "two", "three") == [way]
        kind.happen(stage)
        assert not stage.message("two")
        assert not stage.signal("three")
        assert stage.ran("one", "two", "three") == [way]
        _finish(stage)
        assert place.over(stage)
        assert stage.idle


@in_three_places
@kinds
def test_a_waiting_catch_event_is_passed_once(place: Place, kind: Kind) -> None:
    # 13.5.2: waiting starts when the event is reached; once it occurs it is consumed
    body = (
        start("s")
        + node("intermediateCatchEvent", "c", kind.definition)
        + script("after", "1", "y")
        + end("e")
        + path("s", "c", "after", "e")
        + SIDE
    )
    stage = place.play(body, kind.root)
    assert stage.ran("after") == []
    kind.happen(stage)
    kind.happen(stage)
    assert stage.ran("after") == ["after"]
    _finish(stage)
    assert place.over(stage)
    assert stage.idle
