"""Row 8: what a worker process costs while 100,000 tasks and timers are open and nothing is due."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.bench import drawings
from tests.bench.figure import Figure
from tests.bench.house import ROOT, environment, house
from tests.bench.rounds import Bench

#: open tasks of one case, each with its timer
_PER_CASE = 100
#: until the worker is up and has looked once; seconds
_WARM_S = 4.0


def measure(bench: Bench) -> list[Figure]:
    """Return the share of a core that `caseway work` takes."""
    tasks, span_s = (10_000, 5.0) if bench.quick else (100_000, 20.0)
    with house() as made:
        made.deploy(drawings.waiting(), drawings.alarm())
        made.start("waiting", tasks // _PER_CASE, items=list(range(_PER_CASE)))
        made.start("alarm", 1, span="PT1S")
        made.engine.close()
        share = _share(made.settings.data_dir, span_s)
        # the worker was at work: it has seen the only timer that became due
        assert made.engine.cases(process_id="alarm", state="completed")
    return [
        Figure(
            name=f"8 idle cost of {tasks:,} open tasks and timers",
            value=None if share is None else share * 100,
            unit="% of a core",
            goal="< 1",
            detail=f"CPU of the worker process over {span_s:.0f} s",
        )
    ]


def _share(data: Path, span_s: float) -> float | None:
    """Return CPU seconds per second; None where the system does not tell them."""
    command = [sys.executable, "-m", "web.cli", "work"]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(data),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as worker:
        try:
            time.sleep(_WARM_S)
            begin = _spent_s(worker.pid)
            time.sleep(span_s)
            after = _spent_s(worker.pid)
            assert worker.poll() is None, "the worker process has ended by itself"
        finally:
            worker.terminate()
    return None if begin is None or after is None else (after - begin) / span_s


def _spent_s(pid: int) -> float | None:
    """Return the CPU seconds a process has spent (Linux: fields 14 and 15 of its stat file)."""
    file = Path(f"/proc/{pid}/stat")
    if not file.exists():
        return None
    fields = file.read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
