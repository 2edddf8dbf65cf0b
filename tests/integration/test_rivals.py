"""Many threads on two nodes: each thing happens once, whatever the order, and nothing is stuck."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

from engine.clock import VirtualClock
from engine.errors import Conflict
from engine.model import InstanceState
from engine.runtime import Engine
from tests.integration import drawings
from tests.integration.conftest import MakeEngine, kinds, run_internal

_KEYS = 12


def _together(acts: list[Callable[[], object]]) -> None:
    """Do all of them, in any order, by four threads; an error of one is an error of the test."""
    random.Random(7).shuffle(acts)
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(act) for act in acts]:
            done.result()


def _work(engine: Engine) -> None:
    for item in engine.claim_work(owner="w", limit=4, lease_s=30):
        if item.kind == "service":
            engine.settle(item, {"by": item.fence})
        else:
            engine.run(item)


def test_each_message_finds_its_case_however_they_race(make_engine: MakeEngine) -> None:
    nodes = [make_engine(), make_engine()]
    files = {
        "a.bpmn": drawings.waits_for_message("paid"),
        "b.bpmn": drawings.throws_message("paid"),
    }
    nodes[0].deploy(files, by="ann")
    acts: list[Callable[[], object]] = []
    for n in range(_KEYS):
        node, key = nodes[n % 2], {"number": str(n)}
        acts.append(partial(node.start, "waits", key))
        acts.append(partial(node.start, "throws", key))
        acts.append(partial(_work, node))

    _together(acts)
    # the last look is that of a worker: what missed its catch by a hair is matched
    nodes[0].reap()
    run_internal(nodes[0])

    cases = nodes[0].cases(process_id="waits")
    assert len(cases) == _KEYS
    assert {case.state for case in cases} == {InstanceState.COMPLETED}
    assert nodes[0].stats()["buffered_messages"] == 0


def test_cases_that_send_to_each_other_do_not_block(make_engine: MakeEngine) -> None:
    nodes = [make_engine(), make_engine()]
    body = (
        drawings.start() + drawings.service("prepare")
        + '<bpmn:parallelGateway id="split"/><bpmn:parallelGateway id="join"/>'
        f'<bpmn:intermediateThrowEvent id="throw">{drawings.on_message("ping")}'
        "</bpmn:intermediateThrowEvent>"
        f'<bpmn:intermediateCatchEvent id="catch">{drawings.on_message("ping")}'
        "</bpmn:intermediateCatchEvent>" + drawings.END
        + drawings.line("begin", "prepare", "split", "throw", "join", "end")
        + drawings.line("split", "catch", "join")
    )  # fmt: skip
    diagram = drawings.drawn(body, beside=drawings.message("ping", "=&quot;all&quot;"))
    nodes[0].deploy({"a.bpmn": diagram}, by="ann")
    cases = [nodes[0].start("p").id for _ in range(_KEYS)]

    _together([partial(_work, node) for node in nodes * 30])
    for _ in range(3):
        nodes[0].reap()
        while nodes[0].next_due() == nodes[0].clock.now():
            _work(nodes[0])

    assert {nodes[0].case(case).state for case in cases} == {InstanceState.COMPLETED}
    for case in cases:
        found = kinds(nodes[0], case)
        assert found.count("message.received") == found.count("message.sent") == 1


def test_cancelling_races_with_results_and_wins_or_comes_too_late(
    make_engine: MakeEngine, clock: VirtualClock
) -> None:
    nodes = [make_engine(), make_engine()]
    nodes[0].deploy({"a.bpmn": drawings.fork(["pack", "bill"])}, by="ann")
    cases = [nodes[0].start("p").id for _ in range(_KEYS)]
    items = nodes[0].claim_work(owner="w", limit=2 * _KEYS, lease_s=30)

    def cancel(node: Engine, case: str) -> None:
        try:
            node.cancel(case, by="ann")
        except Conflict:
            assert node.case(case).state is InstanceState.COMPLETED

    later = clock.now() + timedelta(seconds=1)
    acts: list[Callable[[], object]] = []
    for n, case in enumerate(cases):
        acts.append(partial(cancel, nodes[n % 2], case))
    for item in items:
        acts.append(partial(nodes[1].settle_many, [(item, {item.topic: 1})]))
        acts.append(partial(nodes[0].fail, item, "no", "", retry_at=later))
    _together(acts)

    assert nodes[0].next_due() is None
    for case in cases:
        found = kinds(nodes[0], case)
        assert nodes[0].case(case).state is not InstanceState.RUNNING
        assert found[-1] in ("instance.cancelled", "instance.completed")
