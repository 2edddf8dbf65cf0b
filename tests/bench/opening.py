"""Row 13: from the start of the service to its first answer."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.bench.figure import Figure, median
from tests.bench.house import ROOT, environment, house
from tests.bench.rounds import Bench

_LONGEST_S = 60.0


def measure(bench: Bench) -> list[Figure]:
    """Return the median of a few starts; each on a database that exists."""
    with house() as made:
        made.engine.close()
        data = made.settings.data_dir
        seconds = [_first_answer_s(data) for _ in range(1 if bench.quick else 3)]
    name = "13 start of the service to its first answer"
    return [Figure(name=name, value=median(seconds), unit="s", goal="<= 2")]


def _first_answer_s(data: Path) -> float:
    port = free_port()
    command = [sys.executable, "-m", "web.cli", "serve", "--port", str(port)]
    begin = time.monotonic()
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(data),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as service:
        try:
            while time.monotonic() - begin < _LONGEST_S:
                assert service.poll() is None, "the service has ended by itself"
                if _answers(f"http://127.0.0.1:{port}/healthz"):
                    return time.monotonic() - begin
                time.sleep(0.01)
        finally:
            service.terminate()
    raise TimeoutError(f"no answer within {_LONGEST_S} s")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=_LONGEST_S / 2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def free_port() -> int:
    """Return a port of the loopback interface that nobody uses now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
