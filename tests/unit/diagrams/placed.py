"""Looks at a drawing as it is written in a file, and says what lies on what."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import Any

from lxml import etree
from lxml.etree import _Element as Element

from engine.diagrams.diagram import Diagram
from engine.diagrams.names import BPMN_DI, DD_DC, DD_DI, plain
from engine.diagrams.schema import is_a

#: left, top, right, bottom
Area = tuple[float, float, float, float]


def faults(content: bytes) -> list[str]:
    """Return what overlaps, what is crossed by a line, and what is not drawn at all."""
    root = etree.fromstring(content)
    return [
        fault
        for plane in root.iter(f"{{{BPMN_DI}}}BPMNPlane")
        for fault in _Plane(Diagram("", root), plane).faults()
    ] + _missing(Diagram("", root))


def _missing(diagram: Diagram) -> list[str]:
    drawn = {
        one.get("bpmnElement")
        for kind in ("BPMNShape", "BPMNEdge")
        for one in diagram.root.iter(f"{{{BPMN_DI}}}{kind}")
    }
    wanted = diagram.all("flowNode", "sequenceFlow", "participant", "dataObjectReference",
                         "dataStoreReference", "textAnnotation")  # fmt: skip
    return [
        f"{one.get('id')} is not drawn"
        for one in wanted
        if one.get("id") not in drawn and not _dangles(diagram, one)
    ]


def _dangles(diagram: Diagram, flow: Element) -> bool:
    """Tell whether a flow leads to something that is not in its scope."""
    ends = [diagram.find(flow.get(end), "flowNode") for end in ("sourceRef", "targetRef")]
    homes = {None if end is None else end.getparent() for end in ends}
    return is_a(flow, "sequenceFlow") and homes != {flow.getparent()}


class _Plane:
    def __init__(self, diagram: Diagram, plane: Element) -> None:
        self.diagram = diagram
        self.areas: dict[str, Area] = {}
        self.labels: dict[str, Area] = {}
        self.lines: dict[str, list[tuple[float, float]]] = {}
        for shape in plane:
            name = str(shape.get("bpmnElement"))
            if (bounds := shape.find(f"{{{DD_DC}}}Bounds")) is not None:
                self.areas[name] = _area(bounds)
            if (label := shape.find(f"{{{BPMN_DI}}}BPMNLabel/{{{DD_DC}}}Bounds")) is not None:
                self.labels[name] = _area(label)
            points = [
                (float(str(one.get("x"))), float(str(one.get("y"))))
                for one in shape.findall(f"{{{DD_DI}}}waypoint")
            ]
            if points:
                self.lines[name] = points

    def faults(self) -> list[str]:
        found = []
        for one, other in combinations(self.areas, 2):
            if _meet(self.areas[one], self.areas[other]) and not self._belong(one, other):
                found.append(f"{one} lies on {other}")
        for label, area in self.labels.items():
            found += [f"the name of {label} lies on {one}" for one in self._solid()
                      if one != label and _meet(area, self.areas[one])]  # fmt: skip
        for one, other in combinations(self.labels, 2):
            if _meet(self.labels[one], self.labels[other]):
                found.append(f"the names of {one} and {other} overlap")
        for name, points in self.lines.items():
            found += self._crossed(name, points)
        return found

    def _crossed(self, name: str, points: list[tuple[float, float]]) -> list[str]:
        found = []
        for (x1, y1), (x2, y2) in pairwise(points):
            if x1 != x2 and y1 != y2:
                found.append(f"{name} runs aslant")
            way = (min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))
            found += [f"{name} runs through {one}" for one in self._solid()
                      if _meet(way, self.areas[one]) and one not in self._ends(name)]  # fmt: skip
        return found

    def _ends(self, name: str) -> set[str]:
        """Return the ends of a line, and the hosts of boundary events among them."""
        line: Any = self.diagram.find(name)
        ends = {plain(line.get("sourceRef")), plain(line.get("targetRef"))}
        ends |= {plain(one.text) for one in line if one.tag.endswith("Ref")}
        ends.add(str(line.getparent().get("id")))
        for end in list(ends):
            event = self.diagram.find(end, "boundaryEvent")
            ends |= {plain(event.get("attachedToRef"))} if event is not None else set()
        return ends

    def _solid(self) -> list[str]:
        """Return what lines have to go round."""
        return [
            name
            for name in self.areas
            if (element := self.diagram.find(name)) is not None
            and is_a(element, "task", "callActivity", "gateway", "event")
            and not is_a(element, "boundaryEvent")
        ]

    def _belong(self, one: str, other: str) -> bool:
        """Tell whether one stands inside the other, or at its border."""
        first, second = self.areas[one], self.areas[other]
        if _inside(first, second) or _inside(second, first):
            return any(self._holds(a, b) for a, b in ((one, other), (other, one)))
        pair = (self.diagram.find(one), self.diagram.find(other))
        return any(
            event is not None and plain(event.get("attachedToRef")) == host
            for event, host in ((pair[0], other), (pair[1], one))
        )

    def _holds(self, outer: str, inner: str) -> bool:
        element = self.diagram.find(outer)
        return element is not None and is_a(
            element, "subProcess", "participant", "lane", "subChoreography"
        )


def _area(bounds: Element) -> Area:
    x, y, width, height = (float(str(bounds.get(n))) for n in ("x", "y", "width", "height"))
    return x, y, x + width, y + height


def _meet(one: Area, other: Area) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _inside(inner: Area, outer: Area) -> bool:
    return (
        outer[0] <= inner[0] and outer[1] <= inner[1]
        and inner[2] <= outer[2] and inner[3] <= outer[3]
    )  # fmt: skip
