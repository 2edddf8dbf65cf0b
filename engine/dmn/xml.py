"""The elements of a decision model. Names are compared without their namespace, as DMN 1.1 to 1.6
differ in nothing else that matters here."""

from __future__ import annotations

from collections.abc import Iterator

from lxml.etree import _Element as Element

from engine import xml
from engine.dmn.findings import Findings

#: begins the namespace of every version: 1.1 to 1.6, with http or https
_DMN, _BPMN = "omg.org/spec/DMN/", "omg.org/spec/BPMN/"


def read_xml(data: bytes, findings: Findings) -> Element | None:
    """Return the root element of a model, or None after saying what is wrong with the file."""
    root = xml.read_xml(data, findings)
    if root is None or (local(root) == "definitions" and _DMN in str(root.tag)):
        return root
    space, _, tag = str(root.tag).rpartition("}")
    if _BPMN in space:
        findings.error(
            root, "the file is a process diagram (BPMN), no decision model",
            "give a .dmn file; a process is checked with “caseway check”",
        )  # fmt: skip
    else:
        findings.error(
            root, "the file is no DMN model: it begins with “{tag}”", "give a .dmn file", tag=tag
        )
    return None


def local(element: Element) -> str:
    """Return the name of an element without its namespace; "" for what is no DMN element."""
    space, _, name = str(element.tag).rpartition("}")
    return name if not space or _DMN in space else ""


def children(element: Element, *names: str) -> Iterator[Element]:
    """Yield the children with one of the names."""
    for found in element:
        if local(found) in names:
            yield found


def child(element: Element, *names: str) -> Element | None:
    """Return the first child with one of the names."""
    return next(children(element, *names), None)


def text_of(element: Element | None) -> str:
    """Return the text of an element, or of its `text` child, without the blanks around it."""
    if element is None:
        return ""
    inner = child(element, "text")
    return "".join(map(str, (element if inner is None else inner).itertext())).strip()


def named(element: Element) -> str:
    """Return the name of an element, with white space reduced to single blanks."""
    return " ".join((element.get("name") or "").split())
