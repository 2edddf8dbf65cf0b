from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.clock import VirtualClock
from engine.errors import BadInput
from engine.model import InstanceState
from engine.runtime import Engine
from tests.integration import drawings
from tests.integration.conftest import MakeEngine, kinds, run_internal


def test_a_message_reaches_the_case_that_waits_for_its_key(engine: Engine) -> None:
    engine.deploy({"a.bpmn": drawings.waits_for_message("paid")}, by="ann")
    first = engine.start("waits", {"number": "17"})
    second = engine.start("waits", {"number": "18"})

    found = engine.correlate("paid", key="18", payload={"amount": 5}, by="bank")

    assert (found.outcome, found.instance_id) == ("delivered", second.id)
    assert engine.case(second.id).state is InstanceState.COMPLETED
    assert engine.variables(second.id)["amount"] == 5
    assert engine.case(first.id).state is InstanceState.RUNNING
    assert engine.history(second.id)[-1].actor == "bank"


def test_a_message_waits_for_its_case(engine: Engine) -> None:
    engine.deploy({"a.bpmn": drawings.waits_for_message("paid")}, by="ann")

    found = engine.correlate("paid", key="17", payload={"amount": 5})
    case = engine.start("waits", {"number": "17"})

    assert found.outcome == "buffered"
    assert engine.case(case.id).state is InstanceState.RUNNING
    assert run_internal(engine) == 1
    assert engine.case(case.id).state is InstanceState.COMPLETED
    assert engine.variables(case.id)["amount"] == 5
    assert engine.stats()["buffered_messages"] == 0


def test_the_oldest_buffered_message_comes_first(engine: Engine, clock: VirtualClock) -> None:
    engine.deploy({"a.bpmn": drawings.waits_for_message("paid")}, by="ann")
    for amount in (1, 2):
        engine.correlate("paid", key="17", payload={"amount": amount})
        clock.advance(1)

    cases = [engine.start("waits", {"number": "17"}).id for _ in range(2)]
    run_internal(engine)

    assert [engine.variables(case)["amount"] for case in cases] == [1, 2]


def test_the_case_that_waits_longest_gets_the_message(engine: Engine, clock: VirtualClock) -> None:
    engine.deploy({"a.bpmn": drawings.waits_for_message("paid")}, by="ann")
    cases = []
    for _ in range(3):
        cases.append(engine.start("waits", {"number": "17"}).id)
        clock.advance(1)

    got = [engine.correlate("paid", key="17").instance_id for _ in range(3)]

    assert got == cases


def test_a_message_id_is_delivered_once(engine: Engine) -> None:
    engine.deploy({"a.bpmn": drawings.waits_for_message("paid")}, by="ann")
    case = engine.start("waits", {"number": "17"})
    other = engine.start("waits", {"number": "17"})

    first = engine.correlate("paid", key="17", message_id="m1")
    second = engine.correlate("paid", key="17", message_id="m1")

    assert (first.outcome, second.outcome) == ("delivered", "duplicate")
    assert second.instance_id == first.instance_id == case.id
    assert engine.case(other.id).state is InstanceState.RUNNING


def test_a_buffered_message_id_is_delivered_once(engine: Engine) -> None:
    engine.deploy({"a.bpmn": drawings.waits_for_message("paid")}, by="ann")

    outcomes = [engine.correlate("paid", key="17", message_id="m1").outcome for _ in range(2)]
    cases = [engine.start("waits", {"number": "17"}).id for _ in range(2)]
    run_internal(engine)
    outcomes.append(engine.correlate("paid", key="17", message_id="m1").outcome)

    assert outcomes == ["buffered", "duplicate", "duplicate"]
    states = [engine.case(case).state for case in cases]
    assert states == [InstanceState.COMPLETED, InstanceState.RUNNING]


