"""Data: what tasks, calls and associations declare has to fit what they refer to (BPMN 10.4)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml.etree import _Element as Element

from engine.diagrams.checks_activities import called_process
from engine.diagrams.diagram import Diagram, child, children, references, truth
from engine.diagrams.names import called, is_bpmn, plain, text_of
from engine.diagrams.report import Report

_VARIABLE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_FIT = "let both have the same item definition"


def check_data(diagram: Diagram, report: Report) -> None:
    """Check items, their sets, associations, and names of references."""
    for item in diagram.all("dataInput", "dataOutput", "dataObject"):
        _collection(diagram, item, report)
    for owner in diagram.all("inputSet", "outputSet"):
        _members(owner, report)
    for association in diagram.all("dataAssociation"):
        _association(diagram, association, report)
        _assignments(diagram, association, report)
    for reference in diagram.all("dataObjectReference"):
        _state(diagram, reference, report)
    for loop in diagram.all("multiInstanceLoopCharacteristics"):
        _repeated_items(diagram, loop, report)


def _item(diagram: Diagram, holder: Element | None) -> Element | None:
    """Return the item definition of data; references ask what they refer to."""
    if holder is None:
        return None
    own = diagram.find(holder.get("itemSubjectRef"), "itemDefinition")
    if own is None and is_bpmn(holder, "dataObjectReference"):
        return _item(diagram, diagram.find(holder.get("dataObjectRef"), "dataObject"))
    return own


def _same(one: Element, other: Element, *, single: bool = False) -> bool:
    """Tell whether two item definitions mean the same; `single`: one element of a collection."""
    if one is other and not single:
        return True
    return (one.get("structureRef") or "") == (other.get("structureRef") or "") and (
        "structureRef" in one.attrib or "structureRef" in other.attrib
    )


def _collection(diagram: Diagram, item: Element, report: Report) -> None:
    if is_bpmn(item, "inputDataItem", "outputDataItem"):
        return
    definition = _item(diagram, item)
    if definition is None:
        return
    one = truth(item, "isCollection", default=False)
    other = truth(definition, "isCollection", default=False)
    if one != other:
        report.error(
            item,
            f"{called(item)} is {'a' if one else 'no'} collection, its item definition is"
            f" {'one' if other else 'none'}",
            "set isCollection of both to the same value",
        )


def _members(owner: Element, report: Report) -> None:
    kind = "Input" if is_bpmn(owner, "inputSet") else "Output"
    listed = references(owner, f"data{kind}Refs")
    for word in ("optional", "whileExecuting"):
        for name in references(owner, f"{word}{kind}Refs"):
            if name not in listed:
                report.error(
                    owner,
                    f"“{name}” is listed under {word}{kind}Refs, but not among the"
                    f" {kind.lower()}s of its set",
                    f"list it under data{kind}Refs too",
                )


def _association(diagram: Diagram, association: Element, report: Report) -> None:
    target = diagram.find(text_of(child(association, "targetRef")), "item")
    source = diagram.find(text_of(child(association, "sourceRef")), "item")
    writes = is_bpmn(association, "dataOutputAssociation")
    if writes and target is not None and is_bpmn(target, "dataInput"):
        report.error(
            association,
            f"{called(association)} writes to {called(target)}, which can only be read",
            "write to a data object, a property or a data output",
        )
    one, other = _item(diagram, source), _item(diagram, target)
    if (
        one is None
        or other is None
        or child(association, "transformation", "assignment") is not None
    ):
        return
    if not _same(one, other) and len(references(association, "sourceRef")) == 1:
        report.error(
            association,
            f"{called(association)} joins data of different types",
            f"{_FIT}, or add a transformation",
        )


def _assignments(diagram: Diagram, association: Element, report: Report) -> None:
    for assignment in children(association, "assignment"):
        target = text_of(child(assignment, "to")).removeprefix("=").strip()
        if not text_of(child(assignment, "from")):
            report.error(
                assignment, f"{called(association)} assigns nothing", "write what it assigns"
            )
        if diagram.find(target, "item") is None and not _VARIABLE.fullmatch(target):
            report.error(
                assignment,
                f"{called(association)} assigns to “{target[:60]}”, which is no variable",
                "write the name of a variable",
            )


def _state(diagram: Diagram, reference: Element, report: Report) -> None:
    """Check the convention `name [state]` where all its parts are filled in (BPMN, table 10.54)."""
    data_object = diagram.find(reference.get("dataObjectRef"), "dataObject")
    state = child(reference, "dataState")
    if data_object is None or state is None:
        return
    parts = (data_object.get("name"), state.get("name"), reference.get("name"))
    if all(parts) and parts[2] != f"{parts[0]} [{parts[1]}]":
        report.error(
            reference,
            f"{called(reference)} should be called “{parts[0]} [{parts[1]}]” after its data object"
            " and its state",
            "rename it, or delete the state",
        )


def _repeated_items(diagram: Diagram, loop: Element, report: Report) -> None:
    for collection, single in (
        ("loopDataInputRef", "inputDataItem"),
        ("loopDataOutputRef", "outputDataItem"),
    ):
        one = child(loop, single)
        many = _item(diagram, diagram.find(text_of(child(loop, collection)), "item"))
        own = _item(diagram, one)
        if one is None or many is None or own is None:
            continue
        if truth(own, "isCollection", default=False) or not _same(own, many, single=True):
            report.error(
                one,
                f"{called(one)} is not of the type that its collection holds",
                "let its item definition be that of a single element",
            )


# ------------------------------------------------------------------ operations and messages


def check_operations(diagram: Diagram, report: Report) -> None:
    """Check that tasks fit the operation or message they refer to (BPMN 10.3.3)."""
    for task in diagram.all("serviceTask"):
        operation = diagram.find(task.get("operationRef"), "operation")
        if operation is not None:
            _single(task, "inputSet", "input set", report)
            _single(task, "outputSet", "output set", report)
            _fits(diagram, task, "dataInput", _message(diagram, operation, "inMessageRef"), report)
            _fits(
                diagram, task, "dataOutput", _message(diagram, operation, "outMessageRef"), report
            )
    for tag, item, kind in (("sendTask", "dataInput", "in"), ("receiveTask", "dataOutput", "out")):
        for task in diagram.all(tag):
            message = diagram.find(task.get("messageRef"), "message")
            if message is not None:
                _single(task, f"{kind}putSet", f"{kind}put set", report)
                _single(task, item, f"data {kind}put", report)
                _fits(diagram, task, item, message, report)


def _message(diagram: Diagram, operation: Element, tag: str) -> Element | None:
    return diagram.find(text_of(child(operation, tag)), "message")


def _declared(task: Element, tag: str) -> list[Element]:
    block = child(task, "ioSpecification")
    return [] if block is None else children(block, tag)


def _single(task: Element, tag: str, words: str, report: Report) -> None:
    if len(_declared(task, tag)) > 1:
        report.error(
            task,
            f"{called(task)} has several {words}s, but its message or operation has only one",
            "keep one",
        )


def _fits(
    diagram: Diagram, task: Element, tag: str, message: Element | None, report: Report
) -> None:
    wanted = None if message is None else diagram.find(message.get("itemRef"), "itemDefinition")
    for declared in _declared(task, tag):
        own = _item(diagram, declared)
        if wanted is not None and (own is None or not _same(own, wanted)):
            report.error(
                task,
                f"{called(declared)} of {called(task)} is not of the type of its message",
                _FIT,
            )


# ------------------------------------------------------------------ calls and services


def check_interfaces(diagram: Diagram, report: Report) -> None:
    """Check that calls give and take what the called process declares, and service bindings."""
    for activity in diagram.all("callActivity"):
        meant = diagram.find(called_process(activity), "callableElement")
        if meant is not None and child(activity, "ioSpecification") is not None:
            _call(diagram, activity, meant, report)
    for element in diagram.all("callableElement"):
        bindings = children(element, "ioBinding")
        if children(element, "supportedInterfaceRef") and not bindings:
            report.error(
                element,
                f"{called(element)} is offered as a service, but binds no operation",
                "add an ioBinding, or delete the supported interface",
            )
        for binding in bindings:
            _binding(diagram, element, binding, report)


def _call(diagram: Diagram, activity: Element, meant: Element, report: Report) -> None:
    for tag, words in (("dataInput", "data inputs"), ("dataOutput", "data outputs")):
        given, wanted = _declared(activity, tag), _declared(meant, tag)
        if len(given) != len(wanted):
            report.error(
                activity,
                f"{called(activity)} declares {len(given)} {words}, but {called(meant)}"
                f" has {len(wanted)}",
                "declare the same data on both sides",
            )
        else:
            _pairwise(diagram, activity, list(zip(given, wanted, strict=True)), report)


def _pairwise(
    diagram: Diagram, activity: Element, pairs: list[tuple[Element, Element]], report: Report
) -> None:
    for given, wanted in pairs:
        one, other = _item(diagram, given), _item(diagram, wanted)
        if one is not None and other is not None and not _same(one, other):
            report.error(
                activity,
                f"{called(given)} of {called(activity)} is not of the type that the called"
                " process declares",
                _FIT,
            )


def _binding(diagram: Diagram, element: Element, binding: Element, report: Report) -> None:
    operation = diagram.find(binding.get("operationRef"), "operation")
    if operation is None:
        return
    for attribute, tag, message in _bound(binding, operation):
        data = diagram.find(binding.get(attribute), tag)
        meant = diagram.find(message, "message")
        wanted = None if meant is None else diagram.find(meant.get("itemRef"), "itemDefinition")
        own = _item(diagram, data)
        if own is not None and wanted is not None and not _same(own, wanted):
            report.error(
                element,
                f"the binding of {called(element)} ties data to a message of another type",
                _FIT,
            )


def _bound(binding: Element, operation: Element) -> Iterator[tuple[str, str, str]]:
    yield "inputDataRef", "dataInput", plain(text_of(child(operation, "inMessageRef")))
    yield "outputDataRef", "dataOutput", plain(text_of(child(operation, "outMessageRef")))
