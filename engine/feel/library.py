"""The table of built-in functions: how one is declared, found, checked, called and listed.

`substring(string: string, start position: integer, length?: integer) -> string` says it all: how
many arguments there may be, their names for named calls, the kinds they are brought to, and the
kind of the result. `?` may be left out, `...` takes all further arguments, `|` separates kinds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeVar

from engine.errors import FeelError
from engine.feel import values
from engine.feel.lexer import KnownNames
from engine.feel.run import Run
from engine.feel.types import Mismatch, Type
from engine.feel.values import Function, Refused, a_kind, kind_of, named, number_of


class _Unfit:
    """The only instance says that a value does not fit."""


UNFIT: Final = _Unfit()


def _integer(value: Any) -> Any:
    found = number_of(value)
    if found is None or (isinstance(found, Decimal) and found.adjusted() > 34):
        return UNFIT
    return int(found)


def _number(value: Any) -> Any:
    found = number_of(value)
    return UNFIT if found is None else found


def _list(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return value
    return UNFIT if value is None else [value]


def _of_kind(kind: str) -> Callable[[Any], Any]:
    return lambda value: value if kind_of(value) == kind else UNFIT


_KINDS = (
    *(values.STRING, values.BOOLEAN, values.NULL, values.CONTEXT, values.RANGE, values.FUNCTION),
    *(values.DATE, values.TIME, values.MOMENT, values.DAYS, values.MONTHS),
)
#: word of a declaration -> what brings an argument to it, or says UNFIT
FITS: dict[str, Callable[[Any], Any]] = {
    "any": lambda value: value,
    "value": lambda value: UNFIT if value is None else value,
    "number": _number,
    "integer": _integer,
    "list": _list,
    **{kind: _of_kind(kind) for kind in _KINDS},
}


#: kinds that a result can be told to have
_SURE = {*_KINDS, values.NUMBER, values.LIST} - {values.NULL, values.FUNCTION}
#: kinds that an argument can be told to have
_TOLD = _SURE | {values.NULL, values.FOREIGN}
#: words of declarations that take more than the kind of their name
_WIDE = {
    "any": _SURE | {values.NULL, values.FUNCTION},
    "value": _SURE | {values.FUNCTION},
    "integer": {values.NUMBER},
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a declaration."""

    #: as used in named calls
    name: str
    #: kinds it takes, tried in this order
    accepts: tuple[str, ...]
    #: may be left out
    optional: bool
    #: takes all further arguments as one list
    rest: bool

    def fitted(self, value: Any) -> Any:
        """Return the value as one of the kinds, or UNFIT."""
        for kind in self.accepts:
            found = FITS[kind](value)
            if found is not UNFIT:
                return found
        if isinstance(value, (list, tuple)) and len(value) == 1:
            # a list of one item stands for the item (DMN 1.5, 10.3.2.9.4)
            return self.fitted(value[0])
        return UNFIT

    def all_fitted(self, items: Any) -> Any:
        """Return all items of a rest parameter as one of the kinds, or UNFIT."""
        found = [self.fitted(item) for item in items]
        return UNFIT if UNFIT in found else found

    def takes(self, kind: str) -> bool:
        """Tell whether a value of a kind may fit; a list of one item stands for the item."""
        if self.rest or kind == values.LIST or kind not in _TOLD:
            return True
        return any(
            kind in (_SURE if word == values.LIST else _WIDE.get(word, {word}))
            for word in self.accepts
        )

    def complaint(self, found: str) -> str:
        """Return the complaint that a thing (a kind with its article) is none of the kinds."""
        return f"'{self.name}' must be {' or '.join(self.accepts)}, got {found}"


