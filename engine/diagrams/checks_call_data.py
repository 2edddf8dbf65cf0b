"""Calls: what a call activity declares has to be what the called process declares (BPMN 10.3.6).

Data are the same if they have one name; data without a usable name find each other by their place,
which only works in one file. Whatever finds nobody would be lost without a word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lxml.etree import _Element as Element

from engine.diagrams.checks_activities import called_process, zeebe_of
from engine.diagrams.checks_data import item_of, same_item
from engine.diagrams.diagram import Diagram, child, children, references
from engine.diagrams.names import kind_words
from engine.diagrams.report import Report


class Call(NamedTuple):
    """A call activity and what it calls, each with its file."""

    activity: Element
    home: Diagram
    meant: Element
    abroad: Diagram
    report: Report


def check_call_data(files: Sequence[tuple[Diagram, Report]]) -> None:
    """Check the data of every call of something that is part of the bundle."""
    callable_: Mapping[str, tuple[Diagram, Element]] = {
        str(found.get("id")): (diagram, found)
        for diagram, _ in reversed(files)
        for found in diagram.all("callableElement")
    }
    for home, report in files:
        for activity in home.all("callActivity"):
            name = called_process(activity)
            own = home.find(name, "callableElement")
            abroad, meant = (home, own) if own is not None else callable_.get(name, (home, None))
            if meant is None:
                continue
            call = Call(activity, home, meant, abroad, report)
            if child(activity, "ioSpecification") is not None:
                _data(call)
            elif zeebe_of(activity, "calledElement") is None:
                _required(call)


def _data(call: Call) -> None:
    for tag, sets in (("dataInput", "inputSet"), ("dataOutput", "outputSet")):
        given, wanted = _declared(call.activity, tag), _declared(call.meant, tag)
        if len(given) != len(wanted):
            call.report.error(
                call.activity,
                "{activity} declares other data than {meant} ({kind}: {number} and {wanted})",
                "declare the same data on both sides",
                activity=call.activity,
                number=len(given),
                kind=kind_words(tag),
                meant=call.meant,
                wanted=len(wanted),
            )
            continue
        partners = _partners(given, wanted)
        for item, partner in partners.items():
            _pair(call, item, partner)
        if None not in partners.values():
            _sets(call, tag, sets, partners)


def _required(call: Call) -> None:
    """A plain call without a word about data calls something that needs some."""
    block = child(call.meant, "ioSpecification")
    if block is None:
        return
    optional = {
        name for owner in children(block, "inputSet") for name in
        references(owner, "optionalInputRefs")
    }  # fmt: skip
    for item in children(block, "dataInput"):
        if item.get("id") not in optional:
            call.report.error(
                call.activity,
                "{activity} declares no data, but {meant} needs {item}",
                "declare the same data on both sides",
                activity=call.activity,
                meant=call.meant,
                item=item,
            )


def _declared(owner: Element, tag: str) -> list[Element]:
    block = child(owner, "ioSpecification")
    return [] if block is None else children(block, tag)


def usable_name(item: Element) -> str:
    """Return the name of data if an expression can use it as it is; else ""."""
    name = (item.get("name") or "").strip()
    return name if name.isidentifier() and not name.startswith("__") else ""


def _partners(given: list[Element], wanted: list[Element]) -> dict[Element, Element | None]:
    """Return data of the call -> data of the called process, None where there is none."""
    named = {usable_name(item): item for item in wanted if usable_name(item)}
    found: dict[Element, Element | None] = {}
    for item, beside in zip(given, wanted, strict=True):
        name = usable_name(item)
        found[item] = named.get(name) if name else beside
    return found


def _pair(call: Call, item: Element, partner: Element | None) -> None:
    if partner is None:
        call.report.error(
            call.activity,
            "{meant} declares nothing named {name}, so {item} of {activity} would be lost",
            "give the data the same name on both sides",
            meant=call.meant,
            name=usable_name(item),
            item=item,
            activity=call.activity,
        )
        return
    if call.home is not call.abroad and not usable_name(item):
        call.report.unsupported(
            call.activity,
            "{item} of {activity} has no usable name, and {meant} stands in another file",
            "give the data the same name on both sides",
            item=item,
            activity=call.activity,
            meant=call.meant,
        )
    one, other = item_of(call.home, item), item_of(call.abroad, partner)
    if one is not None and other is not None and not same_item(one, other):
        call.report.error(
            call.activity,
            "{given} of {activity} is not of the type that the called process declares",
            "let both have the same item definition",
            given=item,
            activity=call.activity,
        )


def _sets(call: Call, tag: str, sets: str, partners: Mapping[Element, Element | None]) -> None:
    """Compare the sets of both sides, each as the data of the called process that it lists."""
    meant = {
        str(item.get("id")): str(partner.get("id"))
        for item, partner in partners.items()
        if partner is not None
    }
    own = [
        sorted(meant.get(name, name) for name in references(owner, f"{tag}Refs"))
        for owner in _declared(call.activity, sets)
    ]
    theirs = [sorted(references(owner, f"{tag}Refs")) for owner in _declared(call.meant, sets)]
    if sorted(own) != sorted(theirs):
        call.report.error(
            call.activity,
            "the {kind} of {activity} is not made up as that of {meant}",
            "let the sets of both sides list the same data",
            kind=kind_words(sets),
            activity=call.activity,
            meant=call.meant,
        )
