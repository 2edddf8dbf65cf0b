"""Camunda 7: what each extension becomes, and what is refused with advice."""

from __future__ import annotations

import json

import pytest
from lxml import etree

from engine.diagrams.imports import adopt, embedded
from engine.diagrams.names import CAMUNDA, ZEEBE
from engine.diagrams.report import Report
from engine.model import Problem
from tests.drawing import diagram, end, extension, node, path, process, start
from tests.unit.diagrams.gate import accepted, read

C = f'xmlns:camunda="{CAMUNDA}"'


def drawn(part: str, more: str = "", beside: str = "") -> bytes:
    """Return a process with one node between start and end; the node has the id x."""
    return diagram(
        beside, f'<process id="p" isExecutable="true" {C} {more}>' + start("s") + part + end("e")
        + path("s", "x", "e") + "</process>",
    )  # fmt: skip


def service(attributes: str = "", *inside: str) -> str:
    return f'<serviceTask id="x" {attributes}>{extension(*inside) if inside else ""}</serviceTask>'


def people(attributes: str = "", *inside: str) -> str:
    return f'<userTask id="x" {attributes}>{extension(*inside) if inside else ""}</userTask>'


def imported(drawing: bytes) -> tuple[etree._Element, list[Problem]]:
    """Return the tree in the inner dialect and what was said."""
    root, report = etree.fromstring(drawing), Report("case.bpmn")
    adopt(root, report)
    return root, list(report.problems)


def _texts(element: etree._Element) -> list[tuple[str, str]]:
    return [(str(name), str(value)) for name, value in element.attrib.items()]


def written(drawing: bytes) -> list[str]:
    """Return the elements of zeebe that an import wrote, as `name attribute=value ...`."""
    root, _problems = imported(drawing)
    found = []
    for element in root.iter(f"{{{ZEEBE}}}*"):
        values = " ".join(f"{name}={value}" for name, value in sorted(_texts(element)))
        found.append(f"{etree.QName(element).localname} {values}".strip())
    return found


# ------------------------------------------------------------------ work


@pytest.mark.parametrize(
    ("attributes", "handler"),
    [
        ('camunda:type="external" camunda:topic="invoice-pay"', "invoice-pay"),
        ('camunda:type="external" camunda:topic="${kind}"', "=kind"),
        ('camunda:class="com.acme.SendMail"', "sendMail"),
        ('camunda:class="com.acme.Outer$Inner"', "inner"),
        ('camunda:delegateExpression="${sendMail}"', "sendMail"),
        ('camunda:delegateExpression="#{mail.sender}"', "mail.sender"),
        ('camunda:expression="${mailer.send()}"', "mailer.send"),
    ],
)
def test_an_implementation_becomes_the_name_of_a_handler(attributes: str, handler: str) -> None:
    assert written(drawn(service(attributes))) == [f"taskDefinition type={handler}"]
    assert accepted(drawn(service(attributes)))


def test_a_call_passes_its_arguments_and_keeps_its_result() -> None:
    part = service(
        'camunda:expression="${mailer.send(execution, order, lines[0].price + 1)}"'
        ' camunda:resultVariable="receipt"'
    )
    assert written(drawn(part)) == [
        "ioMapping",
        "input source==get or else(lines[1].price, 0) + 1 target=argument2",
        "output source==result target=receipt",
        "taskDefinition type=mailer.send",
    ]


@pytest.mark.parametrize(
    ("expression", "variable", "script"),
    [
        ("${a + 1}", "b", "script expression==get or else(a, 0) + 1 resultVariable=b"),
        ("${execution.setVariable('b', a)}", "", "script expression==a resultVariable=b"),
    ],
)
def test_an_expression_without_a_call_becomes_a_script_task(
    expression: str, variable: str, script: str
) -> None:
    # given
    result = f' camunda:resultVariable="{variable}"' if variable else ""
    drawing = drawn(service(f'camunda:expression="{expression}"{result}'))
    # when / then
    assert written(drawing) == [script]
    assert [p for p in read(drawing).problems if p.stops] == []
    assert imported(drawing)[0].find(".//{*}scriptTask") is not None


