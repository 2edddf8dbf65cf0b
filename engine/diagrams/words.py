"""What a diagram says to people about each element: names and texts by language, properties.

Reads stored files only; the kernel knows nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lxml.etree import _Element as Element

from engine.diagrams.imports import adopt
from engine.diagrams.names import BPMN, XML, bpmn, local, namespace, zeebe
from engine.diagrams.report import Report
from engine.diagrams.xml import read_xml

_PROPERTIES = f"{bpmn('extensionElements')}/{zeebe('properties')}/{zeebe('property')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One element, in words."""

    #: name by language; "" is the drawn one
    names: Mapping[str, str] = field(default_factory=dict)
    #: documentation by language; "" is the one without a language
    texts: Mapping[str, str] = field(default_factory=dict)
    #: zeebe:properties by name
    properties: Mapping[str, str] = field(default_factory=dict)

    def name(self, language: str) -> str:
        """Return the name in a language, else the drawn one, else ""."""
        return self.names.get(language) or self.names.get("", "")

    def text(self, language: str) -> str:
        """Return the documentation in a language, else the one without, else any, else ""."""
        found = self.texts.get(language) or self.texts.get("")
        return found or next(iter(self.texts.values()), "")


def words(content: bytes) -> dict[str, Words]:
    """Return the words of a BPMN file by element id; nothing for any other file."""
    root = read_xml(content, Report(""), max_bytes=len(content) + 1)
    if root is None or local(root) != "definitions" or namespace(str(root.tag)) != BPMN:
        return {}
    adopt(root, Report(""))  # properties of other dialects are properties too
    return {
        str(element.get("id")): _words(element)
        for element in root.iter()
        if isinstance(element.tag, str) and element.get("id")
        and namespace(element.tag) == BPMN
    }  # fmt: skip


def _words(element: Element) -> Words:
    properties = {
        pair.get("name") or "": pair.get("value") or "" for pair in element.iterfind(_PROPERTIES)
    }
    names = {"": " ".join((element.get("name") or "").split())} | _under("name.", properties)
    texts = {
        _language(text.get(f"{{{XML}}}lang")): "".join(
            str(part) for part in text.itertext()
        ).strip()
        for text in element.iterchildren(bpmn("documentation"))
    } | _under("documentation.", properties)
    return Words(
        names={language: name for language, name in names.items() if name},
        texts={language: text for language, text in texts.items() if text},
        properties=properties,
    )


def _under(start: str, properties: Mapping[str, str]) -> dict[str, str]:
    return {
        name.removeprefix(start): value
        for name, value in properties.items()
        if name.startswith(start)
    }


def _language(tag: str | None) -> str:
    """Return zh for zh-CN."""
    return (tag or "").partition("-")[0].lower()
