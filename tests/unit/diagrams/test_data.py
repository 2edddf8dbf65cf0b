"""Declared data has to fit: items, sets, associations, operations, calls and service bindings."""

from __future__ import annotations

import re

import pytest

from engine.model import Severity
from tests.drawing import diagram, end, node, path, process, start, sub, task
from tests.unit.diagrams.gate import objections

ITEMS = (
    node("itemDefinition", "text", structureRef="String")
    + node("itemDefinition", "texts", structureRef="String", isCollection="true")
    + node("itemDefinition", "number", structureRef="Integer")
    + node("message", "m", name="M", itemRef="text")
)


def io(inputs: str = "", outputs: str = "", sets: str = "") -> str:
    """Return a data specification; without `sets` one set lists all inputs, one all outputs."""

    def listing(kind: str, items: str) -> str:
        ids = re.findall(r' id="(\w+)"', items)
        return "".join(f"<data{kind}Refs>{id}</data{kind}Refs>" for id in ids)

    sets = sets or (
        f"<inputSet>{listing('Input', inputs)}</inputSet>"
        f"<outputSet>{listing('Output', outputs)}</outputSet>"
    )
    return f"<ioSpecification>{inputs}{outputs}{sets}</ioSpecification>"


def given(id: str, item: str, **more: str) -> str:
    return node("dataInput", id, itemSubjectRef=item, **more)


def made(id: str, item: str, **more: str) -> str:
    return node("dataOutput", id, itemSubjectRef=item, **more)


def found(part: str, *more: str) -> dict[str | None, str]:
    """Return the errors of a process with one part x."""
    drawing = diagram(ITEMS, process("p", start("s"), part, end("e"), path("s", "x", "e")), *more)
    return dict(objections(drawing))


def test_a_collection_and_its_item_definition_agree() -> None:
    problems = found(task("x", io(given("i", "texts"))))
    assert "do not agree on being a collection" in problems["i"]
    assert not found(task("x", io(given("i", "texts", isCollection="true"))))


def test_an_association_joins_data_of_one_type() -> None:
    # given
    def tied(item: str, more: str = "") -> str:
        inside = f"<sourceRef>do</sourceRef><targetRef>i</targetRef>{more}"
        part = task("x", io(given("i", "text")), node("dataInputAssociation", "a", inside))
        return part + node("dataObject", "do", itemSubjectRef=item)

    change = "<transformation>=string(do)</transformation>"
    # then
    assert "joins data of different types" in found(tied("number"))["a"]
    assert not found(tied("text"))
    assert not found(tied("number", change))


def test_nothing_is_written_to_an_input() -> None:
    # given
    inside = "<sourceRef>o</sourceRef><targetRef>i</targetRef>"
    part = task(
        "x", io(given("i", "text"), made("o", "text")), node("dataOutputAssociation", "a", inside)
    )
    # when / then
    assert "which can only be read" in found(part)["a"]


def test_an_optional_input_is_among_the_inputs_of_its_set() -> None:
    # given
    sets = "<inputSet id='set'><optionalInputRefs>i</optionalInputRefs></inputSet><outputSet/>"
    # when / then
    assert (
        "but not under dataInputRefs" in found(task("x", io(given("i", "text"), sets=sets)))["set"]
    )


def test_a_sub_process_has_no_data_specification() -> None:
    # given
    inner = sub("x", io(), start("is"), end("ie"), path("is", "ie"))
    # when / then
    assert "a data specification, which only tasks and calls may have" in found(inner)["x"]


def test_a_task_takes_and_gives_what_its_message_carries() -> None:
    # given
    wrong = node("receiveTask", "x", io(outputs=made("o", "number")), messageRef="m")
    right = node("receiveTask", "x", io(outputs=made("o", "text")), messageRef="m")
    two = node("sendTask", "x", io(given("a", "text") + given("b", "text")), messageRef="m")
    # then
    assert "is not of the type of its message" in found(wrong)["x"]
    assert not found(right)
    assert "more than one data input" in found(two)["x"]


