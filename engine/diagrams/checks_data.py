"""Data: what tasks, calls and associations declare has to fit what they refer to (BPMN 10.4)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml.etree import _Element as Element

from engine.diagrams.diagram import Diagram, child, children, references, truth
from engine.diagrams.names import is_bpmn, kind_words, plain, text_of
from engine.diagrams.report import Report

_VARIABLE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


def check_data(diagram: Diagram, report: Report) -> None:
    """Check items, their sets, associations, and names of references."""
    for item in diagram.all("dataInput", "dataOutput", "dataObject"):
        _collection(diagram, item, report)
    for owner in diagram.all("inputSet", "outputSet"):
        _members(owner, report)
    for block in diagram.all("ioSpecification"):
        _in_no_set(block, report)
    for association in diagram.all("dataAssociation"):
        _association(diagram, association, report)
        _assignments(diagram, association, report)
    for reference in diagram.all("dataObjectReference"):
        _state(diagram, reference, report)
    for loop in diagram.all("multiInstanceLoopCharacteristics"):
        _repeated_items(diagram, loop, report)


def item_of(diagram: Diagram, holder: Element | None) -> Element | None:
    """Return the item definition of data; references ask what they refer to."""
    if holder is None:
        return None
    own = diagram.find(holder.get("itemSubjectRef"), "itemDefinition")
    if own is None and is_bpmn(holder, "dataObjectReference"):
        return item_of(diagram, diagram.find(holder.get("dataObjectRef"), "dataObject"))
    return own


def same_item(one: Element, other: Element, *, single: bool = False) -> bool:
    """Tell whether two item definitions mean the same; `single`: one element of a collection."""
    if one is other and not single:
        return True
    return (one.get("structureRef") or "") == (other.get("structureRef") or "") and (
        "structureRef" in one.attrib or "structureRef" in other.attrib
    )


def _collection(diagram: Diagram, item: Element, report: Report) -> None:
    if is_bpmn(item, "inputDataItem", "outputDataItem"):
        return
    definition = item_of(diagram, item)
    if definition is None:
        return
    one = truth(item, "isCollection", default=False)
    other = truth(definition, "isCollection", default=False)
    if one != other:
        report.error(
            item,
            "{item} and its item definition do not agree on being a collection",
            "set isCollection of both to the same value",
            item=item,
        )


def _members(owner: Element, report: Report) -> None:
    kind = "Input" if is_bpmn(owner, "inputSet") else "Output"
    listed = references(owner, f"data{kind}Refs")
    for word in ("optional", "whileExecuting"):
        for name in references(owner, f"{word}{kind}Refs"):
            if name not in listed:
                report.error(
                    owner,
                    "“{name}” is listed under {list}, but not under {all}",
                    "list it under {all} too",
                    name=name,
                    list=f"{word}{kind}Refs",
                    all=f"data{kind}Refs",
                )


def _in_no_set(block: Element, report: Report) -> None:
    """Every input and output belongs to at least one set (BPMN 2.0.2, 10.4.1)."""
    for kind in ("Input", "Output"):
        listed = {
            name
            for owner in children(block, f"{kind.lower()}Set")
            for name in references(owner, f"data{kind}Refs")
        }
        for item in children(block, f"data{kind}"):
            if item.get("id") not in listed:
                report.error(
                    item,
                    "{item} is part of no {kind}, so it is never given or taken",
                    "list it in a set, or delete it",
                    item=item,
                    kind=kind_words(f"{kind.lower()}Set"),
                )


def _association(diagram: Diagram, association: Element, report: Report) -> None:
    target = diagram.find(text_of(child(association, "targetRef")), "item")
    source = diagram.find(text_of(child(association, "sourceRef")), "item")
    writes = is_bpmn(association, "dataOutputAssociation")
    if writes and target is not None and is_bpmn(target, "dataInput"):
        report.error(
            association,
            "{association} writes to {target}, which can only be read",
            "write to a data object, a property or a data output",
            association=association,
            target=target,
        )
    _own_end(association, source if writes else target, report)
    one, other = item_of(diagram, source), item_of(diagram, target)
    if (
        one is None
        or other is None
        or child(association, "transformation", "assignment") is not None
    ):
        return
    if not same_item(one, other) and len(references(association, "sourceRef")) == 1:
        report.error(
            association,
            "{association} joins data of different types",
            "let both have the same item definition, or add a transformation",
            association=association,
        )


def _own_end(association: Element, near: Element | None, report: Report) -> None:
    """An association moves data of the activity or event it belongs to, not of another one."""
    owner = association.getparent()
    if owner is None or near is None or not is_bpmn(near, "dataInput", "dataOutput"):
        return
    if owner not in near.iterancestors():
        report.error(
            association,
            "{association} of {owner} is tied to {item}, which belongs to another element",
            "tie it to an input or output of its own element",
            association=association,
            owner=owner,
            item=near,
        )


def _assignments(diagram: Diagram, association: Element, report: Report) -> None:
    for assignment in children(association, "assignment"):
        target = text_of(child(assignment, "to")).removeprefix("=").strip()
        if not text_of(child(assignment, "from")):
            report.error(
                assignment,
                "{association} assigns nothing",
                "write what it assigns",
                association=association,
            )
        if diagram.find(target, "item") is None and not _VARIABLE.fullmatch(target):
            report.error(
                assignment,
                "{association} assigns to “{target}”, which is no variable",
                "write the name of a variable",
                association=association,
                target=target[:60],
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
            "{reference} should be called “{wanted}” after its data object and its state",
            "rename it, or delete the state",
            reference=reference,
            wanted=f"{parts[0]} [{parts[1]}]",
        )


def _repeated_items(diagram: Diagram, loop: Element, report: Report) -> None:
    for collection, single in (
        ("loopDataInputRef", "inputDataItem"),
        ("loopDataOutputRef", "outputDataItem"),
    ):
        one = child(loop, single)
        many = item_of(diagram, diagram.find(text_of(child(loop, collection)), "item"))
        own = item_of(diagram, one)
        if one is None or many is None or own is None:
            continue
        if truth(own, "isCollection", default=False) or not same_item(own, many, single=True):
            report.error(
                one,
                "{one} is not of the type that its collection holds",
                "let its item definition be that of a single element",
                one=one,
            )


# ------------------------------------------------------------------ operations and messages


def check_operations(diagram: Diagram, report: Report) -> None:
    """Check that tasks fit the operation or message they refer to (BPMN 10.3.3)."""
    for task in diagram.all("serviceTask"):
        operation = diagram.find(task.get("operationRef"), "operation")
        if operation is not None:
            _single(task, "inputSet", report)
            _single(task, "outputSet", report)
            _fits(diagram, task, "dataInput", _message(diagram, operation, "inMessageRef"), report)
            _fits(
                diagram, task, "dataOutput", _message(diagram, operation, "outMessageRef"), report
            )
    for tag, item, kind in (("sendTask", "dataInput", "in"), ("receiveTask", "dataOutput", "out")):
        for task in diagram.all(tag):
            message = diagram.find(task.get("messageRef"), "message")
            if message is not None:
                _single(task, f"{kind}putSet", report)
                _single(task, item, report)
                _fits(diagram, task, item, message, report)


def _message(diagram: Diagram, operation: Element, tag: str) -> Element | None:
    return diagram.find(text_of(child(operation, tag)), "message")


def _declared(task: Element, tag: str) -> list[Element]:
    block = child(task, "ioSpecification")
    return [] if block is None else children(block, tag)


def _single(task: Element, tag: str, report: Report) -> None:
    if len(_declared(task, tag)) > 1:
        report.error(
            task,
            "{task} has more than one {kind}, but its message or operation has only one",
            "keep one",
            task=task,
            kind=kind_words(tag),
        )


def _fits(
    diagram: Diagram, task: Element, tag: str, message: Element | None, report: Report
) -> None:
    wanted = None if message is None else diagram.find(message.get("itemRef"), "itemDefinition")
    for declared in _declared(task, tag):
        own = item_of(diagram, declared)
        if wanted is not None and (own is None or not same_item(own, wanted)):
            report.error(
                task,
                "{declared} of {task} is not of the type of its message",
                "let both have the same item definition",
                declared=declared,
                task=task,
            )


# ------------------------------------------------------------------ services


def check_interfaces(diagram: Diagram, report: Report) -> None:
    """Check what is offered as a service: its bindings to operations."""
    for element in diagram.all("callableElement"):
        bindings = children(element, "ioBinding")
        if children(element, "supportedInterfaceRef") and not bindings:
            report.error(
                element,
                "{element} is offered as a service, but binds no operation",
                "add an ioBinding, or delete the supported interface",
                element=element,
            )
        for binding in bindings:
            _binding(diagram, element, binding, report)


def _binding(diagram: Diagram, element: Element, binding: Element, report: Report) -> None:
    operation = diagram.find(binding.get("operationRef"), "operation")
    if operation is None:
        return
    for attribute, tag, message in _bound(binding, operation):
        data = diagram.find(binding.get(attribute), tag)
        meant = diagram.find(message, "message")
        wanted = None if meant is None else diagram.find(meant.get("itemRef"), "itemDefinition")
        own = item_of(diagram, data)
        if own is not None and wanted is not None and not same_item(own, wanted):
            report.error(
                element,
                "the binding of {element} ties data to a message of another type",
                "let both have the same item definition",
                element=element,
            )


def _bound(binding: Element, operation: Element) -> Iterator[tuple[str, str, str]]:
    yield "inputDataRef", "dataInput", plain(text_of(child(operation, "inMessageRef")))
    yield "outputDataRef", "dataOutput", plain(text_of(child(operation, "outMessageRef")))
