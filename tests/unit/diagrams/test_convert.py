"""A converted diagram: a file of Camunda 8, drawn, and as sound as the original."""

from __future__ import annotations

import json
import re

import pytest
from lxml import etree

from engine import diagrams
from engine.diagrams.convert import convert
from engine.diagrams.layout import is_drawn, lay_out
from engine.diagrams.names import BPMN_DI, CAMUNDA, MODELER
from engine.errors import BadInput
from tests.drawing import diagram, end, extension, node, path, process, start, timer, user
from tests.unit.diagrams.gate import FEEL, shared
from tests.unit.diagrams.placed import faults

C = f'xmlns:camunda="{CAMUNDA}"'


def titled(tag: str, id: str, name: str, *inside: str, **more: str) -> str:
    return node(tag, id, *inside, name=name, **more)


def leads(source: str, target: str, name: str = "") -> str:
    return node("sequenceFlow", f"{source}-{target}", sourceRef=source, targetRef=target, name=name)


def rich() -> bytes:
    """Return a collaboration with everything that has a place: lanes, loops, boundary events."""
    front = "".join(f"<flowNodeRef>{n}</flowNodeRef>" for n in ("s", "a", "g", "sub", "j", "e"))
    back = "".join(f"<flowNodeRef>{n}</flowNodeRef>" for n in ("b", "c", "late", "e2"))
    service = node(
        "process", "p",
        f'<laneSet id="ls"><lane id="l1" name="Front">{front}</lane>'
        f'<lane id="l2" name="Back">{back}</lane></laneSet>',
        titled("startEvent", "s", "Request arrives"), titled("userTask", "a", "Look at it"),
        titled("exclusiveGateway", "g", "Is it complete?"),
        titled("userTask", "b", "Ask the customer for all that is missing in the request"),
        titled("serviceTask", "c", "Price it"),
        titled("boundaryEvent", "bt", "after two days", timer("Duration", "P2D"),
               attachedToRef="b"),
        titled("boundaryEvent", "be", "cannot be reached", "<errorEventDefinition/>",
               attachedToRef="b"),
        titled("userTask", "late", "Call"), titled("endEvent", "e2", "Given up"),
        titled(
            "subProcess", "sub", "Work on it", start("ss"), '<parallelGateway id="sf"/>',
            user("s1"), user("s2"), '<parallelGateway id="sj"/>', end("se"),
            path("ss", "sf", "s1", "sj", "se"), path("sf", "s2", "sj"),
            titled("subProcess", "esub", "On a complaint",
                   node("startEvent", "ess", "<signalEventDefinition/>", isInterrupting="false"),
                   user("esu"), end("ese"), path("ess", "esu", "ese"), triggeredByEvent="true"),
        ),
        titled("exclusiveGateway", "j", "Good?"), titled("endEvent", "e", "Done"),
        leads("s", "a"), leads("a", "g"), leads("g", "sub", "yes"), leads("g", "b", "no"),
        leads("b", "a", "answered"), leads("bt", "late"), leads("be", "e2"), leads("late", "a"),
        leads("late", "e2", "nobody there"), leads("sub", "c"), leads("c", "j"),
        leads("j", "e", "yes"), leads("j", "sub", "once more"),
        '<dataObject id="do"/><dataObjectReference id="dor" name="Prices" dataObjectRef="do"/>',
        '<textAnnotation id="ta"><text>Prices are those of the day.</text></textAnnotation>',
        node("association", "as1", sourceRef="c", targetRef="ta"),
        node("association", "as2", sourceRef="dor", targetRef="c"),
        node("association", "as3", sourceRef="dor", targetRef="late"),
        isExecutable="true",
    )  # fmt: skip
    return diagram(
        '<collaboration id="col"><participant id="P1" name="Service" processRef="p"/>'
        '<participant id="P2" name="Customer"/><participant id="P3" name="Billing" processRef="q"/>'
        '<messageFlow id="m1" name="request" sourceRef="P2" targetRef="s"/>'
        '<messageFlow id="m2" sourceRef="b" targetRef="P2"/>'
        '<messageFlow id="m3" name="order" sourceRef="c" targetRef="qs"/></collaboration>',
        service,
        process("q", start("qs"), user("qu"), end("qe"), path("qs", "qu", "qe")),
    )


# ------------------------------------------------------------------ the drawing


def test_a_drawing_that_is_made_overlaps_nowhere() -> None:
    # when
    made = convert("rich.bpmn", rich())
    # then
    assert made.laid_out
    assert is_drawn(etree.fromstring(made.diagram))
    assert faults(made.diagram) == []


def test_what_overlaps_would_be_found() -> None:
    # given
    made = convert("rich.bpmn", rich()).diagram
    root = etree.fromstring(made)
    shape = next(s for s in root.iter(f"{{{BPMN_DI}}}BPMNShape") if s.get("bpmnElement") == "a")
    other = next(s for s in root.iter(f"{{{BPMN_DI}}}BPMNShape") if s.get("bpmnElement") == "late")
    other[0].set("x", str(shape[0].get("x")))
    other[0].set("y", str(shape[0].get("y")))
    # when / then
    assert faults(etree.tostring(root)) == ["a lies on late"]


