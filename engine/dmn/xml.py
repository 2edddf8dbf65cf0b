"""Reads DMN files of strangers: no document type, no entities, no network, bounded in size and
depth. Element and attribute names are compared without their namespace, as DMN 1.1 to 1.6 differ
in nothing else that matters here."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree
from lxml.etree import _Element as Element

from engine.dmn.findings import Findings

#: largest file that is parsed, in bytes
MAX_BYTES = 10_000_000
#: elements inside each other
MAX_DEPTH = 200
#: elements in one file
MAX_ELEMENTS = 500_000

#: begins the namespace of every version: 1.1 to 1.6, with http or https
_DMN = "omg.org/spec/DMN/"


def read_xml(data: bytes, findings: Findings) -> Element | None:
    """Return the root element of a model, or None after saying what is wrong with the file."""
    if len(data) > MAX_BYTES:
        findings.at_line(
            1, "the file has {number:,} bytes; at most {max_bytes:,} are read", "divide the model",
            number=len(data), max_bytes=MAX_BYTES,
        )  # fmt: skip
        return None
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        reason = str(error).split("\n", 1)[0][:200]
        findings.at_line(max(error.lineno or 1, 1), "the file is not XML: {cause}", cause=reason)
        return None
    except (LookupError, ValueError) as error:
        findings.at_line(1, "the file cannot be read as text: {cause}", cause=str(error)[:200])
        return None
    info = root.getroottree().docinfo
    if info.internalDTD is not None or info.doctype:
        findings.at_line(1, "the file declares a document type", "remove the DOCTYPE line")
        return None
    return root if _is_model(root, findings) and _is_bounded(root, findings) else None


def _is_model(root: Element, findings: Findings) -> bool:
    if local(root) == "definitions" and _DMN in str(root.tag):
        return True
    findings.error(root, "the file is no DMN model: it begins with “{tag}”", tag=local(root))
    return False


def _is_bounded(root: Element, findings: Findings) -> bool:
    depth = number = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        number += event == "start"
        if number > MAX_ELEMENTS:
            findings.error(
                element, "the file has more than {number:,} elements", "divide the model",
                number=MAX_ELEMENTS,
            )  # fmt: skip
            return False
        if depth > MAX_DEPTH:
            findings.error(
                element, "the elements are nested more than {number} deep", "divide the model",
                number=MAX_DEPTH,
            )  # fmt: skip
            return False
    return True


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
