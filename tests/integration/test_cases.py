from __future__ import annotations

from decimal import Decimal

import pytest

from engine.clock import VirtualClock
from engine.errors import BadInput, Conflict, NotFound, TooBusy
from engine.model import InstanceState
from engine.runtime import Engine
from engine.store import instances
from tests.integration import drawings
from tests.integration.conftest import MakeEngine, claim, kinds


def test_a_case_that_runs_through_is_stored_without_a_snapshot(engine: Engine) -> None:
    engine.deploy({"a.bpmn": drawings.scripts(3)}, by="ann")

    case = engine.start("p", {"a": Decimal("0.10")}, business_key="K-1", by="ann")

    assert case == engine.case(case.id)
    assert case.state is InstanceState.COMPLETED
    assert case.ended_at == case.started_at
    with engine.reading() as connection:
        assert instances.snapshot_of(connection, case.id) == (case.id, None)
    values = engine.variables(case.id)
    assert values["r2"] == Decimal("2.10")
    assert str(values["a"]) == "0.10"


def test_the_same_start_key_starts_once(engine: Engine) -> None:
    engine.deploy({"a.bpmn": drawings.two_tasks()}, by="ann")

    first = engine.start("p", {"n": 1}, start_key="mail-17")
    second = engine.start("p", {"n": 2}, start_key="mail-17")

    assert (first.created, second.created) == (True, False)
    assert second.id == first.id
    assert len(engine.cases()) == 1
    assert engine.variables(first.id) == {"n": 1}


@pytest.mark.parametrize(
    ("process_id", "given"),
    [
        ("p", {"variables": {"f": float("nan")}}),
        ("p", {"variables": {"o": object()}}),
        ("p", {"variables": ["no", "object"]}),
        ("p", {"business_key": "nul\0"}),
        ("p", {"business_key": 17}),
        ("p", {"start_key": "x" * 2000}),
        ("p", {"version": "one"}),
        (None, {}),
    ],
)
def test_bad_input_is_refused_and_nothing_is_stored(
    engine: Engine, process_id: str, given: dict[str, object]
) -> None:
    engine.deploy({"a.bpmn": drawings.scripts(1)}, by="ann")

    with pytest.raises(BadInput):
        engine.start(process_id, **given)  # type: ignore[arg-type]

    assert engine.cases() == []


def test_unknown_ids_are_not_found(engine: Engine) -> None:
    for act in (
        lambda: engine.start("unknown"),
        lambda: engine.case("unknown"),
        lambda: engine.history("unknown"),
        lambda: engine.variables("unknown"),
        lambda: engine.cancel("unknown", by="ann"),
        lambda: engine.erase("unknown", ["a"], by="ann"),
        lambda: engine.task("unknown"),
        lambda: engine.complete("unknown", by="ann"),
        lambda: engine.claim("unknown", by="ann"),
        lambda: engine.retry("unknown", by="ann"),
        lambda: engine.deployment("unknown"),
        lambda: engine.revoke_token("unknown", by="ann"),
    ):
        with pytest.raises(NotFound):
            act()


def test_the_history_tells_who_did_what_without_a_gap(engine: Engine, clock: VirtualClock) -> None:
    engine.deploy({"a.bpmn": drawings.two_tasks()}, by="ann")
    case = engine.start("p", {"item": "lamp"}, by="shop")
    clock.advance(60)
    (offer,) = engine.tasks()

    engine.claim(offer.id, by="bob")
    engine.complete(offer.id, {"price": 5}, by="bob")

    found = kinds(engine, case.id)
    assert [kind for kind in found if kind.startswith("task.")] == [
        "task.claimed", "task.completed",
    ]  # fmt: skip
    rows = engine.history(case.id)
    assert {row.actor for row in rows if row.at == case.started_at} == {"shop"}
    assert {row.actor for row in rows if row.at == clock.now()} == {"bob"}
    price = [row.value for row in rows if row.name == "price"]
    assert price == [5]
    assert engine.history(case.id, after=3, limit=2) == rows[3:5]


def test_large_values_stand_in_the_history_by_reference(make_engine: MakeEngine) -> None:
    engine = make_engine(history_value_limit=100)
    engine.deploy({"a.bpmn": drawings.two_tasks()}, by="ann")
    text = "long " * 100

    case = engine.start("p", {"letter": text, "copy": text, "short": "x"})

    values = {row.name: row.value for row in engine.history(case.id) if row.kind == "variable.set"}
    assert values == {"letter": text, "copy": text, "short": "x"}


def test_erasing_leaves_the_numbering_whole(make_engine: MakeEngine) -> None:
    engine = make_engine(history_value_limit=100)
    engine.deploy({"a.bpmn": drawings.two_tasks()}, by="ann")
    text = "secret " * 100
    case = engine.start("p", {"letter": text, "kept": text, "name": "Li", "town": "Ulm"})
    before = len(engine.history(case.id))

    count = engine.erase(case.id, ["letter", "name"], by="ann", why="asked by the customer")

    assert count == 2
    rows = {row.name: row for row in engine.history(case.id) if row.kind == "variable.set"}
    assert (rows["letter"].value, rows["letter"].erased) == (None, True)
    assert (rows["name"].value, rows["name"].erased) == (None, True)
    assert rows["kept"].value == text
    assert rows["town"].value == "Ulm"
    assert len(kinds(engine, case.id)) == before + 1
    # the running case still works with its present variables
    assert engine.variables(case.id)["name"] == "Li"
    assert engine.acts()[0].verb == "erase"


