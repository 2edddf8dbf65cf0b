"""The languages a diagram may use, by name. FEEL always, Python only if asked.

The kernel and the deploy gate get one `Languages` object; nothing else compiles expressions.
"""

from __future__ import annotations

import builtins
import copy
from collections.abc import Iterable, Mapping
from datetime import datetime
from types import CodeType
from typing import Any, Literal, Protocol

from RestrictedPython.compile import compile_restricted
from RestrictedPython.Eval import default_guarded_getitem, default_guarded_getiter
from RestrictedPython.Guards import (
    full_write_guard,
    guarded_iter_unpack_sequence,
    guarded_unpack_sequence,
    safe_builtins,
    safer_getattr,
)

from engine import codec, feel
from engine.errors import BadInput, BpmnError, ExecutionFault, FeelError
from engine.model import Value

#: larger values of a script variable are refused
SCRIPT_BYTES = 16 * 1024 * 1024


class Expression(Protocol):
    """A compiled text that has a value."""

    #: the text as drawn, without a leading `=`
    text: str

    def evaluate(self, scope: Mapping[str, Value], now: datetime) -> Value:
        """Return the value in this scope; raises ExecutionFault."""
        ...


class Script(Protocol):
    """A compiled text that changes variables."""

    def execute(self, scope: Mapping[str, Value], now: datetime) -> dict[str, Value]:
        """Return the variables that are new or differ; raises ExecutionFault or BpmnError."""
        ...


class Language(Protocol):
    """What a language must offer."""

    def expression(self, text: str) -> Expression:
        """Compile an expression; raises FeelError or ExecutionFault with the position."""
        ...

    def script(self, text: str) -> Script:
        """Compile a script; raises ExecutionFault if the language has none."""
        ...


class Languages:
    """The table of languages of one engine, with a default for unmarked texts of plain BPMN."""

    def __init__(self, default: str = "feel", **more: Language) -> None:
        self._table: dict[str, Language] = {
            "feel": _Feel(),
            "literal": _Literals(),
            "variable": _VariableNames(),
            **more,
        }
        if default not in self._table:
            raise ExecutionFault(f"the default language {default!r} is not switched on")
        #: language of texts that carry no mark in plain BPMN
        self.default = default

    def knowing(self, names: Iterable[str]) -> Languages:
        """Return the same table, whose FEEL reads these names as one although they hold blanks."""
        spaced = frozenset(name for name in names if name and not name.isidentifier())
        if not spaced:
            return self
        return Languages(self.default, **{**self._table, "feel": _Feel(spaced)})

    def has(self, language: str) -> bool:
        """Tell whether a language is switched on."""
        return language in self._table

    def expression(self, text: str, language: str | None = None) -> Expression:
        """Compile an expression of a language (None: the default)."""
        return self._find(language).expression(text)

    def script(self, text: str, language: str | None = None) -> Script:
        """Compile a script of a language (None: the default)."""
        return self._find(language).script(text)

    def _find(self, language: str | None) -> Language:
        found = self._table.get(language or self.default)
        if found is None:
            raise ExecutionFault(f"the language {language!r} is not switched on here")
        return found


# ------------------------------------------------------------------ FEEL


class _FeelExpression:
    __slots__ = ("_compiled", "problems", "text")

    def __init__(self, text: str, names: frozenset[str] = frozenset()) -> None:
        self.text = text
        self._compiled = feel.compile(text, names=names)
        self.problems = self._compiled.problems

    def evaluate(self, scope: Mapping[str, Value], now: datetime) -> Value:
        return self._compiled.evaluate(scope, now=now)

    def reasons(self, scope: Mapping[str, Value], now: datetime) -> str:
        """Say why the value is null, for people."""
        found: list[Any] = []
        self._compiled.evaluate(scope, now=now, diagnostics=found)
        return "; ".join(dict.fromkeys(str(message) for message, _ in found))


class _FeelScript:
    """A FEEL script gives a context; its entries become variables."""

    __slots__ = ("_expression",)

    def __init__(self, text: str, names: frozenset[str] = frozenset()) -> None:
        self._expression = _FeelExpression(text, names)

    def execute(self, scope: Mapping[str, Value], now: datetime) -> dict[str, Value]:
        result = self._expression.evaluate(scope, now)
        if result is None:
            return {}
        if not isinstance(result, dict):
            raise FeelError("a FEEL script gives a context {name: value, ...} or null")
        return result


