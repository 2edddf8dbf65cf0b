"""Where and by what an instance begins (BPMN 2.0.2, 10.5.2, 10.6.6 and 13.2)."""

from __future__ import annotations

import pytest

from engine.errors import BadInput
from tests.drawing import (
    about,
    call,
    catch,
    diagram,
    end,
    message,
    node,
    path,
    process,
    signal,
    start,
    task,
    timer,
    user,
)
from tests.unit.kernel.player import BEGIN, Player


def both_needed() -> bytes:
    """A parallel event gateway that begins instances: an order and a payment, in any order."""
    return diagram(
        message("mo", "order", "number"),
        message("mp", "payment", "number"),
        process(
            "p",
            node("eventBasedGateway", "g", instantiate="true", eventGatewayType="Parallel"),
            catch("order", about("message", "mo")),
            catch("payment", about("message", "mp")),
            task("a"),
            task("b"),
            path("g", "order", "a"),
            path("g", "payment", "b"),
        ),
    )


@pytest.mark.parametrize(("first", "second"), [("order", "payment"), ("payment", "order")])
def test_after_one_event_of_a_parallel_gateway_the_instance_waits_for_the_others(
    first: str, second: str
) -> None:
    # when one of the events begins an instance
    play = Player(both_needed()).start(first, number=7)
    # then the other is awaited, for the same key
    assert [(c.element_id, c.name, c.key) for c in play.catches.values()] == [(second, second, "7")]
    assert play.open == []
    # when
    assert play.message(second, "7", paid=True)
    # then
    assert play.ended
    assert sorted(play.trail) == ["a", "b", "order", "payment"]


def all_needed() -> bytes:
    several = about("message", "mo") + about("signal", "sp")
    return diagram(
        message("mo", "order"),
        signal("sp", "paid"),
        process(
            "p",
            node("startEvent", "s", several, parallelMultiple="true"),
            task("a"),
            path("s", "a"),
        ),
    )


def test_a_start_event_that_needs_several_triggers_goes_on_with_the_last_of_them() -> None:
    # given
    definition = Player(all_needed()).definition("p")
    triggers = [(t.kind, t.element_id, t.name) for t in definition.triggers(BEGIN)]
    assert triggers == [("message", "s/1", "order"), ("signal", "s/2", "paid")]
    # when the signal comes first
    play = Player(all_needed()).start("s/2", by="card")
    # then
    assert play.trail == []
    assert [(c.kind, c.name) for c in play.catches.values()] == [("message", "order")]
    # when
    assert play.message("order", None, number=7)
    # then
    assert play.ended
    assert play.trail == ["s", "a"]
    assert play.variables() == {"by": "card", "number": 7}


def two_doors() -> bytes:
    return diagram(
        process(
            "p", start("phone"), start("mail"), user("talk"), user("read"),
            path("phone", "talk"), path("mail", "read"),
        ),
        process("caller", start("s"), call("c", "p"), end("e"), path("s", "c", "e")),
    )  # fmt: skip


def test_of_several_plain_start_events_the_named_one_begins() -> None:
    play = Player(two_doors()).start("mail")
    assert play.open == ["read"]


def test_several_plain_start_events_are_not_chosen_from_silently() -> None:
    with pytest.raises(BadInput, match=r"several none start events.*phone, mail"):
        Player(two_doors()).start()


def test_a_call_of_a_process_with_several_plain_start_events_is_an_incident() -> None:
    # given
    play = Player(two_doors())
    play.first = "caller"
    # when
    play.start()
    # then
    assert [i.element_id for i in play.incidents.values()] == ["c"]


def test_an_unknown_start_event_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadInput, match="phone, mail"):
        Player(two_doors()).start("fax")


def test_conditional_start_events_tell_of_which_variables_they_hold() -> None:
    # given
    condition = (
        "<conditionalEventDefinition><condition>={}</condition></conditionalEventDefinition>"
    )
    drawing = diagram(
        process(
            "p",
            start("hot", condition.format("temperature &gt; 80")),
            start("cold", condition.format("temperature &lt; 0")),
            start("late", timer("Duration", "PT1H")),
            task("a"),
            path("hot", "a"),
            path("cold", "a"),
            path("late", "a"),
        )
    )
    play = Player(drawing)
    definition = play.definition("p")
    # when, then
    assert definition.conditions({"temperature": 90}, BEGIN) == ("hot",)
    assert definition.conditions({"temperature": -1}, BEGIN) == ("cold",)
    assert definition.conditions({"temperature": 20}, BEGIN) == ()
    assert definition.conditions({}, BEGIN) == ()
    play.start("hot", temperature=90)
    assert play.trail == ["hot", "a"]
