"""Reads decision tables: clauses and rules of the file become columns and closures, once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from lxml.etree import _Element as Element

from engine import feel
from engine.dmn.cells import Cell, Column, constant, tests_of
from engine.dmn.compiler import Compiler, Names, boxes
from engine.dmn.evaluation import Code
from engine.dmn.findings import id_near
from engine.dmn.gaps import Check
from engine.dmn.hits import AGGREGATIONS, POLICIES, Policy
from engine.dmn.tables import Input, Output, Rule, Table
from engine.dmn.types import constraints, simple_kind
from engine.dmn.xml import child, children, named, text_of
from engine.feel.values import DATE, MOMENT

_PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
#: rules of one table: what it takes to look them up grows with their square
MAX_RULES = 10_000
#: types of other tools that FEEL takes for numbers
_WHOLE = frozenset({"integer", "int", "long", "short"})
#: kind -> kinds whose values become one of it
_BECOMES = {MOMENT: (DATE,)}


@boxes("decisionTable")
def table(compiler: Compiler, element: Element, names: Names) -> Code:
    """Compile a decision table."""
    return read_table(compiler, element, names).evaluate


def read_table(compiler: Compiler, element: Element, names: Names) -> Table:
    """Read and compile a decision table, and say what is wrong with it."""
    clauses, drawn = list(children(element, "input")), list(children(element, "output"))
    if not drawn:
        compiler.findings.error(element, "the table has no output", "add one")
    rows = [
        (rule, cells, results)
        for rule in children(element, "rule")
        if _is_whole(
            compiler, rule,
            cells := list(children(rule, "inputEntry")),
            results := list(children(rule, "outputEntry")),
            (len(clauses), len(drawn)),
        )
    ]  # fmt: skip
    if len(rows) > MAX_RULES:
        compiler.findings.unsupported(
            element, "the table has more than {number} rules", "divide the table", number=MAX_RULES
        )
        rows = rows[:MAX_RULES]
    inputs = [
        _input(compiler, clause, n, [cells[n] for _, cells, _ in rows], names)
        for n, clause in enumerate(clauses)
    ]
    outputs = [_output(compiler, output, n, names) for n, output in enumerate(drawn)]
    found = Table(
        id=id_near(element),
        inputs=tuple(inputs),
        rules=tuple(_rule(compiler, rule, results, drawn, names) for rule, _, results in rows),
        outputs=tuple(outputs),
        defaults=_defaults(compiler, drawn, names),
        policy=_policy(compiler, element, drawn, outputs),
    )
    compiler.tables.append(found)
    if compiler.checks and len(rows) == len(list(children(element, "rule"))):
        Check(found, element, [rule for rule, _, _ in rows], compiler.findings).run()
    return found


def _is_whole(
    compiler: Compiler, rule: Element, cells: list[Element], results: list[Element],
    wanted: tuple[int, int],
) -> bool:  # fmt: skip
    if (len(cells), len(results)) == wanted:
        return True
    compiler.findings.error(
        rule,
        "the rule has {cells} input and {results} output cells,"
        " the table {inputs} inputs and {outputs} outputs",
        "give the rule one cell for each",
        cells=len(cells), results=len(results), inputs=wanted[0], outputs=wanted[1],
    )  # fmt: skip
    return False


def _input(
    compiler: Compiler, clause: Element, n: int, cells: Sequence[Element], names: Names
) -> Input:
    drawn = child(clause, "inputExpression")
    text = text_of(drawn)
    label = " ".join((clause.get("label") or text or f"input {n + 1}").split())
    code, made, kind = compiler.box(None, names), None, None
    if drawn is None or not text:
        compiler.findings.error(
            clause, "{column} has no expression", "say what is tested", column=label
        )
    else:
        made, kind = compiler.expression(drawn, text, names), compiler.types.of(drawn)
        code = compiler.coerced(compiler.code(made, drawn), kind, drawn)
    path = text if _PATH.fullmatch(text) else None
    ours, theirs = simple_kind(kind), simple_kind(compiler.kind_of(path) if path else None)
    if (
        drawn is not None
        and ours
        and theirs
        and ours != theirs
        and (theirs, ours) != (DATE, MOMENT)
    ):
        compiler.findings.warning(
            drawn, "“{column}” is of type {wanted}, but “{path}” is of type {kind}",
            "give both the same type", column=label, wanted=ours, path=text, kind=theirs,
        )  # fmt: skip
    return Input(
        label=label,
        code=code,
        type=kind,
        allowed=_tests(compiler, child(clause, "inputValues"), names),
        reads=frozenset() if made is None else made.free_names,
        path=path,
        whole=drawn is not None and drawn.get("typeRef") in _WHOLE,
        column=Column([_cell(compiler, cell, names) for cell in cells]),
    )


def _cell(compiler: Compiler, cell: Element, names: Names) -> Cell:
    text = text_of(cell)
    return Cell(text, partial(compiler.expression, cell, text, names | {"?"}, "unary"), names)


def _tests(compiler: Compiler, values: Element | None, names: Names) -> feel.Expression | None:
    text = text_of(values)
    if values is None or text in ("", "-"):
        return None
    return compiler.expression(values, text, names | {"?"}, "unary")


def _output(compiler: Compiler, output: Element, n: int, names: Names) -> Output:
    return Output(
        label=named(output) or output.get("label") or f"output {n + 1}",
        key=named(output),
        type=compiler.types.of(output),
        allowed=_tests(compiler, child(output, "outputValues"), names),
    )


def _rule(
    compiler: Compiler, rule: Element, results: list[Element], drawn: list[Element], names: Names
) -> Rule:
    codes = [
        compiler.coerced(_result(compiler, cell, names), compiler.types.of(output), cell)
        for cell, output in zip(results, drawn, strict=True)
    ]
    notes = [text_of(entry) for entry in children(rule, "annotationEntry")]
    notes = [note for note in notes if note] or [text_of(child(rule, "description"))]
    return Rule(rule.get("id"), tuple(codes), tuple(map(text_of, results)), "; ".join(notes))


def _result(compiler: Compiler, cell: Element | None, names: Names) -> Code:
    text = text_of(cell)
    if cell is None or text in ("", "-"):
        return compiler.box(None, names)
    return compiler.feel(cell, text, names)


def _defaults(compiler: Compiler, drawn: list[Element], names: Names) -> tuple[Code, ...] | None:
    entries = [child(output, "defaultOutputEntry") for output in drawn]
    if not any(text_of(entry) for entry in entries):
        return None
    return tuple(_result(compiler, entry, names) for entry in entries)


def _policy(
    compiler: Compiler, element: Element, drawn: list[Element], outputs: list[Output]
) -> Policy:
    said = compiler.findings
    written = " ".join((element.get("hitPolicy") or "").upper().replace("_", " ").split())
    name = POLICIES.get(written)
    if name is None:
        said.error(
            element, "there is no hit policy “{name}”", "choose one of {known}",
            name=written, known=", ".join(dict.fromkeys(POLICIES.values())),
        )  # fmt: skip
        name = "UNIQUE"
    aggregation = (element.get("aggregation") or "").upper()
    if aggregation and aggregation not in AGGREGATIONS:
        said.error(
            element, "there is no aggregation “{name}”", "choose one of {known}",
            name=aggregation, known=", ".join(AGGREGATIONS),
        )  # fmt: skip
    if aggregation and len(outputs) > 1:
        said.error(
            element, "a table that collects with {name} has one output", "remove the others",
            name=aggregation,
        )  # fmt: skip
    priorities = tuple(_priorities(output) for output in outputs)
    if name in ("PRIORITY", "OUTPUT ORDER") and not any(priorities):
        said.error(
            element, "a table with priorities lists its output values", "add the output values"
        )
    keys = tuple(output.key for output in outputs)
    if len(outputs) > 1 and len(set(keys) - {""}) < len(keys):
        said.error(element, "each of several outputs has a name of its own", "name each")
    used = AGGREGATIONS.get(aggregation, "") if name == "COLLECT" else ""
    return Policy(name, used, priorities, keys)


def _priorities(output: Output) -> list[object]:
    """Return the output values in their order: those of the output, else those of its type."""
    tests = [output.allowed] if output.allowed is not None else constraints(output.type)
    node = tests_of(tests[0].text) if tests else None
    values = [constant(test) for test in (node.tests if node is not None else ())]
    return [value[0] for value in values if value is not None]