def test_fields_become_headers_and_retries_count_without_the_first_attempt() -> None:
    part = service(
        'camunda:class="a.B"',
        '<camunda:field name="to" stringValue="all"/>',
        '<camunda:field name="text"><camunda:expression>Hi ${name}</camunda:expression>'
        "</camunda:field>",
        "<camunda:failedJobRetryTimeCycle>R3/PT10M</camunda:failedJobRetryTimeCycle>",
    )
    assert written(drawn(part)) == [
        "taskDefinition retries=2 type=b",
        "taskHeaders",
        "header key=to value=all",
        "ioMapping",
        'input source==string join(["Hi ", string(name)]) target=text',
    ]


# ------------------------------------------------------------------ people


def test_who_does_a_task_and_until_when() -> None:
    part = people(
        'camunda:assignee="${owner}" camunda:candidateGroups="desk, ${team}, ${more}"'
        ' camunda:candidateUsers="${staff}" camunda:dueDate="P3D" camunda:followUpDate="${when}"'
        ' camunda:priority="${urgency}" camunda:formRef="answer" camunda:formRefBinding="latest"'
    )
    assert written(drawn(part)) == [
        'assignmentDefinition assignee==owner candidateGroups==flatten(["desk", team, more])'
        " candidateUsers==staff",
        'taskSchedule dueDate==now() + duration("P3D") followUpDate==when',
        "priorityDefinition priority==urgency",
        "formDefinition bindingType=latest formId=answer",
    ]
    assert accepted(drawn(part))


def test_form_data_become_a_form_inside_the_diagram() -> None:
    # given
    fields = """<camunda:formData>
        <camunda:formField id="amount" label="Amount" type="long" defaultValue="5">
          <camunda:validation><camunda:constraint name="min" config="1"/>
            <camunda:constraint name="required"/></camunda:validation></camunda:formField>
        <camunda:formField id="colour" type="enum" defaultValue="red">
          <camunda:value id="red" name="Red"/><camunda:value id="blue" name="Blue"/>
        </camunda:formField>
        <camunda:formField id="ok" type="boolean" defaultValue="true"/>
        <camunda:formField id="day" type="date"/>
        <camunda:formField id="note" type="string">
          <camunda:validation><camunda:constraint name="readonly"/>
            <camunda:constraint name="maxlength" config="20"/></camunda:validation>
        </camunda:formField></camunda:formData>"""
    # when
    root, problems = imported(drawn(people("", fields)))
    (form,) = (json.loads(one) for one in embedded(root).values())
    # then
    assert problems == []
    assert [
        (part["key"], part["type"], part["label"], part.get("defaultValue"), part.get("validate"))
        for part in form["components"]
    ] == [
        ("amount", "number", "Amount", 5, {"min": 1, "required": True}),
        ("colour", "select", "colour", "red", None),
        ("ok", "checkbox", "ok", True, None),
        ("day", "datetime", "day", None, None),
        ("note", "textfield", "note", None, {"maxLength": 20}),
    ]
    assert form["components"][1]["values"][1] == {"label": "Blue", "value": "blue"}
    assert form["components"][4]["readonly"] is True
    assert read(drawn(people("", fields))).problems == ()


# ------------------------------------------------------------------ data, calls, decisions


def test_inputs_and_outputs_of_every_kind() -> None:
    part = service(
        'camunda:type="external" camunda:topic="t"',
        """<camunda:inputOutput>
          <camunda:inputParameter name="plain">as it is</camunda:inputParameter>
          <camunda:inputParameter name="computed">${a.b}</camunda:inputParameter>
          <camunda:inputParameter name="none"/>
          <camunda:inputParameter name="many"><camunda:list><camunda:value>${a}</camunda:value>
            <camunda:value>b</camunda:value></camunda:list></camunda:inputParameter>
          <camunda:inputParameter name="named"><camunda:map><camunda:entry key="k">${v}
            </camunda:entry></camunda:map></camunda:inputParameter>
          <camunda:inputParameter name="said"><camunda:script scriptFormat="feel">a + 1
            </camunda:script></camunda:inputParameter>
          <camunda:outputParameter name="out">${x}</camunda:outputParameter>
        </camunda:inputOutput>""",
    )
    assert written(drawn(part))[2:] == [
        "input source=as it is target=plain",
        "input source==a.b target=computed",
        "input source==null target=none",
        'input source==[a, "b"] target=many',
        'input source=={"k": v} target=named',
        "input source==a + 1 target=said",
        "output source==x target=out",
    ]


