"""Expressions and scripts: each is written for a machine, in a language we have, and compiles."""

from __future__ import annotations

import re
from dataclasses import replace

from lxml.etree import _Element as Element

from engine.diagrams.diagram import Diagram
from engine.diagrams.expressions import Text, is_formal, kind_of, texts
from engine.diagrams.names import Called, is_bpmn, kind_words, local, namespace
from engine.diagrams.report import Report
from engine.diagrams.schema import is_a
from engine.diagrams.times import TIMES
from engine.errors import ExecutionFault, FeelError
from engine.languages import Languages, doubts
from engine.sentences import Phrase, heard, phrase

#: expressions whose value is yes or no
_CONDITIONS = (
    "conditionExpression",
    "completionCondition",
    "condition",
    "loopCondition",
    "activationCondition",
)
_NO_CONDITION = re.compile(r"[+-]?\d+(\.\d+)?|\"[^\"]*\"|'[^']*'")
_CALCULATES = re.compile(r"[<>=+*/%()\[\]]|\b(and|or|not|in)\b")
_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+")
_NAMES_OF = {"feel": "FEEL", "python": "Python"}


def check_texts(diagram: Diagram, report: Report, languages: Languages, default: str) -> None:
    """Compile every expression and script of a file."""
    for text in texts(diagram, default):
        if (
            text.attribute is None
            and not text.script
            and not _formal(diagram, text, report, languages)
        ):
            continue
        _constant(text, report)
        if text.strict and not text.marked:
            _not_marked(text, report)
        elif text.script and not languages.has(text.language):
            _strange_script(text, report, languages, default)
        elif not languages.has(text.language):
            _strange(text, report)
        else:
            _compiles(text, report, languages)


def _formal(diagram: Diagram, text: Text, report: Report, languages: Languages) -> bool:
    """Natural language cannot be executed (BPMN 2.0.2, 8.4.6), unless it clearly calculates."""
    holder = text.holder
    if kind_of(holder) != "natural" or text.marked or is_formal(holder) or not text.text:
        return True
    if not diagram.is_executable(holder):
        return False
    calculates = local(holder) not in TIMES and _CALCULATES.search(text.text)
    if calculates and _fault(text, languages) is None:
        report.warning(
            holder,
            "{place} is not marked as formal; it is read as {language}",
            "make it a formal expression (xsi:type tFormalExpression), or begin with =",
            place=_place(text),
            language=_spoken(text.language),
        )
        return True
    report.error(
        holder,
        "{place} is written in plain words, which no machine can execute",
        "make it a formal expression (xsi:type tFormalExpression), or begin with =",
        place=_place(text),
    )
    return False


def _constant(text: Text, report: Report) -> None:
    if local(text.holder) in _CONDITIONS and _NO_CONDITION.fullmatch(text.text):
        report.error(
            text.holder,
            "{place} is always {text}, which is neither true nor false",
            "write a comparison",
            place=_place(text),
            text=text.text,
        )


def _not_marked(text: Text, report: Report) -> None:
    if text.text:
        report.error(
            text.holder,
            "{place} is “{text}”, but an expression is needed",
            "write ={text} if it is the name of a variable",
            place=_place(text),
            text=text.text[:60],
        )


def _strange(text: Text, report: Report) -> None:
    if text.text:
        report.unsupported(
            text.holder,
            "{place} is written in “{language}”, a language that is not offered",
            "write it in FEEL, beginning with =",
            place=_place(text),
            language=text.language[:80],
        )


def _strange_script(text: Text, report: Report, languages: Languages, default: str) -> None:
    """A format that is no media type may be a slip: is it at least the usual language?"""
    if not text.text.strip():
        return
    is_slip = not _MEDIA_TYPE.fullmatch(text.language) and text.language not in _NAMES_OF
    if is_slip and _fault(replace(text, language=default), languages) is not None:
        report.error(
            text.holder,
            "{place} has the format “{language}”, which is no media type, and it cannot be read"
            " as {usual} either",
            "set the script format to text/x-python or feel",
            place=_place(text),
            language=text.language[:80],
            usual=_spoken(default),
        )
        return
    _strange(text, report)


def _compiles(text: Text, report: Report, languages: Languages) -> None:
    if not text.text.strip():
        if text.marked:
            report.error(
                text.holder,
                "{place} is empty",
                "write the expression",
                place=_place(text),
            )
        return
    fault = _fault(text, languages)
    if fault is None:
        _warn(text, report, languages)
        return
    written = " ".join(text.text.split())[:120]
    if isinstance(fault, FeelError) and fault.position is not None:
        report.error(
            text.holder,
            "{place} is not correct {language} at character {position}: {cause}",
            "correct “{text}”",
            place=_place(text),
            language=_spoken(text.language),
            position=fault.position + 1,
            cause=heard(str(fault)),
            text=written,
        )
    else:
        report.error(
            text.holder,
            "{place} is not correct {language}: {cause}",
            "correct “{text}”",
            place=_place(text),
            language=_spoken(text.language),
            cause=heard(str(fault)),
            text=written,
        )


def _fault(text: Text, languages: Languages) -> ExecutionFault | None:
    """Compile a text and return what is wrong with it."""
    try:
        if text.script:
            languages.script(text.text, text.language)
        else:
            languages.expression(text.text, text.language)
    except ExecutionFault as fault:
        return fault
    return None


def _warn(text: Text, report: Report, languages: Languages) -> None:
    """Warn of each part of an expression that never has a value."""
    if text.script:
        return
    for offset, message in doubts(languages.expression(text.text, text.language)):
        report.warning(
            text.holder,
            "{place} has a part without a value at character {position}: {cause}",
            "correct “{text}”",
            place=_place(text),
            position=offset + 1,
            cause=heard(message),
            text=" ".join(text.text.split())[:120],
        )


def _spoken(language: str) -> str:
    return _NAMES_OF.get(language, language)


def _place(text: Text) -> Phrase:
    """Return how a sentence names the text: what it is, and whose."""
    owner: Element | None = text.holder
    while owner is not None and not _is_owner(owner):
        owner = owner.getparent()
    what = kind_words(local(text.holder))
    if text.attribute is not None:
        part = kind_words(text.attribute)
        what = part if owner is text.holder else phrase("{kind} {part}", kind=what, part=part)
    if owner is None or (owner is text.holder and text.attribute is None):
        return phrase("the {kind}", kind=what)
    return phrase("the {kind} of {owner}", kind=what, owner=Called.of(owner))


def _is_owner(element: Element) -> bool:
    if namespace(str(element.tag)) and not is_bpmn(element):
        return False
    return is_a(element, "flowElement", "rootElement", "participant") or (
        is_bpmn(element) and element.get("name") is not None
    )
