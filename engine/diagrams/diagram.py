"""One BPMN file as the checks see it: elements by id, scopes, and the flows between nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from lxml import etree
from lxml.etree import _Element as Element

from engine.diagrams.names import bpmn, is_bpmn, is_drawing, local, plain, text_of
from engine.diagrams.schema import is_a

_SCOPES = ("process", "subProcess", "choreography", "subChoreography")
_TRUE = ("true", "1")


class Diagram:
    """An index over one parsed file; it never changes the tree."""

    def __init__(self, file: str, root: Element) -> None:
        self.file = file
        self.root = root
        #: elements of BPMN in document order; holding them keeps their identity
        self.elements: list[Element] = [e for e in _without_drawing(root) if is_bpmn(e)]
        self._by_id: dict[str, list[Element]] = {}
        for element in self.elements:
            if element.get("id"):
                self._by_id.setdefault(str(element.get("id")), []).append(element)

    # ------------------------------------------------ finding

    def all(self, *names: str) -> Iterator[Element]:
        """Yield every element of these kinds."""
        return (element for element in self.elements if is_a(element, *names))

    def named(self, identifier: str) -> list[Element]:
        """Return all elements with an id; more than one is a mistake."""
        return self._by_id.get(identifier, [])

    def find(self, reference: str | None, *names: str) -> Element | None:
        """Return what a reference means, if it is of one of these kinds."""
        for element in self.named(plain(reference)):
            if not names or is_a(element, *names):
                return element
        return None

    # ------------------------------------------------ processes and scopes

    @cached_property
    def processes(self) -> list[Element]:
        """The processes of the file."""
        return list(self.root.iterchildren(bpmn("process")))

    @cached_property
    def _owners(self) -> Mapping[Element, tuple[Element, Element | None]]:
        """Element -> (scope it stands in, its process)."""
        found: dict[Element, tuple[Element, Element | None]] = {}
        for element in self.elements:
            parent = element.getparent()
            if parent is None:
                found[element] = (element, None)
                continue
            scope, process = found.get(parent, (parent, None))
            if is_a(parent, *_SCOPES):
                scope = parent
                process = parent if is_bpmn(parent, "process") else process
            found[element] = (scope, process)
        return found

    def scope_of(self, element: Element) -> Element:
        """Return the process, sub-process or choreography an element stands in."""
        return self._owners[element][0]

    def process_of(self, element: Element) -> Element | None:
        """Return the process an element is part of."""
        return element if is_bpmn(element, "process") else self._owners[element][1]

    def is_executable(self, element: Element) -> bool:
        """Tell whether an element is part of a process marked as executable."""
        process = self.process_of(element)
        return process is not None and truth(process, "isExecutable", default=False)

    @cached_property
    def scopes(self) -> list[Element]:
        """Everything that holds flow nodes."""
        return list(self.all(*_SCOPES))

    @cached_property
    def _members(self) -> Mapping[Element, list[Element]]:
        found: dict[Element, list[Element]] = {}
        for node in self.all("flowNode"):
            found.setdefault(self.scope_of(node), []).append(node)
        return found

    def nodes(self, scope: Element) -> list[Element]:
        """Return the flow nodes that stand directly in a scope."""
        return self._members.get(scope, [])

    # ------------------------------------------------ flows

    @cached_property
    def flows(self) -> list[Element]:
        """All sequence flows."""
        return list(self.all("sequenceFlow"))

    @cached_property
    def _outgoing(self) -> Mapping[Element, list[Element]]:
        return self._by_end("sourceRef")

    @cached_property
    def _incoming(self) -> Mapping[Element, list[Element]]:
        return self._by_end("targetRef")

    def _by_end(self, attribute: str) -> Mapping[Element, list[Element]]:
        found: dict[Element, list[Element]] = {}
        for flow in self.flows:
            node = self.find(flow.get(attribute), "flowNode")
            if node is not None:
                found.setdefault(node, []).append(flow)
        return found

    def outgoing(self, node: Element) -> list[Element]:
        """Return the sequence flows that leave a node."""
        return self._outgoing.get(node, [])

    def incoming(self, node: Element) -> list[Element]:
        """Return the sequence flows that reach a node."""
        return self._incoming.get(node, [])

    # ------------------------------------------------ events and data

    def definitions_of(self, event: Element) -> list[Element]:
        """Return the event definitions of an event, referenced ones included."""
        found = []
        for child in event.iterchildren():
            if is_a(child, "eventDefinition"):
                found.append(child)
            elif is_bpmn(child, "eventDefinitionRef"):
                meant = self.find(child.text, "eventDefinition")
                found += [] if meant is None else [meant]
        return found

    def definition_kinds(self, event: Element) -> list[str]:
        """Return what an event reacts to or throws: message, timer, ..."""
        return [
            local(definition).removesuffix("EventDefinition")
            for definition in self.definitions_of(event)
        ]

    def boundary_events(self, activity: Element) -> list[Element]:
        """Return the events attached to an activity."""
        return self._attached.get(activity.get("id") or "", [])

    @cached_property
    def _attached(self) -> Mapping[str, list[Element]]:
        found: dict[str, list[Element]] = {}
        for event in self.all("boundaryEvent"):
            found.setdefault(plain(event.get("attachedToRef")), []).append(event)
        return found


def _without_drawing(root: Element) -> Iterator[Element]:
    """Yield all elements in document order, but neither the drawing nor extension elements."""
    walker = etree.iterwalk(root, events=("start",))
    for _, element in walker:
        if is_drawing(element) or is_bpmn(element, "extensionElements"):
            walker.skip_subtree()
        else:
            yield element


def truth(element: Element, attribute: str, *, default: bool) -> bool:
    """Return a yes/no attribute."""
    value = element.get(attribute)
    return default if value is None else value.strip() in _TRUE


def child(element: Element, *names: str) -> Element | None:
    """Return the first child with one of these tags."""
    return next((found for found in element.iterchildren() if is_bpmn(found, *names)), None)


def children(element: Element, *names: str) -> list[Element]:
    """Return the children with one of these tags."""
    return [found for found in element.iterchildren() if is_bpmn(found, *names)]


def references(element: Element, name: str) -> list[str]:
    """Return what the children of this name refer to, without prefixes."""
    return [plain(found.text) for found in children(element, name) if text_of(found)]


def is_event_sub_process(element: Element) -> bool:
    """Tell whether a sub-process is started by an event."""
    return is_a(element, "subProcess") and truth(element, "triggeredByEvent", default=False)


def is_compensation(element: Element) -> bool:
    """Tell whether an activity only compensates another."""
    return is_a(element, "activity") and truth(element, "isForCompensation", default=False)
