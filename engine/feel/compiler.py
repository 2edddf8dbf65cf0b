"""The tree to Python closures, once per text: names, lists, contexts, paths, functions, calls.

Where a name lives (loop, context, parameter, filter item or scope) is settled here: at run time a
local variable is a fixed number of frames away. `conditions.py` and `loops.py` compile the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Set
from decimal import Decimal
from typing import Any, TypeVar

from engine.feel import nodes
from engine.feel.library import BUILTINS, Builtin, call_function
from engine.feel.properties import PROPERTIES
from engine.feel.run import Code, Frame, Run
from engine.feel.types import ANY, SIMPLE_TYPES, Type
from engine.feel.values import (
    ANONYMOUS,
    ANYTHING,
    BOOLEAN,
    CONTEXT,
    FUNCTION,
    LIST,
    NULL,
    Function,
    a_kind,
    kind_of,
    missing,
    named,
    plain,
)

#: a closure, and the kind of its values unless they are null
Typed = tuple[Code, str]
_Made = TypeVar("_Made", Code, Typed)
#: the names whose values are in a frame; None for the frame of a filter, which holds the item
Level = Set[str] | None
#: the level of a loop that holds the results so far
PARTIAL: Level = frozenset({"partial"})
#: built-ins for which a missing variable is no complaint
_LENIENT = frozenset({"is defined", "get or else"})
_ABSENT = object()
#: types of values that may be no number, or infinite
_UNCLEAN = frozenset({float, Decimal})


class Compiler:
    """The state of one compilation."""

    def __init__(self, names: Iterable[str], kinds: Mapping[str, str] | None = None) -> None:
        #: variables declared by the caller
        self.names = frozenset(names)
        #: the kinds of those whose kind is known
        self.kinds = kinds or {}
        #: innermost last
        self.levels: list[Level] = []
        #: (name, offset, whether it can only be a variable of the scope)
        self.reads: list[tuple[str, int, bool]] = []
        #: (offset, message) for what cannot work at run time
        self.problems: list[tuple[int, str]] = []

    def code(self, node: nodes.Node) -> Code:
        """Return the closure of a node."""
        return self.typed(node)[0]

    def typed(self, node: nodes.Node) -> Typed:
        """Return the closure of a node, and the kind of its value unless that is null."""
        method, kind = COMPILERS[type(node)]
        made = method(self, node)
        return made if kind is None else (made, kind)

    def truth(self, node: nodes.Node, word: str) -> Code:
        """Return the closure of what `word` takes for true or false."""
        code, kind = self.typed(node)
        if kind not in (ANYTHING, BOOLEAN, NULL):
            self.complain(f"'{word}' needs true or false, got {named(kind)}", node.at)
        return code

    def complain(self, message: str, at: int) -> None:
        """Note something that cannot work."""
        if (at, message) not in self.problems:
            self.problems.append((at, message))

    def within(self, level: Level, node: nodes.Node) -> Code:
        """Return the closure of a node that runs one frame further in."""
        self.levels.append(level)
        found = self.code(node)
        self.levels.pop()
        return found

    def broken(self, message: str, at: int) -> Code:
        """Note something that cannot work, and return code that fails with the same words."""
        self.complain(message, at)
        return lambda env: env.run.fail(message, at)


_Method = Callable[[Compiler, Any], Any]
#: kind of node -> what compiles it, and the kind of its value; None where `Typed` is returned
COMPILERS: dict[type[nodes.Node], tuple[_Method, str | None]] = {}


def compiles(
    node: type[nodes.Node], kind: str | None = ANYTHING
) -> Callable[[Callable[[Compiler, Any], _Made]], Callable[[Compiler, Any], _Made]]:
    """Mark a function as the one that compiles this kind of node to values of a kind."""

    def mark(function: Callable[[Compiler, Any], _Made]) -> Callable[[Compiler, Any], _Made]:
        COMPILERS[node] = function, kind
        return function

    return mark


def constant(value: Any) -> Code:
    """Return code that always gives the value."""
    return lambda env: value


@compiles(nodes.Literal, None)
def literal(compiler: Compiler, node: nodes.Literal) -> Typed:
    """Compile a constant."""
    return constant(node.value), kind_of(node.value)


# names


@compiles(nodes.Name, None)
def name(compiler: Compiler, node: nodes.Name) -> Typed:
    """Compile the reading of a variable: locals, then items of filters, then the scope."""
    return variable(compiler, node, copied=True)


def variable(compiler: Compiler, node: nodes.Name, *, copied: bool) -> Typed:
    """Compile the reading of a variable; the results so far of a loop are copied unless only a
    part of them is passed on."""
    key, items, kind = node.name, [], ANYTHING
    for distance, level in enumerate(reversed(compiler.levels)):
        if level is None:
            if key == "item":
                return _item(distance), kind
            items.append(distance)
        elif key in level:
            base = _partial(distance) if copied and level is PARTIAL else _local(distance, key)
            break
    else:
        compiler.reads.append((key, node.at, not items))
        base = _read(key, node.at)
        kind = kind if items else compiler.kinds.get(key, kind)
    for distance in reversed(items):
        base = _entry_of_item(distance, key, base)
    return base, kind


def _read(key: str, at: int) -> Code:
    def read(env: Any) -> Any:
        run = env.run
        try:
            value = run.scope[key]
        except KeyError:
            if key in BUILTINS:
                return BUILTINS[key].as_value(run)
            return run.fail(missing("variable", key, run.scope), at) if run.listens else None
        return value if type(value) not in _UNCLEAN else _finite(run, key, value, at)

    return read


def _finite(run: Run, key: str, value: Any, at: int) -> Any:
    found = plain(value)
    return run.fail(f"'{key}' is infinite, or no number", at) if found is None else found


def _up(env: Any, distance: int) -> Any:
    for _ in range(distance):
        env = env.up
    return env.value


def _local(distance: int, key: str) -> Code:
    if distance == 0:
        return lambda env: env.value.get(key)
    if distance == 1:
        return lambda env: env.up.value.get(key)
    return lambda env: _up(env, distance).get(key)


def _partial(distance: int) -> Code:
    def read(env: Any) -> Any:
        results = _up(env, distance)["partial"]
        env.run.count(len(results))
        return results.copy()

    return read


def _item(distance: int) -> Code:
    def read(env: Any) -> Any:
        value = _up(env, distance) if distance else env.value
        return plain(value["item"]) if isinstance(value, Mapping) and "item" in value else value

    return read


def _entry_of_item(distance: int, key: str, otherwise: Code) -> Code:
    def read(env: Any) -> Any:
        value = _up(env, distance) if distance else env.value
        if type(value) is dict or isinstance(value, Mapping):
            found = value.get(key, _ABSENT)
            if found is not _ABSENT:
                return plain(found)
        return otherwise(env)

    return read


# lists, contexts, paths


@compiles(nodes.ListItems, LIST)
def list_items(compiler: Compiler, node: nodes.ListItems) -> Code:
    """Compile a list literal."""
    values = [item.value for item in node.items if isinstance(item, nodes.Literal)]
    if len(values) == len(node.items):
        return lambda env: values.copy()
    codes = [compiler.code(item) for item in node.items]
    return lambda env: [code(env) for code in codes]


@compiles(nodes.Entries, CONTEXT)
def entries(compiler: Compiler, node: nodes.Entries) -> Code:
    """Compile a context; each entry sees the ones before it, a function also itself."""
    level: set[str] = set()
    codes: list[tuple[str, Code]] = []
    for key, value in node.entries:
        if isinstance(value, nodes.FunctionBody):
            level.add(key)
        codes.append((key, compiler.within(level, value)))
        level.add(key)
    if len(level) != len(codes):
        return compiler.broken("an entry occurs twice in the context", node.at)

    def context(env: Any) -> Any:
        result: dict[str, Any] = {}
        frame = Frame(env, env.run, result)
        for key, code in codes:
            result[key] = code(frame)
        return result

    return context


@compiles(nodes.Path)
def path(compiler: Compiler, node: nodes.Path) -> Code:
    """Compile `base.name`: an entry, a property, or one of them for every item of a list."""
    base, key, at = compiler.code(node.base), node.name, node.at

    def read(env: Any) -> Any:
        value = base(env)
        if type(value) is dict and key in value:
            return plain(value[key])
        return _step_into(env.run, value, key, at)

    return read


def _step_into(run: Run, value: Any, key: str, at: int) -> Any:
    if isinstance(value, Mapping):
        if key in value:
            return plain(value[key])
        return run.fail(f"the context has no entry '{key}'", at)
    if isinstance(value, (list, tuple)):
        run.count(len(value), at)
        return [_step_into(run, item, key, at) for item in value]
    read = PROPERTIES.get(kind_of(value), {}).get(key)
    return read(value) if read else run.fail(f"{a_kind(value)} has no '{key}'", at)


# functions and types


@compiles(nodes.FunctionBody, FUNCTION)
def function_body(compiler: Compiler, node: nodes.FunctionBody) -> Code:
    """Compile a function definition; calling it gives a `Function` that keeps its frame."""
    names = node.parameters
    for kind in node.types:
        if isinstance(kind, str):
            compiler.broken(missing("type", kind, SIMPLE_TYPES), node.at)
    if node.body is None:
        return compiler.broken("external functions are not supported", node.at)
    types = [kind if isinstance(kind, Type) else ANY for kind in node.types]
    declared = types if any(kind is not ANY for kind in types) else []
    body = compiler.within(set(names), node.body)

    def define(env: Any) -> Any:
        def invoke(values: list[Any]) -> Any:
            return body(Frame(env, env.run, dict(zip(names, values, strict=True))))

        return Function(ANONYMOUS, names, invoke, parameter_types=declared)

    return define


@compiles(nodes.InstanceOf, BOOLEAN)
def instance_of(compiler: Compiler, node: nodes.InstanceOf) -> Code:
    """Compile `value instance of type`; null is an instance of Null only."""
    value, kind = compiler.code(node.value), node.type
    if isinstance(kind, str):
        return compiler.broken(missing("type", kind, SIMPLE_TYPES), node.at)
    matches = kind.matches

    def test(env: Any) -> Any:
        found = value(env)
        return matches(found) if found is not None else kind.name == NULL

    return test


@compiles(nodes.Call, None)
def call(compiler: Compiler, node: nodes.Call) -> Typed:
    """Compile a call. A variable with the name of a built-in hides it only if it is a function,
    so that `date(date)` works."""
    callee = node.callee
    typed = [compiler.typed(argument) for argument in node.arguments]
    arguments = [code for code, _ in typed]
    if not isinstance(callee, nodes.Name):
        return _dynamic(compiler.code(callee), arguments, node), ANYTHING
    known = BUILTINS.get(callee.name)
    local = any(level is not None and callee.name in level for level in compiler.levels)
    declared = local or callee.name in compiler.names
    if known is None:
        if not declared and None not in compiler.levels:
            known_names = {*BUILTINS, *compiler.names}
            wrong = missing("function", callee.name, known_names, "see the built-in functions")
            compiler.complain(wrong, node.at)
        return _dynamic(compiler.code(callee), arguments, node), ANYTHING
    static, kind = _static(compiler, known, arguments, node), ANYTHING
    if not local:
        complaint, kind = known.judged([kind for _, kind in typed], node.names)
        if complaint:
            compiler.complain(complaint, node.at)
    if not declared:
        return static, kind
    own, called = compiler.code(callee), _dynamic(compiler.code(callee), arguments, node)

    def choose(env: Any) -> Any:
        value = own(env)
        mine = isinstance(value, Function) and not value.variadic
        return called(env) if mine else static(env)

    return choose, kind


def _dynamic(function: Code, arguments: Collection[Code], node: nodes.Call) -> Code:
    names, at = node.names, node.at

    def invoke(env: Any) -> Any:
        value = function(env)
        values = [argument(env) for argument in arguments]
        if not isinstance(value, Function):
            return env.run.fail(f"{a_kind(value)} cannot be called", at)
        return call_function(env.run, value, values, at, names)

    return invoke


def _static(compiler: Compiler, known: Builtin, arguments: list[Code], node: nodes.Call) -> Code:
    names, at, invoke = node.names, node.at, known.invoke
    if known.name in _LENIENT:
        arguments = [_quiet(argument) for argument in arguments]
    wrong = known.misfit(len(arguments), names)
    if known.name == "@":
        wrong = "this text after @ is not a date, a time or a duration"
    if wrong:
        compiler.complain(wrong if known.name == "@" else f"{known.name} {wrong}", at)

    def run(env: Any) -> Any:
        return invoke(env.run, [argument(env) for argument in arguments], at, names)

    return run


def _quiet(code: Code) -> Code:
    def silenced(env: Any) -> Any:
        run = env.run
        kept = run.diagnostics, run.strict
        run.diagnostics, run.strict = None, False
        try:
            return code(env)
        finally:
            run.diagnostics, run.strict = kept

    return silenced