def test_equal_messages_sent_at_once_are_delivered_once_each(make_engine: MakeEngine) -> None:
    engine, other = make_engine(), make_engine()
    engine.deploy({"a.bpmn": drawings.waits_for_message("paid")}, by="ann")
    cases = [engine.start("waits", {"number": "17"}).id for _ in range(4)]

    def send(n: int) -> tuple[str, str | None]:
        node = (engine, other)[n % 2]
        found = node.correlate("paid", key="17", message_id=f"m{n // 2}")
        return found.outcome, found.instance_id

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(send, range(8)))
    run_internal(engine)

    assert [outcome for outcome, _ in outcomes].count("duplicate") == 4
    assert {engine.case(case).state for case in cases} == {InstanceState.COMPLETED}


def test_a_repetition_that_was_overtaken_each_time_is_told_as_one(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a message that has reached its case
    engine.deploy({"a.bpmn": drawings.waits_for_message("paid")}, by="ann")
    case = engine.start("waits", {"number": "17"}).id
    engine.correlate("paid", key="17", message_id="m1")

    # when it comes again, and others are faster each time that it looks for a catch
    monkeypatch.setattr("engine.runtime.messages._LOOKS", 0)
    again = engine.correlate("paid", key="17", message_id="m1")

    # then
    assert (again.outcome, again.instance_id) == ("duplicate", case)


def test_a_message_nobody_fetches_is_forgotten_in_time(engine: Engine, clock: VirtualClock) -> None:
    engine.deploy({"a.bpmn": drawings.waits_for_message("paid")}, by="ann")
    engine.correlate("paid", key="17", ttl_s=60)
    engine.correlate("paid", key="17", ttl_s=60, message_id="m1")
    clock.advance(60)

    case = engine.start("waits", {"number": "17"})

    assert run_internal(engine) == 0
    assert engine.reap() == 2
    assert engine.reap() == 0
    assert engine.case(case.id).state is InstanceState.RUNNING
    assert engine.correlate("paid", key="17", message_id="m1").outcome == "duplicate"


def test_a_message_without_time_to_live_is_not_kept(engine: Engine) -> None:
    engine.deploy({"a.bpmn": drawings.waits_for_message("paid")}, by="ann")

    assert engine.correlate("paid", key="17", ttl_s=0).outcome == "expired"

    assert engine.stats()["buffered_messages"] == 0


def test_a_thrown_message_reaches_another_case(engine: Engine) -> None:
    files = {
        "a.bpmn": drawings.waits_for_message("paid"),
        "b.bpmn": drawings.throws_message("paid"),
    }
    engine.deploy(files, by="ann")
    waiting = engine.start("waits", {"number": "17"})

    engine.start("throws", {"number": "17"})

    assert engine.case(waiting.id).state is InstanceState.RUNNING
    assert run_internal(engine) == 1
    assert engine.case(waiting.id).state is InstanceState.COMPLETED
    assert "message.received" in kinds(engine, waiting.id)


def test_a_thrown_message_begins_a_case(engine: Engine) -> None:
    files = {
        "a.bpmn": drawings.begins_by_message("order"),
        "b.bpmn": drawings.throws_message("order"),
    }
    engine.deploy(files, by="ann")

    engine.start("throws", {"number": "17"})
    run_internal(engine)

    (begun,) = engine.cases(process_id="begun")
    assert begun.state is InstanceState.RUNNING
    assert kinds(engine, begun.id)[0] == "instance.started"


def test_a_message_whose_catch_is_cancelled_is_offered_again(engine: Engine) -> None:
    files = {
        "a.bpmn": drawings.waits_for_message("paid"),
        "b.bpmn": drawings.throws_message("paid"),
    }
    engine.deploy(files, by="ann")
    first = engine.start("waits", {"number": "17"})
    engine.start("throws", {"number": "17"})
    second = engine.start("waits", {"number": "17"})

    # it is on its way to the first when that ends
    engine.cancel(first.id, by="ann")
    run_internal(engine)

    assert engine.case(second.id).state is InstanceState.COMPLETED


def test_a_message_whose_only_catch_is_cancelled_is_kept(engine: Engine) -> None:
    files = {
        "a.bpmn": drawings.waits_for_message("paid"),
        "b.bpmn": drawings.throws_message("paid"),
    }
    engine.deploy(files, by="ann")
    first = engine.start("waits", {"number": "17"})
    engine.start("throws", {"number": "17"})
    engine.cancel(first.id, by="ann")
    assert engine.stats()["buffered_messages"] == 1

    second = engine.start("waits", {"number": "17"})
    run_internal(engine)

    assert engine.case(second.id).state is InstanceState.COMPLETED


def test_a_message_and_its_catch_that_missed_each_other_are_matched(engine: Engine) -> None:
    # given a catch and a message that were committed without seeing each other
    engine.deploy({"a.bpmn": drawings.waits_for_message("paid")}, by="ann")
    engine.correlate("paid", key="other")
    case = engine.start("waits", {"number": "17"})
    with engine.database.writing() as connection:
        connection.run_text("UPDATE message SET key = '17'")
        connection.commit()

    assert engine.reap() == 1
    run_internal(engine)

    assert engine.case(case.id).state is InstanceState.COMPLETED


def test_a_catch_that_goes_on_waiting_takes_message_after_message(engine: Engine) -> None:
    catch = (
        '<bpmn:boundaryEvent id="note" attachedToRef="offer" cancelActivity="false">'
        f'{drawings.on_message("note")}</bpmn:boundaryEvent><bpmn:endEvent id="noted"/>'
        + drawings.line("note", "noted")
    )
    body = (
        drawings.start() + drawings.user_task("offer") + drawings.END + catch
        + drawings.line("begin", "offer", "end")
    )  # fmt: skip
    engine.deploy(
        {"a.bpmn": drawings.drawn(body, beside=drawings.message("note", "=number"))}, by="ann"
    )
    engine.correlate("note", key="17")
    engine.correlate("note", key="17")

    case = engine.start("p", {"number": "17"})
    assert run_internal(engine) == 2
    outcome = engine.correlate("note", key="17").outcome

    assert outcome == "delivered"
    assert kinds(engine, case.id).count("message.received") == 3
    assert engine.case(case.id).state is InstanceState.RUNNING


def test_a_signal_reaches_all_who_wait(engine: Engine) -> None:
    engine.deploy({"a.bpmn": drawings.waits_for_signal("closing")}, by="ann")
    cases = [engine.start("waits").id for _ in range(3)]

    assert engine.signal("closing", payload={"at": 18}) == 3
    assert run_internal(engine) == 3

    assert {engine.case(case).state for case in cases} == {InstanceState.COMPLETED}
    assert [engine.variables(case) for case in cases] == [{"at": 18}] * 3
    assert engine.signal("closing") == 0


def test_a_signal_to_a_case_that_ended_meanwhile_is_dropped(engine: Engine) -> None:
    engine.deploy({"a.bpmn": drawings.waits_for_signal("closing")}, by="ann")
    case = engine.start("waits")
    engine.signal("closing")

    engine.cancel(case.id, by="ann")

    assert run_internal(engine) == 0
    assert engine.next_due() is None


def test_a_thrown_signal_reaches_other_cases(engine: Engine) -> None:
    files = {
        "a.bpmn": drawings.waits_for_signal("closing"),
        "b.bpmn": drawings.throws_signal("closing"),
    }
    engine.deploy(files, by="ann")
    cases = [engine.start("waits").id for _ in range(2)]

    engine.start("throws")
    run_internal(engine)

    assert {engine.case(case).state for case in cases} == {InstanceState.COMPLETED}


@pytest.mark.parametrize(
    "given",
    [{"ttl_s": -1}, {"ttl_s": "long"}, {"key": 17}, {"message_id": 1}, {"payload": [1]}],
)
def test_nonsense_messages_are_refused(engine: Engine, given: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        engine.correlate("paid", **given)  # type: ignore[arg-type]

    assert engine.stats()["buffered_messages"] == 0
