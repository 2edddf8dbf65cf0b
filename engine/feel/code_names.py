"""Closures that read: variables, literals, lists, contexts, paths."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.feel.arithmetic import Refused
from engine.feel.compiler import Compiler, Level, compiles, constant, folded, missing, plain
from engine.feel.kinds import a_kind
from engine.feel.nodes import (
    Entries,
    FunctionBody,
    InstanceOf,
    ListItems,
    Literal,
    Name,
    Path,
    TypeName,
)
from engine.feel.properties import property_of
from engine.feel.run import Code, Frame, Run
from engine.feel.types import (
    ANY,
    SIMPLE_TYPES,
    ContextType,
    FunctionType,
    ListType,
    RangeType,
    Type,
)
from engine.feel.values import Function

_ABSENT = object()


@compiles(Literal)
def literal(compiler: Compiler, node: Literal) -> Code:
    """Compile a constant."""
    return constant(node.value)


@compiles(Name)
def name(compiler: Compiler, node: Name) -> Code:
    """Compile the reading of a variable: locals, then items of filters, then the scope."""
    dynamic: list[int] = []
    base: Code | None = None
    for distance, level in enumerate(reversed(compiler.levels)):
        if level.single == node.name:
            base = _frame_value(distance, node.name == "partial")
            break
        if node.name in level.names:
            base = _frame_entry(distance, node.name)
            break
        if level.is_item:
            if node.name == "item":
                return _item(distance)
            dynamic.append(distance)
    if base is None:
        compiler.note_read(node.name, node.at, not dynamic)
        base = _root(node.name, node.at) if not compiler.levels else _far(node.name, node.at)
    for distance in reversed(dynamic):
        base = _entry_of_item(distance, node.name, base)
    return base


def _root(key: str, at: int) -> Code:
    def read(env: Any) -> object:
        try:
            value = env.scope[key]
        except KeyError:
            return missing(env, key, at)
        return value if type(value) is not float else plain(value)

    return read


def _far(key: str, at: int) -> Code:
    def read(env: Any) -> object:
        run = env.run
        try:
            value = run.scope[key]
        except KeyError:
            return missing(run, key, at)
        return value if type(value) is not float else plain(value)

    return read


def _frame_value(distance: int, copied: bool) -> Code:
    if copied:

        def partial(env: Any) -> object:
            for _ in range(distance):
                env = env.up
            env.run.count(len(env.value))
            return list(env.value)

        return partial
    if distance == 0:
        return lambda env: env.value
    if distance == 1:
        return lambda env: env.up.value

    def read(env: Any) -> object:
        for _ in range(distance):
            env = env.up
        return env.value

    return read


def _frame_entry(distance: int, key: str) -> Code:
    if distance == 0:
        return lambda env: env.value.get(key)

    def read(env: Any) -> object:
        for _ in range(distance):
            env = env.up
        return env.value.get(key)

    return read


def _item(distance: int) -> Code:
    def read(env: Any) -> object:
        for _ in range(distance):
            env = env.up
        value = env.value
        return plain(value["item"]) if isinstance(value, Mapping) and "item" in value else value

    return read


def _entry_of_item(distance: int, key: str, otherwise: Code) -> Code:
    def read(env: Any) -> object:
        frame = env
        for _ in range(distance):
            frame = frame.up
        value = frame.value
        if type(value) is dict or isinstance(value, Mapping):
            found = value.get(key, _ABSENT)
            if found is not _ABSENT:
                return plain(found)
        return otherwise(env)

    return read


@compiles(ListItems)
def list_items(compiler: Compiler, node: ListItems) -> Code:
    """Compile a list literal."""
    items = [folded(item) for item in node.items]
    values = [item.value for item in items if isinstance(item, Literal)]
    if len(values) == len(items):
        return lambda env: values.copy()
    codes = [compiler.code(item) for item in items]
    return lambda env: [code(env) for code in codes]


@compiles(Entries)
def entries(compiler: Compiler, node: Entries) -> Code:
    """Compile a context; each entry sees the ones before it, a function also itself."""
    level = Level()
    codes: list[tuple[str, Code]] = []
    for key, value in node.entries:
        if isinstance(value, FunctionBody):
            level.names.add(key)
        codes.append((key, compiler.within(level, value)))
        level.names.add(key)
    if len(level.names) != len(codes):
        message = "an entry occurs twice in the context"
        compiler.problem(message, node.at)
        return lambda env: env.run.fail(message, node.at)

    def context(env: Any) -> object:
        result: dict[str, object] = {}
        frame = Frame(env, env.run, result)
        for key, code in codes:
            result[key] = code(frame)
        return result

    return context


@compiles(Path)
def path(compiler: Compiler, node: Path) -> Code:
    """Compile `base.name`: an entry, a property, or one of them for every item of a list."""
    base, key, at = compiler.code(node.base), node.name, node.at

    def read(env: Any) -> object:
        value = base(env)
        if type(value) is dict and key in value:
            found = value[key]
            return found if type(found) is not float else plain(found)
        return _step_into(env.run, value, key, at)

    return read


def _step_into(run: Run, value: object, key: str, at: int) -> object:
    if isinstance(value, Mapping):
        if key in value:
            return plain(value[key])
        return run.fail(f"the context has no entry '{key}'", at)
    if isinstance(value, (list, tuple)):
        run.count(len(value), at)
        return [_step_into(run, item, key, at) for item in value]
    if value is None:
        return run.fail(f"null has no '{key}'", at)
    try:
        return property_of(value, key)
    except Refused:
        return run.fail(f"{a_kind(value)} has no '{key}'", at)


@compiles(FunctionBody)
def function_body(compiler: Compiler, node: FunctionBody) -> Code:
    """Compile a function definition; calling it gives a `Function` that keeps its frame."""
    names, at = node.parameters, node.at
    if node.body is None:
        message = "external functions are not supported"
        compiler.problem(message, at)
        return lambda env: env.run.fail(message, at)
    types: list[Type | None] = [
        resolve_type(compiler, kind, at) if kind else None for kind in node.types
    ]
    declared = [kind or ANY for kind in types] if any(types) else []
    body = compiler.within(Level(names), node.body)

    def define(env: Any) -> object:
        run = env.run

        def invoke(values: list[object]) -> object:
            return body(Frame(env, run, dict(zip(names, values, strict=True))))

        return Function("the function", names, invoke, parameter_types=declared)

    return define


@compiles(InstanceOf)
def instance_of(compiler: Compiler, node: InstanceOf) -> Code:
    """Compile `value instance of type`; null is an instance of nothing."""
    value, kind, at = compiler.code(node.value), resolve_type(compiler, node.type, node.at), node.at
    if kind is None:
        message = f"there is no type '{node.type.name}'"
        return lambda env: env.run.fail(message, at)
    matches = kind.matches

    def test(env: Any) -> object:
        found = value(env)
        return found is not None and matches(found)

    return test


def resolve_type(compiler: Compiler, written: TypeName, at: int) -> Type | None:
    """Return the type that is meant; a problem and None where it is unknown."""
    parts = [resolve_type(compiler, part, at) for part in written.arguments]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    if written.name == "function":
        result = resolve_type(compiler, written.result, at) if written.result else ANY
        return FunctionType(known, result) if result is not None else None
    if written.keys:
        return ContextType(dict(zip(written.keys, known, strict=True)))
    if known:
        wrapped: Callable[[Type], Type] = ListType if written.name == "list" else RangeType
        return wrapped(known[0])
    found = compiler.types.get(written.name) or SIMPLE_TYPES.get(written.name)
    if found is None:
        compiler.problem(f"there is no type '{written.name}'", at)
    return found
