"""The table of built-in functions: how one is declared, found, checked and called.

A declaration such as `substring(string: string, start position: integer, length?: integer)` gives
the names for named calls and the kinds the arguments are checked for and brought to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from typing import Final, TypeVar, cast

from engine.errors import FeelError
from engine.feel import kinds
from engine.feel.arithmetic import Refused
from engine.feel.kinds import a_kind, kind_of
from engine.feel.moments import AnyDate, make_moment
from engine.feel.names import KnownNames
from engine.feel.run import Run
from engine.feel.types import Mismatch, Type
from engine.feel.values import Function, Range


class _Unfit:
    """The only instance says that a value does not fit."""


UNFIT: Final = _Unfit()


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


class Signature:
    """One way of calling a built-in."""

    __slots__ = ("fits", "function", "most", "parameters", "required", "rest", "with_run")

    def __init__(
        self, parameters: tuple[Parameter, ...], function: Callable[..., object], with_run: bool
    ) -> None:
        self.parameters = parameters
        self.function = function
        #: the function wants the `Run` as its first argument
        self.with_run = with_run
        #: whether the last parameter takes all further arguments
        self.rest = bool(parameters) and parameters[-1].rest
        #: the smallest number of arguments; a rest parameter takes at least one
        self.required = sum(not p.optional for p in parameters)
        #: the largest number of arguments
        self.most = 1_000_000 if self.rest else len(parameters)
        #: per parameter what brings an argument to the first kind it takes
        self.fits = [FITS[p.accepts[0]] for p in parameters]

    def order(self, names: Sequence[str]) -> tuple[int | None, ...] | None:
        """Return for each parameter the argument of that name; None where they do not match."""
        own = [p.name for p in self.parameters]
        if len(set(names)) != len(names) or not set(names) <= set(own):
            return None
        if any(not p.optional and p.name not in names for p in self.parameters):
            return None
        places = [names.index(name) if name in names else None for name in own]
        while places and places[-1] is None:
            places.pop()
        return tuple(places)


class Builtin:
    """A built-in function with all its signatures."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.signatures: list[Signature] = []

    def takes(self, count: int) -> bool:
        """Tell whether some signature has this number of parameters."""
        return any(s.required <= count <= s.most for s in self.signatures)

    def arity(self) -> str:
        """Return the allowed numbers of arguments for messages, such as `1 or 3`."""
        found: set[str] = set()
        for s in self.signatures:
            if s.rest:
                found.add(f"{s.required} or more")
            else:
                found.update(str(n) for n in range(s.required, s.most + 1))
        return " or ".join(sorted(found))

    def invoke(self, run: Run, arguments: list[object], at: int | None) -> object:
        """Call with positional arguments; what does not fit gives null and a diagnostic."""
        count, complaint = len(arguments), ""
        for signature in self.signatures:
            if signature.required <= count <= signature.most:
                fitted = _fit_all(signature, arguments)
                if not isinstance(fitted, str):
                    return self._run(run, signature, fitted, at)
                complaint = complaint or fitted
        if not complaint:
            complaint = f"takes {self.arity()} arguments, got {count}"
        return run.fail(f"{self.name}: {complaint}", at)

    def invoke_named(
        self, run: Run, arguments: list[object], names: Sequence[str], at: int | None
    ) -> object:
        """Call with named arguments."""
        complaint = ""
        for signature in self.signatures:
            order = signature.order(names)
            if order is None:
                continue
            fitted: list[object] = []
            wrong = ""
            for place, parameter in zip(order, signature.parameters, strict=False):
                value = None if place is None else arguments[place]
                if place is not None:
                    value = _fit_rest(value) if parameter.rest else _fit(parameter, value)
                if value is UNFIT:
                    wrong = _misfit(parameter, None if place is None else arguments[place])
                    break
                fitted.append(value)
            if not wrong:
                return self._run(run, signature, fitted, at)
            complaint = complaint or wrong
        complaint = complaint or f"has no parameters named {', '.join(names)}"
        return run.fail(f"{self.name}: {complaint}", at)

    def _run(
        self, run: Run, signature: Signature, arguments: list[object], at: int | None
    ) -> object:
        run.count(1, at)
        try:
            if signature.with_run:
                found = signature.function(run, *arguments)
            else:
                found = signature.function(*arguments)
        except Refused as cause:
            return run.fail(f"{self.name}: {cause}", at)
        except ArithmeticError:
            return run.fail(f"{self.name}: the result is no number within 34 digits", at)
        except FeelError as cause:
            if cause.position is None:
                cause.position = at
            raise
        return run.checked(found, at)

    def as_value(self, run: Run) -> Function:
        """Return the built-in as a function value, for one evaluation."""
        names = [p.name for p in self.signatures[0].parameters]
        return Function(
            self.name, names, lambda values: self.invoke(run, values, None), variadic=True
        )


BUILTINS: dict[str, Builtin] = {}
#: built-ins of more than one word, for the parser
LONG_NAMES = KnownNames()
_declaration = re.compile(r"([^(]+)\((.*)\)")


