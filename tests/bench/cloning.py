"""Row 13: from `git clone` to a running demonstration, on this machine, with its package cache."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.bench.figure import Figure
from tests.bench.house import ROOT
from tests.bench.opening import free_port
from tests.bench.rounds import Bench

NAME = "13 git clone to a running demo"
_LONGEST_S = 900.0


def measure(bench: Bench) -> list[Figure]:
    """Return the minutes of one clone; left out of quick runs."""
    if bench.quick:
        return [_figure(None, "left out of quick runs")]
    with tempfile.TemporaryDirectory(prefix="caseway-clone-") as folder:
        begin = time.monotonic()
        clone = Path(folder) / "caseway"
        subprocess.run(
            ["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(clone)], check=True
        )
        port = free_port()
        with subprocess.Popen(
            ["make", "--silent", "demo", f"PORT={port}"], cwd=clone, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        ) as demo:  # fmt: skip
            try:
                _wait(f"http://127.0.0.1:{port}/healthz", demo)
                minutes = (time.monotonic() - begin) / 60
            finally:
                # the demonstration is a session of its own: make, the service and its children
                os.killpg(demo.pid, signal.SIGTERM)
    return [_figure(minutes, "local clone, packages from the registry or its cache")]


def _figure(minutes: float | None, detail: str) -> Figure:
    return Figure(name=NAME, value=minutes, unit="minutes", goal="<= 3", detail=detail)


def _wait(url: str, demo: subprocess.Popen[bytes]) -> None:
    limit = time.monotonic() + _LONGEST_S
    while time.monotonic() < limit:
        assert demo.poll() is None, "make demo has ended by itself"
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise TimeoutError(f"no answer within {_LONGEST_S:.0f} s")