class _Feel:
    """FEEL, with the names that are written with blanks or operators inside."""

    def __init__(self, names: frozenset[str] = frozenset()) -> None:
        self.names = names

    def expression(self, text: str) -> Expression:
        return _FeelExpression(text, self.names)

    def script(self, text: str) -> Script:
        return _FeelScript(text, self.names)


# ------------------------------------------------------------------ plain texts


class _Constant:
    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def evaluate(self, scope: Mapping[str, Value], now: datetime) -> Value:
        return self.text


class _Literals:
    def expression(self, text: str) -> Expression:
        return _Constant(text)

    def script(self, text: str) -> Script:
        raise ExecutionFault("a literal text is no script")


class VariableName:
    """The name of a variable; its value may be absent, which is not the same as null."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def evaluate(self, scope: Mapping[str, Value], now: datetime) -> Value:
        return scope.get(self.text)


class _VariableNames:
    def expression(self, text: str) -> Expression:
        return VariableName(text)

    def script(self, text: str) -> Script:
        raise ExecutionFault("a variable name is no script")


# ------------------------------------------------------------------ Python


def _all_names(code: CodeType) -> frozenset[str]:
    """Return every global name that the code or its inner functions read or write."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _all_names(constant)
    return frozenset(names)


class Python:
    """Python for imported diagrams. It has no time limit: for trusted deployers only.

    `names` are offered to scripts besides the variables. `restricted=False` compiles plain Python
    and is meant for tests that bring their own names.
    """

    def __init__(self, names: Mapping[str, object] | None = None, restricted: bool = True) -> None:
        self.names: Mapping[str, object] = names or {}
        self.restricted = restricted
        self._globals = _restricted_globals() if restricted else {"__builtins__": builtins}

    def expression(self, text: str) -> Expression:
        return _PythonExpression(self, text.strip(), self._compile(text.strip(), "eval"))

    def script(self, text: str) -> Script:
        return _PythonScript(self, self._compile(_dedent(text), "exec"))

    def _compile(self, text: str, mode: Literal["exec", "eval"]) -> CodeType:
        try:
            if self.restricted:
                code: CodeType = compile_restricted(text, "<script>", mode)
            else:
                code = compile(text, "<script>", mode)
        except (SyntaxError, ValueError) as error:
            raise ExecutionFault(f"Python does not accept this: {error}") from error
        return code

    def namespace(self, read: frozenset[str], scope: Mapping[str, Value]) -> dict[str, Any]:
        """Return globals for one run: copies of the variables that the code mentions."""
        space: dict[str, Any] = {**self._globals, **self.names}
        for name in read:
            if name not in self.names and name in scope:
                space[name] = copy.deepcopy(scope[name])
        return space

    def fault(self, error: BaseException) -> Exception:
        """Turn what a script raised into a BpmnError or an ExecutionFault.

        A script is a guest: whatever it raises is the diagram's fault, which the kernel names with
        the element.
        """
        own = self.names.get("BpmnError")
        if isinstance(error, BpmnError):
            return error
        if isinstance(own, type) and isinstance(error, own):
            return BpmnError(str(getattr(error, "code", "")))
        return ExecutionFault(f"{type(error).__name__}: {error}")


class _PythonExpression:
    __slots__ = ("_code", "_names", "_python", "text")

    def __init__(self, python: Python, text: str, code: CodeType) -> None:
        self.text = text
        self._python = python
        self._code = code
        self._names = _all_names(code)

    def evaluate(self, scope: Mapping[str, Value], now: datetime) -> Value:
        space = self._python.namespace(self._names, scope)
        try:
            return eval(self._code, space)  # noqa: S307 - compiled at deploy, see Python
        except (Exception, SystemExit) as error:
            raise self._python.fault(error) from error


