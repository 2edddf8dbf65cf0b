"""Camunda 8's listeners and forms inside the diagram, and who does a task in plain BPMN."""

from __future__ import annotations

import pytest
from lxml import etree

from engine.diagrams.imports import adopt, forms_inside
from engine.diagrams.names import CAMUNDA, ZEEBE
from engine.diagrams.report import Report
from engine.diagrams.words import words
from engine.model import Severity
from tests.drawing import (
    boundary,
    catch,
    diagram,
    end,
    extension,
    node,
    path,
    process,
    start,
    timer,
    user,
)
from tests.unit.diagrams.gate import objections, read


def order_of(drawing: bytes) -> list[str]:
    """Return what follows the start event, handlers by their names."""
    definition = read(drawing).definitions["p"]
    order, here = [], definition.root.task_specs["s"]
    while here.outgoing:
        here = here.outgoing[0].target
        order.append(dict(definition.topics).get(here.bpmn_id, here.bpmn_id))
    return order


def listeners(*inside: str) -> str:
    return extension(f"<zeebe:executionListeners>{''.join(inside)}</zeebe:executionListeners>")


FIRST = '<zeebe:executionListener eventType="start" type="first" retries="2"/>'
LAST = '<zeebe:executionListener eventType="end" type="last"/>'


def test_listeners_of_camunda_8_become_tasks_before_and_behind() -> None:
    drawing = diagram(
        process("p", start("s"), user("x", listeners(FIRST, LAST)), end("e"), path("s", "x", "e"))
    )
    assert order_of(drawing) == ["first", "x", "last", "e"]


def test_a_listener_behind_an_activity_with_boundary_events_is_refused() -> None:
    drawing = diagram(
        process(
            "p", start("s"), user("x", listeners(LAST)),
            boundary("b", "x", timer("Duration", "P1D")),
            end("e"), path("s", "x", "e"), path("b", "e"),
        )
    )  # fmt: skip
    (found,) = objections(drawing, Severity.UNSUPPORTED)
    assert found[0] == "x"
    assert "executionListeners" in found[1]


@pytest.mark.parametrize(("names", "accepted"), [("a, b", True), ("", True), ("a", False)])
def test_a_filter_is_left_out_only_if_the_condition_asks_for_no_more(
    names: str, accepted: bool
) -> None:
    only = extension(f'<zeebe:conditionalFilter variableNames="{names}"/>')
    wait = f"<conditionalEventDefinition>{only}<condition>=a + b > 1</condition>"
    part = catch("x", wait + "</conditionalEventDefinition>")
    drawing = diagram(process("p", start("s"), part, end("e"), path("s", "x", "e")))

    assert (not objections(drawing, Severity.UNSUPPORTED)) is accepted


@pytest.mark.parametrize(
    ("role", "wanted"),
    [
        ('<potentialOwner id="r"><resourceAssignmentExpression><formalExpression>user(ann),'
         " group(desk), sales</formalExpression></resourceAssignmentExpression></potentialOwner>",
         {"candidateUsers": "ann", "candidateGroups": "desk, sales"}),
        ('<humanPerformer id="r"><resourceAssignmentExpression><formalExpression>=owner'
         "</formalExpression></resourceAssignmentExpression></humanPerformer>",
         {"assignee": "=owner"}),
        ('<performer id="r"><resourceRef>desk</resourceRef></performer>',
         {"candidateGroups": "Service desk"}),
    ],
)  # fmt: skip
def test_roles_of_plain_bpmn_decide_who_gets_a_task(role: str, wanted: dict[str, str]) -> None:
    # given
    drawing = diagram(
        node("resource", "desk", name="Service desk"),
        process("p", start("s"), user("x", role), end("e"), path("s", "x", "e")),
    )
    # when
    root = etree.fromstring(drawing)
    adopt(root, Report("case.bpmn"))
    (found,) = root.iter(f"{{{ZEEBE}}}assignmentDefinition")
    # then
    assert {str(name): str(value) for name, value in found.attrib.items()} == wanted
    assert not read(drawing).problems


def test_a_role_that_names_nobody_is_a_warning() -> None:
    drawing = diagram(
        process("p", start("s"), user("x", '<performer id="r"/>'), end("e"), path("s", "x", "e"))
    )
    assert objections(drawing, Severity.WARNING)


def test_a_form_inside_a_diagram_is_found_and_a_broken_one_is_told() -> None:
    # given
    def drawn(form: str) -> bytes:
        inside = extension(f'<zeebe:userTaskForm id="f">{form}</zeebe:userTaskForm>')
        show = extension('<zeebe:formDefinition formKey="camunda-forms:bpmn:f"/>')
        return diagram(
            process("p", inside, start("s"), user("x", show), end("e"), path("s", "x", "e"))
        )

    good = drawn('{"id": "f", "components": []}')
    # when / then
    assert forms_inside(good, {}) == {"f": b'{"id": "f", "components": []}'}
    assert not read(good).problems
    assert "cannot be read" in objections(drawn("{"), Severity.WARNING)[0][1]


def test_properties_of_camunda_7_are_properties_of_the_element() -> None:
    drawing = diagram(
        f'<process id="p" xmlns:camunda="{CAMUNDA}">',
        user("x", extension('<camunda:properties><camunda:property name="name.en" value="Ask"/>'
                            "</camunda:properties>")), "</process>",
    )  # fmt: skip
    assert words(drawing)["x"].name("en") == "Ask"


@pytest.mark.parametrize("owner", ["userTask", "manualTask"])
def test_a_role_with_a_resource_and_an_expression_is_refused(owner: str) -> None:
    # given
    said = (
        '<potentialOwner id="r"><resourceRef>desk</resourceRef><resourceAssignmentExpression>'
        "<formalExpression>user(ann)</formalExpression></resourceAssignmentExpression>"
        "</potentialOwner>"
    )
    drawing = diagram(
        '<resource id="desk" name="desk"/>',
        process("p", start("s"), node(owner, "u", said), end("e"), path("s", "u", "e")),
    )
    # when
    (problem,) = [p for p in read(drawing).problems if p.stops]
    # then
    assert (problem.rule, problem.element) == ("role-said-twice", "r")
