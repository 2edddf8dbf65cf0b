"""What editors and the deploy gate ask: what is wrong with a text, and what could be written."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from engine.errors import FeelError
from engine.feel.expression import Kind, compile
from engine.feel.lexer import tokens_of
from engine.feel.library import BUILTINS, signatures
from engine.feel.types import Type
from engine.feel.values import missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One thing that is wrong with a text."""

    #: offset of the first character, in code points
    start: int
    #: offset after the last one; the same as `start` at the end of the text
    end: int
    message: str
    #: `error`: it cannot be compiled; `warning`: it never has a value; `unknown`: no such variable
    severity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """One thing that could be written."""

    #: what to insert
    label: str
    #: `variable` or `function`
    kind: str
    #: of a function its signatures, one a line
    detail: str = ""
    #: of a function what it gives
    doc: str = ""


def diagnose(
    text: str,
    names: Collection[str] | Mapping[str, Type] | None = None,
    *,
    kind: Kind = "expression",
    types: Mapping[str, Type] | None = None,
) -> list[Diagnostic]:
    """Return everything that is wrong with a text, from its beginning on.

    With `names` also variables that are not among them are reported (entries of the items of a
    filter excepted); with a type per name its operators and arguments are checked for it. `kind`
    and `types` are those of `compile`.
    """
    try:
        expression = compile(text, names=names or (), kind=kind, types=types)
    except FeelError as cause:
        at = cause.position or 0
        return [_diagnostic(text, at, str(cause), "error")]
    found = [_diagnostic(text, at, message, "warning") for at, message in expression.problems]
    if names is not None:
        reported = {one.start for one in found}
        known = {*names, *BUILTINS, "?"}
        for name, at, sure in expression.reads:
            if sure and name not in known and at not in reported:
                message = missing("variable", name, names)
                found.append(_diagnostic(text, at, message, "unknown", name))
    return sorted(found, key=lambda one: (one.start, one.message))


def check(
    text: str, names: Collection[str] | None = None, *, kind: Kind = "expression"
) -> list[tuple[int, str]]:
    """Return (offset, message) for everything wrong with a text, as `diagnose` finds it."""
    return [(found.start, found.message) for found in diagnose(text, names, kind=kind)]


def _diagnostic(text: str, at: int, message: str, severity: str, name: str = "") -> Diagnostic:
    """Return a diagnostic that covers a name, or the token at an offset."""
    end = at + len(name) if name and text.startswith(name, at) else 0
    if not end:
        try:
            tokens = tokens_of(text)
        except FeelError:
            tokens = []
        here = (token.end for token in tokens if token.start <= at < token.end)
        end = next(here, min(at + 1, len(text)))
    return Diagnostic(start=at, end=max(at, end), message=message, severity=severity)


def completions(names: Collection[str] = ()) -> list[Completion]:
    """Return the variables that are told, then all built-in functions."""
    found = [Completion(label=name, kind="variable") for name in sorted(names)]
    for name, forms in signatures().items():
        texts = "\n".join(dict.fromkeys(form.text for form in forms))
        found.append(Completion(label=name, kind="function", detail=texts, doc=forms[0].doc))
    return found