def test_a_call_activity_passes_only_what_is_drawn() -> None:
    part = (
        '<callActivity id="x" calledElement="q" camunda:calledElementBinding="deployment">'
        + extension(
            '<camunda:in source="a" target="b"/>'
            '<camunda:in sourceExpression="${c + 1}" target="d"/>'
            '<camunda:in businessKey="#{execution.processBusinessKey}"/>'
            '<camunda:out variables="all"/>'
        )
        + "</callActivity>"
    )
    assert written(drawn(part)) == [
        "calledElement bindingType=deployment processId=q propagateAllChildVariables=true"
        " propagateAllParentVariables=false",
        "ioMapping",
        "input source==a target=b",
        "input source==get or else(c, 0) + 1 target=d",
    ]


def test_a_decision_and_what_becomes_of_its_result() -> None:
    part = (
        '<businessRuleTask id="x" camunda:decisionRef="risk" camunda:decisionRefBinding="latest"'
        ' camunda:resultVariable="r" camunda:mapDecisionResult="singleEntry"/>'
    )
    listed = part.replace("singleEntry", "resultList")
    assert written(drawn(part)) == [
        "calledDecision bindingType=latest decisionId=risk resultVariable=r"
    ]
    assert "as a list of rows" in imported(drawn(listed))[1][0].message


def test_a_collection_is_an_expression_or_a_name() -> None:
    for said in ("items", "${items}"):
        loop = (
            f'<multiInstanceLoopCharacteristics camunda:collection="{said}"'
            ' camunda:elementVariable="item"/>'
        )
        assert written(drawn(f'<userTask id="x">{loop}</userTask>')) == [
            "loopCharacteristics inputCollection==items inputElement=item"
        ]


# ------------------------------------------------------------------ the process and its texts


def test_settings_without_effect_are_told_once_for_the_file() -> None:
    part = service('camunda:class="a.B" camunda:asyncBefore="true" camunda:exclusive="false"')
    root, problems = imported(
        drawn(part, 'camunda:historyTimeToLive="P30D" camunda:versionTag="1.0"')
    )
    assert sorted((p.severity.value, p.message[:21]) for p in problems) == [
        ("info", "“asyncBefore” has no "), ("info", "“exclusive” has no ef"),
        ("info", "“historyTimeToLive” h"),
    ]  # fmt: skip
    assert root.find(f".//{{{ZEEBE}}}versionTag").get("value") == "1.0"  # type: ignore[union-attr]


def test_conditions_timers_and_names_are_translated_in_place() -> None:
    # given
    drawing = diagram(
        node("message", "m", name="Order ${id}"),
        f'<process id="p" isExecutable="true" {C}>', start("s"), '<exclusiveGateway id="g"/>',
        '<userTask id="a"/>',
        '<boundaryEvent id="b" attachedToRef="a"><timerEventDefinition><timeDuration>${wait}'
        "</timeDuration></timerEventDefinition></boundaryEvent>", end("e"),
        path("s", "g"), path("a", "e"), path("b", "e"),
        node("sequenceFlow", "f", "<conditionExpression>${n &gt; 1}</conditionExpression>",
             sourceRef="g", targetRef="a"), "</process>",
    )  # fmt: skip
    # when
    root, problems = imported(drawing)
    # then
    assert problems == []
    assert [root.findtext(f".//{{*}}{tag}") for tag in ("conditionExpression", "timeDuration")] == [
        "=n > 1",
        "=wait",
    ]
    assert root.find("{*}message").get("name") == '=string join(["Order ", string(id)])'  # type: ignore[union-attr]
    assert not [p for p in read(drawing).problems if p.stops]


