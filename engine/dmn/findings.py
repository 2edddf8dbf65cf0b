"""What is wrong with a decision model, gathered with file, element and line."""

from __future__ import annotations

from typing import cast

from lxml.etree import _Element as Element

from engine.model import Problem, Severity
from engine.sentences import Phrase, Spoken, problem_of


class Findings:
    """The problems of one file; each is kept once.

    Sentences are literal templates with `{names}`; `engine/translations/zh/decisions.po` has them
    in Chinese, with the names of their rules.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self._found: dict[Problem, None] = {}

    def error(
        self, at: Element, message: str, advice: str | Phrase = "", /, **values: Spoken
    ) -> None:
        """Add what breaks a rule of DMN or FEEL."""
        self._add(at, message, advice, Severity.ERROR, values)

    def unsupported(
        self, at: Element, message: str, advice: str | Phrase = "", /, **values: Spoken
    ) -> None:
        """Add what is correct, but is not evaluated here."""
        self._add(at, message, advice, Severity.UNSUPPORTED, values)

    def warning(
        self, at: Element, message: str, advice: str | Phrase = "", /, **values: Spoken
    ) -> None:
        """Add what will be evaluated, but probably not as meant."""
        self._add(at, message, advice, Severity.WARNING, values)

    def info(
        self, at: Element, message: str, advice: str | Phrase = "", /, **values: Spoken
    ) -> None:
        """Add what is good to know."""
        self._add(at, message, advice, Severity.INFO, values)

    def _add(
        self,
        at: Element,
        message: str,
        advice: str | Phrase,
        severity: Severity,
        values: dict[str, Spoken],
    ) -> None:
        place = id_near(at), line_of(at)
        found = problem_of(self.file, place, message, advice, severity, values)
        self._found.setdefault(found)

    def at_line(
        self, line: int, message: str, advice: str | Phrase = "", /, **values: Spoken
    ) -> None:
        """Add an error at a place that no element names."""
        found = problem_of(self.file, (None, line), message, advice, Severity.ERROR, values)
        self._found.setdefault(found)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Return all of them by line."""
        return tuple(sorted(self._found, key=lambda problem: problem.line or 0))


def line_of(element: Element) -> int | None:
    """Return the line of an element in its file."""
    return cast("int | None", element.sourceline)


def id_near(element: Element) -> str | None:
    """Return the id of an element or of its nearest owner that has one."""
    place: Element | None = element
    while place is not None:
        if place.get("id"):
            return place.get("id")
        place = place.getparent()
    return None
