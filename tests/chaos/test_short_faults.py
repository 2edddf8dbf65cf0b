"""A short round of the fault test, so that the whole suite has one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]


def test_nothing_is_lost_or_doubled_while_processes_are_killed(tmp_path: Path) -> None:
    out = tmp_path / "chaos.json"
    command = [sys.executable, "-m", "tests.chaos", "--only", "sqlite", "--out", str(out)]

    done = subprocess.run(
        [*command, "--seconds", "8", "--cases", "40"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = json.loads(out.read_text())["runs"]
    assert run["faults"]
    assert run["counts"]["effects"] == run["counts"]["activations"] > 0
