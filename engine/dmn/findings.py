"""What is wrong with a decision model, gathered with file, element and line."""

from __future__ import annotations

from typing import cast

from lxml.etree import _Element as Element

from engine.model import Problem, Severity


class Findings:
    """The problems of one file; each is kept once."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._found: dict[Problem, None] = {}

    def error(self, at: Element | None, message: str, advice: str = "") -> None:
        """Add what breaks a rule of DMN or FEEL."""
        self._add(at, message, advice, Severity.ERROR)

    def unsupported(self, at: Element, message: str, advice: str = "") -> None:
        """Add what is correct, but is not evaluated here."""
        self._add(at, message, advice, Severity.UNSUPPORTED)

    def warning(self, at: Element, message: str, advice: str = "") -> None:
        """Add what will be evaluated, but probably not as meant."""
        self._add(at, message, advice, Severity.WARNING)

    def _add(self, at: Element | None, message: str, advice: str, severity: Severity) -> None:
        problem = Problem(
            file=self.file,
            element=None if at is None else id_near(at),
            line=None if at is None else line_of(at),
            message=(message[:1].upper() + message[1:])[:500],
            advice=advice,
            severity=severity,
        )
        self._found.setdefault(problem)

    def at_line(self, line: int, message: str, advice: str = "") -> None:
        """Add an error at a place that no element names."""
        problem = Problem(file=self.file, element=None, line=line, message=message, advice=advice)
        self._found.setdefault(problem)

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
