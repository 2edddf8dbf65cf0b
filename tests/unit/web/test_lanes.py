"""Lanes on the command line: what stands still is listed, and a person lets it go on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.clock import SystemClock, VirtualClock
from engine.runtime import Engine
from tests.integration import drawings
from web.cli import run

SAID = (
    '<zeebe:taskDefinition type="pack"/>'
    '<zeebe:properties><zeebe:property name="lane" value="=customer"/></zeebe:properties>'
)


@pytest.fixture
def stopped(engine: Engine) -> Engine:
    """Return an engine in which an incident has stopped the lane of ann."""
    body = (
        drawings.start() + drawings.extended("serviceTask", "pack", SAID) + drawings.END
        + drawings.line("begin", "pack", "end")
    )  # fmt: skip
    engine.deploy({"a.bpmn": drawings.drawn(body)}, by="ann")
    for _ in range(3):
        engine.start("p", {"customer": "ann"})
    (work,) = engine.claim_work(owner="w", limit=4, lease_s=30)
    engine.fail(work, "no", "", retry_at=None)
    return engine


def test_a_stopped_lane_is_listed_and_passed(
    stopped: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    clock: VirtualClock,
) -> None:
    monkeypatch.setenv("CASEWAY_DATA_DIR", str(tmp_path))

    def said(*arguments: str) -> Any:
        assert run([*arguments, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    (lane,) = said("lanes", "list")
    assert (lane["lane"], lane["waiting"]) == ("ann", 2)

    passed = said("lanes", "pass", lane["incident_id"], "--why", "she waits", "--by", "bob")

    assert passed["passed"] == [lane["incident_id"]]
    assert said("lanes", "list") == []
    clock.move_to(SystemClock().now())
    assert len(stopped.claim_work(owner="w", limit=4, lease_s=30)) == 1
