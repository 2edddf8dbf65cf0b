"""Rows 1 and 2 before and after: an older commit beside this source tree, in alternating rounds.

What all of BPMN costs the straight ways: the commit to compare with is the last one that could
run a case durably and knew no compensation, transactions or events with several definitions.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from tests.bench import drawings
from tests.bench.figure import Figure, median, milliseconds
from tests.bench.house import ROOT
from tests.bench.rounds import Bench

#: the last commit before compensation arrived
BEFORE = "140e64d"
_LINES = Path(__file__).with_name("lines.py")
_ROWS = {"scripts": "1 ten script tasks", "person": "2 start, one user task, complete"}


def measure(bench: Bench) -> list[Figure]:
    """Return the ratio of both rows to the older commit."""
    commit = bench.against or BEFORE
    with _folder() as folder:
        older = folder / "source"
        if not _unpack(commit, older):
            return [_absent(name, commit) for name in _ROWS.values()]
        (folder / "scripts.bpmn").write_bytes(drawings.scripts())
        (folder / "person.bpmn").write_bytes(drawings.person())
        with _lines(older, folder) as before, _lines(ROOT, folder) as after:
            return [_figure(bench, commit, name, before, after) for name in _ROWS]


def _figure(bench: Bench, commit: str, name: str, before: _Lines, after: _Lines) -> Figure:
    rounds: list[tuple[float, float]] = []
    for number in range(bench.rounds + 1):
        sides = (before, after) if number % 2 else (after, before)
        costs = {id(side): side.cpu_s(name, bench.count) / bench.count for side in sides}
        if number:  # the first round is for warming up
            rounds.append((costs[id(before)], costs[id(after)]))
    old, new = (median(side) for side in zip(*rounds, strict=True))
    return Figure(
        name=f"{_ROWS[name]}: now / before the rest of BPMN", unit="x", goal="<= 1.1",
        # of each round its own ratio: what else the machine did then weighs on both sides
        value=median([now / then for then, now in rounds]),
        detail=f"{milliseconds(new)} / {milliseconds(old)} CPU, against {commit}",
    )  # fmt: skip


def _absent(name: str, commit: str) -> Figure:
    detail = f"commit {commit} is not in this clone"
    return Figure(
        name=f"{name}: now / before the rest of BPMN", value=None, unit="x", goal="<= 1.1",
        detail=detail,
    )  # fmt: skip


def _unpack(commit: str, folder: Path) -> bool:
    """Write the tree of a commit into a folder; False if the clone does not have it."""
    done = subprocess.run(
        ["git", "archive", "--format=tar", commit], cwd=ROOT, capture_output=True, check=False
    )
    if done.returncode:
        return False
    with tarfile.open(fileobj=BytesIO(done.stdout)) as packed:
        packed.extractall(folder, filter="data")
    return True


class _Lines:
    """A process that plays the rows on one source tree."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def cpu_s(self, name: str, count: int) -> float:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{name} {count}\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())


@contextmanager
def _lines(source: Path, folder: Path) -> Iterator[_Lines]:
    with subprocess.Popen(
        [sys.executable, "-P", str(_LINES), str(folder)], cwd=source, text=True,
        env={**os.environ, "PYTHONPATH": str(source)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        yield _Lines(process)
        process.communicate()


@contextmanager
def _folder() -> Iterator[Path]:
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=build) as folder:
        yield Path(folder)
