"""The namespaces of diagrams, and how elements are named: in XML, and in sentences for people."""

from __future__ import annotations

import re

from lxml.etree import _Element as Element

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
BPMN_DI = "http://www.omg.org/spec/BPMN/20100524/DI"
DD_DI = "http://www.omg.org/spec/DD/20100524/DI"
DD_DC = "http://www.omg.org/spec/DD/20100524/DC"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XML = "http://www.w3.org/XML/1998/namespace"
ZEEBE = "http://camunda.org/schema/zeebe/1.0"
CAMUNDA = "http://camunda.org/schema/1.0/bpmn"
SPIFF = "http://spiffworkflow.org/bpmn/schema/1.0/core"
MODELER = "http://camunda.org/schema/modeler/1.0"
#: our own marks, inside the engine only
CW = "https://caseway.dev/internal"

_DRAWING = frozenset({BPMN_DI, DD_DI, DD_DC})
_CAPITAL = re.compile(r"(?=[A-Z])")
_SAID = {
    "startEvent": "start event",
    "intermediateCatchEvent": "catch event",
    "intermediateThrowEvent": "throw event",
    "callActivity": "call activity",
    "adHocSubProcess": "ad-hoc sub-process",
    "subProcess": "sub-process",
    "subChoreography": "sub-choreography",
    "ioSpecification": "data specification",
}


def bpmn(name: str) -> str:
    """Return the full tag of a BPMN element."""
    return f"{{{BPMN}}}{name}"


def zeebe(name: str) -> str:
    """Return the full tag of an element of the zeebe dialect."""
    return f"{{{ZEEBE}}}{name}"


def cw(name: str) -> str:
    """Return the full name of one of our own marks."""
    return f"{{{CW}}}{name}"


def local(element: Element) -> str:
    """Return the tag without its namespace."""
    return str(element.tag).rpartition("}")[2]


def namespace(name: str) -> str:
    """Return the namespace of a full tag or attribute name, "" if it has none."""
    return name[1:].partition("}")[0] if name.startswith("{") else ""


def is_bpmn(element: Element, *names: str) -> bool:
    """Tell whether an element is of BPMN, and one of these if names are given."""
    return namespace(str(element.tag)) == BPMN and (not names or local(element) in names)


def is_drawing(element: Element) -> bool:
    """Tell whether an element says only where something is drawn."""
    return namespace(str(element.tag)) in _DRAWING


def line(element: Element) -> int | None:
    """Return the line an element begins in."""
    found: object = element.sourceline
    return found if isinstance(found, int) else None


def attributes(element: Element) -> list[str]:
    """Return the full names of all attributes."""
    return [str(name) for name in element.attrib]


def plain(reference: str | None) -> str:
    """Return a reference without its QName prefix."""
    return (reference or "").strip().rpartition(":")[2]


def text_of(element: Element | None) -> str:
    """Return the text of an element without blanks around it; "" if there is none."""
    return (element.text or "").strip() if element is not None else ""


def spoken(tag: str) -> str:
    """Return the tag as words: `userTask` becomes "user task"."""
    return _SAID.get(tag) or " ".join(part.lower() for part in _CAPITAL.split(tag) if part)


def called(element: Element) -> str:
    """Return how a sentence names an element: its kind and its name, else its id."""
    if local(element) == "definitions":
        return "the file"
    name = " ".join((element.get("name") or "").split()) or element.get("id") or ""
    return f"the {spoken(local(element))} “{name}”" if name else f"the {spoken(local(element))}"


def article(word: str) -> str:
    """Return the indefinite article of a word."""
    return "an" if word[:1] in "aeiou" else "a"
