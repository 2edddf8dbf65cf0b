"""Tasks that stand beside the processes of a file and are called like one (10.3.6)."""

from __future__ import annotations

from engine.model import InstanceState
from engine.runtime import Engine
from tests.drawing import call, diagram, end, extension, node, path, process, script, start

CALLS = process("p", start("s"), call("c", "ask"), end("e"), path("s", "c", "e"))


def test_a_called_global_user_task_waits_for_people_as_an_instance_of_its_own(
    engine: Engine,
) -> None:
    # given
    groups = extension('<zeebe:assignmentDefinition candidateGroups="desk"/>')
    ask = node("globalUserTask", "ask", groups, name="Ask the customer")
    engine.deploy({"a.bpmn": diagram(CALLS, ask)}, by="ann")
    # when
    case = engine.start("p", {"n": 1})
    # then
    (task,) = engine.tasks()
    assert (task.process_id, task.element_id, task.name) == ("ask", "ask.task", "Ask the customer")
    assert task.candidate_groups == ("desk",)
    assert task.instance_id != case.id
    # when
    engine.complete(task.id, {"answer": "yes"}, by="bob")
    # then
    assert engine.case(case.id).state is InstanceState.COMPLETED
    assert engine.variables(case.id) == {"n": 1, "answer": "yes"}


def test_a_called_global_script_task_takes_and_gives_what_it_declares(engine: Engine) -> None:
    # given a script between a data input and a data output, called with associations
    double = node(
        "globalScriptTask",
        "double",
        '<ioSpecification><dataInput id="gi" name="x"/><dataOutput id="go" name="y"/>'
        "<inputSet><dataInputRefs>gi</dataInputRefs></inputSet>"
        "<outputSet><dataOutputRefs>go</dataOutputRefs></outputSet></ioSpecification>",
        extension('<zeebe:script expression="=x * 2" resultVariable="y"/>'),
    )
    caller = process(
        "p",
        start("s"),
        script("first", "21", "order"),
        node("dataObject", "orderObject", name="order"),
        node("dataObjectReference", "order", dataObjectRef="orderObject"),
        node("dataObject", "totalObject", name="total"),
        node("dataObjectReference", "total", dataObjectRef="totalObject"),
        node(
            "callActivity",
            "c",
            '<ioSpecification><dataInput id="ci" name="x"/><dataOutput id="co" name="y"/>'
            "<inputSet><dataInputRefs>ci</dataInputRefs></inputSet>"
            "<outputSet><dataOutputRefs>co</dataOutputRefs></outputSet></ioSpecification>",
            "<dataInputAssociation><sourceRef>order</sourceRef><targetRef>ci</targetRef>"
            "</dataInputAssociation>",
            "<dataOutputAssociation><sourceRef>co</sourceRef><targetRef>total</targetRef>"
            "</dataOutputAssociation>",
            calledElement="double",
        ),
        end("e"),
        path("s", "first", "c", "e"),
    )
    engine.deploy({"a.bpmn": diagram(caller, double)}, by="ann")
    # when
    case = engine.start("p")
    # then
    assert engine.variables(case.id) == {"order": 21, "total": 42}


def test_a_file_of_global_tasks_alone_serves_processes_of_other_files(engine: Engine) -> None:
    # given
    engine.deploy({"library.bpmn": diagram(node("globalManualTask", "ask"))}, by="ann")
    engine.deploy({"a.bpmn": diagram(CALLS)}, by="ann")
    # when
    case = engine.start("p")
    # then
    assert engine.case(case.id).state is InstanceState.COMPLETED
