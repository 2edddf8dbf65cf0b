"""Cases that begin at a named start event, by several events, or by a condition."""

from __future__ import annotations

import pytest

from engine.errors import BadInput, NotFound
from engine.model import InstanceState
from engine.runtime import Engine
from tests.drawing import (
    about,
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
    user,
)
from tests.integration.conftest import run_internal


def condition(text: str) -> str:
    asked = f"<condition>={text}</condition>"
    return f"<conditionalEventDefinition>{asked}</conditionalEventDefinition>"


def watching(process_id: str, limit: int) -> str:
    event, look, done = (f"{process_id}-{name}" for name in ("event", "look", "done"))
    begins = start(event, condition(f"temperature &gt; {limit}"))
    return process(process_id, begins, user(look), end(done), path(event, look, done))


def test_a_case_begins_wherever_a_condition_holds_of_the_facts(engine: Engine) -> None:
    # given
    engine.deploy({"a.bpmn": diagram(watching("warm", 30), watching("hot", 80))}, by="ann")
    # when
    begun = engine.evaluate_conditions({"temperature": 50}, business_key="oven", by="sensor")
    # then
    assert [(case.process_id, case.business_key) for case in begun] == [("warm", "oven")]
    assert engine.variables(begun[0].id) == {"temperature": 50}
    assert engine.evaluate_conditions({"temperature": 10}) == []
    assert engine.evaluate_conditions({"pressure": 99}) == []
    assert len(engine.evaluate_conditions({"temperature": 90})) == 2
    assert len(engine.evaluate_conditions({"temperature": 90}, process_id="hot")) == 1


def test_a_process_that_is_not_there_is_refused_with_those_that_are(engine: Engine) -> None:
    # given
    engine.deploy({"a.bpmn": diagram(watching("warm", 30), watching("hot", 80))}, by="ann")
    # when, then
    with pytest.raises(NotFound, match="no active version of process 'worm'") as refused:
        engine.evaluate_conditions({"temperature": 50}, process_id="worm")
    assert str(refused.value).endswith("conditions begin: hot, warm")


def test_where_no_condition_begins_a_process_all_that_are_active_are_named(engine: Engine) -> None:
    with pytest.raises(NotFound, match="process 'plane'; nothing is deployed"):
        engine.evaluate_conditions({}, process_id="plane")
    plain = process("plain", start("s"), user("u"), end("e"), path("s", "u", "e"))
    engine.deploy({"a.bpmn": diagram(plain)}, by="ann")
    with pytest.raises(NotFound, match="process 'plane'; active are: plain"):
        engine.evaluate_conditions({}, process_id="plane")


def test_a_process_that_begins_by_no_condition_is_refused(engine: Engine) -> None:
    # given
    plain = process("plain", start("s"), user("u"), end("e"), path("s", "u", "e"))
    engine.deploy({"a.bpmn": diagram(plain)}, by="ann")
    # when, then
    with pytest.raises(BadInput, match="process 'plain' has no conditional start event") as refused:
        engine.evaluate_conditions({"temperature": 50}, process_id="plain")
    assert str(refused.value).endswith("no active process has one")


def test_only_the_active_version_is_asked(engine: Engine) -> None:
    # given
    engine.deploy({"a.bpmn": diagram(watching("warm", 30))}, by="ann")
    engine.deploy({"a.bpmn": diagram(watching("warm", 60))}, by="ann")
    # when, then
    assert engine.evaluate_conditions({"temperature": 50}) == []
    assert [case.version for case in engine.evaluate_conditions({"temperature": 70})] == [2]


def test_a_case_begins_at_the_start_event_that_is_named(engine: Engine) -> None:
    # given
    doors = process(
        "p", start("phone"), start("mail"), user("talk"), user("read"), end("e"),
        path("phone", "talk", "e"), path("mail", "read", "e"),
    )  # fmt: skip
    engine.deploy({"a.bpmn": diagram(doors)}, by="ann")
    # when
    with pytest.raises(BadInput, match="phone, mail"):
        engine.start("p")
    case = engine.start("p", start_event="mail")
    # then
    assert [task.element_id for task in engine.tasks(instance_id=case.id)] == ["read"]


def both(gateway_type: str) -> bytes:
    begin = node("eventBasedGateway", "g", instantiate="true", eventGatewayType=gateway_type)
    return diagram(
        message("mo", "order", "number"),
        message("mp", "payment", "number"),
        process(
            "p",
            begin,
            catch("order", about("message", "mo")),
            catch("payment", about("message", "mp")),
            task("a"),
            task("b"),
            path("g", "order", "a"),
            path("g", "payment", "b"),
        ),
    )


def test_the_second_message_of_a_parallel_start_reaches_the_case_that_the_first_began(
    engine: Engine,
) -> None:
    # given
    engine.deploy({"a.bpmn": both("Parallel")}, by="ann")
    # when
    seven = engine.correlate("order", key="7", payload={"number": 7})
    eight = engine.correlate("payment", key="8", payload={"number": 8})
    assert (seven.outcome, eight.outcome) == ("started", "started")
    paid = engine.correlate("payment", key="7")
    # then
    assert (paid.outcome, paid.instance_id) == ("delivered", seven.instance_id)
    assert engine.case(str(seven.instance_id)).state is InstanceState.COMPLETED
    assert engine.case(str(eight.instance_id)).state is InstanceState.RUNNING
    # when
    assert engine.correlate("order", key="8").instance_id == eight.instance_id
    # then
    assert engine.case(str(eight.instance_id)).state is InstanceState.COMPLETED


def test_a_signal_that_completes_a_start_begins_no_second_case(engine: Engine) -> None:
    # given a start event that needs a message and a signal
    both_kinds = about("message", "mo") + about("signal", "sp")
    drawing = diagram(
        message("mo", "order"),
        signal("sp", "paid"),
        process(
            "p",
            node("startEvent", "s", both_kinds, parallelMultiple="true"),
            end("e"),
            path("s", "e"),
        ),
    )
    engine.deploy({"a.bpmn": drawing}, by="ann")
    engine.correlate("order")
    # when
    assert engine.signal("paid") == 1
    run_internal(engine)
    # then
    assert [case.state for case in engine.cases()] == [InstanceState.COMPLETED]
    # when the signal comes first, it begins a case that waits for the order
    assert engine.signal("paid") == 1
    run_internal(engine)
    assert engine.correlate("order").outcome == "delivered"
    assert [case.state for case in engine.cases()] == [InstanceState.COMPLETED] * 2
