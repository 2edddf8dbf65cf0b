"""Writes a layout into a file: `bpmndi:BPMNDiagram` with shapes, labels and edges."""

from __future__ import annotations

from lxml import etree
from lxml.etree import _Element as Element

from engine.diagrams.diagram import Diagram
from engine.diagrams.layout.contents import named
from engine.diagrams.layout.picture import Picture
from engine.diagrams.layout.pools import pools_picture, process_picture
from engine.diagrams.names import BPMN_DI, DD_DC, DD_DI, bpmn, is_bpmn, plain
from engine.diagrams.schema import is_a

#: where the drawing begins
_LEFT, _TOP = 160.0, 80.0


def lay_out(root: Element) -> None:
    """Replace the drawing of a file by one that is made from its elements."""
    for old in list(root.iterchildren(f"{{{BPMN_DI}}}BPMNDiagram")):
        root.remove(old)
    diagram = Diagram("", root)
    drawn: list[tuple[Element, Picture]] = []
    inside: set[str] = set()
    for collaboration in root.iterchildren(bpmn("collaboration")):
        if named(collaboration):
            drawn.append((collaboration, pools_picture(diagram, collaboration)))
        pools = collaboration.iterchildren(bpmn("participant"))
        inside |= {plain(pool.get("processRef")) for pool in pools}
    for process in diagram.processes:
        if named(process) and named(process) not in inside:
            drawn.append((process, process_picture(diagram, process)))
    for number, (about, picture) in enumerate(drawn, 1):
        _write(root, diagram, about, picture, number)


def is_drawn(root: Element) -> bool:
    """Tell whether every node and flow of a file has its place in a drawing."""
    placed = {
        (one.get("bpmnElement") or "").rpartition(":")[2]
        for kind in ("BPMNShape", "BPMNEdge")
        for one in root.iter(f"{{{BPMN_DI}}}{kind}")
    }
    diagram = Diagram("", root)
    return all(
        named(element) in placed
        for element in diagram.all("flowNode", "sequenceFlow", "participant", "lane")
    )


def _write(root: Element, diagram: Diagram, about: Element, picture: Picture, number: int) -> None:
    whole = Picture()
    whole.put(picture, _LEFT, _TOP)
    drawing = etree.SubElement(root, f"{{{BPMN_DI}}}BPMNDiagram", id=f"BPMNDiagram_{number}")
    plane = etree.SubElement(
        drawing,
        f"{{{BPMN_DI}}}BPMNPlane",
        id=f"BPMNPlane_{number}",
        bpmnElement=about.get("id") or "",
    )
    for name in sorted(whole.boxes, key=lambda one: _order(diagram, one)):
        element = diagram.find(name)
        if element is not None:
            _shape(plane, element, whole)
    for name in whole.lines:
        _edge(plane, name, whole)


def _order(diagram: Diagram, name: str) -> tuple[int, int]:
    """What contains others comes first; boundary events come behind their hosts."""
    element = diagram.find(name)
    if element is None:
        return 9, 0
    depth = sum(1 for _ in element.iterancestors())
    if is_bpmn(element, "participant"):
        return 0, 0
    if is_bpmn(element, "lane"):
        return 1, depth
    return 2 + depth, 1 if is_bpmn(element, "boundaryEvent") else 0


def _shape(plane: Element, element: Element, picture: Picture) -> None:
    name = named(element)
    shape = etree.SubElement(plane, f"{{{BPMN_DI}}}BPMNShape", id=f"{name}_di", bpmnElement=name)
    if is_bpmn(element, "participant", "lane"):
        shape.set("isHorizontal", "true")
    if is_a(element, "subProcess", "subChoreography"):
        shape.set("isExpanded", "true")
    if is_bpmn(element, "exclusiveGateway"):
        shape.set("isMarkerVisible", "true")
    _bounds(shape, picture, name, labels=False)
    if name in picture.labels:
        label = etree.SubElement(shape, f"{{{BPMN_DI}}}BPMNLabel")
        _bounds(label, picture, name, labels=True)


def _edge(plane: Element, name: str, picture: Picture) -> None:
    edge = etree.SubElement(plane, f"{{{BPMN_DI}}}BPMNEdge", id=f"{name}_di", bpmnElement=name)
    for x, y in picture.lines[name]:
        etree.SubElement(edge, f"{{{DD_DI}}}waypoint", x=_said(x), y=_said(y))
    if name in picture.labels:
        label = etree.SubElement(edge, f"{{{BPMN_DI}}}BPMNLabel")
        _bounds(label, picture, name, labels=True)


def _bounds(parent: Element, picture: Picture, name: str, *, labels: bool) -> None:
    box = picture.labels[name] if labels else picture.boxes[name]
    etree.SubElement(
        parent,
        f"{{{DD_DC}}}Bounds",
        x=_said(box.x),
        y=_said(box.y),
        width=_said(box.width),
        height=_said(box.height),
    )


def _said(value: float) -> str:
    return str(round(value))
