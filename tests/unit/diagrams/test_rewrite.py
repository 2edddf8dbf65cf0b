"""The internal form: what the kernel gets to see."""

from __future__ import annotations

import json
from copy import deepcopy

from lxml import etree
from lxml.etree import _Element as Element

from engine.diagrams.names import BPMN, CW, ZEEBE, cw
from tests.drawing import (
    about,
    catch,
    diagram,
    end,
    gateway,
    node,
    path,
    process,
    script,
    start,
    task,
    throw,
)
from tests.unit.diagrams.gate import internal, read

NAMES = {"b": BPMN, "z": ZEEBE, "cw": CW}


def one(root: Element, xpath: str) -> Element:
    found = root.xpath(xpath, namespaces=NAMES)
    assert isinstance(found, list)
    assert len(found) == 1, f"{xpath}: {len(found)}"
    assert isinstance(found[0], etree._Element)
    return found[0]


def mappings(root: Element, element: str) -> list[tuple[str, str | None, str | None, str | None]]:
    """Return kind, source, target and language of the mappings of an element."""
    found = root.xpath(f"//*[@id='{element}']//z:ioMapping/*", namespaces=NAMES)
    assert isinstance(found, list)
    return [
        (etree.QName(e).localname, e.get("source"), e.get("target"), e.get(cw("language")))
        for e in found
        if isinstance(e, etree._Element)
    ]


def test_conditions_and_scripts_are_marked_with_their_language() -> None:
    # given
    drawing = diagram(
        process(
            "p",
            gateway("exclusive", "g"),
            node("sequenceFlow", "f", "<conditionExpression>\n = a > 1\n</conditionExpression>",
                 sourceRef="g", targetRef="t"),
            node("scriptTask", "t", "<script>a = 1</script>", scriptFormat="text/x-python"),
            catch("c", "<timerEventDefinition><timeDuration>PT1H</timeDuration>"
                       "</timerEventDefinition>"),
        )
    )  # fmt: skip
    # when
    root = internal(drawing)
    # then
    condition = one(root, "//b:conditionExpression")
    assert (condition.text, condition.get(cw("language"))) == ("a > 1", "feel")
    assert one(root, "//b:script").get(cw("language")) == "python"
    assert one(root, "//b:timeDuration").get(cw("language")) == "literal"


def test_an_empty_expression_is_left_out() -> None:
    # given
    flow = node("sequenceFlow", "f", "<conditionExpression> </conditionExpression>",
                sourceRef="a", targetRef="b")  # fmt: skip
    # when
    root = internal(diagram(process("p", task("a"), task("b"), flow)))
    # then
    assert len(one(root, "//b:sequenceFlow")) == 0


def test_shared_event_definitions_are_copied_to_their_events() -> None:
    # given
    drawing = diagram(
        node("timerEventDefinition", "soon", "<timeDuration>=wait</timeDuration>"),
        process("p", catch("a", "<eventDefinitionRef>tns:soon</eventDefinitionRef>"),
                catch("b", "<eventDefinitionRef>soon</eventDefinitionRef>")),
    )  # fmt: skip
    # when
    root = internal(drawing)
    # then
    for name in "ab":
        time = one(root, f"//*[@id='{name}']/b:timerEventDefinition/b:timeDuration")
        assert (time.text, time.get(cw("language"))) == ("wait", "feel")


def test_prefixes_are_stripped_from_references() -> None:
    # given
    drawing = diagram(
        process(
            "p", throw("t", about("message", "a:m")), node("callActivity", "c", calledElement="a:q")
        )
    )
    # when
    root = internal(drawing)
    # then
    assert one(root, "//b:messageEventDefinition").get("messageRef") == "m"
    assert one(root, "//b:callActivity").get("calledElement") == "q"


def test_the_ends_of_a_link_get_one_name() -> None:
    # given ends that find each other by reference only
    throws = '<linkEventDefinition id="l1" name="there"><target>l2</target></linkEventDefinition>'
    catches = '<linkEventDefinition id="l2" name="here"><source>l1</source></linkEventDefinition>'
    # when
    root = internal(diagram(process("p", throw("t", throws), catch("c", catches))))
    # then
    assert one(root, "//*[@id='l1']").get("name") == one(root, "//*[@id='l2']").get("name") == "c"


