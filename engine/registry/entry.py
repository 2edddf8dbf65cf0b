"""One handler, checked and ready to be called: from a marked function to a catalogue entry."""

from __future__ import annotations

import inspect
import keyword
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_type_hints, is_typeddict

from engine import codec
from engine.errors import BadInput, HandlerSetupError, OutputTooLarge
from engine.registry.hints import Hint, hint_of
from engine.registry.marks import HandlerContext, Mark
from engine.settings import Settings

_CONTEXT = "context"
_ANY_SIZE = 1 << 40
_NO_DEFAULT = inspect.Parameter.empty


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerInput:
    """One input of a handler, as the catalogue shows it and as a call reads it."""

    #: name of the variable
    name: str
    #: name of the parameter: the same, but `from_` for the variable `from`
    parameter: str
    #: type, whether null is allowed, choices and note
    hint: Hint
    #: False if the handler can do without it
    required: bool
    #: used when the variable is missing or null; None if required
    default: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerEntry:
    """A handler with its catalogue entry; `call` is all that a worker needs."""

    name: str
    function: Callable[..., Any]
    #: file and line of the function
    source: str
    #: attempts beyond the first
    retries: int
    #: how long one attempt may take; seconds
    timeout_s: float
    #: first wait of the back-off; seconds
    backoff_s: float
    #: how many calls one worker process makes at the same time; None: as many as it has threads
    at_once: int | None
    #: how many calls all worker processes make at the same time; None: no limit
    at_once_everywhere: int | None
    #: the input whose value is the lane; None: none
    lane: str | None
    #: called inside the step, without a work item
    inline: bool
    inputs: tuple[HandlerInput, ...]
    #: names of the outputs, if the function returns a TypedDict
    outputs: tuple[str, ...]
    #: gets every variable it does not name, by **keywords
    takes_rest: bool
    #: asks for the HandlerContext
    takes_context: bool
    #: names for people, English and Chinese; may be empty
    title: str
    title_zh: str
    #: the docstring, dedented
    doc: str
    #: largest output; bytes of JSON
    result_limit: int

    @property
    def parameters(self) -> tuple[str, ...] | None:
        """The names of the inputs; None if the handler takes all visible variables."""
        return None if self.takes_rest else tuple(item.name for item in self.inputs)

    def call(self, inputs: Mapping[str, Any], context: HandlerContext) -> dict[str, Any]:
        """Call the function with inputs by name and return its checked output.

        Raises BadInput for a missing or unfit input and for an output that is no dict of
        JSON-able values or larger than the limit; anything else comes from the handler itself.
        """
        if self.inline:
            # its inputs are the scopes themselves, which live on
            inputs = {name: _copy(value) for name, value in inputs.items()}
        arguments = self._arguments(inputs)
        if self.takes_context:
            arguments[_CONTEXT] = context
        result = self.function(**arguments)
        if result is None:
            return {}
        if not isinstance(result, Mapping):
            kind = type(result).__name__
            raise BadInput(f"handler {self.name!r} returned {kind}, not a dict of outputs or None")
        try:
            return self._admitted(dict(result))
        except OutputTooLarge:
            raise
        except BadInput as error:
            raise BadInput(f"handler {self.name!r}: {error}") from error

    def _admitted(self, result: dict[str, Any]) -> dict[str, Any]:
        try:
            admitted: Any = codec.admit(result, max_bytes=self.result_limit, path="output")
        except BadInput:
            # what is wrong may be its size alone, or something else, which is then told
            whole = codec.admit(result, max_bytes=_ANY_SIZE, path="output")
            raise OutputTooLarge(
                f"handler {self.name!r} returned {len(codec.encode(whole))} bytes of JSON, "
                f"result_limit allows {self.result_limit}: return a reference to it, "
                "or raise the limit"
            ) from None
        assert isinstance(admitted, dict)
        return admitted

    def _arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        arguments = {item.parameter: self._argument(item, inputs) for item in self.inputs}
        if self.takes_rest:
            named = {_CONTEXT, *arguments, *(item.name for item in self.inputs)}
            arguments |= {name: value for name, value in inputs.items() if name not in named}
        return arguments

    def _argument(self, item: HandlerInput, inputs: Mapping[str, Any]) -> Any:
        value = inputs.get(item.name)
        if value is None:
            if item.hint.nullable and item.name in inputs:
                return None
            if not item.required:
                return item.default
            state = "null" if item.name in inputs else "missing"
            raise BadInput(
                f"input {item.name!r} of handler {self.name!r} is {state}: "
                "map it in the diagram, or set a variable of that name before"
            )
        try:
            return item.hint.read(value)
        except ValueError as error:
            raise BadInput(f"input {item.name!r} of handler {self.name!r}: {error}") from error


