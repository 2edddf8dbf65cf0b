"""Elements, attributes, ids and references that BPMN does not know."""

from __future__ import annotations

from importlib import resources

import pytest
from lxml import etree

from engine.diagrams.schema import ROWS
from engine.model import Severity
from tests.drawing import about, diagram, end, node, path, process, start, task, throw, user
from tests.unit.diagrams.gate import accepted, objections, read

XSD = "{http://www.w3.org/2001/XMLSchema}"


def drawn(*inside: str, before: str = "") -> bytes:
    return diagram(before, process("p", start("s"), end("e"), *inside))


def test_every_reference_of_the_table_names_kinds_that_exist() -> None:
    known = set().union(*(row.kinds for row in ROWS.values()))
    for row in ROWS.values():
        for slot in (*row.attributes.values(), *row.children.values()):
            assert set(slot.targets) <= known, f"{row.name}.{slot.name}"


def test_an_unknown_element_is_named_by_its_owner() -> None:
    # given
    drawing = drawn(task("t", "<colour/>"), path("s", "t", "e"))
    # when / then
    assert objections(drawing) == [("t", "BPMN has no element “colour” in the task “t”")]


def test_an_element_in_the_wrong_place_is_refused() -> None:
    # given
    drawing = drawn(path("s", "e"), before=node("property", "x", name="x"))
    # when / then
    assert objections(drawing) == [("x", "The property “x” cannot stand in the file")]


def test_an_unknown_attribute_and_a_wrong_value_are_refused() -> None:
    # given
    drawing = drawn(node("task", "t", colour="red", isForCompensation="maybe"), path("s", "t", "e"))
    # when
    messages = [message for _, message in objections(drawing)]
    # then
    assert messages == [
        "The task “t” has the unknown attribute “colour”",
        "The attribute “isForCompensation” of the task “t” is “maybe”, which is not true or false",
    ]


def test_a_missing_attribute_is_named() -> None:
    # given
    drawing = drawn(path("s", "e"), "<sequenceFlow id='f' sourceRef='s'/>")
    # when / then
    assert ("f", "The sequence flow “f” lacks its attribute “targetRef”") in objections(drawing)


def test_a_second_child_is_refused_where_one_is_allowed() -> None:
    # given
    loops = "<standardLoopCharacteristics/><multiInstanceLoopCharacteristics/>"
    drawing = drawn(task("t", loops), path("s", "t", "e"))
    # when / then
    assert any("and only one is allowed" in message for _, message in objections(drawing))


def test_equal_ids_in_one_file_are_refused_at_the_second() -> None:
    # given
    drawing = drawn(task("t"), user("t"), path("s", "t", "e"))
    # when
    found = objections(drawing)
    # then
    assert found[0][0] == "t"
    assert "has the id “t”, and so has the task “t” in line 3" in found[0][1]


def test_a_node_without_an_id_is_named_by_its_line() -> None:
    # given
    drawing = drawn("\n<task name='lost'/>", path("s", "e"))
    # when
    lost = [p for p in read(drawing).problems if "has no id" in p.message]
    # then
    assert [(p.element, p.line) for p in lost] == [(None, 4)]


def test_every_flow_that_ends_nowhere_is_named() -> None:
    # given
    drawing = drawn(task("t"), path("s", "t", "nowhere"), path("t", "gone"))
    # when
    found = dict(objections(drawing))
    # then
    assert "refers to “nowhere”" in found["t-nowhere"]
    assert "refers to “gone”" in found["t-gone"]


def test_a_reference_to_another_kind_is_refused() -> None:
    # given
    drawing = drawn(
        throw("m", about("message", "sig")),
        path("s", "m", "e"),
        before=node("signal", "sig", name="Done"),
    )
    # when / then
    (found,) = objections(drawing)
    assert "refers to the signal “Done” (messageRef), which is no message" in found[1]


def test_a_prefix_of_a_reference_means_nothing() -> None:
    # given
    inside = '<messageEventDefinition messageRef="tns:m"/>'
    drawing = drawn(
        throw("t", inside), path("s", "t", "e"), before=node("message", "m", name="Hello")
    )
    # when / then
    assert accepted(drawing)


def test_foreign_elements_outside_extensions_are_mentioned() -> None:
    # given
    drawing = drawn(task("t", '<note xmlns="urn:x"/>'), path("s", "t", "e"))
    # when / then
    assert "note" in objections(drawing, Severity.WARNING)[0][1]


# ------------------------------------------------------------------ the order of children


def test_a_child_behind_what_has_to_follow_it_is_mentioned_once_for_each_owner() -> None:
    # given
    incoming = "<incoming>s-t</incoming>"
    late = "<documentation>late</documentation><extensionElements/>"
    drawing = drawn(node("userTask", "t", incoming, late), path("s", "t", "e"))
    # when
    (problem,) = [p for p in read(drawing).problems if p.rule == "children-out-of-order"]
    # then
    assert (problem.severity, problem.element) == (Severity.WARNING, "t")
    assert problem.message == (
        "In the user task “t” “documentation” stands behind “incoming”, but belongs before it"
    )
    assert accepted(drawing)


@pytest.mark.parametrize(
    "inside",
    [
        ("<documentation>a</documentation><documentation>b</documentation><extensionElements/>"),
        ("<extensionElements/><incoming>s-t</incoming><outgoing>t-e</outgoing>"),
        ("<incoming>s-t</incoming><outgoing>t-e</outgoing><standardLoopCharacteristics/>"),
    ],
)
def test_children_in_their_order_are_not_mentioned(inside: str) -> None:
    drawing = drawn(node("userTask", "t", inside), path("s", "t", "e"))

    assert "children-out-of-order" not in {p.rule for p in read(drawing).problems}


def test_the_table_has_the_order_of_the_schema_of_the_standard() -> None:
    folder = resources.files("SpiffWorkflow").joinpath("bpmn", "parser", "schema")
    schema = etree.fromstring(folder.joinpath("Semantic.xsd").read_bytes())
    types = {str(t.get("name")): t for t in schema.iter(f"{XSD}complexType")}
    compared = 0
    for element in schema.iterchildren(f"{XSD}element"):
        name, kind = str(element.get("name")), str(element.get("type")).rpartition(":")[2]
        row = ROWS.get(name)
        if row is None or kind not in types:
            continue
        known = [row.order[tag] for tag in _sequence(types, kind) if tag in row.order]
        assert known == sorted(known), name
        compared += len(known) > 1
    assert compared > 90


def _sequence(types: dict[str, etree._Element], name: str) -> list[str]:
    """Return the tags of a type in the order of the schema, those of its base first."""
    kind = types.get(name)
    if kind is None:
        return []
    extension = kind.find(f".//{XSD}extension")
    base = [] if extension is None else _sequence(types, str(extension.get("base")))
    named = (part.get("ref") or part.get("name") or "" for part in kind.iter(f"{XSD}element"))
    return base + [tag.rpartition(":")[2] for tag in named]
