"""What pages read: where the tokens of a case are, lists with counts, deployments and their use."""

from __future__ import annotations

import pytest

from engine.errors import Conflict, NotFound
from engine.runtime import Engine
from tests.drawing import call, diagram, end, flow, gateway, path, process, start, task, user
from tests.integration import drawings

CALLER = diagram(process("p", start("s"), call("c", "q"), end("e"), path("s", "c", "e")))
CALLED = diagram(
    process("q", start("s"), task("t"), user("ask"), end("e"), path("s", "t", "ask", "e"))
)
CALLS = {"p.bpmn": CALLER, "q.bpmn": CALLED}
#: what a case without `a` is stopped by
NO_WAY_OUT = diagram(
    process(
        "p", start("s"), gateway("exclusive", "g"), end("e"), end("f"), path("s", "g"),
        flow("g", "e", "a > 1"), flow("g", "f", "a < 1"),
    )
)  # fmt: skip


def test_case_is_seen_with_what_it_has_called(engine: Engine) -> None:
    engine.deploy(CALLS, by="ann")
    case = engine.start("p", business_key="K-1")

    seen = engine.case_view(case.id)

    (called,) = seen.called
    assert (called.process_id, called.parent_id) == ("q", case.id)
    assert engine.case_view(called.id).root.id == case.id
    counts = {(p.instance_id, p.element_id, p.kind): p.number for p in seen.passages}
    assert counts[called.id, "t", "element.completed"] == 1
    assert (called.id, "ask", "element.completed") not in counts
    assert {p.flow for p in seen.passages if p.element_id == "ask"} == {"t-ask"}
    with pytest.raises(NotFound):
        engine.case_view("nothing")


def test_story_goes_backwards_and_leaves_out_what_follows(engine: Engine) -> None:
    engine.deploy(CALLS, by="ann")
    case = engine.start("p", {"a": 1})

    story = engine.story(case.id)
    whole = engine.story(case.id, whole=True)

    assert {row.kind for row in story} == {"instance.started", "element.activated"}
    assert [row.seq for row in whole] == sorted((row.seq for row in whole), reverse=True)
    assert len(whole) > len(story)
    assert [row.seq for row in engine.story(case.id, before=whole[1].seq, limit=1, whole=True)] == [
        whole[2].seq
    ]


def test_lists_know_open_tasks_and_use_of_versions(engine: Engine) -> None:
    engine.deploy(CALLS, by="ann")
    case = engine.start("p")

    (open_task,), stopped = engine.standing([case.id])

    assert (open_task.root_id, open_task.number) == (case.id, 1)
    assert stopped == {}
    assert engine.standing([]) == ([], {})
    used = {one.process_id: engine.in_use().get(one.id) for one in engine.definitions()}
    assert used == {"p": (1, 0), "q": (0, 1)}


def test_incidents_are_counted_by_place_and_message(engine: Engine) -> None:
    engine.deploy({"p.bpmn": NO_WAY_OUT}, by="ann")
    for _ in range(3):
        engine.start("p")

    (trouble,) = engine.troubles()

    assert (trouble.process_id, trouble.number) == ("p", 3)


def test_deployment_is_rolled_back_as_a_whole(engine: Engine) -> None:
    first = engine.deploy(CALLS, by="ann")
    second = engine.deploy({**CALLS, "q.bpmn": CALLED + b"<!-- changed -->"}, by="bob")
    assert [one.id for one in engine.deployments()] == [second.id, first.id]

    engine.roll_back(second.id, by="lea", why="customers complain")

    assert [d.active for d in engine.deployment(first.id).definitions] == [True, True]
    assert [d.active for d in engine.deployment(second.id).definitions] == [False, False]
    assert engine.acts_on(["q version 1"])[0].why == "customers complain"


def test_rolling_back_returns_to_what_was_active_before(engine: Engine) -> None:
    """Not to the next lower number, which may never have been in use."""
    engine.deploy({"a.bpmn": drawings.scripts(1)}, by="ann")
    engine.deploy({"a.bpmn": drawings.scripts(2)}, by="ann", activate=False)
    third = engine.deploy({"a.bpmn": drawings.scripts(3)}, by="ann")

    (back,) = engine.roll_back(third.id, by="ann")
    assert back.version == 1

    # and once more is back again
    (again,) = engine.activate_all(third.id, by="ann")
    assert again.version == 3
    with pytest.raises(Conflict):
        engine.activate_all(third.id, by="ann")


def test_first_deployment_cannot_be_rolled_back(engine: Engine) -> None:
    only = engine.deploy({"a.bpmn": drawings.scripts(1)}, by="ann")

    with pytest.raises(Conflict):
        engine.roll_back(only.id, by="ann")
    with pytest.raises(NotFound):
        engine.roll_back("nothing", by="ann")