@dataclass(frozen=True, slots=True)
class Signature:
    """One way of calling a built-in."""

    #: as declared
    text: str
    parameters: tuple[Parameter, ...]
    #: word for the kind of the result; the result may always be null
    result: str
    function: Callable[..., Any]
    #: one line for people
    doc: str
    #: the function wants the `Run` as its first argument
    with_run: bool
    #: the last parameter takes all further arguments
    rest: bool
    #: the smallest number of arguments; a rest parameter takes at least one
    required: int
    #: per parameter what brings an argument to the first kind it takes
    fits: tuple[Callable[[Any], Any], ...]

    def arranged(self, arguments: Sequence[Any], names: Sequence[str]) -> Sequence[Any] | None:
        """Return one argument per parameter, in their order; None where they do not match."""
        if not names:
            count = len(self.fits)
            if self.rest and self.required <= len(arguments):
                return [*arguments[: count - 1], arguments[count - 1 :]]
            return arguments if self.required <= len(arguments) <= count else None
        given = dict(zip(names, arguments, strict=True))
        own = {p.name: p for p in self.parameters}
        if len(given) < len(names) or not given.keys() <= own.keys():
            return None
        if any(not p.optional and p.name not in given for p in self.parameters):
            return None
        last = self.parameters[-1]
        if self.rest and not isinstance(given[last.name], (list, tuple)):
            given[last.name] = [given[last.name]]
        count = max(n for n, name in enumerate(own, 1) if name in given)
        return [given.get(p.name, UNFIT) for p in self.parameters[:count]]

    def fitted(self, arguments: Sequence[Any]) -> list[Any] | str:
        """Return the arguments as the parameters want them, or what is wrong with them."""
        found: list[Any] = []
        for fit, value in zip(self.fits, arguments, strict=False):
            fitted = fit(value)
            if fitted is UNFIT:
                if value is UNFIT:  # left out in a named call
                    fitted = None
                else:
                    parameter = self.parameters[len(found)]
                    fitted = UNFIT if parameter.rest else parameter.fitted(value)
                    if fitted is UNFIT:
                        return parameter.complaint(a_kind(value))
            found.append(fitted)
        return found


