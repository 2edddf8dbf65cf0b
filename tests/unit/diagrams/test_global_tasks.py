"""Global tasks at the gate."""

from __future__ import annotations

from tests.drawing import call, diagram, end, extension, node, path, process, start
from tests.unit.diagrams.gate import accepted, read


def test_a_file_with_nothing_but_global_tasks_is_accepted() -> None:
    assert accepted(diagram(node("globalUserTask", "ask")))


def test_the_handler_of_a_global_task_must_be_there() -> None:
    # given
    work = extension('<zeebe:taskDefinition type="no.such.handler"/>')
    calls = process("p", start("s"), call("c", "ask"), end("e"), path("s", "c", "e"))
    drawing = diagram(calls, node("globalBusinessRuleTask", "ask", work))
    # when
    found = read(drawing, topics=("other.handler",)).problems
    # then
    assert [problem.element for problem in found if problem.stops] == ["ask"]
