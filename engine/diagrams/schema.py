"""What each kind of element may hold, read from the table in elements.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lxml.etree import _Element as Element

from engine.diagrams.elements import ABSTRACT, EXTRA_KINDS, TABLE, WITH_TEXT
from engine.diagrams.names import is_bpmn, local


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """An attribute or a child of an element."""

    name: str
    required: bool
    #: may stand more than once
    repeats: bool
    #: type or values of an attribute, "" for any text
    type: str
    #: kinds of elements it may refer to; empty if it is no reference
    targets: tuple[str, ...]
    #: nothing is executed by the reference
    loose: bool
    #: "" | natural | formal: an expression, and whether it is always formal
    expression: str
    #: row of the content, where it is not that of its own name
    row: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One kind of element."""

    name: str
    #: its own name and those of its bases
    kinds: frozenset[str]
    attributes: Mapping[str, Slot]
    #: by tag
    children: Mapping[str, Slot]
    #: tag of a child -> its place in the sequence of the standard's schema
    order: Mapping[str, int]
    #: text inside is content
    text: bool


def _slot(word: str) -> Slot:
    head, _, values = word.partition(":")
    head, arrow, targets = head.partition(">")
    head, _, row = head.partition("=")
    name = head.rstrip("!*~")
    marks = head[len(name) :]
    return Slot(
        name=name,
        required="!" in marks,
        repeats="*" in marks,
        type=values,
        targets=tuple(targets.lstrip(">").split("|")) if arrow else (),
        loose=targets.startswith(">"),
        expression={0: "", 1: "natural", 2: "formal"}[marks.count("~")],
        row=row or name,
    )


def _lineage(name: str) -> tuple[str, ...]:
    """Return the row's own name and all its bases, nearest first."""
    found = [name]
    for known in found:
        found += [base for base in TABLE[known][0].split() if base not in found]
    return tuple(found)


_KINDS = {
    name: frozenset(_lineage(name)) | ({EXTRA_KINDS[name]} if name in EXTRA_KINDS else frozenset())
    for name in TABLE
}


def _row(name: str) -> Row:
    lineage = _lineage(name)
    attributes = [_slot(word) for base in lineage for word in TABLE[base][1].split()]
    children: dict[str, Slot] = {}
    order: dict[str, int] = {}
    # what a base has stands before what is added to it
    words = [word for base in reversed(lineage) for word in TABLE[base][2].split()]
    for place, slot in enumerate(map(_slot, words)):
        tags = [slot.name] if slot.name not in ABSTRACT else []
        if slot.name in TABLE and slot.row == slot.name:
            tags = [tag for tag, kinds in _KINDS.items() if slot.name in kinds]
        for tag in tags:
            if tag not in ABSTRACT:
                children[tag], order[tag] = slot, place
    return Row(
        name=name,
        kinds=_KINDS[name],
        attributes={slot.name: slot for slot in attributes},
        children=children,
        order=order,
        text=name in WITH_TEXT,
    )


#: every element kind by tag
ROWS: Mapping[str, Row] = {name: _row(name) for name in TABLE}

#: content of expressions
EXPRESSION = Row(
    name="expression",
    kinds=frozenset({"expression"}),
    attributes={
        slot.name: slot for slot in map(_slot, ("id", "language:uri", "evaluatesToTypeRef"))
    },
    children={},
    order={},
    text=True,
)
#: content of a reference: an id
_REFERENCE = Row(
    name="reference", kinds=frozenset(), attributes={}, children={}, order={}, text=True
)
_ALIASES = {
    slot.name: slot.row
    for row in ROWS.values()
    for slot in row.children.values()
    if slot.row != slot.name
}
_NOTHING: frozenset[str] = frozenset()


def kinds(element: Element) -> frozenset[str]:
    """Return all kinds of an element, most of all its own tag; empty for what is not of BPMN."""
    if not is_bpmn(element):
        return _NOTHING
    tag = local(element)
    return _KINDS.get(_ALIASES.get(tag, tag), _NOTHING)


def row_of(element: Element) -> Row:
    """Return what an element of BPMN may hold; an unknown one is taken for a reference."""
    tag = local(element)
    return ROWS.get(_ALIASES.get(tag, tag), _REFERENCE)


def is_a(element: Element, *names: str) -> bool:
    """Tell whether an element is of one of these kinds."""
    return not kinds(element).isdisjoint(names)
