"""A diagram in words: its steps in the order they are walked, and the names of everything in it.

For pages that must say without a drawing what a drawing says. Reads stored files only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lxml.etree import _Element as Element

from engine.diagrams.diagram import Diagram
from engine.diagrams.names import BPMN, bpmn, local, namespace, text_of, zeebe
from engine.diagrams.report import Report
from engine.diagrams.schema import is_a
from engine.diagrams.xml import read_xml

_NAME = "name."
#: what has a shape or a line of its own
_DRAWN = ("flowNode", "sequenceFlow", "messageFlow", "participant", "lane", "artifact",
          "dataObjectReference", "dataStoreReference")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One flow node of a process."""

    id: str
    #: tag of BPMN, such as userTask
    kind: str
    #: kind of its event definition, such as timer; "" if it is no event or has none
    trigger: str
    #: how deep it stands in sub-processes; 0 is the process itself
    depth: int
    #: name of the lane; "" without one
    lane: str
    #: id of the activity whose border it stands at
    host: str | None
    #: id of the process that it calls, as it is drawn
    calls: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """What one file draws, without its layout."""

    #: process id -> its steps, in the order of the flow
    processes: Mapping[str, tuple[Step, ...]]
    #: element id -> name by language; "" is the drawn one
    names: Mapping[str, Mapping[str, str]]
    #: element id -> its `zeebe:properties` by name
    properties: Mapping[str, Mapping[str, str]]
    #: element id -> the drawn element it is a part of, such as the event of a timer definition
    places: Mapping[str, str]
    #: the file says where things are drawn
    has_layout: bool

    def name(self, element_id: str, language: str) -> str:
        """Return the name of an element in a language, else the drawn one, else "" ."""
        found = self.names.get(element_id, {})
        return found.get(language) or found.get("", "")


def outline(content: bytes) -> Outline | None:
    """Return what a BPMN file draws; None for any other file."""
    root = read_xml(content, Report(""), max_bytes=len(content) + 1)
    if root is None or local(root) != "definitions" or namespace(str(root.tag)) != BPMN:
        return None
    diagram = Diagram("", root)
    return Outline(
        processes={str(p.get("id")): tuple(_steps(diagram, p)) for p in diagram.processes},
        names={str(e.get("id")): _names(e) for e in diagram.elements if e.get("id")},
        properties={str(e.get("id")): found for e in diagram.elements if (found := dict(_told(e)))},
        places=dict(_places(diagram)),
        has_layout=any(local(child) == "BPMNDiagram" and len(child) for child in root),
    )


def _names(element: Element) -> dict[str, str]:
    found = {"": " ".join((element.get("name") or "").split())}
    found |= {n.removeprefix(_NAME): v for n, v in _told(element) if n.startswith(_NAME)}
    return {language: name for language, name in found.items() if name}


def _places(diagram: Diagram) -> Iterator[tuple[str, str]]:
    for element in diagram.elements:
        place: Element | None = element
        while place is not None and not (place.get("id") and is_a(place, *_DRAWN)):
            place = place.getparent()
        if element.get("id") and place is not None:
            yield str(element.get("id")), str(place.get("id"))


def _told(element: Element) -> Iterator[tuple[str, str]]:
    path = f"{bpmn('extensionElements')}/{zeebe('properties')}/{zeebe('property')}"
    for pair in element.iterfind(path):
        yield pair.get("name") or "", pair.get("value") or ""


def _steps(diagram: Diagram, process: Element) -> Iterator[Step]:
    lanes = {
        text_of(ref): lane.get("name") or ""
        for lane in process.iter(bpmn("lane"))
        for ref in lane.iterchildren(bpmn("flowNodeRef"))
    }
    todo = [(node, 0) for node in reversed(_walk(diagram, process))]
    while todo:
        node, depth = todo.pop()
        yield _step(diagram, node, depth, lanes.get(str(node.get("id")), ""))
        if is_a(node, "subProcess"):
            todo += [(inner, depth + 1) for inner in reversed(_walk(diagram, node))]


def _step(diagram: Diagram, node: Element, depth: int, lane: str) -> Step:
    triggers = [local(one).removesuffix("EventDefinition") for one in diagram.definitions_of(node)]
    called = node.find(f"{bpmn('extensionElements')}/{zeebe('calledElement')}")
    return Step(
        id=str(node.get("id")),
        kind=local(node),
        trigger=triggers[0] if triggers else "",
        depth=depth,
        lane=lane,
        host=node.get("attachedToRef"),
        calls=called.get("processId") if called is not None else node.get("calledElement"),
    )


def _walk(diagram: Diagram, scope: Element) -> list[Element]:
    """Return the nodes of a scope, each behind those that lead to it; loops are cut."""
    nodes = diagram.nodes(scope)
    after = {node: _next(diagram, node, nodes) for node in nodes}
    entered = {target for targets in after.values() for target in targets}
    seen: set[Element] = set()
    # what nothing leads to comes first; a circle that nothing leads into comes last
    first = _behind([node for node in nodes if node not in entered], after, seen)
    return first + _behind(nodes, after, seen)


def _behind(
    begin: list[Element], after: Mapping[Element, list[Element]], seen: set[Element]
) -> list[Element]:
    """Return what is reached from some nodes, each behind what leads to it; `seen` are left out."""
    # from the end: what was left last stands first
    found: list[Element] = []
    for node in reversed(begin):
        way = [(node, iter(reversed(after[node])))] if node not in seen else []
        seen.add(node)
        while way:
            _, rest = way[-1]
            step = next((one for one in rest if one not in seen), None)
            if step is None:
                found.append(way.pop()[0])
            else:
                seen.add(step)
                way.append((step, iter(reversed(after[step]))))
    return found[::-1]


def _next(diagram: Diagram, node: Element, nodes: list[Element]) -> list[Element]:
    targets = [diagram.find(flow.get("targetRef"), "flowNode") for flow in diagram.outgoing(node)]
    border = [one for one in nodes if one.get("attachedToRef") == node.get("id")]
    return [one for one in (*targets, *border) if one is not None and one in nodes]
