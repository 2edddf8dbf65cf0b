"""The process ends at every named fail point of small scenes; nothing is lost or doubled.

Each name is visited once here; `python -m tests.chaos.points` visits every passing of each.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from engine import failpoints
from tests.chaos.points import Print, differences

ROOT = Path(__file__).resolve().parent.parent.parent

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scene", "stride"), [("case", 1), ("several", 4), ("changed", 2), ("deployed", 2)]
)
def test_a_process_that_ends_at_any_point_leaves_nothing_lost_or_doubled(
    tmp_path: Path, scene: str, stride: int
) -> None:
    out = tmp_path / "points.jsonl"
    command = [sys.executable, "-m", "tests.chaos.points", "--scene", scene, "--each-name"]

    done = subprocess.run(
        [*command, "--stride", str(stride), "--out", str(out)],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = out.read_text().splitlines()
    told = json.loads(line)
    assert told["kills"] == -(-told["names"] // stride) > 15


def test_what_is_lost_and_what_is_doubled_is_told() -> None:
    wanted: Print = {"a": Counter({("task.completed", "x"): 1}), "b": Counter({("ended",): 1})}
    found: Print = {"a": Counter({("task.completed", "x"): 2})}

    told = differences(wanted, found)

    assert told == [
        "a: 1 x ('task.completed', 'x') too many",
        "b: 1 x ('ended',) lost",
    ]


def test_no_point_is_looked_at_unless_asked_for() -> None:
    assert failpoints.VARIABLE not in os.environ
    assert failpoints.ON is False
    assert failpoints.passed == []


@pytest.mark.parametrize("spec", ["settle", "settle:", ":3", "settle:x"])
def test_a_fail_point_that_is_none_is_refused(spec: str) -> None:
    with pytest.raises(ValueError, match="NAME:COUNT"):
        failpoints.arm(spec)


def test_the_place_named_is_where_the_process_ends(tmp_path: Path) -> None:
    # given a process that is told to end before it commits its second user
    folder = str(tmp_path)
    program = (
        "from engine.runtime import Engine; from engine.settings import load; import sys;"
        f"engine = Engine(load(data_dir={folder!r}));"
        "engine.migrate();"
        "engine.create_user('ann', role='admin', by='me');"
        "print('one', flush=True);"
        "engine.create_user('bo', role='admin', by='me');"
        "print('two', flush=True)"
    )
    environment = {**os.environ, failpoints.VARIABLE: "create_user:written:2"}

    # when
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip

    # then
    assert done.returncode == -9, done.stderr
    assert done.stdout.split() == ["one"]