def test_cancelling_wins_over_later_results(engine: Engine) -> None:
    engine.deploy({"a.bpmn": drawings.fork(["pack", "bill"])}, by="ann")
    case = engine.start("p")
    pack, _ = claim(engine, 2)

    cancelled = engine.cancel(case.id, by="ann", why="customer gave up")

    assert cancelled.state is InstanceState.CANCELLED
    assert cancelled == engine.case(case.id)
    history = kinds(engine, case.id)
    assert engine.settle(pack, {"late": True}) is False
    assert engine.fail(pack, "late", "", retry_at=None) is False
    assert kinds(engine, case.id) == history
    assert engine.next_due() is None
    with pytest.raises(Conflict):
        engine.cancel(case.id, by="ann")
    act, *before = engine.acts()
    assert (act.verb, act.why) == ("cancel", "customer gave up")
    assert [one.verb for one in before] == ["activate"]


def test_cancelling_closes_open_tasks(engine: Engine) -> None:
    engine.deploy({"a.bpmn": drawings.two_tasks(reminder=True)}, by="ann")
    case = engine.start("p")
    (offer,) = engine.tasks()

    engine.cancel(case.id, by="ann")

    assert engine.tasks() == []
    assert engine.tasks(user="bob", groups=["sales"]) == []
    assert engine.task(offer.id).state == "cancelled"
    with pytest.raises(Conflict, match="cancelled"):
        engine.complete(offer.id, by="bob")


def test_a_called_process_is_an_instance_of_its_own(engine: Engine) -> None:
    engine.deploy(
        {"a.bpmn": drawings.calls("p"), "b.bpmn": drawings.two_tasks()}, by="ann"
    )  # fmt: skip
    case = engine.start("caller", {"n": 1}, business_key="K")

    (offer,) = engine.tasks(instance_id=case.id)
    called = engine.case(offer.instance_id)

    assert (called.root_id, called.parent_id, called.process_id) == (case.id, case.id, "p")
    assert called.business_key == "K"
    assert [found.id for found in engine.cases()] == [case.id]
    assert engine.tasks(instance_id=called.id) == [offer]
    assert {row.instance_id for row in engine.history(called.id)} == {called.id}
    with pytest.raises(Conflict, match=case.id):
        engine.cancel(called.id, by="ann")
    engine.complete(offer.id, by="ann")
    engine.complete(engine.tasks()[0].id, by="ann")
    assert engine.case(called.id).state is InstanceState.COMPLETED
    assert engine.case(case.id).state is InstanceState.COMPLETED


def test_starting_is_refused_while_old_work_waits(engine: Engine, clock: VirtualClock) -> None:
    engine.deploy({"a.bpmn": drawings.services(["pack"])}, by="ann")
    engine.start("p")
    clock.advance(engine.settings.max_due_age_s + 1)

    with pytest.raises(TooBusy) as refused:
        engine.start("p")

    assert refused.value.retry_after_s > 0
    (item,) = claim(engine)
    engine.settle(item, {})
    assert engine.start("p").state is InstanceState.RUNNING


def test_cases_are_listed_page_by_page(engine: Engine) -> None:
    engine.deploy({"a.bpmn": drawings.two_tasks(), "b.bpmn": drawings.calls("p")}, by="ann")
    made = [engine.start("p", business_key=f"K-{n % 2}").id for n in range(5)]
    other = engine.start("caller").id
    engine.cancel(made[0], by="ann")

    assert {case.id for case in engine.cases()} == {*made, other}
    assert {case.id for case in engine.cases(process_id="p")} == set(made)
    assert {case.id for case in engine.cases(state="cancelled")} == {made[0]}
    assert {case.id for case in engine.cases(business_key="K-1")} == {made[1], made[3]}
    assert {c.id for c in engine.cases(process_id="p", state="running")} == set(made[1:])
    seen: list[str] = []
    while page := engine.cases(process_id="p", after=seen[-1] if seen else None, limit=2):
        seen += [case.id for case in page]
    assert seen == sorted(made, reverse=True)
    with pytest.raises(BadInput):
        engine.cases(state="sleeping")
    with pytest.raises(BadInput):
        engine.cases(limit=0)


def test_the_figures_count_what_is_open(engine: Engine) -> None:
    engine.deploy({"a.bpmn": drawings.two_tasks()}, by="ann")
    engine.deploy({"b.bpmn": drawings.waits_for_message("paid")}, by="ann")
    engine.start("p")
    engine.correlate("paid", key="unknown")

    found = engine.stats()

    assert found["running_cases"] == 1
    assert found["open_tasks"] == 1
    assert found["buffered_messages"] == 1
    assert found["due_work"] == found["open_incidents"] == 0
