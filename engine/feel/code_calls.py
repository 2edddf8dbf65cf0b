"""Closures of calls: to built-ins, which are settled at compile time, and to function values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.feel.compiler import Compiler, compiles, constant
from engine.feel.kinds import a_kind
from engine.feel.library import BUILTINS, Builtin, call_function
from engine.feel.nodes import Call, Literal, Name
from engine.feel.run import Code, Run
from engine.feel.values import Function

#: built-ins for which a missing variable is no complaint
_CONSTRUCTORS = frozenset({"date", "time", "date and time", "duration"})
_LENIENT = frozenset({"is defined", "get or else"})


@compiles(Call)
def call(compiler: Compiler, node: Call) -> Code:
    """Compile a call. A variable with the name of a built-in hides it only if it is a function,
    so that `date(date)` works."""
    callee = node.callee
    arguments = [compiler.code(argument) for argument in node.arguments]
    if not isinstance(callee, Name):
        return _dynamic(compiler.code(callee), arguments, node)
    known = BUILTINS.get(callee.name)
    declared = compiler.is_local(callee.name) or callee.name in compiler.names
    if known is None:
        if not declared and not any(level.is_item for level in compiler.levels):
            compiler.problem(f"there is no function '{callee.name}'", node.at)
        return _dynamic(compiler.code(callee), arguments, node)
    code = _static(compiler, known, arguments, node)
    if not declared:
        return code
    variable, called = compiler.code(callee), _dynamic(compiler.code(callee), arguments, node)

    def choose(env: Any) -> object:
        value = variable(env)
        own = isinstance(value, Function) and not value.variadic
        return called(env) if own else code(env)

    return choose


def _static(compiler: Compiler, known: Builtin, arguments: list[Code], node: Call) -> Code:
    _check(compiler, known, node)
    made = _made(known, node)
    if made is not None:
        return constant(made)
    code = _builtin(known, arguments, node)
    return _quiet(code) if known.name in _LENIENT else code


def _dynamic(function: Code, arguments: list[Code], node: Call) -> Code:
    names, at = node.names, node.at

    def invoke(env: Any) -> object:
        value = function(env)
        values = [argument(env) for argument in arguments]
        if not isinstance(value, Function):
            return env.run.fail(f"{a_kind(value)} cannot be called", at)
        if names:
            return call_named(env.run, value, values, names, at)
        return call_function(env.run, value, values, at)

    return invoke


def _made(known: Builtin, node: Call) -> object:
    """Return what a constructor makes of literals, once and for all; None for any other call."""
    values = [argument.value for argument in node.arguments if isinstance(argument, Literal)]
    if known.name not in _CONSTRUCTORS or node.names or len(values) < len(node.arguments):
        return None
    return known.invoke(Run({}), values, node.at)


def _check(compiler: Compiler, known: Builtin, node: Call) -> None:
    if known.name == "@":
        compiler.problem("this text after @ is not a date, a time or a duration", node.at)
    elif node.names:
        if not any(s.order(node.names) is not None for s in known.signatures):
            wrong = ", ".join(node.names)
            compiler.problem(f"{known.name} has no parameters named {wrong}", node.at)
    elif not known.takes(len(node.arguments)):
        count = len(node.arguments)
        compiler.problem(f"{known.name} takes {known.arity()} arguments, got {count}", node.at)


def _builtin(known: Builtin, arguments: list[Code], node: Call) -> Code:
    names, at = node.names, node.at
    if names:
        return lambda env: known.invoke_named(
            env.run, [argument(env) for argument in arguments], names, at
        )
    return lambda env: known.invoke(env.run, [argument(env) for argument in arguments], at)


def _quiet(code: Code) -> Code:
    def silenced(env: Any) -> object:
        run = env.run
        kept = run.diagnostics, run.strict
        run.diagnostics, run.strict = None, False
        try:
            return code(env)
        finally:
            run.diagnostics, run.strict = kept

    return silenced


def call_named(
    run: Run, function: Function, values: list[object], names: Sequence[str], at: int
) -> object:
    """Call a function value with named arguments; null and a diagnostic where names differ."""
    given = dict(zip(names, values, strict=True))
    if function.variadic and function.name in BUILTINS:
        return BUILTINS[function.name].invoke_named(run, values, names, at)
    if len(given) != len(names) or set(given) != set(function.parameters):
        wanted = ", ".join(function.parameters) or "none"
        return run.fail(f"{function.name} has the parameters {wanted}", at)
    return call_function(run, function, [given[name] for name in function.parameters], at)
