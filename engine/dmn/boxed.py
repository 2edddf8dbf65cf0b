"""Boxed expressions with parts: context, list, relation, conditional, function, invocation."""

from __future__ import annotations

from lxml.etree import _Element as Element

from engine.dmn.compiler import Compiler, Names, boxes
from engine.dmn.evaluation import Code, Evaluation, Scope
from engine.dmn.findings import id_near
from engine.dmn.xml import child, children, named
from engine.feel.library import call_function
from engine.feel.run import Run
from engine.feel.types import ANY, Type
from engine.feel.values import ANONYMOUS, Function, a_kind
from engine.sentences import Phrase, phrase


@boxes("context")
def context(compiler: Compiler, element: Element, names: Names) -> Code:
    """Compile a context; each entry sees the ones before it, one without a name is the result."""
    entries: list[tuple[str, Code]] = []
    result: Code | None = None
    for entry in children(element, "contextEntry"):
        variable = child(entry, "variable")
        name = "" if variable is None else named(variable)
        inside = names | {name} if _is_function(compiler, entry) else names
        code = compiler.required(entry, _entry(name), inside)
        code = compiler.coerced(code, compiler.types.of(variable), entry)
        if name:
            if any(name == known for known, _ in entries):
                compiler.findings.error(
                    entry, "the entry “{name}” occurs twice", "rename one", name=name
                )
            entries.append((name, code))
            names = names | {name}
        else:
            result = code

    def build(scope: Scope, run: Evaluation) -> object:
        inner = dict(scope)
        made: dict[str, object] = {}
        for name, code in entries:
            made[name] = inner[name] = code(inner, run)
        return made if result is None else result(inner, run)

    return build


def _entry(name: str) -> Phrase:
    return phrase("the entry “{name}”", name=name) if name else phrase("the result")


def _is_function(compiler: Compiler, owner: Element) -> bool:
    return child(owner, "functionDefinition") is not None


@boxes("list")
def listed(compiler: Compiler, element: Element, names: Names) -> Code:
    """Compile a list."""
    items = [compiler.box(item, names) for item in element if compiler.is_box(item)]
    return lambda scope, run: [item(scope, run) for item in items]


@boxes("relation")
def relation(compiler: Compiler, element: Element, names: Names) -> Code:
    """Compile a relation: a list of contexts, one per row."""
    columns = list(children(element, "column"))
    keys = [named(column) for column in columns]
    rows: list[list[Code]] = []
    for row in children(element, "row"):
        cells = [cell for cell in row if compiler.is_box(cell)]
        if len(cells) != len(keys):
            compiler.findings.error(
                row, "the row has {cells} cells, the relation {columns} columns",
                "give the row one cell for each column",
                cells=len(cells), columns=len(keys),
            )  # fmt: skip
        rows.append(
            [
                compiler.coerced(compiler.box(cell, names), compiler.types.of(column), cell)
                for cell, column in zip(cells, columns, strict=False)
            ]
        )

    def build(scope: Scope, run: Evaluation) -> object:
        return [
            {key: cell(scope, run) for key, cell in zip(keys, row, strict=False)} for row in rows
        ]

    return build


@boxes("conditional")
def conditional(compiler: Compiler, element: Element, names: Names) -> Code:
    """Compile if, then and else; only the chosen branch is evaluated."""
    test, yes, no = (part(compiler, element, name, names) for name in ("if", "then", "else"))
    id = id_near(element)

    def choose(scope: Scope, run: Evaluation) -> object:
        found = test(scope, run)
        if found is not None and not isinstance(found, bool):
            run.note(id, f"the condition is true or false, not {a_kind(found)}")
            return None
        return yes(scope, run) if found is True else no(scope, run)

    return choose


def part(compiler: Compiler, element: Element, name: str, names: Names) -> Code:
    """Compile the expression inside a named part of a boxed expression."""
    found = child(element, name)
    if found is None:
        compiler.findings.error(element, "the part “{name}” is missing", "fill it in", name=name)
        return compiler.box(None, names)
    code = compiler.required(found, phrase("the part “{name}”", name=name), names)
    return compiler.coerced(code, compiler.types.of(found), found)


@boxes("functionDefinition")
def function(compiler: Compiler, element: Element, names: Names) -> Code:
    """Compile a function definition; its value keeps the scope it was made in."""
    body, parameters, types = function_parts(compiler, element, names)
    if body is None:
        return compiler.box(None, names)

    def define(scope: Scope, run: Evaluation) -> object:
        return make_function(ANONYMOUS, parameters, types, body, scope, run, None)

    return define


def function_parts(
    compiler: Compiler, element: Element, names: Names
) -> tuple[Code | None, list[str], list[Type]]:
    """Return body, names and types of the parameters; no body for what is not FEEL."""
    drawn = list(children(element, "formalParameter"))
    parameters = [named(parameter) for parameter in drawn]
    types = [compiler.types.of(parameter) or ANY for parameter in drawn]
    kind = (element.get("kind") or "FEEL").upper()
    if kind not in ("FEEL", "F"):
        compiler.findings.unsupported(
            element, "functions of kind {kind} are not executed", "write it in FEEL", kind=kind
        )
        return None, parameters, types
    inside = names | set(parameters)
    return compiler.required(element, phrase("the function"), inside), parameters, types


def make_function(
    name: str,
    parameters: list[str],
    types: list[Type],
    body: Code,
    scope: Scope,
    run: Evaluation,
    result: Type | None,
) -> Function:
    """Return a function of the model as FEEL calls it; it may call itself by its name."""

    def invoke(values: list[object]) -> object:
        run.enter()
        try:
            return body({**scope, **dict(zip(parameters, values, strict=True))}, run)
        finally:
            run.depth -= 1

    declared = types if any(kind is not ANY for kind in types) else []
    return Function(name, parameters, invoke, parameter_types=declared, result_type=result)


@boxes("invocation")
def invocation(compiler: Compiler, element: Element, names: Names) -> Code:
    """Compile the call of a function with named arguments."""
    called = compiler.required(element, phrase("the invocation"), names)
    keys: list[str] = []
    codes: list[Code] = []
    for binding in children(element, "binding"):
        parameter = child(binding, "parameter")
        keys.append("" if parameter is None else named(parameter))
        code = compiler.box(compiler.boxed(binding), names)
        codes.append(compiler.coerced(code, compiler.types.of(parameter), binding))
    id = id_near(element)

    def invoke(scope: Scope, run: Evaluation) -> object:
        target = called(scope, run)
        values = [code(scope, run) for code in codes]
        if not isinstance(target, Function):
            run.note(id, f"{a_kind(target)} cannot be called")
            return None
        return call(run, target, dict(zip(keys, values, strict=True)), id)

    return invoke


def call(run: Evaluation, target: Function, arguments: dict[str, object], id: str | None) -> object:
    """Call a function value with named arguments; null with a note where they do not fit."""
    inner = Run({})
    inner.now = run.now
    inner.diagnostics = []
    found = call_function(inner, target, list(arguments.values()), 0, list(arguments))
    for message, _ in inner.diagnostics:
        run.note(id, message)
    return found
