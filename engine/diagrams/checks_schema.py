"""Is it BPMN at all: known elements in their places, attributes, ids and references."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from lxml.etree import _Element as Element

from engine.diagrams.diagram import Diagram
from engine.diagrams.names import (
    BPMN,
    attributes,
    is_bpmn,
    kind_words,
    line,
    local,
    namespace,
    plain,
)
from engine.diagrams.report import Report
from engine.diagrams.schema import EXPRESSION, ROWS, Row, Slot, is_a, row_of
from engine.sentences import Listed, Phrase, phrase

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
        _sequence(element, row, report)
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
                "{element} has a second {kind}, and only one is allowed",
                "delete one of them",
                element=element,
                kind=kind_words(local(child)),
            )
        else:
            seen.add(slot.name)
            yield child, slot
    for slot in row.children.values():
        if slot.required and slot.name not in seen:
            report.error(
                element,
                "{element} lacks its {kind}",
                "add it",
                element=element,
                kind=kind_words(slot.name),
            )


def _sequence(element: Element, row: Row, report: Report) -> None:
    """Report the first child that stands behind what has to follow it."""
    last: Element | None = None
    for child in element.iterchildren():
        place = row.order.get(local(child)) if is_bpmn(child) else None
        if place is None:
            continue
        if last is not None and place < row.order[local(last)]:
            report.warning(
                child,
                "in {element} “{tag}” stands behind “{last}”, but belongs before it",
                "the schema of BPMN fixes the order; here it changes nothing, other programs may"
                " refuse the file: export it again",
                element=element,
                tag=local(child),
                last=local(last),
            )
            return
        last = child


def _misplaced(child: Element, parent: Element, report: Report) -> None:
    if local(child) in ROWS:
        report.error(
            child,
            "{child} cannot stand in {parent}",
            "move it to where BPMN allows it, or delete it",
            child=child,
            parent=parent,
        )
    else:
        report.error(
            child,
            "BPMN has no element “{tag}” in {parent}",
            "delete it",
            tag=local(child),
            parent=parent,
        )


def _foreign(child: Element, parent: Element, row: Row, report: Report) -> None:
    if row.text or parent.getparent() is None:
        return
    space = namespace(str(child.tag))
    report.warning(
        child,
        "{parent} holds the element “{tag}” of {namespace}, which is not read",
        "extensions belong inside extensionElements",
        parent=parent,
        tag=local(child),
        namespace=space or phrase("no namespace"),
    )


def _content(element: Element, row: Row, report: Report) -> None:
    if row.text or row.name == "expression":
        return
    tails = (child.tail or "" for child in element.iterchildren())
    stray = ((element.text or "") + "".join(tails)).strip()
    if stray:
        report.error(
            element,
            "{element} holds stray text: “{stray}”",
            "delete the text; it has no meaning there",
            element=element,
            stray=stray[:40],
        )


# ------------------------------------------------------------------ attributes


def _attributes(element: Element, row: Row, report: Report) -> None:
    for name in attributes(element):
        if namespace(name) not in ("", BPMN):
            continue
        slot = row.attributes.get(name.rpartition("}")[2])
        if slot is None:
            report.error(
                element,
                "{element} has the unknown attribute “{name}”",
                "delete it",
                element=element,
                name=name,
            )
        else:
            _value(element, slot, element.get(name) or "", report)
    for slot in row.attributes.values():
        value = element.get(slot.name)
        if slot.required and (value is None or (slot.targets and not value.strip())):
            report.error(
                element,
                "{element} lacks its attribute “{name}”",
                "fill it in",
                element=element,
                name=slot.name,
            )


def _value(element: Element, slot: Slot, value: str, report: Report) -> None:
    wanted = _wanted(slot.type, value)
    if wanted:
        report.error(
            element,
            "the attribute “{name}” of {element} is “{value}”, which is not {wanted}",
            "write {wanted}",
            name=slot.name,
            element=element,
            value=value[:60],
            wanted=wanted,
        )


def _wanted(kind: str, value: str) -> Phrase | None:
    """Return what the value should be; None if it is right."""
    text = value.strip()
    if kind == "bool":
        return None if text in ("true", "false", "1", "0") else phrase("true or false")
    if kind == "int":
        return None if _INTEGER.fullmatch(text) else phrase("a whole number")
    if kind == "uri":
        return phrase("a valid address (URI)") if _NO_URI.search(text) else None
    if kind == "mime":
        return None if _MIME.fullmatch(text) else phrase("a media type such as text/plain")
    if kind and text not in kind.split("|"):
        return phrase("one of {names}", names=", ".join(kind.split("|")))
    return None


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
                    "{node} has no id, so nothing can refer to it",
                    "give it an id",
                    node=element,
                )
        elif not _NCNAME.fullmatch(identifier):
            report.error(
                element,
                "the id “{identifier}” of {element} is not well formed",
                "begin with a letter or _, then letters, digits, . - _",
                identifier=identifier,
                element=element,
            )
        elif identifier in first:
            other = first[identifier]
            report.error(
                element,
                "{element} has the id “{identifier}”, and so has {other} in line {line}",
                "give each element an id of its own",
                element=element,
                identifier=identifier,
                other=other,
                line=line(other) or 0,
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
                    "{element} names no data of its task, so it moves nothing",
                    "variables are seen without it; map them in the task where names differ",
                    element=element,
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
    say = report.warning if slot.loose else report.error
    other = diagram.find(value)
    if other is None:
        say(
            element,
            "{element} refers to “{name}” ({attribute}), which is not there",
            "correct the reference, or draw what it names",
            element=element,
            name=plain(value),
            attribute=slot.name,
        )
    else:
        say(
            element,
            "{element} refers to {other} ({attribute}), which is no {kinds}",
            "refer to an element of the right kind",
            element=element,
            other=other,
            attribute=slot.name,
            kinds=Listed([kind_words(target) for target in slot.targets], phrase(" or ")),
        )
