"""Reads XML of strangers: no document type, no entities, no network, bounded in size and depth.

Whatever is wrong becomes a problem in the caller's report, never an exception.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol

from lxml import etree
from lxml.etree import _Element as Element

from engine.sentences import phrase

#: largest file that is parsed, in bytes
MAX_BYTES = 10_000_000
#: elements inside each other
MAX_DEPTH = 200
#: elements in one file, its drawing included; a thousand drawn tasks have about 20,000
MAX_ELEMENTS = 200_000

# what may stand before a document type; atomic, so that long prologs cost linear time
_DOCTYPE = re.compile(rb"(?:\xef\xbb\xbf)?(?>\s+|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.S | re.I)
_PLACE = re.compile(r",? \(?(<string>, )?line \d+")
_NO_DOCTYPE = phrase("remove the DOCTYPE line; diagrams need none")


class Report(Protocol):
    """Where a kind of file gathers its problems."""

    @property
    def error(self) -> Callable[..., None]:
        """How to add what is wrong with an element: it, message, advice, values."""

    @property
    def at_line(self) -> Callable[..., None]:
        """How to add what is wrong with a line: its number, message, advice, values."""


def read_xml(data: bytes, report: Report, *, max_bytes: int = MAX_BYTES) -> Element | None:
    """Return the root element, or None after saying in the report what is wrong with the file."""
    if len(data) > max_bytes:
        report.at_line(
            1,
            "the file has {number:,} bytes; at most {max_bytes:,} are read",
            "take out what is no part of the drawing, or divide it into several files",
            number=len(data),
            max_bytes=max_bytes,
        )
        return None
    if not data.strip():
        report.at_line(1, "the file is empty", "export the diagram again")
        return None
    if _DOCTYPE.match(data):
        report.at_line(1, "the file declares a document type", _NO_DOCTYPE)
        return None
    root = _parse(data, report)
    if root is None or not _is_bounded(root, report):
        return None
    return root


def _parse(data: bytes, report: Report) -> Element | None:
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
        line = min(max(error.lineno or 1, 1), data.count(b"\n") + 1)
        report.at_line(
            line,
            "the file is not XML: {cause}",
            "export the diagram again from the modeler",
            cause=_first_line(error),
        )
        return None
    except (LookupError, ValueError) as error:
        report.at_line(
            1,
            "the file cannot be read as text: {cause}",
            "export the diagram again from the modeler",
            cause=_first_line(error),
        )
        return None
    info = root.getroottree().docinfo
    if info.internalDTD is not None or info.doctype:
        report.at_line(1, "the file declares a document type", _NO_DOCTYPE)
        return None
    return root


def _is_bounded(root: Element, report: Report) -> bool:
    depth = number = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        number += event == "start"
        if number > MAX_ELEMENTS:
            report.error(
                element,
                "the file has more than {number:,} elements",
                "divide the diagram with call activities",
                number=MAX_ELEMENTS,
            )
            return False
        if depth > MAX_DEPTH:
            report.error(
                element,
                "the elements are nested more than {number} deep",
                "divide the diagram with call activities",
                number=MAX_DEPTH,
            )
            return False
    return True


def _first_line(error: Exception) -> str:
    return _PLACE.split(str(error).split("\n", 1)[0])[0][:200] or type(error).__name__
