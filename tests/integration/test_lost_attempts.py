"""An attempt whose process died leaves a trace, and costs its own item only."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from engine.clock import VirtualClock
from engine.runtime import Engine
from tests.drawing import catch, diagram, end, path, process, service, start, timer


def test_an_attempt_that_ended_without_a_word_stands_in_the_history(
    engine: Engine, clock: VirtualClock
) -> None:
    # given a handler's work, claimed by a process that then dies
    drawing = diagram(process("p", start("s"), service("t", "h"), end("e"), path("s", "t", "e")))
    engine.deploy({"p.bpmn": drawing}, by="ann")
    case = engine.start("p")
    (first,) = engine.claim_work(owner="one", limit=5, lease_s=10)
    assert not first.lost
    # when another one claims it after the lease
    clock.advance(11)
    (second,) = engine.claim_work(owner="two", limit=5, lease_s=10)
    # then it is known as lost, and settled by the second
    assert second.lost
    assert second.attempt == 2
    assert engine.settle(second, {})
    tried: list[Any] = [r.value for r in engine.history(case.id) if r.kind == "work.tried"]
    assert tried == [{"attempt": 1, "outcome": "lost"}]
    assert [r.seq for r in engine.history(case.id)] == list(
        range(1, len(engine.history(case.id)) + 1)
    )


def test_work_that_failed_or_was_given_back_is_not_lost(
    engine: Engine, clock: VirtualClock
) -> None:
    # given
    drawing = diagram(process("p", start("s"), service("t", "h"), end("e"), path("s", "t", "e")))
    engine.deploy({"p.bpmn": drawing}, by="ann")
    engine.start("p")
    (first,) = engine.claim_work(owner="one", limit=5, lease_s=10)
    # when
    engine.release([first])
    (again,) = engine.claim_work(owner="one", limit=5, lease_s=10)
    engine.fail(again, "no", "", retry_at=clock.now() + timedelta(seconds=1))
    clock.advance(2)
    (last,) = engine.claim_work(owner="one", limit=5, lease_s=10)
    # then
    assert not again.lost
    assert not last.lost


def test_own_work_that_kills_its_process_each_time_becomes_one_incident(
    engine: Engine, clock: VirtualClock
) -> None:
    # given a timer whose step ends the process
    wait = catch("t", timer("Duration", "=duration(&quot;PT1S&quot;)".replace("&quot;", '"')))
    drawing = diagram(process("p", start("s"), wait, end("e"), path("s", "t", "e")))
    engine.deploy({"p.bpmn": drawing}, by="ann")
    case = engine.start("p")
    clock.advance(2)
    # when
    for _ in range(40):
        engine.claim_work(owner="one", limit=5, lease_s=10)
        clock.advance(11)
    # then
    assert [i.element_id for i in engine.incidents(open=True)] == ["t"]
    assert [r.kind for r in engine.history(case.id)].count("incident.raised") == 1


def test_what_a_dead_process_held_is_taken_over_before_its_lease_ends(engine: Engine) -> None:
    # given work of one case held by a process, of another one by a second process
    drawing = diagram(process("p", start("s"), service("t", "h"), end("e"), path("s", "t", "e")))
    engine.deploy({"p.bpmn": drawing}, by="ann")
    engine.start("p")
    (held,) = engine.claim_work(owner="dead", limit=1, lease_s=3600)
    engine.start("p")
    (kept,) = engine.claim_work(owner="alive", limit=1, lease_s=3600)

    # when somebody has seen the first one die
    assert engine.end_leases(["dead", "never heard of"]) == 1
    assert engine.end_leases(["dead"]) == 0

    # then its work is claimed at once, as a lost attempt, and what it still says is stale
    (taken,) = engine.claim_work(owner="next", limit=5, lease_s=3600)
    assert (taken.id, taken.lost, taken.attempt) == (held.id, True, 2)
    assert not engine.settle(held, {"r": "late"})
    assert engine.settle(taken, {})
    assert engine.settle(kept, {})


def test_what_a_worker_holds_without_knowing_it_is_given_back_uncounted(engine: Engine) -> None:
    # given three claims, of one of which its owner has never heard
    drawing = diagram(process("p", start("s"), service("t", "h"), end("e"), path("s", "t", "e")))
    engine.deploy({"p.bpmn": drawing}, by="ann")
    for _ in range(3):
        engine.start("p")
    known, unheard = engine.claim_work(owner="one", limit=2, lease_s=3600)
    (other,) = engine.claim_work(owner="two", limit=1, lease_s=3600)

    # when it says what it knows
    assert engine.disown("one", [known.id]) == 1

    # then the other row is there for everybody, as if nobody had claimed it
    (again,) = engine.claim_work(owner="three", limit=5, lease_s=3600)
    assert (again.id, again.attempt, again.lost) == (unheard.id, 1, False)
    assert not engine.settle(unheard, {})
    assert all(engine.settle(item, {}) for item in (known, other, again))


def test_work_is_given_back_once(engine: Engine) -> None:
    drawing = diagram(process("p", start("s"), service("t", "h"), end("e"), path("s", "t", "e")))
    engine.deploy({"p.bpmn": drawing}, by="ann")
    engine.start("p")
    (item,) = engine.claim_work(owner="one", limit=1, lease_s=3600)

    assert engine.release([item]) == 1
    assert engine.release([item]) == 0

    (again,) = engine.claim_work(owner="one", limit=1, lease_s=3600)
    assert again.attempt == 1
