"""What stands against a change of a running case, gathered before anything is stored."""

from __future__ import annotations

from dataclasses import dataclass

from engine.kernel.node import Node
from engine.model import Problem, Severity
from engine.sentences import Spoken, phrase, problem_of, spoken


@dataclass(frozen=True, slots=True)
class Named:
    """How a sentence names a node: by its kind and its name, else its id."""

    node: Node

    def said(self, language: str) -> str:
        """Return the words in a language."""
        kind = phrase(spoken(self.node.type))
        name = self.node.bpmn_name
        return phrase("the {kind} “{name}”", kind=kind, name=name).said(language)


class Objections:
    """Problems at elements of a case, each once, in the order in which they were found."""

    def __init__(self) -> None:
        self._found: dict[Problem, None] = {}

    def error(
        self, at: str | None, message: str, advice: str = "", /, **values: Spoken | Node
    ) -> None:
        """Add what forbids the change; `at` is the id of an element of the case."""
        said = {n: Named(v) if isinstance(v, Node) else v for n, v in values.items()}
        self._found.setdefault(problem_of("", (at, None), message, advice, Severity.ERROR, said))

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Return all of them."""
        return tuple(self._found)
