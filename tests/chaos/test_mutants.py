"""Each engine that is wrong on purpose is caught by a short run of its own; the real one is not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.mutants import MUTANTS

ROOT = Path(__file__).resolve().parent.parent.parent

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="forks"),
]

#: mutant that rivals show -> the invariant that must notice
BY_RIVALS = {
    "ignore_fence": "the result that counts",
    "ignore_fence_in_batches": "the result that counts",
    "attempts_on_exception": "an attempt is not made more often",
    "timer_without_claim": "a timer fires once",
}
#: mutant that a crash shows -> the point, what is found there
BY_CRASH = {
    "second_transaction": ("settle:between", "the script cannot be finished|lost|a running case"),
    "message_without_key": ("correlate:after commit", "every message has arrived|too many"),
}
#: mutant that real processes show, when hints get lost -> the run
BY_PROCESSES = {"no_sweep": "sweepless"}


def _run(mutant: str | None, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CASEWAY_MUTANT": mutant or ""}
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, env=environment, capture_output=True,
        text=True, timeout=200, check=False,
    )  # fmt: skip


def test_rivals_break_nothing_of_the_real_engine(tmp_path: Path) -> None:
    done = _run(None, "tests.chaos.rivals", str(tmp_path))

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []


@pytest.mark.parametrize("mutant", BY_RIVALS)
def test_rivals_show_what_is_wrong(tmp_path: Path, mutant: str) -> None:
    done = _run(mutant, "tests.chaos.rivals", str(tmp_path))

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert any(line.startswith(f"not so: {BY_RIVALS[mutant]}") for line in told), told


@pytest.mark.parametrize("mutant", BY_CRASH)
def test_a_crash_shows_what_is_wrong(mutant: str) -> None:
    point, signs = BY_CRASH[mutant]

    done = _run(
        mutant, "tests.chaos.points", "--scene", "case", "--only", point, "--each-name"
    )  # fmt: skip

    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 kills" in done.stdout
    assert any(sign in done.stdout for sign in signs.split("|")), done.stdout


@pytest.mark.parametrize("mutant", BY_PROCESSES)
def test_processes_under_faults_show_what_is_wrong(tmp_path: Path, mutant: str) -> None:
    out = tmp_path / "chaos.json"

    done = _run(None, "tests.chaos", "--only", BY_PROCESSES[mutant], "--out", str(out))

    assert done.returncode == 0, done.stdout + done.stderr
    assert "caught, as it must be" in done.stdout


def test_every_mutant_is_asked_for() -> None:
    assert BY_RIVALS.keys() | BY_CRASH.keys() | BY_PROCESSES.keys() == MUTANTS.keys()
