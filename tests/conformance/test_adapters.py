"""The adapters keep the contracts of the kit, even where the kit itself is absent."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from engine.errors import FeelError
from tests.conformance.adapters import Dmn, Engine, Probes, ProbesRestart

_BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"


def _diagram(body: str) -> str:
    return (
        f'<definitions xmlns="{_BPMN}" id="d" targetNamespace="urn:t">'
        f'<process id="P" isExecutable="true">{body}</process></definitions>'
    )


_FLOWS = (
    '<sequenceFlow id="f1" sourceRef="s" targetRef="t"/>'
    '<sequenceFlow id="f2" sourceRef="t" targetRef="e"/>'
)
_ENDS = '<startEvent id="s"/><endEvent id="e"/>'
_SCRIPT = _diagram(
    f'{_ENDS}<scriptTask id="t" scriptFormat="python">'
    f"<script>trace.append('n=' + str(n))</script></scriptTask>{_FLOWS}"
)
_USER = _diagram(f'{_ENDS}<userTask id="t"/>{_FLOWS}')
_BROKEN = _diagram(f'{_ENDS}<userTask id="t"/><sequenceFlow id="f1" sourceRef="s" targetRef="no"/>')


def _env() -> Any:
    trace: list[str] = []
    return SimpleNamespace(trace=trace, names=lambda: {"trace": trace})


def _record(bpmn: str) -> dict[str, Any]:
    return {"bpmn": bpmn, "main_process": "P", "also_start": []}


@pytest.mark.parametrize("entry", ["run", "run_restart"])
def test_a_script_reads_the_variables_and_the_names_of_the_test(entry: str) -> None:
    env = _env()
    play = getattr(Engine(), entry)
    outcome, _ = play(_record(_SCRIPT), {"variables": {"n": 3}}, env, time.monotonic() + 5)
    assert (outcome, env.trace) == ("completed", ["n=3"])


def test_a_faulty_script_is_an_error_and_not_an_exception() -> None:
    outcome, why = Engine().run(_record(_SCRIPT), {"variables": {}}, _env(), time.monotonic() + 5)
    assert outcome == "error"
    assert "n" in why


def test_a_refused_diagram_is_rejected_with_the_element() -> None:
    outcome, why = Engine().run(_record(_BROKEN), {"variables": {}}, _env(), time.monotonic() + 5)
    assert outcome == "rejected"
    assert "f1" in why


def test_the_gate_gives_a_definition_exactly_when_nothing_stops() -> None:
    good, objections = Engine().load(_USER.encode())
    assert good is not None
    assert not any(problem.stops for problem in objections)
    assert set(Engine().elements(good)) == {"s", "t", "e"}
    bad, objections = Engine().load(_BROKEN.encode())
    assert bad is None
    assert "f1" in {problem.element for problem in objections if problem.stops}


@pytest.mark.parametrize("kind", [Probes, ProbesRestart])
def test_a_probe_waits_at_its_user_task_until_it_is_completed(kind: type[Probes]) -> None:
    probe = kind()
    probe.deploy(_record(_USER), _env(), None)
    probe.start("P", {}, "")
    assert probe.waiting("") == ["t"]
    assert probe.outcome(None)[0] == "waiting"
    assert not probe.complete("other", {}, None, 0)
    assert probe.complete("t", {}, "", 0)
    assert probe.outcome("")[0] == "completed"
    probe.close()


def test_values_beyond_python_are_made_from_iso_texts() -> None:
    assert str(Dmn().from_iso("years and months duration", "P1Y2M")) == "P1Y2M"
    assert str(Dmn().from_iso("date", "-2017-12-31")) == "-2017-12-31"
    assert Dmn.FeelError is FeelError
