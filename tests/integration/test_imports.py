"""Imported diagrams run, and their converted files run the same: histories are compared."""

from __future__ import annotations

from typing import Any

from engine.clock import VirtualClock
from engine.diagrams.convert import convert
from engine.diagrams.names import CAMUNDA, SPIFF
from engine.runtime import Engine
from tests.drawing import diagram, end, extension, node, path, start
from tests.integration.conftest import claim, run_internal

C = f'xmlns:camunda="{CAMUNDA}"'
S = f'xmlns:spiffworkflow="{SPIFF}"'
File = dict[str, bytes]


def order(inner: str = "") -> bytes:
    """Return a process of Camunda 7 with most of what an analyst draws there."""
    fields = """<camunda:formData><camunda:formField id="amount" label="Amount" type="long"
      defaultValue="3"/><camunda:formField id="express" type="boolean"/></camunda:formData>"""
    data = """<camunda:inputOutput><camunda:inputParameter name="label">No. ${number}
      </camunda:inputParameter><camunda:outputParameter name="price">${cost * 2}
      </camunda:outputParameter></camunda:inputOutput>"""
    return diagram(
        f'<process id="p" isExecutable="true" {C} camunda:historyTimeToLive="P1D">', start("s"),
        f'<userTask id="ask" camunda:assignee="${{owner}}">{extension(fields)}</userTask>',
        '<serviceTask id="rate" camunda:type="external" camunda:topic="rate">',
        extension(data), "</serviceTask>",
        '<exclusiveGateway id="g" default="g-each"/>',
        '<scriptTask id="mark" scriptFormat="juel" camunda:resultVariable="mark"><script>'
        "${amount gt 5 ? 'large' : 'small'}</script></scriptTask>",
        '<userTask id="each" camunda:candidateGroups="desk">'
        '<multiInstanceLoopCharacteristics isSequential="true" camunda:collection="lines"'
        ' camunda:elementVariable="line"><completionCondition>'
        "${nrOfCompletedInstances == 2}</completionCondition>"
        "</multiInstanceLoopCharacteristics></userTask>",
        '<boundaryEvent id="late" attachedToRef="ask" cancelActivity="false">'
        "<timerEventDefinition><timeDuration>${wait}</timeDuration></timerEventDefinition>"
        '</boundaryEvent><serviceTask id="remind"'
        ' camunda:expression="${execution.setVariable(\'reminded\', true)}"/>', end("e"), end("e2"),
        path("s", "ask", "rate", "g"), path("g", "each", "e"), path("mark", "each"),
        path("late", "remind", "e2"),
        node("sequenceFlow", "f", "<conditionExpression>${!express &amp;&amp; amount &gt; 1}"
             "</conditionExpression>", sourceRef="g", targetRef="mark"), "</process>",
    )  # fmt: skip


def review() -> File:
    """Return a process of SpiffWorkflow with a form, scripts and an operator."""
    schema = b'{"title": "Review", "properties": {"good": {"type": "boolean", "title": "Good?"}}}'
    form = (
        '<spiffworkflow:properties><spiffworkflow:property name="formJsonSchemaFilename"'
        ' value="s.json"/></spiffworkflow:properties><spiffworkflow:preScript>n = len(rows)'
        "</spiffworkflow:preScript><spiffworkflow:postScript>total = n + 1"
        "</spiffworkflow:postScript>"
    )
    operator = (
        '<spiffworkflow:serviceTaskOperator id="http/Get" resultVariable="answer">'
        '<spiffworkflow:parameters><spiffworkflow:parameter id="count" value="total * 2"/>'
        "</spiffworkflow:parameters></spiffworkflow:serviceTaskOperator>"
    )
    drawing = diagram(
        f'<process id="p" isExecutable="true" {S}>', start("s"),
        f'<userTask id="look">{extension(form)}</userTask>',
        '<exclusiveGateway id="g" default="g-e"/>',
        f'<serviceTask id="tell">{extension(operator)}</serviceTask>', end("e"),
        path("s", "look", "g", "e"), path("tell", "e"),
        node("sequenceFlow", "f", "<conditionExpression>good == True and total in [3, 4]"
             "</conditionExpression>", sourceRef="g", targetRef="tell"), "</process>",
    )  # fmt: skip
    return {"p.bpmn": drawing, "s.json": schema}


def converted(files: File) -> File:
    made = convert("p.bpmn", files["p.bpmn"], files)
    assert not [problem for problem in made.problems if problem.stops]
    return {**files, "p.bpmn": made.diagram, **made.forms}


def play(engine: Engine, clock: VirtualClock, files: File, variables: dict[str, Any]) -> list[Any]:
    """Run a case to its end, each task with what it is given, and return its history."""
    engine.deploy(files, by="ann")
    case = engine.start("p", variables)
    clock.advance(7200)
    run_internal(engine)
    for _turn in range(20):
        for work in claim(engine, limit=5):
            given = {name: work.inputs[name] for name in ("label", "count") if name in work.inputs}
            engine.settle(work, {"cost": 21, "result": given})
        for task in engine.tasks(instance_id=case.id):
            by = task.assignee or "bob"
            engine.claim(task.id, by=by)
            engine.complete(task.id, {"good": True} if task.element_id == "look" else {}, by=by)
        run_internal(engine)
    history = engine.history(case.id)
    assert history[-1].kind == "instance.completed"
    # the two cases run at different times of day
    told = [None if row.kind.startswith("timer.") else row.value for row in history]
    return [(row.kind, row.element_id, row.name, value)
            for row, value in zip(history, told, strict=True)]  # fmt: skip


def test_a_process_of_camunda_7_runs_and_so_does_its_converted_file(
    engine: Engine, clock: VirtualClock
) -> None:
    # given
    files, given = {"p.bpmn": order()}, {
        "owner": "ann", "number": 7, "amount": 6, "express": False, "wait": "PT1H",
        "lines": ["a", "b", "c"],
    }  # fmt: skip
    # when
    first = play(engine, clock, files, given)
    second = play(engine, clock, converted(files), given)
    # then
    done = [element for kind, element, *_ in first if kind == "element.completed"]
    assert done.count("mark") == 1
    assert done.count("remind") == 1
    values = {name: value for kind, _, name, value in first if kind == "variable.set"}
    assert (values["price"], values["mark"], values["reminded"]) == (42, "large", True)
    assert values["label"] == "No. 7"
    assert second == first


def test_a_process_of_spiffworkflow_runs_and_so_does_its_converted_file(
    engine: Engine, clock: VirtualClock
) -> None:
    # when
    first = play(engine, clock, review(), {"rows": [1, 2]})
    second = play(engine, clock, converted(review()), {"rows": [1, 2]})
    # then
    values = {name: value for kind, _, name, value in first if kind == "variable.set"}
    assert (values["total"], values["answer"]) == (3, {"count": 6})
    assert second == first


def test_the_forms_that_were_generated_are_those_of_their_tasks(engine: Engine) -> None:
    # given
    engine.deploy({"p.bpmn": order()}, by="ann")
    case = engine.start("p", {"owner": "ann", "wait": "PT1H"})
    # when
    (task,) = engine.tasks(instance_id=case.id)
    view = engine.task_view(task.id)
    # then
    assert view.form is not None
    assert b'"key": "amount"' in view.form
    assert engine.labels(view.instance.definition_id)["amount"] == {"": "Amount"}


def test_the_original_is_kept_byte_for_byte(engine: Engine) -> None:
    deployment = engine.deploy({"p.bpmn": order()}, by="ann")

    assert engine.file(deployment.id, "p.bpmn") == order()
