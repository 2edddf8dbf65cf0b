"""Problems are gathered here, each with its file, element, line, sentence and advice."""

from __future__ import annotations

from collections.abc import Sequence

from lxml.etree import _Element as Element

from engine.diagrams.names import line
from engine.model import Problem, Severity

#: longest message, in characters; the texts of a file are quoted in it
MAX_MESSAGE = 500


class Report:
    """The objections to one file, in the order of its lines."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._problems: dict[Problem, None] = {}

    def error(self, at: Element, message: str, advice: str = "") -> None:
        """Add what breaks a rule."""
        self.add(at, message, advice, Severity.ERROR)

    def unsupported(self, at: Element, message: str, advice: str = "") -> None:
        """Add what is correct as a drawing, but cannot be executed here."""
        self.add(at, message, advice, Severity.UNSUPPORTED)

    def warning(self, at: Element, message: str, advice: str = "") -> None:
        """Add what will run, but probably not as meant."""
        self.add(at, message, advice, Severity.WARNING)

    def info(self, at: Element, message: str, advice: str = "") -> None:
        """Add what is good to know."""
        self.add(at, message, advice, Severity.INFO)

    def add(self, at: Element, message: str, advice: str, severity: Severity) -> None:
        """Add a problem at an element; its nearest owner with an id is named, if it has none."""
        self.at_line(line(at), message, advice, severity, element=_id_near(at))

    def at_line(
        self,
        number: int | None,
        message: str,
        advice: str = "",
        severity: Severity = Severity.ERROR,
        *,
        element: str | None = None,
    ) -> None:
        """Add a problem at a line, for places that no id names."""
        sentence = (message[:1].upper() + message[1:])[:MAX_MESSAGE]
        problem = Problem(
            file=self.file,
            element=element,
            line=number,
            message=sentence,
            advice=advice,
            severity=severity,
        )
        self._problems.setdefault(problem)

    @property
    def problems(self) -> Sequence[Problem]:
        """Return all of them by line; what has no line comes first."""
        return sorted(self._problems, key=lambda problem: problem.line or 0)

    @property
    def stops(self) -> bool:
        """Tell whether the file cannot be deployed."""
        return any(problem.stops for problem in self._problems)


def _id_near(element: Element) -> str | None:
    place: Element | None = element
    while place is not None:
        if place.get("id"):
            return place.get("id")
        place = place.getparent()
    return None
