"""Extensions: honoured, refused, or let through because they execute nothing."""

from __future__ import annotations

import pytest
from lxml import etree

from engine.diagrams.diagram import Diagram
from engine.diagrams.dialects import dialect_of
from engine.model import Severity
from tests.drawing import (
    HEAD,
    diagram,
    end,
    extension,
    node,
    path,
    process,
    service,
    start,
    user,
)
from tests.unit.diagrams.gate import accepted, objections, read

CAMUNDA = 'xmlns:camunda="http://camunda.org/schema/1.0/bpmn"'
SPIFF = 'xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core"'


def drawn(part: str) -> bytes:
    return diagram(process("p", start("s"), part, end("e"), path("s", "x", "e")))


def test_everything_a_user_task_needs_is_accepted() -> None:
    # given
    part = user(
        "x",
        extension(
            "<zeebe:userTask/>",
            '<zeebe:formDefinition externalReference="answer"/>',
            '<zeebe:assignmentDefinition assignee="=owner" candidateGroups="sales, desk"/>',
            '<zeebe:taskSchedule dueDate="=due" followUpDate="2026-01-01T08:00:00Z"/>',
            '<zeebe:priorityDefinition priority="80"/>',
            '<zeebe:ioMapping><zeebe:input source="=a" target="b.c"/></zeebe:ioMapping>',
            '<zeebe:properties><zeebe:property name="sla" value="PT2H"/></zeebe:properties>',
        ),
    )
    # when / then
    assert accepted(drawn(part))
    assert not read(drawn(part)).problems


def test_properties_may_stand_everywhere() -> None:
    # given
    note = extension('<zeebe:properties><zeebe:property name="a" value="b"/></zeebe:properties>')
    drawing = diagram(
        node("message", "m", note, name="M"),
        process(
            "p", note, start("s", note), user("x", note), end("e", note),
            path("s", "x"), node("sequenceFlow", "f", note, sourceRef="x", targetRef="e"),
        ),
    )  # fmt: skip
    # when / then
    assert not read(drawing).problems


@pytest.mark.parametrize(
    ("inside", "words"),
    [
        (
            "<zeebe:taskListeners><zeebe:taskListener eventType='assigning' type='a'/>"
            "</zeebe:taskListeners>",
            "uses “taskListeners”",
        ),
        ("<zeebe:colour/>", "does not know there"),
        ('<zeebe:assignmentDefinition team="a"/>', "has the attribute “team”"),
        ('<zeebe:ioMapping><zeebe:input source="=a"/></zeebe:ioMapping>', "has no target"),
    ],
)
def test_an_extension_that_would_not_be_honoured_is_refused(inside: str, words: str) -> None:
    # given
    found = objections(drawn(user("x", extension(inside))), Severity.UNSUPPORTED)
    # then
    assert [element for element, _ in found] == ["x"]
    assert words in found[0][1]


def test_an_extension_at_the_wrong_element_is_refused() -> None:
    # given
    part = user("x", extension('<zeebe:taskDefinition type="t"/>'))
    found = objections(drawn(part), Severity.UNSUPPORTED)
    # then
    assert "has no meaning at the user task “x”" in found[0][1]


def test_the_target_of_a_mapping_is_the_name_of_a_variable() -> None:
    # given
    inside = '<zeebe:ioMapping><zeebe:output source="=a" target="the sum"/></zeebe:ioMapping>'
    # when / then
    assert (
        "cannot be the name of a variable" in objections(drawn(user("x", extension(inside))))[0][1]
    )


@pytest.mark.parametrize(
    ("part", "word"),
    [
        (f'<userTask id="x" {CAMUNDA} camunda:topik="demo"/>', "“topik” of the camunda"),
        (
            f'<userTask id="x">{extension(f"<spiffworkflow:afterScript {SPIFF}/>")}</userTask>',
            "“afterScript” of the spiffworkflow",
        ),
    ],
)
def test_what_a_dialect_does_not_know_is_refused(part: str, word: str) -> None:
    # given
    ((element, text),) = objections(drawn(part), Severity.UNSUPPORTED)
    # then
    assert element == "x"
    assert word in text


def test_what_executes_nothing_is_let_through() -> None:
    # given
    part = (
        '<userTask id="x" xmlns:acme="urn:acme" acme:colour="red">'
        f"{extension('<acme:form><acme:field/></acme:form>')}</userTask>"
    )
    # when
    problems = read(drawn(part)).problems
    # then
    assert [(p.element, p.severity) for p in problems] == [("x", Severity.INFO)]


def test_the_settings_of_another_engine_are_a_warning() -> None:
    # given
    part = '<userTask id="x" xmlns:a="http://activiti.org/bpmn" a:assignee="demo"/>'
    # when / then
    assert "settings of Activiti" in objections(drawn(part), Severity.WARNING)[0][1]


@pytest.mark.parametrize(
    ("part", "dialect"),
    [
        (service("x", "mail"), "zeebe"),
        (f'<userTask id="x" {CAMUNDA} camunda:assignee="demo"/>', "camunda"),
        (f'<userTask id="x" {CAMUNDA} camunda:modelerTemplate="demo"/>', "plain"),
        ('<userTask id="x"/>', "plain"),
    ],
)
def test_the_dialect_of_a_file_is_recognised(part: str, dialect: str) -> None:
    # given
    root = etree.fromstring(f"{HEAD}{part}</definitions>".encode())
    # when / then
    assert dialect_of(Diagram("a.bpmn", root)) == dialect


# ------------------------------------------------------------------ what begins in an ad hoc part


def choosing(attributes: str) -> bytes:
    chooses = extension(f"<zeebe:adHoc {attributes}/>")
    host = node("adHocSubProcess", "h", chooses, user("u1"), user("u2"), user("u3"),
                path("u2", "u3"))  # fmt: skip
    return diagram(process("p", start("s"), host, end("e"), path("s", "h", "e")))


@pytest.mark.parametrize("chosen", ["=[]", "=chosen", "=[&quot;u1&quot;, &quot;u2&quot;]"])
def test_data_may_choose_what_begins_in_an_ad_hoc_part(chosen: str) -> None:
    assert accepted(choosing(f'activeElementsCollection="{chosen}"'))


@pytest.mark.parametrize(
    ("attributes", "rule"),
    [
        ('activeElementsCollection="=[&quot;u3&quot;]"', "ad-hoc-choice-unknown"),
        ('activeElementsCollection="=[&quot;u1&quot;, &quot;gone&quot;]"', "ad-hoc-choice-unknown"),
        ('activeElementsCollection="u1"', "expression-unmarked"),
        ('activeElementsCollection="=[1,"', "expression-incorrect"),
        ("", "zeebe-lacks"),
        ('activeElementsCollection="=[]" outputCollection="r"', "zeebe-attribute-unknown"),
    ],
)
def test_a_choice_that_can_never_be_made_is_refused(attributes: str, rule: str) -> None:
    assert {p.rule for p in read(choosing(attributes)).problems if p.stops} == {rule}
