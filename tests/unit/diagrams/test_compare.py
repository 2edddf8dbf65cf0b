"""What differs between two versions of a diagram."""

from __future__ import annotations

from engine.diagrams.compare import Change, compare
from tests.drawing import diagram, end, node, path, process, service, start, task, user

STEPS = [start("s"), task("a"), end("e")]
SHAPE = (
    '<di:BPMNDiagram xmlns:di="http://www.omg.org/spec/BPMN/20100524/DI"'
    ' xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" id="d"><di:BPMNPlane id="pl">'
    '<di:BPMNShape id="a_di" bpmnElement="a"><dc:Bounds x="{x}" y="0" width="9" height="9"/>'
    "</di:BPMNShape></di:BPMNPlane></di:BPMNDiagram>"
)


def changes(old: list[str], new: list[str]) -> dict[str, Change]:
    """Return the changes between two processes by element."""
    found = compare(diagram(process("p", *old)), diagram(process("p", *new)))
    return {change.id: change for change in found}


def test_equal_diagrams_do_not_differ() -> None:
    assert changes(STEPS, STEPS) == {}
    # and white space means nothing
    assert compare(diagram(process("p", *STEPS)), diagram(process("p", "\n", *STEPS))) == []


def test_steps_and_flows_are_added_and_removed() -> None:
    found = changes([*STEPS, path("s", "a", "e")], [*STEPS, task("b"), path("s", "b", "e")])

    kinds = {id: change.kind for id, change in found.items()}
    assert kinds == {
        "b": "added", "s-b": "added", "b-e": "added", "s-a": "removed", "a-e": "removed",
    }  # fmt: skip


def test_changed_property_has_its_old_and_new_value() -> None:
    old, new = service("a", "mail.write", retries="3"), service("a", "mail.write", retries="5")

    (change,) = changes([old], [new]).values()

    assert (change.kind, change.tag) == ("changed", "serviceTask")
    (detail,) = change.details
    assert (detail.old, detail.new) == ("3", "5")
    assert detail.path.endswith("taskDefinition@retries")


def test_event_definition_is_a_property_of_its_event() -> None:
    def late(time: str) -> str:
        inside = f"<timeDuration>{time}</timeDuration>"
        return node("intermediateCatchEvent", "w", node("timerEventDefinition", "t", inside))

    (change,) = changes([late("PT1H")], [late("PT2H")]).values()

    assert (change.id, change.details[0].old, change.details[0].new) == ("w", "PT1H", "PT2H")


def test_another_kind_of_task_is_a_change() -> None:
    assert changes([task("a")], [user("a")])["a"].kind == "changed"


def test_element_drawn_elsewhere_has_moved() -> None:
    old = diagram(process("p", *STEPS), SHAPE.format(x=1))
    new = diagram(process("p", *STEPS), SHAPE.format(x=500))

    assert [(change.id, change.kind) for change in compare(old, new)] == [("a", "moved")]


def test_what_is_no_diagram_counts_as_empty() -> None:
    found = compare(b"{}", diagram(process("p", *STEPS)))

    assert {change.kind for change in found} == {"added"}
