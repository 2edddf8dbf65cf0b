"""Problems are gathered here, each with its rule, file, element, line, sentence and advice.

A sentence is a literal English template with `{names}`; what stands for a name is a text, a number,
an element (spoken as its kind and name) or a phrase that is a template itself. Its translation and
the name of its rule stand in `engine/translations/`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lxml.etree import _Element as Element

from engine.diagrams.names import Called, line
from engine.model import Problem, Severity
from engine.sentences import Phrase, Spoken, problem_of

#: what may stand for a name of a template
Value = Spoken | Element


class Report:
    """The objections to one file, in the order of its lines."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._problems: dict[Problem, None] = {}

    def error(
        self, at: Element, message: str, advice: str | Phrase = "", /, **values: Value
    ) -> None:
        """Add what breaks a rule."""
        self.add(at, message, advice, Severity.ERROR, **values)

    def unsupported(
        self, at: Element, message: str, advice: str | Phrase = "", /, **values: Value
    ) -> None:
        """Add what is correct as a drawing, but cannot be executed here."""
        self.add(at, message, advice, Severity.UNSUPPORTED, **values)

    def warning(
        self, at: Element, message: str, advice: str | Phrase = "", /, **values: Value
    ) -> None:
        """Add what will run, but probably not as meant."""
        self.add(at, message, advice, Severity.WARNING, **values)

    def info(
        self, at: Element, message: str, advice: str | Phrase = "", /, **values: Value
    ) -> None:
        """Add what is good to know."""
        self.add(at, message, advice, Severity.INFO, **values)

    def add(
        self,
        at: Element,
        message: str,
        advice: str | Phrase,
        severity: Severity,
        /,
        **values: Value,
    ) -> None:
        """Add a problem at an element; its nearest owner with an id is named, if it has none."""
        self._add((_id_near(at), line(at)), message, advice, severity, values)

    def at_line(
        self,
        number: int | None,
        message: str,
        advice: str | Phrase = "",
        severity: Severity = Severity.ERROR,
        /,
        *,
        element: str | None = None,
        **values: Value,
    ) -> None:
        """Add a problem at a line, for places that no element of ours names."""
        self._add((element, number), message, advice, severity, values)

    def _add(
        self,
        place: tuple[str | None, int | None],
        message: str,
        advice: str | Phrase,
        severity: Severity,
        values: Mapping[str, Value],
    ) -> None:
        spoken: dict[str, Spoken] = {
            name: Called.of(value) if isinstance(value, Element) else value
            for name, value in values.items()
        }
        self.keep(problem_of(self.file, place, message, advice, severity, spoken))

    def keep(self, problem: Problem) -> None:
        """Add a problem that was put into words elsewhere."""
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
