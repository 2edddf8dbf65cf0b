"""How much is open, counted by one statement that looks at a bounded number of rows."""

from __future__ import annotations

from collections.abc import Callable

from engine.clock import VirtualClock
from engine.runtime import Engine
from tests.integration import drawings
from tests.integration.conftest import Traced, claim


def test_everything_open_is_counted_by_one_bounded_statement(
    engine: Engine, clock: VirtualClock, traced: Callable[[Engine], Traced]
) -> None:
    engine.deploy({"a.bpmn": drawings.services(["pack"])}, by="ann")
    body = drawings.start() + drawings.user_task("sign") + drawings.END
    body += drawings.line("begin", "sign", "end")
    engine.deploy({"b.bpmn": drawings.drawn(body, process_id="q")}, by="ann")
    for _ in range(2):
        engine.start("p")
    engine.start("q")
    (item,) = claim(engine)
    engine.fail(item, "no", "", retry_at=None)
    engine.correlate("nobody waits", ttl_s=60)
    claim(engine)
    sent = traced(engine)

    found = {row[:4]: row[4] for row in engine.gauges()}

    assert len(sent.statements) == 1
    # each table of the statement has its own end
    assert sent.statements[0].count("LIMIT") == 5
    assert found["cases", "p", "running", ""] == 2
    assert found["cases", "q", "running", ""] == 1
    assert found["work", "service", "pack", "dead"] == 1
    assert found["work", "service", "pack", "leased"] == 1
    assert found["open_tasks", "q", "", ""] == 1
    assert found["open_incidents", "p", "", ""] == 1
    assert found["messages_waiting", "", "", ""] == 1


def test_work_in_the_hands_of_a_worker_is_not_late(engine: Engine, clock: VirtualClock) -> None:
    engine.deploy({"a.bpmn": drawings.services(["pack"])}, by="ann")
    assert engine.lag_s() == 0
    engine.start("p")

    clock.advance(12)
    late = engine.lag_s()
    claim(engine)

    assert late == 12
    assert engine.lag_s() == 0
