"""What is wrong with a decision model, gathered with file, element and line."""

from __future__ import annotations

from functools import partial
from typing import Protocol, cast

from lxml.etree import _Element as Element

from engine.model import Problem, Severity
from engine.sentences import Phrase, Spoken, problem_of


class Say(Protocol):
    """Adds a problem at an element: what is wrong, and the way out."""

    def __call__(
        self, at: Element, message: str, advice: str | Phrase = "", /, **values: Spoken
    ) -> None:
        """Add it; the values stand for the names in message and advice."""


class Findings:
    """The problems of one file; each is kept once.

    Sentences are literal templates with `{names}`; `engine/translations/zh/decisions.po` has them
    in Chinese, with the names of their rules.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self._found: dict[Problem, None] = {}
        #: adds what breaks a rule of DMN or FEEL
        self.error: Say = partial(self._add, Severity.ERROR)
        #: adds what is correct, but is not evaluated here
        self.unsupported: Say = partial(self._add, Severity.UNSUPPORTED)
        #: adds what will be evaluated, but probably not as meant
        self.warning: Say = partial(self._add, Severity.WARNING)
        #: adds what is good to know
        self.info: Say = partial(self._add, Severity.INFO)

    def _add(
        self,
        severity: Severity,
        at: Element,
        message: str,
        advice: str | Phrase = "",
        /,
        **values: Spoken,
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
