"""Lanes: work of one customer or engineer is done in the order in which it was asked for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.clock import VirtualClock
from engine.errors import Conflict
from engine.model import InstanceState, Work
from engine.registry import Registry, handler
from engine.runtime import Engine
from tests.integration import drawings
from tests.integration.conftest import MakeEngine, claim, kinds


def _laned(
    *topics: str, lane: str = "=customer", process_id: str = "p", property: bool = True
) -> bytes:
    said = (
        f'<zeebe:properties><zeebe:property name="lane" value="{lane}"/></zeebe:properties>'
        if property
        else f'<zeebe:taskHeaders><zeebe:header key="lane" value="{lane}"/></zeebe:taskHeaders>'
    )
    tasks = "".join(
        drawings.extended("serviceTask", topic, f'<zeebe:taskDefinition type="{topic}"/>{said}')
        for topic in topics
    )
    body = drawings.start() + tasks + drawings.END + drawings.line("begin", *topics, "end")
    return drawings.drawn(body)


def _open(engine: Engine, *customers: str) -> list[str]:
    return [engine.start("p", {"customer": name}).id for name in customers]


def _roots(items: list[Work]) -> list[str]:
    return [item.root_id for item in items]


@pytest.mark.parametrize("property", [True, False], ids=["property", "header"])
def test_only_the_first_of_a_lane_can_be_claimed(engine: Engine, property: bool) -> None:
    # given three cases of ann and one of bob
    engine.deploy({"a.bpmn": _laned("pack", property=property)}, by="ann")
    first, second, third, other = _open(engine, "ann", "ann", "ann", "bob")

    # when as much as possible is claimed
    got = claim(engine, 10)

    # then it is one of each
    assert _roots(got) == [first, other]
    assert {item.lane for item in got} == {"ann", "bob"}
    # and each end lets the next one go
    assert engine.settle(got[0], {})
    (next_one,) = claim(engine, 10)
    assert next_one.root_id == second
    assert engine.settle_many([(got[1], {}), (next_one, {})]) == [True, True]
    assert _roots(claim(engine, 10)) == [third]


def test_a_case_may_come_back_to_the_end_of_its_lane(engine: Engine) -> None:
    engine.deploy({"a.bpmn": _laned("pack", "ship")}, by="ann")
    first, second = _open(engine, "ann", "ann")

    order = []
    while got := claim(engine, 10):
        (item,) = got
        order.append((item.root_id, item.topic))
        engine.settle(item, {})

    assert order == [(first, "pack"), (second, "pack"), (first, "ship"), (second, "ship")]


def test_an_attempt_that_is_repeated_keeps_its_place(engine: Engine, clock: VirtualClock) -> None:
    engine.deploy({"a.bpmn": _laned("pack")}, by="ann")
    first, _ = _open(engine, "ann", "ann")
    (item,) = claim(engine, 10)

    engine.fail(item, "no", "", retry_at=clock.now().replace(hour=10))

    assert claim(engine, 10) == []
    clock.advance(3600)
    assert _roots(claim(engine, 10)) == [first]


def test_a_lost_worker_keeps_its_place(engine: Engine, clock: VirtualClock) -> None:
    engine.deploy({"a.bpmn": _laned("pack")}, by="ann")
    first, _ = _open(engine, "ann", "ann")
    claim(engine, 10)

    clock.advance(31)

    assert _roots(claim(engine, 10)) == [first]


def test_an_incident_stops_its_lane_until_it_is_resolved(engine: Engine) -> None:
    engine.deploy({"a.bpmn": _laned("pack")}, by="ann")
    first, second, _ = _open(engine, "ann", "ann", "ann")
    (item,) = claim(engine, 10)

    engine.fail(item, "no", "", retry_at=None)

    assert claim(engine, 10) == []
    (blocked,) = engine.blocked_lanes()
    assert (blocked.lane, blocked.root_id, blocked.waiting) == ("ann", first, 2)
    (incident,) = engine.incidents()
    assert (blocked.incident_id, blocked.since) == (incident.id, incident.created_at)
    # when it is tried again, it goes first
    engine.retry_many(by="ann")
    (again,) = claim(engine, 10)
    assert again.root_id == first
    engine.settle(again, {})
    assert engine.blocked_lanes() == []
    assert _roots(claim(engine, 10)) == [second]


def test_a_person_may_let_the_lane_go_on_without_it(engine: Engine) -> None:
    engine.deploy({"a.bpmn": _laned("pack")}, by="ann")
    first, second, third = _open(engine, "ann", "ann", "ann")
    (item,) = claim(engine, 10)
    engine.fail(item, "no", "", retry_at=None)
    (incident,) = engine.incidents()

    engine.step_aside(incident.id, by="bob", why="the customer waits")

    assert engine.blocked_lanes() == []
    (item,) = claim(engine, 10)
    assert item.root_id == second
    assert "lane.left" in kinds(engine, first)
    with pytest.raises(Conflict, match="stops no lane"):
        engine.step_aside(incident.id, by="bob")
    # and what stepped aside can be tried again beside the others
    engine.retry(incident.id, by="bob")
    assert _roots(claim(engine, 10)) == [first]
    engine.settle(item, {})
    assert _roots(claim(engine, 10)) == [third]


@pytest.mark.parametrize("which", [0, 1])
def test_a_cancelled_case_leaves_its_lane(engine: Engine, which: int) -> None:
    engine.deploy({"a.bpmn": _laned("pack")}, by="ann")
    cases = _open(engine, "ann", "ann", "ann")

    engine.cancel(cases.pop(which), by="bob")

    for case in cases:
        (item,) = claim(engine, 10)
        assert item.root_id == case
        engine.settle(item, {})


def test_a_cancelled_token_leaves_its_lane(engine: Engine, clock: VirtualClock) -> None:
    # given a task with a time-out at its border
    limit = (
        '<bpmn:boundaryEvent id="late" attachedToRef="pack">' + drawings.timer("PT1H")
        + '</bpmn:boundaryEvent><bpmn:endEvent id="told"/>' + drawings.line("late", "told")
    )  # fmt: skip
    diagram = _laned("pack").replace(b"</bpmn:process>", limit.encode() + b"</bpmn:process>")
    engine.deploy({"a.bpmn": diagram}, by="ann")
    first, second = _open(engine, "ann", "ann")
    clock.advance(3600)

    # when the time-out of the first one comes
    timers = claim(engine, 10, kinds=["timer"])
    engine.run(next(item for item in timers if item.root_id == first))

    # then the second one has its turn
    assert engine.case(first).state is InstanceState.COMPLETED
    assert _roots(claim(engine, 10, kinds=["service"])) == [second]


def test_an_empty_lane_is_no_lane(engine: Engine) -> None:
    engine.deploy({"a.bpmn": _laned("pack")}, by="ann")
    engine.start("p", {"customer": None})
    engine.start("p", {"customer": ""})

    assert len(claim(engine, 10)) == 2


def test_a_lane_that_is_no_text_stops_at_the_element(engine: Engine) -> None:
    engine.deploy({"a.bpmn": _laned("pack")}, by="ann")
    engine.start("p", {"customer": {"name": "ann"}})

    (incident,) = engine.incidents()
    assert "lane" in incident.message
    assert incident.element_id == "pack"


def test_a_handler_may_name_the_input_that_is_its_lane(make_engine: MakeEngine) -> None:
    @handler("pack", lane="customer")
    def pack(customer: str) -> None:
        """Pack."""

    engine = make_engine(registry=Registry.of(pack))
    engine.deploy({"a.bpmn": drawings.services(["pack"])}, by="ann")
    first, _, other = _open(engine, "ann", "ann", "bob")

    assert _roots(claim(engine, 10)) == [first, other]


def test_work_of_a_larger_priority_goes_first(engine: Engine) -> None:
    said = '<zeebe:properties><zeebe:property name="priority" value="=urgency"/></zeebe:properties>'
    task = drawings.extended("serviceTask", "pack", f'<zeebe:taskDefinition type="pack"/>{said}')
    body = drawings.start() + task + drawings.END + drawings.line("begin", "pack", "end")
    engine.deploy({"a.bpmn": drawings.drawn(body)}, by="ann")
    low, high = (engine.start("p", {"urgency": urgency}).id for urgency in (1, 7))

    assert _roots(claim(engine, 1)) == [high]
    assert _roots(claim(engine, 1)) == [low]


def test_two_nodes_keep_the_order_of_a_lane(make_engine: MakeEngine) -> None:
    # given two nodes that start cases of one customer at the same time
    nodes = [make_engine(), make_engine()]
    nodes[0].deploy({"a.bpmn": _laned("pack")}, by="ann")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda n: _open(nodes[n % 2], "ann"), range(12)))

    # when both claim and settle at the same time
    def work(node: Engine) -> int:
        done = 0
        for _ in range(60):
            items = claim(node, 4)
            assert len(items) <= 1
            done += sum(node.settle(item, {}) for item in items)
        return done

    with ThreadPoolExecutor(2) as pool:
        done = sum(pool.map(work, nodes))

    # then each was done, and the lane is gone
    for _ in range(12 - done):
        (item,) = claim(nodes[0], 4)
        nodes[0].settle(item, {})
    assert claim(nodes[0], 4) == []
    with nodes[0].reading() as connection:
        assert connection.dialect.name
        assert nodes[0].cases(state="running") == []


def test_a_lane_that_an_older_program_left_standing_goes_on(engine: Engine) -> None:
    engine.deploy({"a.bpmn": _laned("pack")}, by="ann")
    first, second = _open(engine, "ann", "ann")
    # given a program that knows no lanes has taken the first row
    with engine.database.writing() as connection:
        connection.run_text(f"DELETE FROM work WHERE root_id = '{first}'")
        connection.commit()
    assert claim(engine, 10) == []

    assert engine.reap() == 1

    assert _roots(claim(engine, 10)) == [second]
