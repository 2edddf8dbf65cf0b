"""How many statements a verb sends: row 7 of the numbers to reach. One commit each, always."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.clock import VirtualClock
from engine.runtime import Engine
from tests.integration import drawings
from tests.integration.conftest import MakeEngine, Traced, claim

Listen = Callable[[Engine], Traced]


def test_a_start_that_runs_through_sends_four_statements(engine: Engine, traced: Listen) -> None:
    engine.deploy({"a.bpmn": drawings.scripts(10)}, by="ann")
    sent = traced(engine)

    engine.start("p", {"a": 1})

    # how busy it is (looked at once a second), definition, instance, history
    assert len(sent.statements) == 4
    assert sent.commits == 1


def test_a_start_with_everything_sends_at_most_eight_statements(
    engine: Engine, traced: Listen
) -> None:
    engine.deploy({"a.bpmn": drawings.two_tasks(reminder=True)}, by="ann")
    sent = traced(engine)

    engine.start("p", {"a": 1}, business_key="K", start_key="S")

    assert len(sent.statements) <= 8
    assert sent.commits == 1


def test_a_completion_sends_at_most_nine_statements(engine: Engine, traced: Listen) -> None:
    def reminded(host: str) -> str:
        return (
            f'<bpmn:boundaryEvent id="late_{host}" attachedToRef="{host}" cancelActivity="false">'
            f'{drawings.timer("PT1H")}</bpmn:boundaryEvent><bpmn:endEvent id="told_{host}"/>'
            + drawings.line(f"late_{host}", f"told_{host}")
        )

    body = (
        drawings.start() + drawings.user_task("offer", groups="sales") + reminded("offer")
        + drawings.user_task("sign", groups="sales,legal") + reminded("sign") + drawings.END
        + drawings.line("begin", "offer", "sign", "end")
    )  # fmt: skip
    engine.deploy({"a.bpmn": drawings.drawn(body)}, by="ann")
    engine.start("p")
    (offer,) = engine.tasks()
    sent = traced(engine)

    # the unclaimed task of a group, its timer, and the same again for the next one
    engine.complete(offer.id, {"price": 5}, by="bob")

    assert len(sent.statements) <= 9
    assert sent.commits == 1


@pytest.mark.parametrize("verb", ["settle", "batch"])
def test_a_settlement_sends_at_most_nine_statements(
    engine: Engine, traced: Listen, verb: str
) -> None:
    engine.deploy({"a.bpmn": drawings.services(["pack", "ship", "bill"])}, by="ann")
    for _ in range(8):
        engine.start("p")
    items = claim(engine, 8)
    sent = traced(engine)

    if verb == "settle":
        engine.settle(items[0], {"weight": 3})
        assert len(sent.statements) == 5
    else:
        engine.settle_many([(item, {"weight": 3}) for item in items])
        assert len(sent.statements) <= 6

    assert sent.commits == 1


def test_a_timer_or_a_delivery_sends_at_most_nine_statements(
    engine: Engine, traced: Listen, clock: VirtualClock
) -> None:
    engine.deploy({"a.bpmn": drawings.pause("PT1H")}, by="ann")
    engine.deploy({"b.bpmn": drawings.waits_for_message("paid")}, by="ann")
    engine.start("p")
    engine.correlate("paid", key="17")
    engine.start("waits", {"number": "17"})
    clock.advance(3600)

    for item in claim(engine, 2):
        sent = traced(engine)
        assert engine.run(item) is True
        assert len(sent.statements) <= 9
        assert sent.commits == 1


def test_a_refused_verb_commits_nothing(engine: Engine, traced: Listen) -> None:
    engine.deploy({"a.bpmn": drawings.services(["pack"])}, by="ann")
    engine.start("p")
    (item,) = claim(engine)
    engine.settle(item, {})
    sent = traced(engine)

    assert engine.settle(item, {}) is False
    assert claim(engine) == []

    assert sent.commits == 0


def test_looking_for_work_does_not_grow_with_what_waits(
    make_engine: MakeEngine, traced: Listen
) -> None:
    engine = make_engine()
    engine.deploy({"a.bpmn": drawings.pause("PT1H")}, by="ann")
    sent = traced(engine)
    counts = []
    for _ in range(2):
        for _ in range(5):
            engine.start("p")
        sent.sent.clear()
        assert claim(engine) == []
        counts.append(len(sent.statements))

    # which topics and priorities have due rows: none
    assert counts == [1, 1]

    engine.deploy({"b.bpmn": drawings.fork(["pack", "ship", "bill"])}, by="ann")
    for _ in range(5):
        engine.start("p")
    sent.sent.clear()
    assert len(claim(engine, 8)) == 8
    # the same look, one pick from all of them, the lease
    assert len(sent.statements) == 3