def test_flows_without_an_id_get_one() -> None:
    # given
    drawing = diagram(
        process("p", start("s"), end("e"), '<sequenceFlow sourceRef="s" targetRef="e"/>')
    )
    # when / then
    assert one(internal(drawing), "//b:sequenceFlow").get("id")
    assert not read(drawing).stops


# ------------------------------------------------------------------ data


def specified(inputs: dict[str, str], outputs: dict[str, str]) -> str:
    """Return an ioSpecification; id -> name."""
    items = [node("dataInput", id, name=name) for id, name in inputs.items()]
    items += [node("dataOutput", id, name=name) for id, name in outputs.items()]
    return f"<ioSpecification>{''.join(items)}<inputSet/><outputSet/></ioSpecification>"


def tied(kind: str, source: str, target: str, more: str = "") -> str:
    return (
        f"<data{kind}Association><sourceRef>{source}</sourceRef><targetRef>{target}</targetRef>"
        f"{more}</data{kind}Association>"
    )


OBJECT = node("dataObject", "do", name="order") + node(
    "dataObjectReference", "ref", dataObjectRef="do"
)


def test_data_of_another_name_becomes_a_mapping() -> None:
    # given
    work = task(
        "t",
        specified({"in": "given"}, {"out": "made"}),
        tied("Input", "ref", "in"),
        tied("Output", "out", "ref"),
    )
    # when
    root = internal(diagram(process("p", OBJECT, work)))
    # then
    assert mappings(root, "t") == [
        ("input", "order", "given", "variable"),
        ("output", "made", "order", "variable"),
    ]


def test_data_of_the_same_name_or_of_no_usable_name_is_the_variable_itself() -> None:
    # given
    same = task("a", specified({"i": "order"}, {}), tied("Input", "ref", "i"))
    unnamed = task("b", specified({}, {"o": "Data Output"}), tied("Output", "o", "ref"))
    # when
    root = internal(diagram(process("p", OBJECT, same, unnamed)))
    # then
    assert mappings(root, "a") == []
    assert mappings(root, "b") == []


def test_a_transformation_becomes_an_expression() -> None:
    # given
    change = "<transformation>=order.total</transformation>"
    work = task("t", specified({"in": "sum"}, {}), tied("Input", "ref", "in", change))
    # when
    root = internal(diagram(process("p", OBJECT, work)))
    # then
    assert mappings(root, "t") == [("input", "order.total", "sum", "feel")]


def test_a_call_passes_its_data_even_under_the_same_name() -> None:
    # given
    call = node(
        "callActivity",
        "c",
        specified({"ci": "order"}, {"co": ""}),
        tied("Input", "ref", "ci"),
        tied("Output", "co", "ref"),
        calledElement="q",
    )
    called = process("q", specified({"qi": "order"}, {"qo": "result"}))
    # when
    root = internal(diagram(process("p", OBJECT, call), called))
    # then
    assert mappings(root, "c") == [
        ("input", "order", "order", "variable"),
        ("output", "result", "order", "variable"),
    ]
    interface = one(root, "//cw:interface")
    assert json.loads(interface.get("inputs") or "") == ["order"]
    assert json.loads(interface.get("outputs") or "") == ["result"]


def test_a_repeated_task_names_its_collections() -> None:
    # given
    loop = (
        "<multiInstanceLoopCharacteristics><loopDataInputRef>in</loopDataInputRef>"
        '<inputDataItem id="item"/></multiInstanceLoopCharacteristics>'
    )
    work = task("t", specified({"in": "many"}, {}), tied("Input", "ref", "in"), loop)
    # when
    root = internal(diagram(process("p", OBJECT, work)))
    # then
    assert one(root, "//b:loopDataInputRef").text == "order"
    assert one(root, "//b:inputDataItem").get("name") == "item"
    assert mappings(root, "t") == []


def test_the_placeholders_of_camunda_modeler_are_no_variables() -> None:
    # given
    place = node("property", "target", name="__targetRef_placeholder")
    work = task("t", place, tied("Input", "ref", "target"))
    # when / then
    assert mappings(internal(diagram(process("p", OBJECT, work))), "t") == []


def test_reading_leaves_ids_and_order_alone() -> None:
    # given
    drawing = diagram(
        process("p", start("s"), script("t", "1", "r"), end("e"), path("s", "t", "e"))
    )
    before = etree.fromstring(drawing)
    # when
    after = internal(drawing)
    # then
    ids = [e.get("id") for e in deepcopy(before).iter() if e.get("id")]
    assert [e.get("id") for e in after.iter() if e.get("id")] == ids
