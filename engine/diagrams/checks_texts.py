"""Expressions and scripts: each is written for a machine, in a language we have, and compiles."""

from __future__ import annotations

import re
from dataclasses import replace

from lxml.etree import _Element as Element

from engine.diagrams.diagram import Diagram
from engine.diagrams.expressions import Text, is_formal, kind_of, texts
from engine.diagrams.names import called, is_bpmn, local, namespace, spoken
from engine.diagrams.report import Report
from engine.diagrams.schema import is_a
from engine.diagrams.times import TIMES
from engine.errors import ExecutionFault, FeelError
from engine.languages import Languages

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
            f"{_place(text)} is not marked as formal; it is read as {_spoken(text.language)}",
            "make it a formal expression (xsi:type tFormalExpression), or begin with =",
        )
        return True
    report.error(
        holder,
        f"{_place(text)} is written in plain words, which no machine can execute",
        "make it a formal expression (xsi:type tFormalExpression), or begin with =",
    )
    return False


def _constant(text: Text, report: Report) -> None:
    if local(text.holder) in _CONDITIONS and _NO_CONDITION.fullmatch(text.text):
        report.error(
            text.holder,
            f"{_place(text)} is always {text.text}, which is neither true nor false",
            "write a comparison",
        )


def _not_marked(text: Text, report: Report) -> None:
    if text.text:
        report.error(
            text.holder,
            f"{_place(text)} is “{text.text[:60]}”, but an expression is needed",
            f"write ={text.text[:60]} if it is the name of a variable",
        )


def _strange(text: Text, report: Report) -> None:
    if text.text:
        report.unsupported(
            text.holder,
            f"{_place(text)} is written in “{text.language[:80]}”, a language that is not offered",
            "write it in FEEL, beginning with =",
        )


def _strange_script(text: Text, report: Report, languages: Languages, default: str) -> None:
    """A format that is no media type may be a slip: is it at least the usual language?"""
    if not text.text.strip():
        return
    is_slip = not _MEDIA_TYPE.fullmatch(text.language) and text.language not in _NAMES_OF
    if is_slip and _fault(replace(text, language=default), languages) is not None:
        report.error(
            text.holder,
            f"{_place(text)} has the format “{text.language[:80]}”, which is no media type,"
            f" and it cannot be read as {_spoken(default)} either",
            "set the script format to text/x-python or feel",
        )
        return
    _strange(text, report)


def _compiles(text: Text, report: Report, languages: Languages) -> None:
    if not text.text.strip():
        if text.marked:
            report.error(text.holder, f"{_place(text)} is empty", "write the expression")
        return
    fault = _fault(text, languages)
    if fault is not None:
        where = ""
        if isinstance(fault, FeelError) and fault.position is not None:
            where = f" at character {fault.position + 1}"
        report.error(
            text.holder,
            f"{_place(text)} is not correct {_spoken(text.language)}{where}: {fault}",
            f"correct “{' '.join(text.text.split())[:120]}”",
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


def _spoken(language: str) -> str:
    return _NAMES_OF.get(language, language)


def _place(text: Text) -> str:
    """Return how a sentence names the text: what it is, and whose."""
    owner: Element | None = text.holder
    while owner is not None and not _is_owner(owner):
        owner = owner.getparent()
    tag = local(text.holder)
    what = spoken(tag)
    if text.attribute is not None:
        what = (
            spoken(text.attribute) if owner is text.holder else f"{what} {spoken(text.attribute)}"
        )
    if owner is None or (owner is text.holder and text.attribute is None):
        return f"the {what}"
    return f"the {what} of {called(owner)}"


def _is_owner(element: Element) -> bool:
    if namespace(str(element.tag)) and not is_bpmn(element):
        return False
    return is_a(element, "flowElement", "rootElement", "participant") or (
        is_bpmn(element) and element.get("name") is not None
    )