def test_a_listener_becomes_a_task_where_that_is_the_same() -> None:
    # given
    part = service(
        'camunda:class="a.Work"',
        '<camunda:executionListener event="start" class="a.First"/>',
        '<camunda:executionListener event="start" class="a.Second"/>',
        '<camunda:executionListener event="end" delegateExpression="${third}"/>',
        '<camunda:executionListener event="end" delegateExpression="${fourth}"/>',
    )
    # when
    bundle = read(drawn(part))
    definition = bundle.definitions["p"]
    order, here = [], definition.root.task_specs["s"]
    while here.outgoing:
        here = here.outgoing[0].target
        order.append(dict(definition.topics).get(here.bpmn_id, here.bpmn_id))
    # then
    assert order == ["first", "second", "work", "third", "fourth", "e"]


# ------------------------------------------------------------------ refused


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (service('camunda:type="mail"'), "of the type “mail”"),
        (service("", "<camunda:connector/>"), "carries “connector”"),
        (service('camunda:delegateExpression="${pick(a)}"'), "computes which object"),
        (people("", '<camunda:taskListener event="assignment" class="a.B"/>'), "“assignment”"),
        (people("", '<camunda:executionListener event="start"><camunda:script/>'
                    "</camunda:executionListener>"), "a listener for “start”"),
        (people('camunda:dueDate="${clock.next()}"'), "the method “next”"),
        (people("", '<camunda:formData><camunda:formField id="a" type="money"/>'
                    "</camunda:formData>"), "of the type “money”"),
        ('<callActivity id="x" calledElement="p" camunda:calledElementBinding="version"'
         ' camunda:calledElementVersion="3"/>', "a number of a version"),
        ('<scriptTask id="x" scriptFormat="groovy"><script>a</script></scriptTask>', "not offered"),
        ('<scriptTask id="x" scriptFormat="feel" camunda:resource="a.js"/>', "“resource”"),
        ('<intermediateCatchEvent id="x"><conditionalEventDefinition camunda:variableName="a">'
         "<condition>${a + b &gt; 1}</condition></conditionalEventDefinition>"
         "</intermediateCatchEvent>", "only when certain changes"),
    ],
)  # fmt: skip
def test_what_has_no_counterpart_is_refused_at_its_element(part: str, words: str) -> None:
    found = [p for p in read(drawn(part)).problems if p.stops and words in p.message]

    assert [p.element for p in found] == ["x"]
    assert found[0].advice
    assert found[0].line


def test_a_problem_names_the_line_of_the_original() -> None:
    part = "\n\n\n" + people('camunda:assignee="${a.pick()}"')
    (problem,) = [p for p in read(drawn(part)).problems if p.stops]

    assert problem.line == drawn(part).decode().splitlines().index(
        next(text for text in drawn(part).decode().splitlines() if "pick" in text)
    ) + 1  # fmt: skip


def test_everything_is_imported_again_for_a_stored_diagram() -> None:
    from engine.diagrams import load
    from tests.unit.diagrams.gate import FEEL

    drawing = drawn(service('camunda:class="a.Work"'))

    assert load({"case.bpmn": drawing}, languages=FEEL)["p"].topics == (("x", "work"),)


def test_a_plain_process_is_left_alone() -> None:
    drawing = diagram(process("p", start("s"), end("e"), path("s", "e")))
    before = etree.tostring(etree.fromstring(drawing), method="c14n")

    assert etree.tostring(imported(drawing)[0], method="c14n") == before


# ------------------------------------------------------------------ how it is told


def told(drawing: bytes, rule: str, language: str) -> str:
    return next(p.told(language).message for p in imported(drawing)[1] if p.rule == rule)


@pytest.mark.parametrize("around", ["{}", "<camunda:list>{}</camunda:list>"])
def test_a_script_that_cannot_be_translated_is_quoted(around: str) -> None:
    script = around.format('<camunda:script scriptFormat="groovy">a + 1</camunda:script>')
    given = f'<camunda:inputParameter name="n">{script}</camunda:inputParameter>'
    drawing = drawn(service("", f"<camunda:inputOutput>{given}</camunda:inputOutput>"))

    assert "“a + 1”" in told(drawing, "import-untranslated", "en")
    assert "a + 1" in told(drawing, "import-untranslated", "zh")


