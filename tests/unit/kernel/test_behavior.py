"""What the instances of a multi-instance activity throw as they complete (Table 10.29)."""

from __future__ import annotations

import pytest

from engine.kernel import ParseFault
from tests.drawing import (
    about,
    boundary,
    diagram,
    end,
    escalation,
    node,
    path,
    process,
    script,
    signal,
    start,
    user,
)
from tests.unit.kernel.player import Player

TAG = "multiInstanceLoopCharacteristics"
SHARED = '<signalEventDefinition id="ring" signalRef="bell"/>'


def repeated(behavior: str, *inside: str, sequential: bool = False, **more: str) -> str:
    kind = {"isSequential": "true"} if sequential else {}
    parts = ["<loopCardinality>=3</loopCardinality>", *inside]
    return node(TAG, "loop", *parts, behavior=behavior, **kind, **more)


def complex_behavior(condition: str, event: str) -> str:
    asked = f"<condition>={condition}</condition>"
    return f"<complexBehaviorDefinition>{asked}<event>{event}</event></complexBehaviorDefinition>"


def listening(loop: str, definition: str, *, cancels: bool = False) -> bytes:
    """Three instances of `u`; an event at its border runs the script `heard`."""
    return diagram(
        signal("bell", "bell"),
        signal("own", "u"),
        escalation("note", "NOTE"),
        SHARED,
        process(
            "p",
            start("s"),
            user("u", loop),
            boundary("b", "u", definition, cancels=cancels),
            script("heard", "1", "n"),
            end("e"),
            end("e2"),
            path("s", "u", "e"),
            path("b", "heard", "e2"),
        ),
    )


@pytest.mark.parametrize("sequential", [False, True])
@pytest.mark.parametrize(("behavior", "heard"), [("None", 3), ("One", 1), ("All", 0)])
def test_an_event_is_thrown_for_each_the_first_or_no_instance(
    behavior: str, heard: int, sequential: bool
) -> None:
    # given
    reference = {} if behavior == "All" else {f"{behavior.lower()}BehaviorEventRef": "ring"}
    loop = repeated(behavior, sequential=sequential, **reference)
    play = Player(listening(loop, about("signal", "bell"))).start()
    # when
    for _ in range(3):
        play.complete("u")
    # then
    assert play.ended
    assert play.trail.count("heard") == heard


def test_without_a_definition_the_default_signal_carries_the_attributes_of_the_activity() -> None:
    # given
    play = Player(listening(repeated("One"), about("signal", "own"))).start()
    # when
    play.complete("u")
    # then
    attributes = play.variables()
    assert attributes["numberOfInstances"] == 3
    assert attributes["numberOfCompletedInstances"] == 1
    assert attributes["numberOfActiveInstances"] == 2
    assert attributes["loopCounter"] == 1


def test_a_complex_behavior_throws_where_its_condition_holds() -> None:
    # given
    loop = repeated(
        "Complex",
        complex_behavior("numberOfCompletedInstances = 2", about("escalation", "note")),
        complex_behavior("numberOfCompletedInstances > 5", about("escalation", "note")),
    )
    play = Player(listening(loop, about("escalation", "note"))).start()
    # when
    play.complete("u")
    assert play.trail.count("heard") == 0
    play.complete("u")
    # then
    assert play.trail.count("heard") == 1
    play.complete("u")
    assert play.ended
    assert play.trail.count("heard") == 1


def test_what_is_thrown_may_interrupt_the_activity_itself() -> None:
    # given
    loop = repeated("One", oneBehaviorEventRef="ring")
    play = Player(listening(loop, about("signal", "bell"), cancels=True)).start()
    # when
    play.complete("u")
    # then
    assert play.ended
    assert play.open == []
    assert play.trail == ["s", "u", "b", "heard", "e2"]


def test_a_condition_of_the_behavior_that_is_null_stops_the_activity_and_can_be_retried() -> None:
    # given
    loop = repeated("Complex", complex_behavior("missing", about("escalation", "note")))
    play = Player(listening(loop, about("escalation", "note"))).start()
    # when
    play.complete("u")
    # then
    assert [i.element_id for i in play.incidents.values()] == ["u"]
    assert "condition of the behavior" in next(iter(play.incidents.values())).message
    # when it is tried again, it is still null
    play.retry("u")
    assert len(play.incidents) == 1


# ------------------------------------------------------------------ codes that are computed


def test_a_throw_may_compute_the_code_of_its_error() -> None:
    # given
    drawing = diagram(
        node("error", "any", name="any", errorCode="=reason"),
        node("error", "late", name="late", errorCode="LATE"),
        process(
            "p",
            start("s"),
            node(
                "subProcess",
                "sub",
                start("is"),
                end("ie", about("error", "any")),
                path("is", "ie"),
            ),
            boundary("b", "sub", about("error", "late")),
            end("caught"),
            end("e"),
            path("s", "sub", "e"),
            path("b", "caught"),
        ),
    )
    # when
    caught, failed = Player(drawing).start(reason="LATE"), Player(drawing).start(reason="LOST")
    # then
    assert caught.trail[-1] == "caught"
    assert failed.state is not None
    assert "'LOST'" in next(iter(failed.incidents.values())).message


def test_what_is_caught_has_a_plain_code() -> None:
    drawing = diagram(
        node("error", "any", name="any", errorCode="=reason"),
        process(
            "p", start("s"), user("u"), boundary("b", "u", about("error", "any")), path("s", "u")
        ),
    )
    with pytest.raises(ParseFault, match="plain code"):
        Player(drawing)
