"""The data of plain BPMN in the terms of the inner dialect: input and output mappings of variables.

Data objects, properties, inputs and outputs are variables of their names. A data input or output
that has no usable name of its own is only the place where an association is tied to its activity.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

from lxml import etree
from lxml.etree import _Element as Element

from engine.diagrams.checks_activities import called_process, zeebe_of
from engine.diagrams.diagram import Diagram, child, children, references
from engine.diagrams.expressions import language_of
from engine.diagrams.imports.passage import extensions_of
from engine.diagrams.names import bpmn, cw, is_bpmn, local, plain, text_of, zeebe
from engine.diagrams.schema import is_a


class Mapping(NamedTuple):
    """One zeebe:input or zeebe:output."""

    #: expression, or name of a variable
    source: str
    language: str
    #: variable that gets the value
    target: str


def rewrite_data(diagram: Diagram, default: str) -> None:
    """Rewrite associations, multi-instance references and the interfaces of processes."""
    for node in diagram.all("activity", "anyEvent"):
        loop = child(node, "multiInstanceLoopCharacteristics")
        repeated = _repeated(loop)
        inputs = [
            mapping
            for association in children(node, "dataInputAssociation")
            if not repeated & set(references(association, "targetRef"))
            for mapping in _input(diagram, node, association, default)
        ]
        outputs = [
            mapping
            for association in children(node, "dataOutputAssociation")
            if not repeated & set(references(association, "sourceRef"))
            for mapping in _output(diagram, node, association, default)
        ]
        if loop is not None:
            _name_collections(diagram, node, loop)
        _write(node, inputs, outputs)
    for process in diagram.processes:
        _interface(process)
        _stores(diagram, process)


# ------------------------------------------------------------------ names


def _own_name(item: Element) -> str:
    """Return the name of an input or output if a script or handler can use it; else ""."""
    name = (item.get("name") or "").strip()
    is_placeholder = name.startswith("__")  # Camunda Modeler ties associations to such properties
    return name if name.isidentifier() and not is_placeholder else ""


def _variable(diagram: Diagram, item: Element) -> str:
    """Return the variable that data stand for."""
    meant = item
    for tag in ("dataObject", "dataStore"):
        if is_bpmn(item, f"{tag}Reference"):
            found = diagram.find(item.get(f"{tag}Ref"), tag)
            meant = item if found is None else found
    return (meant.get("name") or item.get("name") or meant.get("id") or "").strip()


def _declared(owner: Element, tag: str) -> list[Element]:
    block = child(owner, "ioSpecification")
    return [] if block is None else children(block, tag)


def _parameter(diagram: Diagram, node: Element, item: Element) -> str:
    """Return what an input or output of a node is called inside it; "" if nothing of its own."""
    name = _own_name(item)
    if name or not is_bpmn(node, "callActivity"):
        return name
    process = diagram.find(called_process(node), "process")
    if process is not None:
        own, wanted = _declared(node, local(item)), _declared(process, local(item))
        if item in own and own.index(item) < len(wanted):
            return _variable(diagram, wanted[own.index(item)])
    return _variable(diagram, item)


# ------------------------------------------------------------------ associations


def _input(
    diagram: Diagram, node: Element, association: Element, default: str
) -> Iterator[Mapping]:
    target = diagram.find(text_of(child(association, "targetRef")), "item")
    if target is None:
        return
    name = _parameter(diagram, node, target)
    expressions = list(
        _expressions(diagram, association, name or _variable(diagram, target), default)
    )
    yield from expressions
    source = _source(diagram, association)
    if expressions or source is None:
        return
    variable = _variable(diagram, source)
    if name and (name != variable or is_bpmn(node, "callActivity")):
        yield Mapping(variable, "variable", name)


def _output(
    diagram: Diagram, node: Element, association: Element, default: str
) -> Iterator[Mapping]:
    target = diagram.find(text_of(child(association, "targetRef")), "item")
    if target is None:
        return
    variable = _variable(diagram, target)
    expressions = list(_expressions(diagram, association, variable, default))
    yield from expressions
    source = _source(diagram, association)
    if expressions or source is None:
        return
    name = _parameter(diagram, node, source)
    if name and (name != variable or is_bpmn(node, "callActivity")):
        yield Mapping(name, "variable", variable)


def _source(diagram: Diagram, association: Element) -> Element | None:
    names = references(association, "sourceRef")
    return diagram.find(names[0], "item") if names else None


def _expressions(
    diagram: Diagram, association: Element, target: str, default: str
) -> Iterator[Mapping]:
    """Yield what a transformation or assignments compute instead of a plain copy."""
    declared = language_of(diagram.root.get("expressionLanguage"), default)
    transformation = child(association, "transformation")
    if transformation is not None:
        yield _computed(transformation, target, declared)
    for assignment in children(association, "assignment"):
        value, place = child(assignment, "from"), child(assignment, "to")
        if value is not None and place is not None:
            named = diagram.find(text_of(place).removeprefix("=").strip(), "item")
            name = target if named is not None else text_of(place).removeprefix("=").strip()
            yield _computed(value, name, declared)


def _computed(expression: Element, target: str, declared: str) -> Mapping:
    text = text_of(expression)
    if text.startswith("="):
        return Mapping(text[1:].strip(), "feel", target)
    return Mapping(text, language_of(expression.get("language"), declared), target)


# ------------------------------------------------------------------ multi-instance and calls


def _repeated(loop: Element | None) -> frozenset[str]:
    """Return the inputs and outputs that hold the collections of a multi-instance activity."""
    if loop is None:
        return frozenset()
    names = (text_of(child(loop, tag)) for tag in ("loopDataInputRef", "loopDataOutputRef"))
    return frozenset(plain(name) for name in names if name)


def _name_collections(diagram: Diagram, node: Element, loop: Element) -> None:
    for tag, association, near, far in (
        ("loopDataInputRef", "dataInputAssociation", "targetRef", "sourceRef"),
        ("loopDataOutputRef", "dataOutputAssociation", "sourceRef", "targetRef"),
    ):
        reference = child(loop, tag)
        if reference is None:
            continue
        name = plain(reference.text)
        for tied in children(node, association):
            if name in references(tied, near) and references(tied, far):
                name = references(tied, far)[0]
                break
        item = diagram.find(name, "item")
        reference.text = name if item is None else _variable(diagram, item)
    for item in children(loop, "inputDataItem", "outputDataItem"):
        if not item.get("name"):
            item.set("name", item.get("id") or "")


def _write(node: Element, inputs: list[Mapping], outputs: list[Mapping]) -> None:
    if not inputs and not outputs:
        return
    block = zeebe_of(node, "ioMapping")
    if block is None:
        block = etree.SubElement(extensions_of(node), zeebe("ioMapping"))
    for tag, mappings in (("input", inputs), ("output", outputs)):
        for mapping in mappings:
            entry = etree.SubElement(block, zeebe(tag))
            entry.set("source", mapping.source)
            entry.set("target", mapping.target)
            entry.set(cw("language"), mapping.language)


def _interface(process: Element) -> None:
    """Write what a called process takes and gives, as BPMN's plain call activity needs it."""
    if not is_a(process, "process") or child(process, "ioSpecification") is None:
        return
    entry = etree.SubElement(extensions_of(process), cw("interface"))
    for attribute, tag in (("inputs", "dataInput"), ("outputs", "dataOutput")):
        names = [item.get("name") or item.get("id") for item in _declared(process, tag)]
        entry.set(attribute, json.dumps(names, ensure_ascii=False))


def _stores(diagram: Diagram, process: Element) -> None:
    """Write which variables of a process stand for data stores, which outlive its instances."""
    references = [item for item in process.iter(bpmn("dataStoreReference"))]
    names = sorted({_variable(diagram, item) for item in references} - {""})
    if names:
        entry = etree.SubElement(extensions_of(process), cw("stores"))
        entry.set("names", json.dumps(names, ensure_ascii=False))


def data_names(root: Element) -> frozenset[str]:
    """Return the names of the data that are drawn in a file; they may hold blanks."""
    drawn = (item for item in root.iter("{*}*") if is_a(item, "item", "dataStore"))
    return frozenset(" ".join((item.get("name") or "").split()) for item in drawn)
