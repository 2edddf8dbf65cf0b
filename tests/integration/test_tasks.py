from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from engine.clock import VirtualClock
from engine.errors import BadInput, Conflict
from engine.model import InstanceState
from engine.runtime import Engine
from tests.integration import drawings
from tests.integration.conftest import MakeEngine, kinds


def test_a_claimed_task_is_refused_to_others_with_who_and_when(
    engine: Engine, clock: VirtualClock
) -> None:
    engine.deploy({"a.bpmn": drawings.two_tasks()}, by="ann")
    engine.start("p")
    (offer,) = engine.tasks()

    claimed = engine.claim(offer.id, by="bob")
    clock.advance(60)

    assert claimed.assignee == "bob"
    assert engine.claim(offer.id, by="bob") == claimed
    with pytest.raises(Conflict, match="bob at 2026-03-02 09:00:00 UTC"):
        engine.claim(offer.id, by="cem")
    assert engine.task(offer.id) == claimed


def test_a_task_given_back_is_seen_by_its_candidates_again(engine: Engine) -> None:
    engine.deploy({"a.bpmn": drawings.two_tasks()}, by="ann")
    case = engine.start("p")
    (offer,) = engine.tasks()
    engine.claim(offer.id, by="bob")
    assert engine.tasks(user="cem", groups=["sales"]) == []

    engine.unclaim(offer.id, by="bob")
    engine.unclaim(offer.id, by="bob")

    assert engine.tasks(user="cem", groups=["sales"]) == [offer]
    assert kinds(engine, case.id)[-2:] == ["task.claimed", "task.unclaimed"]


def test_one_of_many_rivals_completes_a_task(make_engine: MakeEngine) -> None:
    engine = make_engine()
    engine.deploy({"a.bpmn": drawings.two_tasks()}, by="ann")
    case = engine.start("p")
    (offer,) = engine.tasks()
    rivals = [(make_engine() if n % 2 else engine, f"user{n}") for n in range(6)]

    def compete(rival: tuple[Engine, str]) -> str:
        node, name = rival
        try:
            node.complete(offer.id, {"by": name}, by=name)
        except Conflict as lost:
            return str(lost)
        return "won"

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(compete, rivals))

    assert outcomes.count("won") == 1
    winner = rivals[outcomes.index("won")][1]
    assert all(f"completed by {winner} at" in text for text in outcomes if text != "won")
    assert engine.variables(case.id) == {"by": winner}
    assert kinds(engine, case.id).count("task.completed") == 1


def test_one_of_many_rivals_claims_a_task(make_engine: MakeEngine) -> None:
    engine = make_engine()
    engine.deploy({"a.bpmn": drawings.two_tasks()}, by="ann")
    engine.start("p")
    (offer,) = engine.tasks()

    def compete(name: str) -> bool:
        try:
            engine.claim(offer.id, by=name)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        won = list(pool.map(compete, [f"user{n}" for n in range(6)]))

    assert sum(won) == 1
    assert engine.task(offer.id).assignee == f"user{won.index(True)}"


def test_completing_a_task_leads_to_the_next_one(engine: Engine) -> None:
    engine.deploy({"a.bpmn": drawings.two_tasks(reminder=True)}, by="ann")
    case = engine.start("p", {"n": 1})
    (offer,) = engine.tasks()

    running = engine.complete(offer.id, {"n": 2}, by="bob")
    (sign,) = engine.tasks()
    ended = engine.complete(sign.id, by="bob")

    assert (running.state, running.revision) == (InstanceState.RUNNING, 2)
    assert (ended.state, ended.revision) == (InstanceState.COMPLETED, 3)
    assert ended == engine.case(case.id)
    assert engine.variables(case.id) == {"n": 2}
    assert engine.task(offer.id).state == "completed"
    # the reminder of the first task is gone with it
    assert engine.next_due() is None


def test_bad_form_data_changes_nothing(engine: Engine) -> None:
    engine.deploy({"a.bpmn": drawings.two_tasks()}, by="ann")
    engine.start("p")
    (offer,) = engine.tasks()

    for data in ({"x": object()}, {"x": float("inf")}, [1], {"x": "y" * 2_000_000}):
        with pytest.raises(BadInput):
            engine.complete(offer.id, data, by="bob")  # type: ignore[arg-type]

    assert engine.tasks() == [offer]


def test_people_see_their_own_tasks_and_those_they_may_claim(engine: Engine) -> None:
    body = (
        drawings.start()
        + '<bpmn:parallelGateway id="split"/>'
        + drawings.user_task("of_sales", groups="sales")
        + drawings.user_task("of_both", groups="sales,legal", users="dora")
        + drawings.user_task("of_cem", assignee="cem", groups="sales")
        + drawings.user_task("of_all")
        + drawings.line("begin", "split")
        + "".join(
            drawings.line("split", name, f"end_{name}") + f'<bpmn:endEvent id="end_{name}"/>'
            for name in ("of_sales", "of_both", "of_cem", "of_all")
        )
    )
    engine.deploy({"a.bpmn": drawings.drawn(body)}, by="ann")
    case = engine.start("p")

    def seen(**who: object) -> set[str]:
        return {task.element_id for task in engine.tasks(**who)}  # type: ignore[arg-type]

    assert seen() == {"of_sales", "of_both", "of_cem", "of_all"}
    assert seen(user="cem", groups=["legal"]) == {"of_cem", "of_both", "of_all"}
    assert seen(user="dora") == {"of_both", "of_all"}
    assert seen(groups=["sales"]) == {"of_sales", "of_both"}
    assert seen(user="cem", state="completed") == set()
    assert seen(user="cem", process_id="other") == set()
    assert seen(user="cem", instance_id=case.id) == {"of_cem", "of_all"}
    assert seen(state="completed") == set()
    assert seen(state=None) == seen()


def test_tasks_are_listed_page_by_page_oldest_first(engine: Engine) -> None:
    engine.deploy({"a.bpmn": drawings.two_tasks()}, by="ann")
    for _ in range(5):
        engine.start("p")
    whole = [task.id for task in engine.tasks()]
    assert whole == sorted(whole)

    for who in ({}, {"user": "bob", "groups": ["sales"]}, {"process_id": "p", "user": "bob"}):
        options = {"groups": ["sales"], **who} if who else who
        seen: list[str] = []
        while page := engine.tasks(**options, after=seen[-1] if seen else None, limit=2):
            seen += [task.id for task in page]
        assert seen == whole


def test_a_reminder_does_not_disturb_the_task(engine: Engine, clock: VirtualClock) -> None:
    engine.deploy({"a.bpmn": drawings.two_tasks(reminder=True)}, by="ann")
    case = engine.start("p")
    assert engine.next_due() == clock.now() + timedelta(hours=1)

    clock.advance(3600)
    (item,) = engine.claim_work(owner="w", limit=5, lease_s=30)
    assert engine.run(item) is True

    assert engine.run(item) is False
    assert "timer.fired" in kinds(engine, case.id)
    assert [task.element_id for task in engine.tasks()] == ["offer"]


def test_a_task_in_a_called_process_is_listed_as_that_process_task(engine: Engine) -> None:
    files = {"caller.bpmn": drawings.calls("p"), "p.bpmn": drawings.two_tasks()}
    engine.deploy(files, by="ann")

    engine.start("caller")

    (offer,) = engine.tasks(process_id="p")
    assert offer.process_id == "p"
    assert engine.tasks(process_id="caller") == []
