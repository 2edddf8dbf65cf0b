from __future__ import annotations

import pytest

from engine.clock import VirtualClock
from engine.errors import BadInput, DeploymentRefused, NotFound
from engine.runtime import Engine
from tests.integration import drawings
from tests.integration.conftest import MakeEngine, run_internal


def test_a_deployment_is_stored_with_its_files_byte_for_byte(engine: Engine) -> None:
    content = drawings.two_tasks()

    made = engine.deploy({"sales.bpmn": content}, by="ann", comment="first")

    stored = engine.deployment(made.id)
    assert stored == made
    assert (stored.created_by, stored.comment, stored.files) == ("ann", "first", ("sales.bpmn",))
    assert engine.file(made.id, "sales.bpmn") == content
    assert [(d.process_id, d.version, d.active) for d in engine.definitions()] == [("p", 1, True)]


def test_equal_content_is_not_deployed_a_second_time(engine: Engine) -> None:
    first = engine.deploy({"a.bpmn": drawings.scripts(1)}, by="ann")

    second = engine.deploy({"a.bpmn": drawings.scripts(1)}, by="bob")

    assert second.id == first.id
    assert (first.created, second.created) == (True, False)
    assert len(engine.definitions()) == 1


def test_a_refused_bundle_leaves_nothing_behind(engine: Engine) -> None:
    files = {"good.bpmn": drawings.scripts(1), "bad.bpmn": b"<no diagram"}

    with pytest.raises(DeploymentRefused) as refused:
        engine.deploy(files, by="ann")

    assert [problem.file for problem in refused.value.problems if problem.stops] == ["bad.bpmn"]
    assert [p for p in engine.check(files) if p.stops] == [
        p for p in refused.value.problems if p.stops
    ]
    assert engine.definitions() == []
    with pytest.raises(NotFound):
        engine.start("p")


def test_files_must_be_named_bytes(engine: Engine) -> None:
    with pytest.raises(BadInput):
        engine.deploy({}, by="ann")
    with pytest.raises(BadInput):
        engine.deploy({"a.bpmn": "text"}, by="ann")  # type: ignore[dict-item]


def test_a_new_version_becomes_active_unless_told_otherwise(engine: Engine) -> None:
    engine.deploy({"a.bpmn": drawings.scripts(1)}, by="ann")

    engine.deploy({"a.bpmn": drawings.scripts(2)}, by="ann")
    engine.deploy({"a.bpmn": drawings.scripts(3)}, by="ann", activate=False)

    assert [(d.version, d.active) for d in engine.definitions()] == [
        (3, False), (2, True), (1, False),
    ]  # fmt: skip
    assert engine.start("p", {"a": 1}).version == 2
    assert engine.start("p", {"a": 1}, version=3).version == 3


def test_rolling_back_is_recorded_with_who_and_why(engine: Engine) -> None:
    engine.deploy({"a.bpmn": drawings.scripts(1)}, by="ann")
    engine.deploy({"a.bpmn": drawings.scripts(2)}, by="ann")

    engine.activate("p", 1, by="bob", why="version 2 loses offers")

    assert engine.start("p", {"a": 1}).version == 1
    act, *before = engine.acts()
    assert [one.subject for one in before] == ["p version 2", "p version 1"]
    assert (act.by, act.verb, act.subject, act.why) == (
        "bob", "activate", "p version 1", "version 2 loses offers",
    )  # fmt: skip
    with pytest.raises(NotFound):
        engine.activate("p", 9, by="bob")


def test_another_node_runs_what_this_one_has_deployed(make_engine: MakeEngine) -> None:
    make_engine().deploy({"a.bpmn": drawings.scripts(2)}, by="ann")

    case = make_engine().start("p", {"a": 40})

    assert make_engine().variables(case.id) == {"a": 40, "r0": 40, "r1": 41}


def test_a_running_case_keeps_its_version(engine: Engine, make_engine: MakeEngine) -> None:
    engine.deploy({"a.bpmn": drawings.two_tasks()}, by="ann")
    case = engine.start("p")

    engine.deploy({"a.bpmn": drawings.two_tasks(groups="lawyers")}, by="ann")
    (offer,) = engine.tasks(instance_id=case.id)
    make_engine().complete(offer.id, by="ann")

    (sign,) = engine.tasks(instance_id=case.id)
    assert sign.candidate_groups == ("sales",)


def test_a_cycle_begins_cases_until_its_version_is_replaced(
    engine: Engine, clock: VirtualClock
) -> None:
    engine.deploy({"a.bpmn": drawings.begins_by_cycle("R/PT1H")}, by="ann")

    assert run_internal(engine) == 0
    for _ in range(3):
        clock.advance(3600)
        assert run_internal(engine) == 1
    engine.deploy({"a.bpmn": drawings.scripts(1)}, by="ann")
    engine.deploy({"a.bpmn": drawings.begins_by_cycle("R2/PT1M")}, by="ann")

    clock.advance(3600)
    assert run_internal(engine) == 2
    assert [case.version for case in engine.cases(process_id="cyclic")] == [2, 2, 1, 1, 1]


def test_the_active_version_alone_is_begun_by_messages(engine: Engine) -> None:
    engine.deploy({"a.bpmn": drawings.begins_by_message("order")}, by="ann")
    engine.deploy({"b.bpmn": drawings.begins_by_message("order")}, by="ann")
    engine.activate("begun", 1, by="ann")

    found = engine.correlate("order", payload={"item": "lamp"})

    assert found.outcome == "started"
    case = engine.case(found.instance_id or "")
    assert case.version == 1
    assert engine.variables(case.id) == {"item": "lamp"}
