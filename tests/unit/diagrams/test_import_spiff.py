"""SpiffWorkflow: what each extension becomes, with Python and without it."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from lxml import etree

from engine.diagrams.imports import adopt, embedded
from engine.diagrams.imports.juel import Untranslated
from engine.diagrams.imports.python_feel import assignments, translate
from engine.diagrams.names import SPIFF, ZEEBE
from engine.diagrams.report import Report
from engine.model import Problem
from tests.decision_drawing import data, decision, model, needs, table
from tests.drawing import diagram, end, extension, node, path, start
from tests.unit.diagrams.gate import FEEL, PYTHON, read

S = f'xmlns:spiffworkflow="{SPIFF}"'


def drawn(*inside: str, beside: str = "") -> bytes:
    return diagram(beside, f'<process id="p" isExecutable="true" {S}>', *inside, "</process>")


def one(part: str) -> bytes:
    """Return a process with one node, x, between start and end."""
    return drawn(start("s"), part, end("e"), path("s", "x", "e"))


def imported(
    drawing: bytes, *, python: bool = False, files: Mapping[str, bytes] | None = None
) -> tuple[etree._Element, list[Problem]]:
    root, report = etree.fromstring(drawing), Report("case.bpmn")
    adopt(root, report, python=python, files=files or {})
    return root, list(report.problems)


def _texts(element: etree._Element) -> list[tuple[str, str]]:
    return [(str(name), str(value)) for name, value in element.attrib.items()]


def written(drawing: bytes, files: Mapping[str, bytes] | None = None) -> list[str]:
    root, _problems = imported(drawing, files=files)
    return [
        " ".join([etree.QName(e).localname, *(f"{n}={v}" for n, v in sorted(_texts(e)))])
        for e in root.iter(f"{{{ZEEBE}}}*")
    ]


# ------------------------------------------------------------------ Python to FEEL


@pytest.mark.parametrize(
    ("python", "feel"),
    [
        ('approval == "Approve"', '(approval = "Approve")'),
        ("not(is_match)", "(is_match != true)"),
        ("a > 1 and b in ['x', 'y']", '((a > 1) and (list contains(["x", "y"], b)))'),
        ("rows[0]['name']", "rows[1].name"),
        ("rows[-1].name", "rows[-1].name"),
        ("f'{n} lines'", 'string join([string(n), " lines"])'),
        ("timedelta(minutes=10)", 'duration("PT10M")'),
        ("x.get('a', 3)", 'get or else(get value(x, "a"), 3)'),
        ("1 < a <= 5", "(1 < a and a <= 5)"),
        ("None if late else True", "(if late then null else true)"),
    ],
)
def test_simple_python_becomes_feel(python: str, feel: str) -> None:
    assert translate(python) == feel


def test_a_script_that_assigns_becomes_a_list_of_values() -> None:
    script = "# counts\nn = n + 1\nn += 1\nwho['age'] = 3\n"
    assert assignments(script) == [
        ("n", "(n + 1)"), ("n", "(n + 1)"), ("who", 'context put(who, "age", 3)'),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "python", ["open('a')", "x.__class__", "[i for i in x]", "lambda: 1", "a b", "import os"]
)
def test_what_is_not_simple_is_refused(python: str) -> None:
    with pytest.raises(Untranslated):
        translate(python)


# ------------------------------------------------------------------ tasks


def test_an_operator_becomes_a_handler_with_inputs_and_a_result() -> None:
    part = f"""<serviceTask id="x">{
        extension('''
      <spiffworkflow:serviceTaskOperator id="http/GetRequest" resultVariable="answer">
        <spiffworkflow:parameters>
          <spiffworkflow:parameter id="url" type="str" value="&quot;http://a&quot;"/>
          <spiffworkflow:parameter id="who" type="any" value="customer['id']"/>
          <spiffworkflow:parameter id="none" type="any"/>
        </spiffworkflow:parameters><spiffworkflow:retry retries="4" backoff_base="2"/>
      </spiffworkflow:serviceTaskOperator>''')
    }</serviceTask>"""
    assert written(one(part)) == [
        "taskDefinition retries=4 type=http.GetRequest",
        "ioMapping",
        'input source=="http://a" target=url',
        "input source==customer.id target=who",
        "input source==null target=none",
        "output source==result target=answer",
    ]
    assert not [p for p in read(one(part)).problems if p.stops]
    assert not [p for p in read(one(part), languages=PYTHON).problems if p.stops]


def test_scripts_around_an_element_stand_before_and_behind_it() -> None:
    # given
    part = f"""<userTask id="x">{
        extension('''<spiffworkflow:preScript>a = 1
      </spiffworkflow:preScript><spiffworkflow:postScript>b = a
      </spiffworkflow:postScript>''')
    }</userTask>"""
    for languages in (FEEL, PYTHON):
        # when
        bundle = read(one(part), languages=languages)
        here, order = bundle.definitions["p"].root.task_specs["s"], []
        while here.outgoing:
            here = here.outgoing[0].target
            order.append(here.bpmn_id)
        # then
        assert order == ["x.preScript", "x", "x.postScript", "e"]


def test_several_assignments_are_one_script_with_outputs() -> None:
    part = '<scriptTask id="x"><script>a = 1\nb = a + 1</script></scriptTask>'
    assert written(one(part)) == [
        "script expression=={a: 1, b: (a + 1)} resultVariable=scriptResult",
        "ioMapping",
        "output source==scriptResult.a target=a",
        "output source==scriptResult.b target=b",
    ]


def test_python_stays_python_where_it_runs() -> None:
    script = '<scriptTask id="x"><script>a = [i for i in range(3)]</script></scriptTask>'

    assert not [p for p in read(one(script), languages=PYTHON).problems if p.stops]
    found = [p for p in read(one(script)).problems if p.stops]
    assert "has no counterpart in FEEL" in found[0].message
    assert found[0].element == "x"


def test_a_task_shows_instructions_and_the_form_of_its_schema() -> None:
    # given
    schema = {
        "title": "Order",
        "required": ["amount"],
        "properties": {
            "amount": {"type": "integer", "title": "Amount", "minimum": 1},
            "colour": {"type": "string", "enum": ["r", "g"], "enumNames": ["Red", "Green"]},
            "note": {"type": "string", "maxLength": 9},
            "day": {"type": "string", "format": "date"},
            "town": {"oneOf": ["options_from_task_data_var: towns"]},
            "who": {"type": "object", "properties": {"name": {"$ref": "#/definitions/name"}}},
            "lines": {"type": "array", "items": {"type": "object",
                      "properties": {"count": {"type": "number"}}}},
            "scan": {"type": "string", "format": "data-url", "title": "Scan"},
        },
        "definitions": {"name": {"type": "string", "title": "Name"}},
    }  # fmt: skip
    look = {"ui:order": ["note", "*"], "note": {"ui:widget": "textarea", "ui:help": "short"}}
    files = {"s.json": json.dumps(schema).encode(), "u.json": json.dumps(look).encode()}
    part = f"""<manualTask id="x">{
        extension('''<spiffworkflow:properties>
      <spiffworkflow:property name="formJsonSchemaFilename" value="s.json"/>
      <spiffworkflow:property name="formUiSchemaFilename" value="u.json"/>
      </spiffworkflow:properties>
      <spiffworkflow:instructionsForEndUser>Look at {{ order['id'] }}
      </spiffworkflow:instructionsForEndUser>''')
    }</manualTask>"""
    # when
    root, problems = imported(one(part), files=files)
    (form,) = (json.loads(found) for found in embedded(root).values())
    # then
    shown = form["components"]
    assert [(c["type"], c.get("key", c.get("path", c.get("text")))) for c in shown] == [
        ("text", "Look at {{order.id}}"), ("text", "## Order"), ("textarea", "note"),
        ("number", "amount"), ("select", "colour"), ("datetime", "day"), ("select", "town"),
        ("group", "who"), ("dynamiclist", "lines"),
    ]  # fmt: skip
    assert form["components"][3]["validate"] == {"min": 1, "required": True}
    assert form["components"][6]["valuesKey"] == "towns"
    assert form["components"][7]["components"][0]["label"] == "Name"
    assert [p.message for p in problems] == [
        "The field “scan” in the form of the user task “x” has “string”,"
        " which no form here can show"
    ]
    assert root.find(".//{*}userTask") is not None


def test_a_decision_gives_each_output_a_variable() -> None:
    # given
    part = f"""<businessRuleTask id="x">{
        extension("<spiffworkflow:calledDecisionId>risk</spiffworkflow:calledDecisionId>")
    }
      </businessRuleTask>"""
    rules = model(data("age"), decision("risk", needs("age"), table(["age"], [["< 18", '"high"']])))
    # when / then
    assert written(one(part), {"risk.dmn": rules})[0] == (
        "calledDecision decisionId=risk resultVariable=decisionResult"
    )
    assert "not in this bundle" in imported(one(part))[1][0].message


def test_a_message_carries_the_members_of_its_payload() -> None:
    # given
    ref = extension(
        "<spiffworkflow:messagePayload>{'id': n, 'town': who['town']}"
        "</spiffworkflow:messagePayload>"
        "<spiffworkflow:messageVariable>order</spiffworkflow:messageVariable>"
    )
    drawing = drawn(
        start("s"), '<sendTask id="a" messageRef="m"/>', '<receiveTask id="b" messageRef="m"/>',
        end("e"), path("s", "a", "b", "e"),
        beside=node("message", "m", ref, name="M", **{"xmlns:spiffworkflow": SPIFF}),
    )  # fmt: skip
    # when / then
    assert written(drawing) == [
        "ioMapping",
        "input source==n target=id",
        "input source==who.town target=town",
        "ioMapping",
        'output source=={"id": id, "town": town} target=order',
    ]


def test_people_of_the_lane_do_its_tasks_and_lists_are_variables() -> None:
    drawing = drawn(
        '<laneSet id="l"><lane id="l1" name="Reviewers"><flowNodeRef>x</flowNodeRef></lane>'
        "</laneSet>",
        start("s"),
        '<userTask id="x"><multiInstanceLoopCharacteristics>'
        "<loopDataInputRef>rows</loopDataInputRef>"
        '<loopDataOutputRef>results</loopDataOutputRef><inputDataItem id="row"/>'
        '<outputDataItem id="out"/></multiInstanceLoopCharacteristics></userTask>',
        end("e"), path("s", "x", "e"),
    )  # fmt: skip
    assert written(drawing) == [
        "assignmentDefinition candidateGroups=Reviewers",
        "loopCharacteristics inputCollection==rows inputElement=row outputCollection=results"
        " outputElement==out",
    ]
    assert not [p for p in read(drawing).problems if p.stops]


@pytest.mark.parametrize(
    ("text", "said"),
    [('"PT4H"', "PT4H"), ("timedelta(minutes=n)", '=duration("PT1M") * n'), ("R2/PT1M", "R2/PT1M")],
)
def test_a_time_is_python_too(text: str, said: str) -> None:
    part = (
        f'<intermediateCatchEvent id="x"><timerEventDefinition><timeDuration>{text}</timeDuration>'
        "</timerEventDefinition></intermediateCatchEvent>"
    )
    for python in (False, True):
        assert imported(one(part), python=python)[0].findtext(".//{*}timeDuration") == said
