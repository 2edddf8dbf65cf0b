"""What undoes an activity, and who asks for it."""

from __future__ import annotations

from engine.model import Severity
from tests.drawing import boundary, diagram, end, node, path, process, start, sub, task, throw
from tests.unit.diagrams.gate import accepted, objections


def undone(*inside: str, handler: str = "", target: str = "t") -> bytes:
    """Return a process with a task t, its handler h, and a throw event that undoes the target."""
    ask = f'<compensateEventDefinition activityRef="{target}"/>'
    return diagram(
        process(
            "p",
            start("s"),
            task("t"),
            boundary("b", "t", "<compensateEventDefinition/>"),
            handler or node("task", "h", isForCompensation="true"),
            throw("ask", ask),
            end("e"),
            path("s", "t", "ask", "e"),
            *inside,
            node("association", "a", sourceRef="b", targetRef="h"),
        )
    )


def test_an_activity_its_handler_and_a_throw_event_belong_together() -> None:
    assert accepted(undone())
    assert not objections(undone(), Severity.WARNING)


def test_only_an_activity_with_the_marker_compensates() -> None:
    # given
    drawing = undone(path("h", "e"), handler=task("h"))
    # when / then
    assert ("b", "The boundary event “b” is tied to the task “h”, which is not marked for"
            " compensation") in objections(drawing)  # fmt: skip


def test_a_marked_activity_without_an_event_is_mentioned() -> None:
    # given
    drawing = undone(node("task", "alone", isForCompensation="true"))
    # when / then
    assert objections(drawing, Severity.WARNING) == [
        ("alone", "The task “alone” is marked for compensation, but undoes no activity")
    ]


def test_what_stands_in_another_sub_process_cannot_be_undone() -> None:
    # given
    inner = sub("sp", start("is"), task("it"), end("ie"), path("is", "it", "ie"))
    drawing = undone(inner, path("s", "sp", "e"), target="it")
    # when / then
    assert "which stands in another sub-process" in dict(objections(drawing))["ask"]


def test_undoing_what_nothing_undoes_is_mentioned() -> None:
    # given
    drawing = undone(task("u"), path("s", "u", "e"), target="u")
    # when / then
    assert "nothing is drawn to undo it" in dict(objections(drawing, Severity.WARNING))["ask"]
