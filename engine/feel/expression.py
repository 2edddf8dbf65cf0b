"""A compiled FEEL text: what callers hold, evaluate and ask about."""

from __future__ import annotations

import operator
from collections.abc import Collection, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any
from typing import Literal as OneOf

from engine.errors import FeelError
from engine.feel import conditions, contexts, lists, loops, numbers, ranges, strings, times
from engine.feel import types as feel_types
from engine.feel.compiler import Compiler
from engine.feel.parser import parse
from engine.feel.run import DEFAULT_LIMITS, Code, Limits, Run
from engine.feel.short import Detour, Direct, direct
from engine.feel.types import Type
from engine.feel.values import plain

#: importing these fills the tables of compilers and of built-ins
LOADED = (conditions, loops, contexts, lists, numbers, ranges, strings, times)
#: characters of a text
MAX_TEXT = 1_000_000
#: types of results that may be floats, or hold some from a scope that no door has cleaned
_LOOSE = frozenset({float, list, tuple, dict})

Kind = OneOf["expression", "unary"]
Diagnostics = list[tuple[str, int | None]]


class Expression:
    """One compiled text; immutable, may be shared by threads."""

    __slots__ = ("_code", "_direct", "free_names", "problems", "reads", "text")

    def __init__(self, text: str, compiler: Compiler, code: Code, short: Direct | None) -> None:
        #: as written
        self.text = text
        #: variables that are, or within a filter may be, read from the scope
        self.free_names = frozenset(read[0] for read in compiler.reads)
        #: (offset, message) for what can never work: unknown functions, impossible types
        self.problems = tuple(compiler.problems)
        #: (name, offset, whether it can only be a variable) for each place that reads the scope
        self.reads = tuple(compiler.reads)
        self._code = code
        #: the short way, tried first
        self._direct = short

    def evaluate(
        self,
        scope: Mapping[str, Any],
        *,
        now: datetime | None = None,
        diagnostics: Diagnostics | None = None,
        strict: bool = False,
        limits: Limits = DEFAULT_LIMITS,
    ) -> Any:
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
        run.now, run.diagnostics, run.strict, run.limits = now, diagnostics, strict, limits
        try:
            found = self._code(run)
            if type(found) not in _LOOSE:
                return found
            found, size = _cleaned(found, {})
            if size > 10 * limits.steps:
                raise FeelError(f"the result has more than {10 * limits.steps} parts")
            return found
        except ArithmeticError:
            return run.fail("a number is not within 34 digits, or is no number", None)
        except RecursionError:
            raise FeelError("the expression or its data are nested too deeply") from None

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"


def _cleaned(value: Any, seen: dict[int, tuple[Any, int]]) -> tuple[Any, int]:
    """Return a result with lists for tuples and no floats inside, copied only where it must be, and
    how many parts it has.

    `seen` has what was cleaned before by id, as results may share their parts many times over.
    """
    if not isinstance(value, (list, tuple, dict)):
        return plain(value), 1
    found = seen.get(id(value))
    if found is None:
        before = list(value.values() if isinstance(value, dict) else value)
        parts = [_cleaned(part, seen) for part in before]
        inner, size = [part for part, _ in parts], 1 + sum(size for _, size in parts)
        whole: Any = value
        if isinstance(value, tuple) or not all(map(operator.is_, inner, before)):
            whole = dict(zip(value, inner, strict=True)) if isinstance(value, dict) else inner
        found = seen[id(value)] = whole, size
    return found


def compile(
    text: str,
    *,
    names: Collection[str] = (),
    kind: Kind = "expression",
    types: Mapping[str, Type] | None = None,
) -> Expression:
    """Return the compiled text; FeelError says what is wrong with it and where.

    `names` are the variables (and entries of contexts) that may be written with blanks or
    operators inside, or a type for each; `kind` is "unary" for the tests of a decision table;
    `types` are the named types for `instance of` and parameters. Without types results are shared.
    """
    declared = names if isinstance(names, Mapping) else {}
    kinds = {name: of.name for name, of in declared.items() if isinstance(of, feel_types.Kind)}
    if types is None and not kinds:
        return _cached(text, kind, frozenset(names))
    return _compiled(text, kind, frozenset(names), types or {}, kinds)


@lru_cache(maxsize=4096)
def _cached(text: str, kind: str, names: frozenset[str]) -> Expression:
    return _compiled(text, kind, names, {}, {})


def _compiled(
    text: str,
    kind: str,
    names: frozenset[str],
    types: Mapping[str, Type],
    kinds: Mapping[str, str],
) -> Expression:
    if len(text) > MAX_TEXT:
        raise FeelError(f"the expression has more than {MAX_TEXT} characters", MAX_TEXT)
    compiler = Compiler(names, kinds)
    try:
        node = parse(text, kind, sorted(names), types)
        return Expression(text, compiler, compiler.code(node), direct(node))
    except RecursionError:
        raise FeelError("the expression is nested too deeply", 0) from None