def entry_of(function: Callable[..., Any], mark: Mark, settings: Settings) -> HandlerEntry:
    """Check a marked function and return its entry; HandlerSetupError says what is wrong where."""
    source = _source(function)
    try:
        inputs, rest, context = _signature(function)
        outputs = _outputs(function)
    except (TypeError, NameError) as error:
        raise HandlerSetupError(f"handler {mark.name!r} ({source}): {error}") from error
    return HandlerEntry(
        name=mark.name,
        function=function,
        source=source,
        retries=settings.retries if mark.retries is None else mark.retries,
        timeout_s=_first(
            settings.timeout_of(mark.name), mark.timeout_s, settings.handler_timeout_s
        ),
        backoff_s=settings.backoff_base_s if mark.backoff_s is None else mark.backoff_s,
        at_once=_first(settings.at_once_of(mark.name), mark.at_once),
        at_once_everywhere=_first(settings.everywhere_of(mark.name), mark.at_once_everywhere),
        lane=_lane(mark, inputs, rest, source),
        inline=mark.inline,
        inputs=inputs,
        outputs=outputs,
        takes_rest=rest,
        takes_context=context,
        title=mark.title,
        title_zh=mark.title_zh,
        doc=inspect.getdoc(function) or "",
        result_limit=settings.result_limit,
    )


def _first(*given: Any) -> Any:
    """Return the first that is not None: the admin's word, then the mark's, then the default."""
    return next((value for value in given if value is not None), None)


def _lane(mark: Mark, inputs: Sequence[HandlerInput], rest: bool, source: str) -> str | None:
    known = [item.name for item in inputs]
    if mark.lane is not None and not rest and mark.lane not in known:
        raise HandlerSetupError(
            f"handler {mark.name!r} ({source}): lane {mark.lane!r} is none of its inputs: "
            f"{', '.join(known) or 'it has none'}"
        )
    return mark.lane


def _signature(function: Callable[..., Any]) -> tuple[tuple[HandlerInput, ...], bool, bool]:
    """Return the inputs, whether it takes the rest, and whether it asks for the context."""
    unwrapped = inspect.unwrap(function)
    if inspect.iscoroutinefunction(unwrapped) or inspect.isgeneratorfunction(unwrapped):
        raise TypeError("a handler is a plain function: no async, no yield")
    hints = get_type_hints(unwrapped, include_extras=True)
    inputs, rest, context = [], False, False
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL):
            raise TypeError(f"{parameter}: inputs come by name, so no positional-only and no *")
        if parameter.kind is parameter.VAR_KEYWORD:
            rest = True
        elif parameter.name == _CONTEXT:
            context = True
        else:
            inputs.append(_input(parameter, hints))
    return tuple(inputs), rest, context


def _input(parameter: inspect.Parameter, hints: Mapping[str, Any]) -> HandlerInput:
    if parameter.name not in hints:
        raise TypeError(f"parameter {parameter.name!r} needs a type hint")
    try:
        hint = hint_of(hints[parameter.name])
    except TypeError as error:
        raise TypeError(f"parameter {parameter.name!r}: {error}")
    has_default = parameter.default is not _NO_DEFAULT
    return HandlerInput(
        name=_variable(parameter.name),
        parameter=parameter.name,
        hint=hint,
        required=not has_default and not hint.nullable,
        default=parameter.default if has_default else None,
    )


def _variable(parameter: str) -> str:
    """Return the variable a parameter stands for; Python's own words get a `_` behind them."""
    word = parameter.removesuffix("_")
    return word if keyword.iskeyword(word) else parameter


def _outputs(function: Callable[..., Any]) -> tuple[str, ...]:
    returned = get_type_hints(inspect.unwrap(function)).get("return")
    return tuple(get_type_hints(returned)) if is_typeddict(returned) else ()


def _source(function: Callable[..., Any]) -> str:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else repr(function)


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(part) for key, part in value.items()}
    return [_copy(part) for part in value] if isinstance(value, list) else value
