from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from engine.clock import VirtualClock
from engine.errors import BpmnError, Conflict
from engine.model import InstanceState
from engine.runtime import Engine
from tests.integration import drawings
from tests.integration.conftest import MakeEngine, claim, kinds, run_internal


def test_a_result_leads_to_the_next_step(engine: Engine) -> None:
    engine.deploy({"a.bpmn": drawings.services(["pack", "ship"])}, by="ann")
    case = engine.start("p", {"n": 1})

    (pack,) = claim(engine, 5)
    assert engine.settle(pack, {"weight": 3}) is True
    (ship,) = claim(engine, 5)
    assert engine.settle(ship, {}) is True

    assert (pack.topic, pack.attempt, pack.key) == ("pack", 1, f"{case.id}/pack/{pack.token}")
    assert pack.inputs == {"n": 1}
    assert ship.inputs == {"n": 1, "weight": 3}
    assert engine.case(case.id).state is InstanceState.COMPLETED
    assert kinds(engine, case.id).count("work.settled") == 2


def test_claimed_work_is_nobody_elses_until_its_lease_ends(
    engine: Engine, clock: VirtualClock
) -> None:
    engine.deploy({"a.bpmn": drawings.services(["pack"])}, by="ann")
    case = engine.start("p")
    (first,) = claim(engine)
    assert claim(engine) == []
    assert engine.next_due() == clock.now() + timedelta(seconds=30)

    clock.advance(30)
    (second,) = claim(engine)

    assert (second.attempt, second.fence) == (2, first.fence + 1)
    assert engine.settle(first, {"by": "zombie"}) is False
    assert engine.throw(first, BpmnError("late")) is False
    assert engine.fail(first, "late", "", retry_at=clock.now()) is False
    assert engine.extend(first, 60) is False
    assert engine.release([first]) == 0
    assert engine.settle_many([(first, {"by": "zombie"})]) == [False]
    assert engine.settle(second, {"by": "owner"}) is True
    assert engine.variables(case.id) == {"by": "owner"}


def test_a_lease_can_be_extended_and_given_back(engine: Engine, clock: VirtualClock) -> None:
    engine.deploy({"a.bpmn": drawings.services(["pack"])}, by="ann")
    engine.start("p")
    (item,) = claim(engine)

    assert engine.extend(item, 300) is True
    clock.advance(299)
    assert claim(engine) == []
    assert engine.release([item]) == 1

    (again,) = claim(engine)
    # the attempt that was never begun does not count, the fence moves on
    assert (again.attempt, again.fence) == (1, item.fence + 1)


def test_only_one_of_many_workers_gets_a_row(make_engine: MakeEngine) -> None:
    engine, other = make_engine(), make_engine()
    engine.deploy({"a.bpmn": drawings.services(["pack"])}, by="ann")
    for _ in range(12):
        engine.start("p")

    def work(n: int) -> list[str]:
        node = (engine, other)[n % 2]
        return [item.id for item in node.claim_work(owner=f"w{n}", limit=4, lease_s=30)]

    with ThreadPoolExecutor(6) as pool:
        found = [work_id for ids in pool.map(work, range(6)) for work_id in ids]
    found += [item.id for item in claim(engine, 12)]

    assert len(found) == len(set(found)) == 12


def test_a_hint_claims_its_row_once(engine: Engine) -> None:
    engine.deploy({"a.bpmn": drawings.services(["pack"])}, by="ann")
    engine.start("p")
    (item,) = claim(engine)
    engine.release([item])

    first = engine.claim_one(item.id, owner="w", lease_s=30)

    assert first is not None
    assert first.id == item.id
    assert engine.claim_one(item.id, owner="v", lease_s=30) is None
    assert engine.claim_one("unknown", owner="v", lease_s=30) is None


def test_workers_may_claim_some_kinds_and_topics_only(engine: Engine) -> None:
    engine.deploy({"a.bpmn": drawings.fork(["pack", "bill"])}, by="ann")
    engine.deploy({"b.bpmn": drawings.begins_by_cycle("R1/PT0.001S")}, by="ann")
    engine.start("p")

    assert claim(engine, 5, kinds=["timer"]) == []
    assert [item.topic for item in claim(engine, 5, topics=["bill"])] == ["bill"]
    assert [item.topic for item in claim(engine, 5, kinds=["service"])] == ["pack"]


