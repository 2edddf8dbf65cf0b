"""The namespaces of diagrams, and how elements are named: in XML, and in sentences for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lxml.etree import _Element as Element

from engine.sentences import ENGLISH, Phrase, phrase
from engine.sentences import spoken as spoken

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
#: notes of a conversion about what it could not carry over
TODO = "https://caseway.dev/todo"
#: our own marks, inside the engine only
CW = "https://caseway.dev/internal"

_DRAWING = frozenset({BPMN_DI, DD_DI, DD_DC})


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


_NAME_IN = "name."
_PROPERTIES = f"{bpmn('extensionElements')}/{zeebe('properties')}/{zeebe('property')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """How a sentence names an element: by its kind and its name, else its id."""

    #: tag of BPMN
    tag: str
    #: name by language; "" is the drawn one, else the id, else ""
    names: Mapping[str, str]

    @classmethod
    def of(cls, element: Element) -> Called:
        """Return how an element is called."""
        drawn = " ".join((element.get("name") or "").split()) or element.get("id") or ""
        told = {
            str(pair.get("name")).removeprefix(_NAME_IN): pair.get("value") or ""
            for pair in element.iterfind(_PROPERTIES)
            if (pair.get("name") or "").startswith(_NAME_IN)
        }
        return cls(tag=local(element), names={**told, "": drawn})

    def said(self, language: str) -> str:
        """Return the words in a language."""
        if self.tag == "definitions":
            return phrase("the file").said(language)
        kind = phrase(spoken(self.tag))
        name = self.names.get(language) or self.names[""]
        if not name:
            return phrase("the {kind}", kind=kind).said(language)
        return phrase("the {kind} “{name}”", kind=kind, name=name).said(language)


def called(element: Element) -> str:
    """Return how an English sentence names an element."""
    return Called.of(element).said(ENGLISH)


def kind_words(tag: str) -> Phrase:
    """Return what kind of element a tag means."""
    return phrase(spoken(tag))


def quoted(element: Element) -> str:
    """Return the name of an element, else its id, in quotation marks."""
    return f"“{element.get('name') or element.get('id')}”"


def article(word: str) -> str:
    """Return the indefinite article of a word."""
    return "an" if word[:1] in "aeiou" else "a"