def test_a_call_declares_what_the_called_process_declares() -> None:
    # given
    def call(*inside: str) -> str:
        return node("callActivity", "x", *inside, calledElement="q")

    called = process("q", io(given("qi", "text")), start("qs"), end("qe"), path("qs", "qe"))
    # then
    assert "(data input: 0 and 1)" in found(call(io()), called)["x"]
    assert "not of the type" in found(call(io(given("i", "number"))), called)["x"]
    assert not found(call(io(given("i", "text"))), called)


def test_the_name_of_a_reference_tells_object_and_state() -> None:
    # given
    def reference(name: str) -> str:
        state = node("dataState", "st", name="paid")
        shown = node("dataObjectReference", "r", state, dataObjectRef="do", name=name)
        return task("x") + node("dataObject", "do", name="Bill") + shown

    # then
    assert "should be called “Bill [paid]”" in found(reference("Invoice [paid]"))["r"]
    assert not found(reference("Bill [paid]"))


def test_an_element_of_a_collection_has_its_type() -> None:
    # given
    def repeated(item: str) -> str:
        loop = (
            "<multiInstanceLoopCharacteristics><loopDataInputRef>do</loopDataInputRef>"
            f"<inputDataItem id='one' itemSubjectRef='{item}'/></multiInstanceLoopCharacteristics>"
        )
        many = node("dataObject", "do", itemSubjectRef="texts", isCollection="true")
        return task("x", loop) + many

    # then
    assert "not of the type that its collection holds" in found(repeated("number"))["one"]
    assert not found(repeated("text"))


# ------------------------------------------------------------------ activities and pools


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (node("serviceTask", "x"), "has no handler"),
        (node("businessRuleTask", "x"), "has no decision or handler"),
        (node("sendTask", "x"), "has no message or handler"),
        (node("receiveTask", "x"), "has no message"),
        (node("scriptTask", "x"), "has no script"),
        (node("callActivity", "x"), "has no called process"),
        (task("x", "<multiInstanceLoopCharacteristics/>"), "does not say how often"),
    ],
)
def test_a_task_that_lacks_its_work_is_incomplete(part: str, words: str) -> None:
    # given
    drawing = diagram(process("p", start("s"), part, end("e"), path("s", "x", "e")))
    # when
    ((element, text),) = objections(drawing, Severity.UNSUPPORTED)
    # then
    assert element == "x"
    assert words in text


def test_numbers_below_their_minimum_are_refused() -> None:
    # given
    times = '<loopCardinality xsi:type="tFormalExpression">-1</loopCardinality>'
    loop = f"<multiInstanceLoopCharacteristics>{times}</multiInstanceLoopCharacteristics>"
    # then
    assert "must be at least 1" in found(node("task", "x", startQuantity="0"))["x"]
    assert "to be done -1 times" in found(task("x", loop))["x"]


def test_message_flows_connect_two_pools() -> None:
    # given
    flows = node("messageFlow", "f", sourceRef="x", targetRef="s") + node(
        "messageFlow", "g", sourceRef="other", targetRef="s"
    )
    pools = node("participant", "pool", processRef="p") + node("participant", "other")
    # when
    problems = found(task("x"), node("collaboration", "c", pools, flows))
    # then
    assert "stays inside one pool" in problems["f"]
    assert "does not wait for a message" in problems["s"]


def test_a_public_process_is_not_executable() -> None:
    # given
    inside = (start("s"), end("e"), path("s", "e"))
    drawing = diagram(node("process", "p", *inside, isExecutable="true", processType="Public"))
    # when / then
    assert "cannot be executable" in objections(drawing)[0][1]


def test_a_node_in_two_lanes_is_mentioned() -> None:
    # given
    lanes = "".join(node("lane", name, "<flowNodeRef>s</flowNodeRef>") for name in "ab")
    drawing = diagram(
        process("p", node("laneSet", "set", lanes), start("s"), end("e"), path("s", "e"))
    )
    # when / then
    assert (
        "stands in the lane “a” and in the lane “b”" in objections(drawing, Severity.WARNING)[0][1]
    )