def test_a_row_that_was_claimed_before_comes_alone(engine: Engine, clock: VirtualClock) -> None:
    engine.deploy({"a.bpmn": drawings.services(["pack"], retries="9")}, by="ann")
    for _ in range(3):
        engine.start("p")
    (killed,) = claim(engine, 1)
    clock.advance(30)

    # the row that took its worker down is not mixed with its neighbours
    fresh = claim(engine, 5)
    alone = claim(engine, 5)

    assert [item.attempt for item in fresh] == [1, 1]
    assert [(item.id, item.attempt) for item in alone] == [(killed.id, 2)]


def test_work_that_kills_its_worker_each_time_becomes_one_incident(
    engine: Engine, clock: VirtualClock
) -> None:
    engine.deploy({"a.bpmn": drawings.services(["pack"], retries="2")}, by="ann")
    case = engine.start("p")

    attempts = 0
    while claim(engine):
        attempts += 1
        clock.advance(31)

    assert attempts == 3
    (incident,) = engine.incidents()
    assert (incident.kind, incident.element_id) == ("work", "pack")
    assert claim(engine) == []
    assert engine.next_due() is None
    assert kinds(engine, case.id).count("incident.raised") == 1


def test_a_failed_attempt_comes_back_when_it_is_due(engine: Engine, clock: VirtualClock) -> None:
    engine.deploy({"a.bpmn": drawings.services(["pack"])}, by="ann")
    case = engine.start("p")
    (item,) = claim(engine)

    assert engine.fail(item, "no paper", "", retry_at=clock.now() + timedelta(seconds=90))

    assert claim(engine) == []
    clock.advance(90)
    (again,) = claim(engine)
    assert (again.attempt, again.key) == (2, item.key)
    assert engine.settle(again, {}) is True
    failed = [row.value for row in engine.history(case.id) if row.kind == "work.failed"]
    assert [(value["attempt"], value["error"]) for value in failed] == [(1, "no paper")]


def test_exhausted_work_is_an_incident_that_can_be_tried_again(engine: Engine) -> None:
    engine.deploy({"a.bpmn": drawings.services(["pack"])}, by="ann")
    case = engine.start("p")
    (item,) = claim(engine)

    assert engine.fail(item, "no paper", "Traceback ...", retry_at=None) is True

    (incident,) = engine.incidents(instance_id=case.id)
    assert (incident.message, incident.trace, incident.work_id) == (
        "no paper", "Traceback ...", item.id,
    )  # fmt: skip
    assert engine.fail(item, "again", "", retry_at=None) is False
    resolved = engine.retry(incident.id, by="ann")
    assert resolved == engine.incident(incident.id)
    assert resolved.resolved_by == "ann"
    with pytest.raises(Conflict):
        engine.retry(incident.id, by="ann")
    (again,) = claim(engine)
    assert (again.attempt, again.key) == (1, item.key)
    assert engine.settle(again, {}) is True
    assert engine.case(case.id).state is InstanceState.COMPLETED
    assert engine.incidents() == []
    assert engine.incidents(open=None) == [resolved]
    assert kinds(engine, case.id).count("incident.resolved") == 1


def test_many_incidents_are_tried_again_at_once(engine: Engine) -> None:
    engine.deploy({"a.bpmn": drawings.services(["pack"])}, by="ann")
    for _ in range(3):
        engine.start("p")
    for item in claim(engine, 3):
        engine.fail(item, "no paper", "", retry_at=None)

    assert engine.retry_many(process_id="other", by="ann") == []
    assert len(engine.retry_many(process_id="p", element_id="pack", by="ann")) == 3

    assert len(claim(engine, 5)) == 3


def test_a_fault_in_the_diagram_is_tried_again_at_its_element(engine: Engine) -> None:
    body = (
        drawings.start() + drawings.user_task("offer") + '<bpmn:exclusiveGateway id="which"/>'
        + drawings.END + drawings.line("begin", "offer", "which")
        + '<bpmn:sequenceFlow id="yes" sourceRef="which" targetRef="end">'
        "<bpmn:conditionExpression>=price &gt; 5</bpmn:conditionExpression></bpmn:sequenceFlow>"
        '<bpmn:endEvent id="no"/><bpmn:sequenceFlow id="other" sourceRef="which" targetRef="no">'
        "<bpmn:conditionExpression>=price &lt;= 5</bpmn:conditionExpression></bpmn:sequenceFlow>"
    )  # fmt: skip
    engine.deploy({"a.bpmn": drawings.drawn(body)}, by="ann")
    case = engine.start("p")

    engine.complete(engine.tasks()[0].id, by="ann")

    (incident,) = engine.incidents()
    assert (incident.kind, incident.element_id) == ("fault", "which")
    # nothing has changed, so it is stopped again by a new incident
    engine.retry(incident.id, by="ann")
    (second,) = engine.incidents()
    assert second.id != incident.id
    assert engine.incident(incident.id).resolved_by == "ann"
    assert engine.case(case.id).state is InstanceState.RUNNING


