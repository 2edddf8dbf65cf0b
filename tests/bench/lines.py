"""Plays rows 1 and 2 for `tests.bench.before`: a process of its own on the source tree it is given.

python lines.py DRAWINGS: for each line `NAME COUNT` it answers with the CPU seconds of so many
instances. It knows the verbs only, so that the engine of an older commit can be measured by it.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

WHO = "bench"


def main() -> None:
    """Answer until the input ends."""
    from engine.registry import Registry
    from engine.runtime import Engine
    from engine.settings import Settings

    drawings = Path(sys.argv[1])
    with tempfile.TemporaryDirectory(dir=drawings) as folder:
        settings = Settings(data_dir=Path(folder))
        engine = Engine(settings, registry=Registry.of(settings=settings))
        engine.migrate()
        for file in sorted(drawings.glob("*.bpmn")):
            engine.deploy({file.name: file.read_bytes()}, by=WHO)
        plays = {"scripts": _scripts, "person": _person}
        for line in sys.stdin:
            name, count = line.split()
            print(plays[name](engine, int(count)), flush=True)
        engine.close()


def _scripts(engine: Any, count: int) -> float:
    return _cpu_s(lambda: [engine.start("scripts", {"n": 0}, by=WHO) for _ in range(count)])


def _person(engine: Any, count: int) -> float:
    begun = _cpu_s(lambda: [engine.start("person", {}, by=WHO) for _ in range(count)])
    tasks = engine.tasks(limit=1000)
    assert len(tasks) == count
    return begun + _cpu_s(
        lambda: [engine.complete(task.id, {"answer": "yes"}, by=WHO) for task in tasks]
    )


def _cpu_s(act: Callable[[], object]) -> float:
    gc.collect()
    begin = time.process_time()
    act()
    return time.process_time() - begin


if __name__ == "__main__":
    main()