def test_a_script_in_another_file_is_named_by_it() -> None:
    script = '<camunda:script scriptFormat="groovy" resource="classpath://count.groovy"/>'
    given = f'<camunda:inputParameter name="n">{script}</camunda:inputParameter>'
    drawing = drawn(service("", f"<camunda:inputOutput>{given}</camunda:inputOutput>"))

    assert "“classpath://count.groovy”" in told(drawing, "import-untranslated", "en")


def test_what_has_no_effect_is_counted_from_two_on() -> None:
    one = drawn(service('camunda:asyncBefore="true"'))
    two = drawn(service('camunda:asyncBefore="true"'), 'camunda:asyncBefore="true"')

    assert "“asyncBefore” has no effect here: " in told(one, "import-no-effect", "en")
    assert "“asyncBefore”在此不起作用：" in told(one, "import-no-effect", "zh")
    assert "“asyncBefore” has no effect here (2 times): " in told(two, "import-no-effect", "en")


# ------------------------------------------------------------------ cron


def cycle(text: str) -> bytes:
    timed = f"<timerEventDefinition><timeCycle>{text}</timeCycle></timerEventDefinition>"
    begin = f'<startEvent id="s" camunda:asyncBefore="true">{timed}</startEvent>'
    return diagram(
        f'<process id="p" isExecutable="true" {C}>' + begin + end("e") + path("s", "e")
        + "</process>"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("quartz", "spring"),
    [
        ("0 0/5 * * * ?", "0 0/5 * * * ?"),
        ("0 0 9 ? * 2-6", "0 0 9 ? * MON-FRI"),
        ("0 0 9 ? * 6L", "0 0 9 ? * FRIL"),
        ("0 0 9 ? * 2#1", "0 0 9 ? * MON#1"),
        ("0 0 9 ? * 1,MON,7", "0 0 9 ? * SUN,MON,SAT"),
        ("0 0 9 ? * 2/2 *", "0 0 9 ? * MON-SAT/2"),
        ("0 0 9 ? * L", "0 0 9 ? * SAT"),
        ("0 0 9 LW * ?", "0 0 9 LW * ?"),
    ],
)
def test_a_cron_of_quartz_means_the_same_days(quartz: str, spring: str) -> None:
    root, problems = imported(cycle(quartz))

    assert [one.text for one in root.iter("{*}timeCycle")] == [spring]
    assert not [p for p in problems if p.stops]
    assert accepted(cycle(quartz))


def test_a_cron_that_names_a_year_is_refused() -> None:
    (problem,) = [p for p in read(cycle("0 0 9 * * ? 2026")).problems if p.rule.startswith("import")
                  and p.stops]  # fmt: skip

    assert problem.rule == "import-cron-year"


# ------------------------------------------------------------------ what was caught


def catching(definition: str, more: str = "") -> bytes:
    event = f'<boundaryEvent id="b" attachedToRef="x">{more}{definition}</boundaryEvent>'
    return diagram(
        '<error id="lost" name="LOST" errorCode="LOST"/>',
        f'<process id="p" isExecutable="true" {C}>' + start("s")
        + service('camunda:type="external" camunda:topic="t"') + event + end("e")
        + path("s", "x", "e") + path("b", "e") + "</process>",
    )  # fmt: skip


@pytest.mark.parametrize("code", ["", 'errorRef="lost"'])
def test_code_and_message_of_a_caught_error_become_properties(code: str) -> None:
    wanted = 'camunda:errorCodeVariable="why" camunda:errorMessageVariable="words"'
    drawing = catching(f"<errorEventDefinition {code} {wanted}/>")

    assert accepted(drawing)
    assert [one for one in written(drawing) if one.startswith("property ")] == [
        "property name=caught.code value=why", "property name=caught.message value=words",
    ]  # fmt: skip


def test_the_code_leaves_an_event_that_has_outputs() -> None:
    given = '<camunda:outputParameter name="n">1</camunda:outputParameter>'
    drawing = catching(
        '<errorEventDefinition camunda:errorCodeVariable="why"/>',
        extension(f"<camunda:inputOutput>{given}</camunda:inputOutput>"),
    )

    assert "output source==why target=why" in written(drawing)


def test_the_code_of_an_escalation_becomes_a_property() -> None:
    drawing = catching('<escalationEventDefinition camunda:escalationCodeVariable="why"/>')

    assert "property name=caught.code value=why" in written(drawing)
