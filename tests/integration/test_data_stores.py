"""What a drawing calls a data store outlives the case that writes it (10.4.1)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.errors import BadInput, NotFound
from engine.runtime import Engine
from tests.drawing import call, diagram, end, node, path, process, script, start, user


def store(id: str, name: str) -> str:
    return node("dataStore", id, name=name)


def counting(process_id: str = "p") -> str:
    """Adds one to the store `served`, which is null at first."""
    prefix = process_id
    return process(
        process_id,
        start(f"{prefix}-s"),
        node("dataStoreReference", f"{prefix}-ref", dataStoreRef="ds"),
        script(f"{prefix}-add", "if served = null then 1 else served + 1", "served"),
        script(f"{prefix}-copy", "served", "mine"),
        end(f"{prefix}-e"),
        path(f"{prefix}-s", f"{prefix}-add", f"{prefix}-copy", f"{prefix}-e"),
    )


def test_each_case_sees_what_the_one_before_has_written(engine: Engine) -> None:
    # given
    engine.deploy({"a.bpmn": diagram(store("ds", "served"), counting())}, by="ann")
    # when
    cases = [engine.start("p") for _ in range(3)]
    # then
    assert [engine.variables(case.id)["mine"] for case in cases] == [1, 2, 3]
    assert "served" not in engine.variables(cases[0].id)
    stored = engine.data_store("served")
    assert (stored.value, stored.changed_by) == (3, cases[2].id)
    written = [row for row in engine.history(cases[0].id) if row.kind == "data_store.written"]
    assert [(row.name, row.value, row.element_id) for row in written] == [("served", 1, "p-add")]


def test_a_waiting_case_sees_the_store_as_it_is_when_it_goes_on(engine: Engine) -> None:
    # given a case that waits
    waiting = process(
        "w",
        start("s"),
        node("dataStoreReference", "ref", dataStoreRef="ds"),
        user("u"),
        script("copy", "served", "mine"),
        end("e"),
        path("s", "u", "copy", "e"),
    )
    engine.deploy({"a.bpmn": diagram(store("ds", "served"), counting(), waiting)}, by="ann")
    case = engine.start("w")
    # when another writes
    engine.start("p")
    (task,) = engine.tasks(instance_id=case.id)
    engine.complete(task.id, {}, by="bob")
    # then
    assert engine.variables(case.id)["mine"] == 1


def test_a_called_process_shares_the_store_and_not_a_copy_of_it(engine: Engine) -> None:
    # given both name the store
    caller = process(
        "caller",
        start("s"),
        node("dataStoreReference", "ref", dataStoreRef="ds"),
        call("c", "p"),
        script("copy", "served", "after"),
        end("e"),
        path("s", "c", "copy", "e"),
    )
    engine.deploy({"a.bpmn": diagram(store("ds", "served"), caller, counting())}, by="ann")
    engine.write_data_store("served", 41, by="ann", why="start of the year")
    # when
    case = engine.start("caller")
    # then
    assert engine.variables(case.id)["after"] == 42


def test_associations_carry_values_between_stores_and_activities(engine: Engine) -> None:
    # given a task that reads the store as `rate` and writes another as `result`
    convert = node(
        "scriptTask",
        "convert",
        "<extensionElements><zeebe:script expression=\"=amount * rate\" resultVariable=\"result\"/>"
        "</extensionElements>",
        '<ioSpecification><dataInput id="in" name="rate"/><dataOutput id="out" name="result"/>'
        "<inputSet><dataInputRefs>in</dataInputRefs></inputSet>"
        "<outputSet><dataOutputRefs>out</dataOutputRefs></outputSet></ioSpecification>",
        "<dataInputAssociation><sourceRef>rates</sourceRef><targetRef>in</targetRef>"
        "</dataInputAssociation>",
        "<dataOutputAssociation><sourceRef>out</sourceRef><targetRef>totals</targetRef>"
        "</dataOutputAssociation>",
    )  # fmt: skip
    drawing = diagram(
        store("dr", "exchange"),
        store("dt", "turnover"),
        process(
            "p",
            start("s"),
            node("dataStoreReference", "rates", dataStoreRef="dr"),
            node("dataStoreReference", "totals", dataStoreRef="dt"),
            convert,
            end("e"),
            path("s", "convert", "e"),
        ),
    )
    engine.deploy({"a.bpmn": drawing}, by="ann")
    engine.write_data_store("exchange", Decimal("7.10"), by="ann")
    # when
    engine.start("p", {"amount": 10})
    # then
    assert engine.data_store("turnover").value == Decimal("71.00")
    assert [one.name for one in engine.data_stores()] == ["exchange", "turnover"]


def test_a_bad_value_is_refused_and_an_unknown_store_is_not_found(engine: Engine) -> None:
    with pytest.raises(BadInput):
        engine.write_data_store("served", object(), by="ann")
    with pytest.raises(NotFound, match="served"):
        engine.data_store("served")
