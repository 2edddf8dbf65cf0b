"""A compiled FEEL text: what callers hold, evaluate and ask about."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Literal as OneOf

from engine.errors import FeelError
from engine.feel import (
    code_calls,
    code_loops,
    code_names,
    code_operators,
    code_tests,
    of_contexts,
    of_conversion,
    of_lists,
    of_moments,
    of_numbers,
    of_ranges,
    of_strings,
)
from engine.feel.compiler import Compiler, cleaned
from engine.feel.direct import Detour, Direct, direct
from engine.feel.library import BUILTINS, LONG_NAMES
from engine.feel.parser import parse
from engine.feel.run import DEFAULT_LIMITS, Code, Limits, Run
from engine.feel.types import Type

#: importing these fills the tables of built-ins and of compilers
LOADED = (
    *(of_numbers, of_strings, of_lists, of_contexts, of_moments, of_ranges, of_conversion),
    *(code_names, code_operators, code_tests, code_loops, code_calls),
)
#: characters of a text
MAX_TEXT = 1_000_000

#: types of results that may be floats, or hold some from a scope that no door has cleaned
_LOOSE = frozenset({float, list, tuple, dict})

Kind = OneOf["expression", "unary"]
Diagnostics = list[tuple[str, int | None]]


class Expression:
    """One compiled text; immutable, may be shared by threads."""

    __slots__ = ("_code", "_direct", "free_names", "problems", "reads", "text")

    def __init__(
        self, text: str, compiler: Compiler, code: Code, short: Direct | None = None
    ) -> None:
        #: as written
        self.text = text
        #: variables that are, or within a filter may be, read from the scope
        self.free_names = frozenset(read[0] for read in compiler.reads)
        #: (offset, message) for what can never work: unknown functions, wrong arguments
        self.problems = tuple(compiler.problems)
        #: (name, offset, whether it can only be a variable) for each place that reads the scope
        self.reads = tuple(compiler.reads)
        self._code = code
        #: the short way, tried first
        self._direct = short

    def evaluate(
        self,
        scope: Mapping[str, object],
        *,
        now: datetime | None = None,
        diagnostics: Diagnostics | None = None,
        strict: bool = False,
        limits: Limits = DEFAULT_LIMITS,
    ) -> object:
        """Return the value for the variables in `scope` (for unary tests the input is `?`).

        What does not fit gives null and appends (message, offset) to `diagnostics`; with `strict`
        it raises FeelError. Broken limits raise FeelError always. `now` is the moment of `now()`.
        """
        short = self._direct
        if short is not None:
            try:
                return short(scope)
            except (Detour, KeyError, ArithmeticError):
                pass
        run = Run(scope)
        if now is not None:
            run.now = now
        if diagnostics is not None:
            run.diagnostics = diagnostics
        if strict:
            run.strict = True
        if limits is not DEFAULT_LIMITS:
            run.limits = limits
        try:
            found = self._code(run)
            return cleaned(found, {}) if type(found) in _LOOSE else found
        except ArithmeticError:
            return run.fail("a number is not within 34 digits, or is no number", None)
        except RecursionError:
            raise FeelError("the expression or its data are nested too deeply") from None

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"


def compile(
    text: str,
    *,
    names: Collection[str] = (),
    kind: Kind = "expression",
    types: Mapping[str, Type] | None = None,
) -> Expression:
    """Return the compiled text; FeelError says what is wrong with it and where.

    `names` are the variables (and entries of contexts) that may be written with blanks or
    operators inside; `kind` is "unary" for the tests of a decision table; `types` are the named
    types for `instance of` and parameters. Without `types` results are kept and shared.
    """
    if types is None:
        return _cached(text, kind, frozenset(names))
    return _compiled(text, kind, frozenset(names), types)


@lru_cache(maxsize=4096)
def _cached(text: str, kind: str, names: frozenset[str]) -> Expression:
    return _compiled(text, kind, names, MappingProxyType({}))


def _compiled(text: str, kind: str, names: frozenset[str], types: Mapping[str, Type]) -> Expression:
    if len(text) > MAX_TEXT:
        raise FeelError(f"the expression has more than {MAX_TEXT} characters", MAX_TEXT)
    compiler = Compiler(names, types)
    try:
        node = parse(text, kind, sorted(names), LONG_NAMES)
        return Expression(text, compiler, compiler.code(node), direct(node))
    except RecursionError:
        raise FeelError("the expression is nested too deeply", 0) from None


def check(
    text: str, names: Collection[str] | None = None, *, kind: Kind = "expression"
) -> list[tuple[int, str]]:
    """Return (offset, message) for everything wrong with a text; with `names` also for variables
    that are not among them (entries of the items of a filter excepted)."""
    try:
        expression = compile(text, names=names or (), kind=kind)
    except FeelError as cause:
        return [(cause.position or 0, str(cause))]
    found = list(expression.problems)
    if names is not None:
        reported = {at for at, _ in found}
        known = {*names, *BUILTINS, "?"}
        for name, at, sure in expression.reads:
            if sure and name not in known and at not in reported:
                found.append((at, f"there is no variable '{name}'"))
    return sorted(found)