def test_an_uncaught_error_ends_the_case_and_leaves_a_final_incident(engine: Engine) -> None:
    engine.deploy({"a.bpmn": drawings.fork(["pack", "bill"])}, by="ann")
    case = engine.start("p")
    items = {item.topic: item for item in claim(engine, 2)}

    assert engine.throw(items["pack"], BpmnError("broken", "it fell")) is True

    assert engine.case(case.id).state is InstanceState.FAILED
    assert engine.settle(items["bill"], {}) is False
    (incident,) = engine.incidents()
    assert incident.kind == "uncaught_error"
    with pytest.raises(Conflict, match="final"):
        engine.retry(incident.id, by="ann")


def test_ending_a_case_resolves_its_other_incidents(engine: Engine) -> None:
    engine.deploy({"a.bpmn": drawings.services(["pack"])}, by="ann")
    case = engine.start("p")
    (item,) = claim(engine)
    engine.fail(item, "no paper", "", retry_at=None)

    engine.cancel(case.id, by="ann")

    assert engine.incidents() == []
    (ended,) = engine.incidents(open=False)
    assert ended.resolved_by == "ann"


def test_results_of_one_case_can_come_in_one_batch(engine: Engine) -> None:
    engine.deploy({"a.bpmn": drawings.fork(["pack", "bill", "call"])}, by="ann")
    cases = [engine.start("p").id for _ in range(6)]
    items = claim(engine, 18)
    stale = items[0]
    engine.release([stale])
    (again,) = claim(engine)

    taken = engine.settle_many([(item, {item.topic: item.instance_id}) for item in items])

    assert taken == [False] + [True] * 17
    assert engine.case(stale.root_id).state is InstanceState.RUNNING
    assert engine.settle(again, {again.topic: again.instance_id}) is True
    for case in cases:
        assert engine.case(case).state is InstanceState.COMPLETED
        assert engine.variables(case) == {topic: case for topic in ("pack", "bill", "call")}
        assert kinds(engine, case).count("work.settled") == 3


def test_a_pause_ends_when_it_is_due_and_once(engine: Engine, clock: VirtualClock) -> None:
    engine.deploy({"a.bpmn": drawings.pause("PT10M")}, by="ann")
    case = engine.start("p")

    clock.advance(599)
    assert run_internal(engine) == 0
    clock.advance(1)
    (item,) = claim(engine)
    assert engine.run(item) is True

    assert engine.run(item) is False
    assert engine.case(case.id).state is InstanceState.COMPLETED
    assert kinds(engine, case.id).count("timer.fired") == 1


def test_a_long_run_is_saved_in_pieces(make_engine: MakeEngine) -> None:
    engine = make_engine(activations_per_piece=4)
    engine.deploy({"a.bpmn": drawings.scripts(10)}, by="ann")

    case = engine.start("p", {"a": 1})

    assert case.state is InstanceState.RUNNING
    assert run_internal(engine) == 2
    assert engine.case(case.id).state is InstanceState.COMPLETED
    assert engine.case(case.id).revision == 3
    assert engine.variables(case.id)["r9"] == 10


def test_the_dispatcher_hears_of_new_work_after_the_commit(
    make_engine: MakeEngine, clock: VirtualClock
) -> None:
    heard: list[datetime | None] = []
    engine = make_engine(announce=heard.append)
    engine.deploy(
        {"a.bpmn": drawings.pause("PT10M"), "b.bpmn": drawings.waits_for_signal("go")}, by="ann"
    )
    assert heard == []

    engine.start("p")
    engine.start("waits")
    engine.signal("go")

    assert heard == [clock.now() + timedelta(minutes=10), None]


def test_a_start_that_cannot_run_becomes_an_incident_without_a_case(
    engine: Engine, clock: VirtualClock
) -> None:
    engine.deploy({"a.bpmn": drawings.begins_by_cycle("R/PT1H")}, by="ann")
    clock.advance(3600)
    (item,) = claim(engine)

    assert engine.fail(item, "the disk is full", "", retry_at=None) is True

    (incident,) = engine.incidents()
    assert incident.element_id == "begin"
    engine.retry(incident.id, by="ann")
    assert run_internal(engine) == 1
    assert len(engine.cases()) == 1
