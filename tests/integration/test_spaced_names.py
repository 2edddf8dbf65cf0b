"""Data whose names hold blanks, as people write them, in the expressions of a diagram."""

from __future__ import annotations

from engine.model import InstanceState
from engine.runtime import Engine
from tests.drawing import diagram, end, flow, gateway, node, path, process, script, start, user


def test_expressions_read_the_name_of_a_data_object_with_blanks_as_one(engine: Engine) -> None:
    # given
    drawing = diagram(
        node("dataStore", "rates", name="exchange rate"),
        process(
            "p",
            start("s"),
            node("dataObject", "totalObject"),
            node("dataObjectReference", "total", name="order total", dataObjectRef="totalObject"),
            node("dataStoreReference", "rate", dataStoreRef="rates"),
            script("sum", "order total * exchange rate", "in_yuan"),
            gateway("exclusive", "g", default="g-e"),
            user("check"),
            end("e"),
            path("s", "sum", "g", "e"),
            flow("g", "check", "order total > 100"),
            path("check", "e"),
        ),
    )
    engine.deploy({"a.bpmn": drawing}, by="ann")
    engine.write_data_store("exchange rate", 7, by="ann")
    # when
    small = engine.start("p", {"order total": 10})
    large = engine.start("p", {"order total": 1000})
    # then
    assert small.state is InstanceState.COMPLETED
    assert engine.variables(small.id)["in_yuan"] == 70
    assert [task.element_id for task in engine.tasks(instance_id=large.id)] == ["check"]
