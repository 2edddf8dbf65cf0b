"""Turns the expressions of a model into closures, once; `box` is the way in for every kind.

The kinds of boxed expressions register themselves in `BOXES` (boxed.py, loops.py, tables.py).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Literal

from lxml.etree import _Element as Element

from engine import feel
from engine.dmn.evaluation import Code, Evaluation, Scope
from engine.dmn.findings import Findings, id_near
from engine.dmn.types import Types, unconstrained
from engine.dmn.xml import children, local, named, text_of
from engine.errors import FeelError
from engine.feel import Expression
from engine.feel.library import BUILTINS
from engine.feel.types import ContextType, Mismatch, Type
from engine.sentences import Phrase, heard, phrase

Names = frozenset[str]
#: in the names of a filter: the entries of its items are names, too, whichever they are
ANYTHING = "*"
Kind = Literal["expression", "unary"]
BOXES: dict[str, Callable[[Compiler, Element, Names], Code]] = {}
_Method = Callable[["Compiler", Element, Names], Code]
#: what may stand in a context, so that its name may be written after a dot
_MEMBERS = frozenset(
    {
        "itemComponent",
        "output",
        "column",
        "variable",
        "decision",
        "inputData",
        "businessKnowledgeModel",
    }
)
_FEEL = ("feel", "https://www.omg.org/spec/dmn/")


def boxes(*tags: str) -> Callable[[_Method], _Method]:
    """Mark a function as the one that compiles elements of these names."""

    def mark(function: _Method) -> _Method:
        BOXES.update(dict.fromkeys(tags, function))
        return function

    return mark


class Compiler:
    """Compiles what one file draws."""

    def __init__(
        self,
        root: Element,
        findings: Findings,
        types: Types,
        feel_types: Mapping[str, Type],
        members: Iterable[str],
        drawn: Collection[str] | None,
        *,
        checks: bool,
    ) -> None:
        #: every table that is read
        self.tables: list[Any] = []
        #: types of what the node that is compiled requires
        self.kinds: Mapping[str, Type | None] = {}
        #: names that the expressions read, and that nothing around them gives
        self.reads: set[str] = set()
        #: look for gaps and overlaps, too
        self.checks = checks
        self.findings = findings
        self.types = types
        #: what `instance of` knows
        self._feel_types = feel_types
        #: names that are seen only where they are required; None where nobody draws the inputs
        self._drawn = drawn
        self._language = root.get("expressionLanguage")
        #: names with blanks or operators that may stand after a dot
        self.members = frozenset(name for name in members if not name.isidentifier())

    def box(self, element: Element | None, names: Names) -> Code:
        """Compile a boxed expression, coerced to the type that it declares."""
        if element is None:
            return _nothing
        made = BOXES[local(element)](self, element, names)
        return self.coerced(made, self.types.of(element), element)

    def kind_of(self, path: str) -> Type | None:
        """Return the type of a required value or of a part of it, as far as it is declared."""
        first, *parts = path.split(".")
        kind = self.kinds.get(first)
        for part in parts:
            inside = unconstrained(kind)
            kind = inside.entries.get(part) if isinstance(inside, ContextType) else None
        return kind

    def is_box(self, element: Element) -> bool:
        """Tell whether an element is an expression."""
        return local(element) in BOXES

    def boxed(self, owner: Element) -> Element | None:
        """Return the expression that an element holds."""
        return next(children(owner, *BOXES), None)

    def required(self, owner: Element, what: Phrase, names: Names) -> Code:
        """Compile the expression that an element must hold."""
        found = self.boxed(owner)
        if found is None:
            self.findings.error(owner, "{what} holds no expression", "fill it in", what=what)
        return self.box(found, names)

    def coerced(self, code: Code, kind: Type | None, element: Element) -> Code:
        """Return code whose value is of a type, or null with a note."""
        if kind is None or type(kind) is Type:
            return code
        id = id_near(element)

        def checked(scope: Scope, run: Evaluation) -> object:
            try:
                return kind.coerce(code(scope, run))
            except Mismatch as cause:
                run.note(id, str(cause))
                return None

        return checked

    def expression(
        self, element: Element, text: str, names: Names, kind: Kind = "expression"
    ) -> feel.Expression | None:
        """Compile a FEEL text; None after a problem."""
        written = element.get("expressionLanguage") or self._language
        if written and not written.lower().startswith(_FEEL):
            self.findings.unsupported(
                element, "the expression language {language} is not known", "write it in FEEL",
                language=written,
            )  # fmt: skip
            return None
        needs_types = "instance" in text or "function" in text
        types = self._feel_types if needs_types else None
        try:
            made = feel.compile(text, names=names | self.members, kind=kind, types=types or None)
        except FeelError as cause:
            self.findings.error(
                element, "“{text}” is not FEEL: {cause}", text=_short(text), cause=_said(cause)
            )
            return None
        self.reads |= made.free_names - names - {"?"}
        for _, message in made.problems:
            self.findings.error(
                element, "“{text}” never has a value: {reason}",
                text=_short(text), reason=heard(message),
            )  # fmt: skip
        if self._drawn is not None and ANYTHING not in names:
            self._check_names(element, made, names)
        return made

    def _check_names(self, element: Element, made: feel.Expression, names: Names) -> None:
        """Report variables that are not there."""
        for name, _, sure in made.reads:
            if not sure or name in names or name in BUILTINS or name == "?":
                continue
            if self._drawn is not None and name in self._drawn:
                self.findings.error(
                    element, "“{name}” is drawn, but not required here", "connect the two",
                    name=name,
                )  # fmt: skip
            else:
                self.findings.warning(
                    element,
                    "there is no variable “{name}”",
                    "draw and connect an input, or correct",
                    name=name,
                )

    def feel(self, element: Element, text: str, names: Names) -> Code:
        """Compile a FEEL text to code; one that is wrong gives null."""
        return self.code(self.expression(element, text, names), element)

    def code(self, made: Expression | None, element: Element) -> Code:
        """Return the code of an expression; one that is wrong gives null."""
        return _broken(id_near(element)) if made is None else code_of(made, id_near(element))


def code_of(expression: feel.Expression, id: str | None) -> Code:
    """Return code that evaluates an expression and notes why it is null."""
    return lambda scope, run: noted(expression, scope, run, id)


def noted(expression: feel.Expression, scope: Scope, run: Evaluation, id: str | None) -> object:
    """Evaluate an expression; why it is null is noted at an element."""
    diagnostics: list[tuple[str, int | None]] = []
    found = expression.evaluate(scope, now=run.now, diagnostics=diagnostics)
    for message, _ in diagnostics:
        run.note(id, message)
    return found


def _broken(id: str | None) -> Code:
    def code(scope: Scope, run: Evaluation) -> object:
        run.note(id, "the expression is wrong, see the problems of the model")
        return None

    return code


def _nothing(scope: Scope, run: Evaluation) -> object:
    return None


def members_of(root: Element) -> set[str]:
    """Return the names of all that the contexts of a model may hold."""
    found = set()
    for element in root.iter():
        if local(element) in _MEMBERS:
            found.add(named(element))
    found.discard("")
    return found


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 80 else line[:79] + "…"


def _said(cause: FeelError) -> Phrase:
    if cause.position is None:
        return heard(str(cause))
    return phrase("{cause} (character {at})", cause=heard(str(cause)), at=cause.position + 1)


@boxes("literalExpression")
def literal(compiler: Compiler, element: Element, names: Names) -> Code:
    """Compile a FEEL text; an empty one is null."""
    text = text_of(element)
    if not text:
        compiler.findings.warning(element, "the expression is empty; its value is null")
        return _nothing
    return compiler.feel(element, text, names)