_F = TypeVar("_F", bound=Callable[..., object])


def builtin(*declarations: str, with_run: bool = False) -> Callable[[_F], _F]:
    """Mark a function as a built-in under each of the declarations."""

    def mark(function: _F) -> _F:
        for declaration in declarations:
            found = _declaration.fullmatch(declaration)
            if found is None:
                raise ValueError(declaration)
            name = found[1]
            parameters = tuple(map(_parameter, filter(None, found[2].split(", "))))
            entry = BUILTINS.setdefault(name, Builtin(name))
            entry.signatures.append(Signature(parameters, function, with_run))
            LONG_NAMES.add(name)
        return function

    return mark


def _parameter(text: str) -> Parameter:
    name, accepts = text.split(": ")
    optional, rest = name.endswith("?"), name.endswith("...")
    return Parameter(name.rstrip("?."), tuple(accepts.split("|")), optional, rest)


def _fit_all(signature: Signature, arguments: list[object]) -> list[object] | str:
    """Return the arguments as the parameters want them, or what is wrong with them."""
    fitted: list[object] = []
    for n, value in enumerate(arguments):
        place = n if n < len(signature.fits) else -1
        found = signature.fits[place](value)
        if found is UNFIT:
            found = _fit(signature.parameters[place], value)
            if found is UNFIT:
                return _misfit(signature.parameters[place], value)
        fitted.append(found)
    if signature.rest:
        first = len(signature.parameters) - 1
        fitted[first:] = [fitted[first:]]
    return fitted


def _misfit(parameter: Parameter, value: object) -> str:
    wanted = " or ".join(parameter.accepts)
    return f"'{parameter.name}' must be {wanted}, got {a_kind(value)}"


def _fit_rest(value: object) -> object:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _fit(parameter: Parameter, value: object) -> object:
    for kind in parameter.accepts:
        found = FITS[kind](value)
        if found is not UNFIT:
            return found
    if isinstance(value, (list, tuple)) and len(value) == 1:
        # a list of one item stands for the item (DMN 1.5, 10.3.2.9.4)
        for kind in parameter.accepts:
            found = FITS[kind](value[0])
            if found is not UNFIT:
                return found
    return UNFIT


def _number(value: object) -> object:
    found = kinds.number_of(value)
    return UNFIT if found is None else found


def _integer(value: object) -> object:
    found = kinds.number_of(value)
    if found is None or (isinstance(found, Decimal) and found.adjusted() > 34):
        return UNFIT
    return int(found)


def _list(value: object) -> object:
    if isinstance(value, (list, tuple)):
        return value
    return UNFIT if value is None else [value]


def _moment(value: object) -> object:
    if kind_of(value) == kinds.DATE:
        return make_moment(cast(AnyDate, value), 0, UTC)
    return value if kind_of(value) == kinds.MOMENT else UNFIT


def _of_kind(kind: str) -> Callable[[object], object]:
    return lambda value: value if kind_of(value) == kind else UNFIT


FITS: dict[str, Callable[[object], object]] = {
    "any": lambda value: value,
    "value": lambda value: UNFIT if value is None else value,
    "null": lambda value: None if value is None else UNFIT,
    "number": _number,
    "integer": _integer,
    "string": lambda value: value if isinstance(value, str) else UNFIT,
    "boolean": lambda value: value if isinstance(value, bool) else UNFIT,
    "list": _list,
    "context": lambda value: value if isinstance(value, Mapping) else UNFIT,
    "range": lambda value: value if isinstance(value, Range) else UNFIT,
    "function": lambda value: value if isinstance(value, Function) else UNFIT,
    "date": _of_kind(kinds.DATE),
    "time": _of_kind(kinds.TIME),
    "moment": _of_kind(kinds.MOMENT),
    "date as moment": _moment,
    "days": _of_kind(kinds.DAYS),
    "months": _of_kind(kinds.MONTHS),
}


def call_function(
    run: Run, function: Function, arguments: list[object], at: int | None = None
) -> object:
    """Call a function value; a wrong number or type of arguments gives null and a diagnostic."""
    if len(arguments) != len(function.parameters) and not function.variadic:
        wanted = len(function.parameters)
        return run.fail(f"{function.name} takes {wanted} arguments, got {len(arguments)}", at)
    run.count(1, at)
    run.calls += 1
    try:
        if run.calls > run.limits.calls:
            raise FeelError(f"more than {run.limits.calls} calls inside each other", at)
        if function.parameter_types:
            arguments = [
                kind.coerce(value) if isinstance(kind, Type) else value
                for kind, value in zip(function.parameter_types, arguments, strict=True)
            ]
        found = function.invoke(arguments)
        kind = function.result_type
        return kind.coerce(found) if isinstance(kind, Type) else found
    except Mismatch as cause:
        return run.fail(f"{function.name}: {cause}", at)
    finally:
        run.calls -= 1
