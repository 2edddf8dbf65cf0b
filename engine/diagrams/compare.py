"""What differs between two versions of a diagram, element by element, layout apart.

Elements are the same if their ids are. What an element holds without being drawn by itself (event
definitions, extension elements, conditions) counts as its properties.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lxml.etree import _Element as Element

from engine.diagrams.diagram import Diagram
from engine.diagrams.names import BPMN_DI, DD_DC, is_bpmn, local, text_of
from engine.diagrams.report import Report
from engine.diagrams.schema import is_a
from engine.diagrams.xml import read_xml

#: what stands in a list of changes by itself
_SHOWN = (
    "flowNode", "sequenceFlow", "messageFlow", "participant", "lane", "process", "artifact",
    "dataObject", "dataObjectReference", "message", "error", "escalation", "signal", "association",
)  # fmt: skip
#: what only repeats the flows
_IMPLIED = ("incoming", "outgoing")
#: attributes that tell repeated children apart
_KEYS = ("target", "name", "key", "id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """One property that differs."""

    #: such as `@name` or `extensionElements/taskDefinition@type`
    path: str
    #: None where it was not there
    old: str | None
    #: None where it is gone
    new: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One element that differs."""

    #: added | removed | changed | moved
    kind: str
    id: str
    #: tag of BPMN
    tag: str
    #: as drawn; the new one if it has changed
    name: str
    details: tuple[Detail, ...] = ()


def compare(old: bytes, new: bytes) -> list[Change]:
    """Return the changes from one file to another, in the order of the new one, removed ones last.

    A file that is no diagram counts as an empty one.
    """
    before, after = _read(old), _read(new)
    changes = [
        change for id, item in after.items() if (change := _change(before.get(id), item, id))
    ]
    gone = [
        Change(kind="removed", id=id, tag=item.tag, name=item.name)
        for id, item in before.items()
        if id not in after
    ]
    return changes + gone


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    tag: str
    name: str
    properties: Mapping[str, str]
    #: where it is drawn; "" for what has no shape
    bounds: str


def _change(old: _Item | None, new: _Item, id: str) -> Change | None:
    if old is None:
        return Change(kind="added", id=id, tag=new.tag, name=new.name)
    details = tuple(
        Detail(path=path, old=old.properties.get(path), new=new.properties.get(path))
        for path in dict.fromkeys([*old.properties, *new.properties])
        if old.properties.get(path) != new.properties.get(path)
    )
    if details or old.tag != new.tag:
        return Change(kind="changed", id=id, tag=new.tag, name=new.name, details=details)
    if old.bounds != new.bounds:
        return Change(kind="moved", id=id, tag=new.tag, name=new.name)
    return None


def _read(content: bytes) -> dict[str, _Item]:
    root = read_xml(content, Report(""), max_bytes=len(content) + 1)
    if root is None:
        return {}
    diagram = Diagram("", root)
    bounds = dict(_bounds(root))
    return {
        str(element.get("id")): _Item(
            tag=local(element),
            name=" ".join((element.get("name") or "").split()),
            properties=dict(_properties(element, "")),
            bounds=bounds.get(str(element.get("id")), ""),
        )
        for element in diagram.all(*_SHOWN)
        if element.get("id")
    }


def _bounds(root: Element) -> Iterator[tuple[str, str]]:
    for shape in root.iter(f"{{{BPMN_DI}}}BPMNShape"):
        box = shape.find(f"{{{DD_DC}}}Bounds")
        if box is not None:
            place = " ".join(box.get(name, "") for name in ("x", "y", "width", "height"))
            yield str(shape.get("bpmnElement")).rpartition(":")[2], place


def _properties(element: Element, path: str) -> Iterator[tuple[str, str]]:
    """Yield path and value of all that an element says, down to what is listed by itself."""
    for name, value in element.attrib.items():
        plain = str(name).rpartition("}")[2]
        if plain != "id":
            yield f"{path}@{plain}", str(value)
    if path and text_of(element):
        yield path, text_of(element)
    seen: dict[str, int] = {}
    for child in element.iterchildren():
        if not isinstance(child.tag, str) or _apart(child):
            continue
        step = local(child) + _key(child)
        seen[step] = seen.get(step, 0) + 1
        number = f"#{seen[step]}" if seen[step] > 1 else ""
        yield from _properties(child, f"{path}/{step}{number}" if path else step + number)


def _apart(child: Element) -> bool:
    return is_bpmn(child) and (local(child) in (*_IMPLIED, "laneSet") or is_a(child, *_SHOWN))


def _key(child: Element) -> str:
    if is_bpmn(child):
        return ""
    found = next((child.get(name) for name in _KEYS if child.get(name)), None)
    return f"[{found}]" if found else ""
