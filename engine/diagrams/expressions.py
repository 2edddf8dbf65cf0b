"""Where a file holds expressions and scripts, and in which language each is written.

The gate compiles what is listed here, and the rewriting marks it: one list, no second opinion.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml.etree import _Element as Element

from engine.diagrams.diagram import Diagram
from engine.diagrams.names import XSI, ZEEBE, attributes, cw, is_bpmn, local, plain, text_of
from engine.diagrams.schema import kinds, row_of
from engine.diagrams.times import TIMES, is_literal_time

#: names and addresses of languages, in small letters, to ours
_LANGUAGES = {
    "feel": "feel",
    "application/feel": "feel",
    "text/feel": "feel",
    "python": "python",
    "python3": "python",
    "text/python": "python",
    "text/x-python": "python",
    "application/python": "python",
    "application/x-python": "python",
    # well known, and not offered: so no slip of the pen
    "javascript": "application/javascript",
    "groovy": "application/x-groovy",
    "ruby": "application/x-ruby",
    "jython": "python",
}
_FEEL_ADDRESS = re.compile(
    r"https?://www\.omg\.org/spec/((DMN|FEEL)/\d+/FEEL|FEEL/\d+)/?", re.IGNORECASE
)
#: attributes of the zeebe dialect that hold a text or, after `=`, an expression
ZEEBE_TEXTS = frozenset(
    {
        ("taskDefinition", "type"),
        ("taskDefinition", "retries"),
        ("input", "source"),
        ("output", "source"),
        ("assignmentDefinition", "assignee"),
        ("assignmentDefinition", "candidateGroups"),
        ("assignmentDefinition", "candidateUsers"),
        ("taskSchedule", "dueDate"),
        ("taskSchedule", "followUpDate"),
        ("priorityDefinition", "priority"),
        ("formDefinition", "formId"),
        ("formDefinition", "formKey"),
        ("formDefinition", "externalReference"),
        ("calledElement", "processId"),
        ("calledDecision", "decisionId"),
        ("publishMessage", "correlationKey"),
        ("publishMessage", "messageId"),
        ("publishMessage", "timeToLive"),
    }
)
#: attributes of the zeebe dialect that are always expressions
ZEEBE_EXPRESSIONS = frozenset(
    {
        ("subscription", "correlationKey"),
        ("loopCharacteristics", "inputCollection"),
        ("loopCharacteristics", "outputElement"),
        ("adHoc", "activeElementsCollection"),
        ("script", "expression"),
    }
)
_NAMES = {"message": "name", "signal": "name", "error": "errorCode", "escalation": "escalationCode"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Text:
    """One text that may be an expression."""

    #: the element that holds it
    holder: Element
    #: the attribute that holds it; None for the text of the element
    attribute: str | None
    #: without blanks around it and without a leading `=`
    text: str
    #: feel | python | literal, or what the file says where that is no language we know
    language: str
    #: started with `=`
    marked: bool = False
    #: a script changes variables, an expression has a value
    script: bool = False
    #: always an expression: a text without `=` is a mistake
    strict: bool = False


def language_of(name: str | None, default: str) -> str:
    """Return our name of a language, the default for none, and an unknown name as it is."""
    stripped = (name or "").strip()
    if not stripped:
        return default
    if _FEEL_ADDRESS.fullmatch(stripped):
        return "feel"
    return _LANGUAGES.get(stripped.lower(), stripped)


def is_formal(expression: Element) -> bool:
    """Tell whether an expression says that it is written for a machine."""
    return plain(expression.get(f"{{{XSI}}}type")) == "tFormalExpression"


def texts(diagram: Diagram, default: str) -> Iterator[Text]:
    """Yield every text of a file that may be an expression or a script."""
    declared = language_of(diagram.root.get("expressionLanguage"), default)
    for element in diagram.elements:
        tag = local(element)
        if tag == "script":
            yield _script(element, default)
        elif kind_of(element):
            formal = kind_of(element) == "formal" or is_formal(element)
            yield _expression(element, tag, declared if formal else default)
        elif tag in _NAMES and (element.get(_NAMES[tag]) or "").lstrip().startswith("="):
            yield _attribute(element, _NAMES[tag], strict=False)
        if "baseElement" in kinds(element):
            yield from _zeebe(element)


def kind_of(element: Element) -> str:
    """Return "formal" (always), "natural" (unless it says so), or "" for what is none."""
    parent = element.getparent()
    if parent is None or not is_bpmn(parent):
        return ""
    slot = row_of(parent).children.get(local(element))
    return "" if slot is None else slot.expression


def _expression(element: Element, tag: str, declared: str) -> Text:
    raw = text_of(element)
    if raw.startswith("="):
        return Text(
            holder=element, attribute=None, text=raw[1:].strip(), language="feel", marked=True
        )
    language = language_of(element.get("language"), declared)
    if tag in TIMES and (is_literal_time(tag, raw) or not element.get("language")):
        language = "literal"
    return Text(holder=element, attribute=None, text=raw, language=language)


def _script(element: Element, default: str) -> Text:
    task = element.getparent()
    name = None if task is None else task.get("scriptFormat") or task.get("scriptLanguage")
    raw = element.text or ""
    if raw.lstrip().startswith("="):
        return Text(
            holder=element,
            attribute=None,
            text=raw.strip()[1:].strip(),
            language="feel",
            marked=True,
            script=True,
        )
    return Text(
        holder=element,
        attribute=None,
        text=raw if raw.strip() else "",
        language=language_of(name, default),
        script=True,
    )


def _zeebe(owner: Element) -> Iterator[Text]:
    for block in owner.iterchildren():
        if not is_bpmn(block, "extensionElements"):
            continue
        for element in block.iter(f"{{{ZEEBE}}}*"):
            for name in attributes(element):
                key = (local(element), name)
                if key in ZEEBE_TEXTS or key in ZEEBE_EXPRESSIONS or _steers(block, element, name):
                    yield _attribute(element, name, strict=key in ZEEBE_EXPRESSIONS)


def _steers(block: Element, element: Element, attribute: str) -> bool:
    """Tell whether a property or header says when the work of a task is done: lane, priority."""
    if attribute != "value" or block.find(f"{{{ZEEBE}}}taskDefinition") is None:
        return False
    if local(element) == "property":
        return element.get("name") in ("lane", "priority")
    return local(element) == "header" and element.get("key") == "lane"


def _attribute(element: Element, name: str, *, strict: bool) -> Text:
    raw = (element.get(name) or "").strip()
    marked = raw.startswith("=")
    return Text(
        holder=element,
        attribute=name,
        text=raw[1:].strip() if marked else raw,
        language="feel" if marked else element.get(cw("language")) or "literal",
        marked=marked,
        strict=strict,
    )