class Builtin:
    """A built-in function with all its signatures."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.signatures: list[Signature] = []

    def misfit(self, count: int, names: Sequence[str]) -> str:
        """Return what is wrong with so many arguments, or with their names; "" if nothing is."""
        if any(s.arranged([None] * count, names) is not None for s in self.signatures):
            return ""
        if names:
            return f"has no parameters named {', '.join(names)}"
        found: set[str] = set()
        for s in self.signatures:
            if s.rest:
                found.add(f"{s.required} or more")
            else:
                found.update(str(n) for n in range(s.required, len(s.parameters) + 1))
        return f"takes {' or '.join(sorted(found))} arguments, got {count}"

    def judged(self, kinds: Sequence[str], names: Sequence[str]) -> tuple[str, str]:
        """Return what is wrong for sure with arguments of these kinds, "" if nothing is, and the
        kind of the result."""
        complaint, results = "", set()
        for signature in self.signatures:
            arranged = signature.arranged(kinds, names)
            pairs = zip(signature.parameters, arranged or (), strict=False)
            wrong = [p.complaint(named(kind)) for p, kind in pairs if not p.takes(kind)]
            if arranged is not None and not wrong:
                results.add(signature.result if signature.result in _SURE else values.ANYTHING)
            complaint = complaint or "".join(wrong[:1])
        wrong_always = f"{self.name}: {complaint}" if complaint and not results else ""
        return wrong_always, results.pop() if len(results) == 1 else values.ANYTHING

    def invoke(
        self, run: Run, arguments: Sequence[Any], at: int | None, names: Sequence[str] = ()
    ) -> Any:
        """Call it; what does not fit gives null and a diagnostic."""
        complaint = ""
        for signature in self.signatures:
            arranged = signature.arranged(arguments, names)
            if arranged is not None:
                fitted = signature.fitted(arranged)
                if not isinstance(fitted, str):
                    return self._run(run, signature, fitted, at)
                complaint = complaint or fitted
        return run.fail(f"{self.name}: {complaint or self.misfit(len(arguments), names)}", at)

    def _run(self, run: Run, signature: Signature, arguments: list[Any], at: int | None) -> Any:
        run.count(1, at)
        for argument in arguments:
            run.weigh(argument, at)
        try:
            if signature.with_run:
                return run.checked(signature.function(run, *arguments), at)
            return run.checked(signature.function(*arguments), at)
        except (Refused, ValueError) as cause:
            return run.fail(f"{self.name}: {cause}", at)
        except ArithmeticError:
            return run.fail(f"{self.name}: the result is no number within 34 digits", at)
        except FeelError as cause:
            if cause.position is None:
                cause.position = at
            raise

    def as_value(self, run: Run) -> Function:
        """Return the built-in as a function value, for one evaluation."""
        names = [p.name for p in self.signatures[0].parameters]
        return Function(self.name, names, lambda v: self.invoke(run, v, None), variadic=True)


BUILTINS: dict[str, Builtin] = {}
#: built-ins of more than one word, for the parser
LONG_NAMES = KnownNames()
_declaration = re.compile(r"([^(]+)\((.*)\) -> (.+)")
_F = TypeVar("_F", bound=Callable[..., Any])


def declare(declaration: str, function: Callable[..., Any], doc: str) -> None:
    """Enter one way of calling a built-in in the table.

    A function whose first parameter is called `run` gets the evaluation as its first argument.
    """
    found = _declaration.fullmatch(declaration)
    if found is None:
        raise ValueError(declaration)
    name, parameters, result = found.groups()
    code = getattr(function, "__code__", None)
    with_run = code is not None and code.co_varnames[:1] == ("run",)
    taken = tuple(map(_parameter, filter(None, parameters.split(", "))))
    entry = BUILTINS.setdefault(name, Builtin(name))
    rest = any(parameter.rest for parameter in taken)
    required = sum(not parameter.optional for parameter in taken)
    fits = tuple(p.all_fitted if p.rest else FITS[p.accepts[0]] for p in taken)
    entry.signatures.append(
        Signature(declaration, taken, result, function, doc, with_run, rest, required, fits)
    )
    LONG_NAMES.add(name)


def builtin(*declarations: str) -> Callable[[_F], _F]:
    """Mark a function as a built-in under each of the declarations."""

    def mark(function: _F) -> _F:
        for declaration in declarations:
            declare(declaration, function, (function.__doc__ or "").strip())
        return function

    return mark


def _parameter(text: str) -> Parameter:
    name, accepts = text.split(": ")
    optional, rest = name.endswith("?"), name.endswith("...")
    return Parameter(name.rstrip("?."), tuple(accepts.split("|")), optional, rest)


def call_function(
    run: Run,
    function: Function,
    arguments: Sequence[Any],
    at: int | None = None,
    names: Sequence[str] = (),
) -> Any:
    """Call a function value; what does not fit gives null and a diagnostic."""
    if function.variadic and function.name in BUILTINS:
        return BUILTINS[function.name].invoke(run, arguments, at, names)
    if names:
        given = dict(zip(names, arguments, strict=True))
        if len(given) != len(names) or set(given) != set(function.parameters):
            wanted = ", ".join(function.parameters) or "none"
            return run.fail(f"{function.name} has the parameters {wanted}", at)
        arguments = [given[name] for name in function.parameters]
    if len(arguments) != len(function.parameters):
        wanted = str(len(function.parameters))
        return run.fail(f"{function.name} takes {wanted} arguments, got {len(arguments)}", at)
    run.count(1, at)
    run.calls += 1
    try:
        if run.calls > run.limits.calls:
            raise FeelError(f"more than {run.limits.calls} calls inside each other", at)
        kinds = function.parameter_types or [None] * len(arguments)
        found = function.invoke([_coerced(*pair) for pair in zip(kinds, arguments, strict=True)])
        return _coerced(function.result_type, found)
    except Mismatch as cause:
        return run.fail(f"{function.name}: {cause}", at)
    finally:
        run.calls -= 1


def _coerced(kind: object, value: Any) -> Any:
    return kind.coerce(value) if isinstance(kind, Type) else value


def signatures() -> Mapping[str, list[Signature]]:
    """Return all built-ins that can be called by name, with their signatures."""
    return {name: known.signatures for name, known in sorted(BUILTINS.items()) if name != "@"}