def test_a_long_chain_and_a_wide_fork_are_drawn() -> None:
    names = [f"t{number}" for number in range(400)]
    chain = diagram(process("p", start("s"), *map(user, names), end("e"), path("s", *names, "e")))
    forks = [path("s", f"w{n}", "e") for n in range(60)]
    wide = diagram(process("p", start("s"), *(user(f"w{n}") for n in range(60)), end("e"), *forks))
    assert faults(convert("chain.bpmn", chain).diagram) == []
    assert faults(convert("wide.bpmn", wide).diagram) == []


def test_public_drawings_can_all_be_drawn_anew() -> None:
    folder = shared("miwg")
    for file in sorted(folder.rglob("*.bpmn")):
        root = etree.parse(file).getroot()
        lay_out(root)
        assert faults(etree.tostring(root)) == [], file.name


def test_a_drawing_that_is_there_stays_as_it_is() -> None:
    # given
    drawn = convert("rich.bpmn", rich()).diagram
    # when
    again = convert("rich.bpmn", drawn)
    # then
    assert not again.laid_out
    places = [
        [etree.tostring(plane, method="c14n") for plane in root.iter(f"{{{BPMN_DI}}}BPMNPlane")]
        for root in map(etree.fromstring, (drawn, again.diagram))
    ]
    assert places[0] == places[1]


# ------------------------------------------------------------------ the dialect


def invoice() -> bytes:
    return diagram(
        f'<process id="p" isExecutable="true" {C} camunda:historyTimeToLive="P1D">', start("s"),
        '<userTask id="ask" camunda:assignee="demo">',
        extension('<camunda:formData><camunda:formField id="amount" type="long"/>'
                  "</camunda:formData>"), "</userTask>",
        '<serviceTask id="book" camunda:class="com.acme.BookIt" camunda:asyncBefore="true"/>',
        '<exclusiveGateway id="g" default="g-e"/>', end("e"), user("more"),
        path("s", "ask", "book", "g", "e"), path("more", "e"),
        node("sequenceFlow", "f", "<conditionExpression>${amount &gt; 9}</conditionExpression>",
             sourceRef="g", targetRef="more"), "</process>",
    )  # fmt: skip


def test_the_file_is_one_that_the_camunda_modeler_expects() -> None:
    # when
    made = convert("invoice.bpmn", invoice())
    root = etree.fromstring(made.diagram)
    # then
    assert root.get(f"{{{MODELER}}}executionPlatform") == "Camunda Cloud"
    assert "zeebe" in root.nsmap
    assert CAMUNDA not in made.diagram.decode()
    assert b"ns0:" not in made.diagram
    (name,) = made.forms
    form = json.loads(made.forms[name])
    assert (name, form["components"][0]["key"]) == ("userTaskForm_ask.form", "amount")
    definition = root.find(".//{*}formDefinition")
    assert definition is not None
    assert definition.get("formId") == form["id"]


def test_the_result_passes_the_gate_where_the_original_does() -> None:
    made = convert("invoice.bpmn", invoice())
    before = diagrams.read({"invoice.bpmn": invoice()}, languages=FEEL)
    after = diagrams.read({"invoice.bpmn": made.diagram, **made.forms}, languages=FEEL)

    assert [p for p in before.problems if p.stops] == []
    assert [p for p in after.problems if p.stops or p.severity.value == "warning"] == []
    assert before.definitions["p"].topics == after.definitions["p"].topics


def test_what_is_left_to_do_is_listed_with_the_original_line() -> None:
    drawing = invoice().replace(b'camunda:assignee="demo"', b'camunda:assignee="${a.pick()}"')
    problems = [p for p in convert("invoice.bpmn", drawing).problems if p.stops]

    assert [(p.element, p.line is not None) for p in problems] == [("ask", True)]


def test_what_is_no_diagram_is_refused() -> None:
    with pytest.raises(BadInput, match="is no BPMN diagram"):
        convert("a.bpmn", b"<html/>")


def test_what_was_not_carried_over_stops_the_written_file_until_it_is_done() -> None:
    # given an assignment that nothing stands for
    drawing = invoice().replace(b'camunda:assignee="demo"', b'camunda:assignee="${a.pick()}"')
    made = convert("invoice.bpmn", drawing)
    # when the written file is read by the gate
    files = {"invoice.bpmn": made.diagram, **made.forms}
    left = [p for p in diagrams.read(files, languages=FEEL).problems if p.stops]
    # then
    assert [(p.element, p.rule) for p in left] == [("ask", "conversion-unfinished")]
    assert "pick" in left[0].message
    # when the note is deleted
    done = re.sub(rb"<todo:todo.*?</todo:todo>", b"", made.diagram, flags=re.DOTALL)
    found = diagrams.read({**files, "invoice.bpmn": done}, languages=FEEL).problems
    assert [p for p in found if p.stops] == []