class _PythonScript:
    __slots__ = ("_code", "_names", "_python")

    def __init__(self, python: Python, code: CodeType) -> None:
        self._python = python
        self._code = code
        self._names = _all_names(code)

    def execute(self, scope: Mapping[str, Value], now: datetime) -> dict[str, Value]:
        space = self._python.namespace(self._names, scope)
        try:
            exec(self._code, space)  # noqa: S102 - compiled at deploy, see Python
        except (Exception, SystemExit) as error:
            raise self._python.fault(error) from error
        return self._changes(space, scope)

    def _changes(self, space: dict[str, Any], scope: Mapping[str, Value]) -> dict[str, Value]:
        given = self._python.names
        changed: dict[str, Value] = {}
        for name in sorted(self._names):
            if name not in space or (name in given and space[name] is given[name]):
                continue
            value = space[name]
            if name in scope and same(value, scope[name]):
                continue
            if callable(value) or name.startswith("_"):
                continue  # functions a script defines for itself are no variables
            changed[name] = self._admitted(name, value)
        return changed

    def _admitted(self, name: str, value: object) -> Value:
        try:
            return codec.admit(value, max_bytes=SCRIPT_BYTES)
        except BadInput as error:
            message = f"the script gives the variable {name} a value it cannot hold: {error}"
            raise ExecutionFault(message) from error


def doubts(expression: Expression) -> tuple[tuple[int, str], ...]:
    """Return (offset, message) for parts that never have a value; none for other languages."""
    return expression.problems if isinstance(expression, _FeelExpression) else ()


def reasons(expression: Expression, scope: Mapping[str, Value], now: datetime) -> str:
    """Say why an expression is null; "" if its language does not tell."""
    return expression.reasons(scope, now) if isinstance(expression, _FeelExpression) else ""


def storable(value: object) -> bool:
    """Tell whether a variable can hold a value: no functions, no ranges, no reserved names."""
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, (feel.Function, feel.Range)):
            return False
        if isinstance(one, dict):
            if any(not isinstance(k, str) or k.startswith("\x01") for k in one):
                return False
            todo.extend(one.values())
        elif isinstance(one, (list, tuple)):
            todo.extend(one)
    return True


def same(one: Value, other: Value) -> bool:
    """Tell whether two values are equal and of equal types throughout (1 is not true)."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(v, other[k]) for k, v in one.items())
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def _dedent(text: str) -> str:
    """Strip blank lines around and the common indentation that a modeler leaves."""
    lines = text.expandtabs(8).split("\n")
    while lines and not lines[0].strip():
        lines.pop(0)
    indents = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
    # the first line often stands right behind the opening tag
    rest = min(indents[1:], default=0) if indents and indents[0] == 0 else min(indents, default=0)
    if indents and indents[0] == 0 and rest and not lines[0].rstrip().endswith(":"):
        return "\n".join([lines[0]] + [line[rest:] for line in lines[1:]]).rstrip()
    cut = min(indents, default=0)
    return "\n".join(line[cut:] for line in lines).rstrip()


def _restricted_globals() -> dict[str, Any]:
    allowed = {
        **safe_builtins,
        "_getattr_": safer_getattr,
        "dict": dict,
        "list": list,
        "max": max,
        "min": min,
        "sum": sum,
        "enumerate": enumerate,
        "any": any,
        "all": all,
        "set": set,
    }
    return {
        "__builtins__": allowed,
        "_getattr_": safer_getattr,
        "_getitem_": default_guarded_getitem,
        "_getiter_": default_guarded_getiter,
        "_iter_unpack_sequence_": guarded_iter_unpack_sequence,
        "_unpack_sequence_": guarded_unpack_sequence,
        "_write_": full_write_guard,
        "_inplacevar_": _inplace,
        "BpmnError": BpmnError,
    }


_OPERATORS = {
    "+=": lambda a, b: a + b,
    "-=": lambda a, b: a - b,
    "*=": lambda a, b: a * b,
    "/=": lambda a, b: a / b,
    "//=": lambda a, b: a // b,
    "%=": lambda a, b: a % b,
}


def _inplace(operator: str, left: Any, right: Any) -> Any:
    if operator not in _OPERATORS:
        raise ExecutionFault(f"the operator {operator} is not allowed in scripts")
    return _OPERATORS[operator](left, right)
