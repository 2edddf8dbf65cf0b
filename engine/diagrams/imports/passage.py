"""One file on its way into the zeebe dialect: its tree, its report, the files beside it.

Everything here changes the tree in place and gives what it adds the line of the element it comes
from, so that later objections name the original line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from lxml import etree
from lxml.etree import _Element as Element

from engine.diagrams.imports import juel_feel
from engine.diagrams.imports.juel import Untranslated
from engine.diagrams.names import BPMN, XSI, ZEEBE, bpmn, is_bpmn, local, zeebe
from engine.diagrams.report import Report

#: the other files of the bundle, by name
Files = Mapping[str, bytes]
NO_FILES: Files = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """What an importer works with."""

    root: Element
    report: Report
    #: Python runs here: then scripts and expressions in Python stay what they are
    python: bool
    files: Files
    #: what has no effect here -> the elements that said it
    noted: dict[str, list[Element]] = field(default_factory=dict)
    #: dialects that were found, in their namespaces
    foreign: set[str] = field(default_factory=set)
    #: ids of forms that were made
    forms: list[str] = field(default_factory=list)
    #: nodes that were not drawn
    added: list[Element] = field(default_factory=list)

    # ------------------------------------------------ reading

    def elements(self) -> Iterator[Element]:
        """Yield the elements of BPMN that may carry extensions, as they are now."""
        for element in list(self.root.iter(bpmn("*"))):
            if element.getparent() is not None or element is self.root:
                yield element

    def note(self, name: str, element: Element) -> None:
        """Remember that an element says something that has no effect here."""
        self.noted.setdefault(name, []).append(element)

    # ------------------------------------------------ writing

    def zeebe(self, owner: Element, name: str, **values: str | None) -> Element:
        """Give an element an extension of zeebe, or these attributes to the one it has."""
        block = extensions_of(owner)
        found = block.find(zeebe(name))
        if found is None:
            found = add(block, zeebe(name), owner)
        for attribute, value in values.items():
            if value is not None:
                found.set(attribute, value)
        return found

    def mapping(self, owner: Element, which: str, source: str, target: str) -> None:
        """Add an input or output mapping; `source` is as in the zeebe dialect."""
        entry = add(self.zeebe(owner, "ioMapping"), zeebe(which), owner)
        entry.set("source", source)
        entry.set("target", target)

    def attribute(self, owner: Element, name: str, text: str) -> str | None:
        """Return what the zeebe dialect says for a text of JUEL; None after saying why not."""
        try:
            return juel_feel.attribute(text)
        except Untranslated as fault:
            self.untranslated(owner, name, text, fault)
            return None

    def untranslated(self, owner: Element, name: str, text: str, fault: Untranslated) -> None:
        """Report that a text cannot be said in FEEL."""
        self.report.unsupported(
            owner,
            "“{name}” of {who} (“{text}”) cannot be said in FEEL: {reason}",
            fault.advice,
            name=name,
            who=owner,
            text=" ".join(text.split())[:120],
            reason=fault.reason,
        )


def formal(expression: Element) -> None:
    """Mark an expression as written for a machine."""
    if f"{{{XSI}}}type" not in expression.attrib:
        prefix = next((p for p, space in expression.nsmap.items() if space == BPMN), None)
        name = "tFormalExpression" if prefix is None else f"{prefix}:tFormalExpression"
        expression.set(f"{{{XSI}}}type", name)


def extensions_of(owner: Element) -> Element:
    """Return the extension elements of an element, an empty block if it has none yet."""
    block = owner.find(bpmn("extensionElements"))
    if block is None:
        block = etree.Element(bpmn("extensionElements"))
        block.sourceline = owner.sourceline
        documents = [one for one in owner.iterchildren() if is_bpmn(one, "documentation")]
        owner.insert(len(documents), block)
    return block


def add(parent: Element, tag: str, origin: Element) -> Element:
    """Append an element that has the line of its origin."""
    made = etree.SubElement(parent, tag)
    made.sourceline = origin.sourceline
    return made


def detach(element: Element) -> None:
    """Take an element out of its tree; the text behind it stays."""
    parent = element.getparent()
    if parent is None:
        return
    tail, before = element.tail, element.getprevious()
    if tail and tail.strip():
        if before is None:
            parent.text = (parent.text or "") + tail
        else:
            before.tail = (before.tail or "") + tail
    parent.remove(element)


def drop(element: Element, *names: str) -> None:
    """Take attributes off an element, if they are there."""
    for name in names:
        if name in element.attrib:
            del element.attrib[name]


def tidy(owner: Element) -> None:
    """Take away a block of extension elements that has become empty."""
    block = owner.find(bpmn("extensionElements"))
    if block is not None and not len(block):
        owner.remove(block)


def zeebe_block(owner: Element, name: str) -> Element | None:
    """Return an extension of the zeebe dialect, None if there is none."""
    return owner.find(f"{bpmn('extensionElements')}/{{{ZEEBE}}}{name}")


def process_around(element: Element) -> Element:
    """Return the process an element stands in, else the root of the file."""
    for owner in element.iterancestors():
        if is_bpmn(owner, "process"):
            return owner
    return element.getroottree().getroot()


def event_of(definition: Element) -> Element:
    """Return the event around an event definition, else the definition itself."""
    parent = definition.getparent()
    return parent if parent is not None and local(parent).endswith("Event") else definition
