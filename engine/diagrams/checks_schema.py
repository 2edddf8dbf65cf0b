"""Is it BPMN at all: known elements in their places, attributes, ids and references."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from lxml.etree import _Element as Element

from engine.diagrams.diagram import Diagram
from engine.diagrams.names import (
    BPMN,
    attributes,
    called,
    is_bpmn,
    line,
    local,
    namespace,
    plain,
    spoken,
)
from engine.diagrams.report import Report
from engine.diagrams.schema import EXPRESSION, ROWS, Row, Slot, is_a, row_of

_NCNAME = re.compile(r"[^\W\d][\w.\-·]*")
_INTEGER = re.compile(r"[+-]?\d+")
_NO_URI = re.compile(r"%(?![0-9A-Fa-f]{2})|[\s<>\"{}|\\^`]")
_MIME = re.compile(r"[\w.+-]+/[\w.+-]+(\s*;.*)?")
_ACTED_ON = ("process", "flowNode", "sequenceFlow")


def check_schema(diagram: Diagram, report: Report) -> None:
    """Report what the schema of BPMN 2.0.2 does not know."""
    rows: dict[Element, Row] = {diagram.root: ROWS["definitions"]}
    for element in diagram.elements:
        row = rows.get(element)
        if row is None:
            continue
        _attributes(element, row, report)
        _content(element, row, report)
        for child, slot in _placed(element, row, report):
            rows[child] = EXPRESSION if slot.expression else row_of(child)


# ------------------------------------------------------------------ elements


def _placed(element: Element, row: Row, report: Report) -> Iterator[tuple[Element, Slot]]:
    """Yield the children that may stand here; report the others."""
    seen: set[str] = set()
    for child in element.iterchildren():
        if not is_bpmn(child):
            _foreign(child, element, row, report)
            continue
        slot = row.children.get(local(child))
        if slot is None:
            if not is_bpmn(child, "extensionElements"):
                _misplaced(child, element, report)
        elif slot.name in seen and not slot.repeats:
            report.error(
                child,
                f"{called(element)} has a second {spoken(local(child))}, and only one is allowed",
                "delete one of them",
            )
        else:
            seen.add(slot.name)
            yield child, slot
    for slot in row.children.values():
        if slot.required and slot.name not in seen:
            report.error(element, f"{called(element)} lacks its {spoken(slot.name)}", "add it")


def _misplaced(child: Element, parent: Element, report: Report) -> None:
    if local(child) in ROWS:
        report.error(
            child,
            f"{called(child)} cannot stand in {called(parent)}",
            "move it to where BPMN allows it, or delete it",
        )
    else:
        report.error(
            child, f"BPMN has no element “{local(child)}” in {called(parent)}", "delete it"
        )


def _foreign(child: Element, parent: Element, row: Row, report: Report) -> None:
    if row.text or parent.getparent() is None:
        return
    space = namespace(str(child.tag))
    report.warning(
        child,
        f"{called(parent)} holds the element “{local(child)}” of {space or 'no namespace'},"
        " which is not read",
        "extensions belong inside extensionElements",
    )


def _content(element: Element, row: Row, report: Report) -> None:
    if row.text or row.name == "expression":
        return
    tails = (child.tail or "" for child in element.iterchildren())
    stray = ((element.text or "") + "".join(tails)).strip()
    if stray:
        report.error(
            element,
            f"{called(element)} holds stray text: “{stray[:40]}”",
            "delete the text; it has no meaning there",
        )


# ------------------------------------------------------------------ attributes


def _attributes(element: Element, row: Row, report: Report) -> None:
    for name in attributes(element):
        if namespace(name) not in ("", BPMN):
            continue
        slot = row.attributes.get(name.rpartition("}")[2])
        if slot is None:
            report.error(
                element, f"{called(element)} has the unknown attribute “{name}”", "delete it"
            )
        else:
            _value(element, slot, element.get(name) or "", report)
    for slot in row.attributes.values():
        value = element.get(slot.name)
        if slot.required and (value is None or (slot.targets and not value.strip())):
            report.error(
                element, f"{called(element)} lacks its attribute “{slot.name}”", "fill it in"
            )


def _value(element: Element, slot: Slot, value: str, report: Report) -> None:
    wanted = _wanted(slot.type, value)
    if wanted:
        report.error(
            element,
            f"the attribute “{slot.name}” of {called(element)} is “{value[:60]}”,"
            f" which is not {wanted}",
            f"write {wanted}",
        )


def _wanted(kind: str, value: str) -> str:
    """Return what the value should be; "" if it is right."""
    text = value.strip()
    if kind == "bool":
        return "" if text in ("true", "false", "1", "0") else "true or false"
    if kind == "int":
        return "" if _INTEGER.fullmatch(text) else "a whole number"
    if kind == "uri":
        return "a valid address (URI)" if _NO_URI.search(text) else ""
    if kind == "mime":
        return "" if _MIME.fullmatch(text) else "a media type such as text/plain"
    if kind and text not in kind.split("|"):
        return "one of " + ", ".join(kind.split("|"))
    return ""


# ------------------------------------------------------------------ ids


def check_ids(diagram: Diagram, report: Report) -> None:
    """Report ids that are missing, doubled or not well formed."""
    first: dict[str, Element] = {}
    for element in diagram.elements:
        identifier = element.get("id")
        if identifier is None:
            if is_a(element, "process", "flowNode"):
                report.at_line(
                    line(element),
                    f"{called(element)} has no id, so nothing can refer to it",
                    "give it an id",
                )
        elif not _NCNAME.fullmatch(identifier):
            report.error(
                element,
                f"the id “{identifier}” of {called(element)} is not well formed",
                "begin with a letter or _, then letters, digits, . - _",
            )
        elif identifier in first:
            other = first[identifier]
            report.error(
                element,
                f"{called(element)} has the id “{identifier}”, and so has"
                f" {called(other)} in line {line(other)}",
                "give each element an id of its own",
            )
        else:
            first[identifier] = element


# ------------------------------------------------------------------ references


def check_references(diagram: Diagram, report: Report) -> None:
    """Report references to what is not there, or is of another kind."""
    imported = _imported(diagram)
    for element in diagram.elements:
        row = ROWS.get(local(element))
        if row is None:
            continue
        for slot, value, place in _references(element, row):
            space = _space(place, value)
            if not plain(value) or (space in imported and diagram.find(value) is None):
                continue
            if _is_tied_to_owner(element, slot, value):
                report.warning(
                    element,
                    f"{called(element)} names no data of its task, so it moves nothing",
                    "variables are seen without it; map them in the task where names differ",
                )
            elif diagram.find(value, *slot.targets) is None:
                _dangling(diagram, element, slot, value, report)


def _references(element: Element, row: Row) -> Iterator[tuple[Slot, str, Element]]:
    for slot in row.attributes.values():
        if slot.targets and element.get(slot.name) is not None:
            yield slot, str(element.get(slot.name)), element
    for child in element.iterchildren():
        slot_of = row.children.get(local(child)) if is_bpmn(child) else None
        if slot_of is not None and slot_of.targets:
            yield slot_of, child.text or "", child


def _space(place: Element, value: str) -> str | None:
    prefix, colon, _ = value.strip().rpartition(":")
    return place.nsmap.get(prefix) if colon else None


def _imported(diagram: Diagram) -> Mapping[str | None, bool]:
    return {
        str(found.get("namespace")): True
        for found in diagram.all("import")
        if found.get("namespace") and found.get("namespace") != diagram.root.get("targetNamespace")
    }


def _is_tied_to_owner(element: Element, slot: Slot, value: str) -> bool:
    """Many modelers tie a data association to the task itself; that draws, and moves nothing."""
    owner = element.getparent()
    return (
        is_a(element, "dataAssociation")
        and slot.name in ("sourceRef", "targetRef")
        and owner is not None
        and owner.get("id") == plain(value)
    )


def _dangling(diagram: Diagram, element: Element, slot: Slot, value: str, report: Report) -> None:
    other = diagram.find(value)
    if other is None:
        message = f"{called(element)} refers to “{plain(value)}” ({slot.name}), which is not there"
        advice = "correct the reference, or draw what it names"
    else:
        kinds = " or ".join(spoken(target) for target in slot.targets)
        message = f"{called(element)} refers to {called(other)} ({slot.name}), which is no {kinds}"
        advice = "refer to an element of the right kind"
    if slot.loose:
        report.warning(element, message, advice)
    else:
        report.error(element, message, advice)
