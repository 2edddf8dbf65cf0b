"""The baseline: SpiffWorkflow as it comes, in memory, without storage or history.

It runs in a process of its own, `python -m tests.bench.stock`: for each line `NAME COUNT` it plays
so many instances and answers with the CPU seconds they took.
"""

from __future__ import annotations

import io
import logging
import subprocess
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from tests.bench import drawings
from tests.bench.figure import cpu_s
from tests.bench.house import ROOT


class Stock:
    """The process of the baseline; asked between the rounds of ours."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.stock"], cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def cpu_s(self, name: str, count: int) -> float:
        """Return the CPU seconds of so many instances."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{name} {count}\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()


def _definition(content: bytes, process_id: str) -> Any:
    from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser

    parser = BpmnParser()
    parser.add_bpmn_io(io.BytesIO(content))
    return parser.get_spec(process_id), parser.get_subprocess_specs(process_id)


def _scripts() -> Callable[[], object]:
    from SpiffWorkflow.bpmn.workflow import BpmnWorkflow

    spec, inner = _definition(drawings.stock_scripts(), "scripts")

    def play() -> None:
        workflow = BpmnWorkflow(spec, inner)
        workflow.set_data(n=0)
        workflow.task_tree.data["n"] = 0
        workflow.do_engine_steps()
        assert workflow.completed
        assert workflow.last_task.data["n"] == drawings.TASKS

    return play


def _person() -> Callable[[], object]:
    from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
    from SpiffWorkflow.util.task import TaskState

    spec, inner = _definition(drawings.person(), "person")

    def play() -> None:
        workflow = BpmnWorkflow(spec, inner)
        workflow.do_engine_steps()
        task = next(iter(workflow.get_tasks(state=TaskState.READY, manual=True)))
        task.data["answer"] = "yes"
        task.run()
        workflow.do_engine_steps()
        assert workflow.completed

    return play


def main() -> None:
    """Answer until the input ends."""
    logging.disable(logging.CRITICAL)
    plays = {"scripts": _scripts(), "person": _person()}
    for line in sys.stdin:
        name, count = line.split()
        play, times = plays[name], range(int(count))
        print(cpu_s(lambda play=play, times=times: [play() for _ in times]), flush=True)  # type: ignore[misc]


if __name__ == "__main__":
    main()
