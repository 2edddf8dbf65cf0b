"""Decision tables: read once to columns and rules, then evaluated without reading anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from lxml.etree import _Element as Element

from engine import feel
from engine.dmn.cells import Cell, Column
from engine.dmn.compiler import Compiler, Names, boxes
from engine.dmn.evaluation import Code, Evaluation, Scope, shown
from engine.dmn.findings import id_near
from engine.dmn.hits import AGGREGATIONS, POLICIES, Hit, Policy
from engine.dmn.types import Constrained
from engine.dmn.xml import child, children, named, text_of
from engine.errors import ExecutionFault, FeelError
from engine.feel.compiler import folded
from engine.feel.kinds import text_of as value_text
from engine.feel.library import LONG_NAMES
from engine.feel.nodes import Literal, UnaryTests
from engine.feel.parser import parse

#: rules that are explained one by one
MAX_EXPLAINED = 50


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a table."""

    label: str
    code: Code
    #: unary tests of the values it may have; None where any is
    allowed: feel.Expression | None
    column: Column


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: what it gives, and what people call it."""

    id: str | None
    outputs: tuple[Code, ...]
    annotation: str


@dataclass(frozen=True, slots=True)
class Table:
    """A compiled decision table."""

    id: str | None
    inputs: tuple[Input, ...]
    rules: tuple[Rule, ...]
    #: names by which the outputs are explained
    labels: tuple[str, ...]
    #: per output what it gives if no rule matches; None where none does
    defaults: tuple[Code, ...] | None
    policy: Policy

    def evaluate(self, scope: Scope, run: Evaluation) -> object:
        """Return the value; null without a hit. Raises ExecutionFault for contradicting rules."""
        values = [one.code(scope, run) for one in self.inputs]
        possible = (1 << len(self.rules)) - 1
        left: list[int] = []
        for one, value in zip(self.inputs, values, strict=True):
            if one.allowed is not None and value is not None and not _allowed(one, value):
                run.note(self.id, f"{one.label} allows {one.allowed.text}, not {_text(value)}")
                possible = 0
            possible = one.column.accepted(value, possible, scope, run)
            left.append(possible)
        hits = self._hits(possible, scope, run)
        explained = self._explained(values, left, hits)
        run.table(explained)
        if not hits:
            return self._default(explained, scope, run)
        try:
            return self.policy.value(hits, run)
        except ExecutionFault as fault:
            raise ExecutionFault(f"{self._called(values)}: {fault}") from None

    def _hits(self, matching: int, scope: Scope, run: Evaluation) -> list[Hit]:
        hits: list[Hit] = []
        while matching:
            bit = matching & -matching
            matching ^= bit
            number = bit.bit_length()
            outputs = tuple(code(scope, run) for code in self.rules[number - 1].outputs)
            hits.append(Hit(number, outputs))
            if self.policy.first_only:
                break
        return hits

    def _default(self, explained: dict[str, Any], scope: Scope, run: Evaluation) -> object:
        if self.defaults is None:
            return None
        explained["default"] = True
        return self.policy.result([code(scope, run) for code in self.defaults])

    def _called(self, values: Sequence[object]) -> str:
        given = [
            f"{one.label} = {_text(value)}" for one, value in zip(self.inputs, values, strict=True)
        ]
        return f"decision table {self.id or ''} with {', '.join(given)}"[:400]

    def _explained(
        self, values: Sequence[object], left: Sequence[int], hits: Sequence[Hit]
    ) -> dict[str, Any]:
        labels = [one.label for one in self.inputs]
        matched = [
            {
                "rule": self.rules[hit.number - 1].id,
                "number": hit.number,
                "annotation": self.rules[hit.number - 1].annotation,
                "outputs": dict(zip(self.labels, map(shown, hit.outputs), strict=True)),
                "because": self._because(hit.number - 1),
            }
            for hit in hits[:MAX_EXPLAINED]
        ]
        return {
            "table": self.id,
            "hit_policy": self.policy.name,
            "inputs": dict(zip(labels, map(shown, values), strict=True)),
            "matched": matched,
            "rejected": self._rejected(left),
        }

    def _because(self, n: int) -> list[dict[str, str]]:
        """Return the cells by which a rule matches; a cell that tests nothing says nothing."""
        cells = ((one.label, one.column.cells[n]) for one in self.inputs)
        return [{"input": label, "test": cell.text} for label, cell in cells if cell.says]

    def _rejected(self, left: Sequence[int]) -> list[dict[str, Any]]:
        """Return for each rule that does not match the first cell that says no."""
        found: list[dict[str, Any]] = []
        for n, rule in enumerate(self.rules[:MAX_EXPLAINED]):
            for one, possible in zip(self.inputs, left, strict=True):
                if not possible >> n & 1:
                    cell = {"input": one.label, "test": one.column.cells[n].text}
                    found.append({"rule": rule.id, "number": n + 1, **cell})
                    break
        return found


def _allowed(one: Input, value: object) -> bool:
    return one.allowed is not None and one.allowed.evaluate({"?": value}) is True


def _text(value: object) -> str:
    return value_text(value, nested=True)[:100]


# ------------------------------------------------------------------ reading


@boxes("decisionTable")
def table(compiler: Compiler, element: Element, names: Names) -> Code:
    """Compile a decision table."""
    return read_table(compiler, element, names).evaluate


def read_table(compiler: Compiler, element: Element, names: Names) -> Table:
    """Read and compile a decision table."""
    clauses = list(children(element, "input"))
    outputs = list(children(element, "output"))
    drawn = list(children(element, "rule"))
    if not outputs:
        compiler.findings.error(element, "the table has no output", "add one")
    rules = [rule for rule in drawn if _is_whole(compiler, rule, clauses, outputs)]
    inputs = [_input(compiler, clause, n, rules, names) for n, clause in enumerate(clauses)]
    return Table(
        id=id_near(element),
        inputs=tuple(inputs),
        rules=tuple(_rule(compiler, rule, outputs, names) for rule in rules),
        labels=tuple(_label(output, n) for n, output in enumerate(outputs)),
        defaults=_defaults(compiler, outputs, names),
        policy=_policy(compiler, element, outputs),
    )


def _is_whole(
    compiler: Compiler, rule: Element, inputs: Sequence[Element], outputs: Sequence[Element]
) -> bool:
    cells = len(list(children(rule, "inputEntry"))), len(list(children(rule, "outputEntry")))
    if cells == (len(inputs), len(outputs)):
        return True
    compiler.findings.error(
        rule,
        f"the rule has {cells[0]} input and {cells[1]} output cells,"
        f" the table {len(inputs)} inputs and {len(outputs)} outputs",
        "give the rule one cell for each",
    )
    return False


def _input(
    compiler: Compiler, clause: Element, n: int, rules: Sequence[Element], names: Names
) -> Input:
    expression = child(clause, "inputExpression")
    text = text_of(expression)
    label = " ".join((clause.get("label") or text or f"input {n + 1}").split())
    if expression is None or not text:
        compiler.findings.error(clause, f"{label} has no expression", "say what is tested")
        code = compiler.box(None, names)
    else:
        code = compiler.feel(expression, text, names)
        code = compiler.coerced(code, compiler.types.of(expression), expression)
    inside = names | {"?"}
    cells = []
    for rule in rules:
        cell = nth(rule, "inputEntry", n)
        written = text_of(cell)
        cells.append(
            Cell(written, partial(compiler.expression, cell, written, inside, "unary"), names)
        )
    return Input(label, code, _tests(compiler, child(clause, "inputValues"), names), Column(cells))


def nth(rule: Element, name: str, n: int) -> Element:
    """Return the nth cell of a kind."""
    return next(islice(children(rule, name), n, None))


def _tests(compiler: Compiler, values: Element | None, names: Names) -> feel.Expression | None:
    text = text_of(values)
    if values is None or text in ("", "-"):
        return None
    return compiler.expression(values, text, names | {"?"}, "unary")


def _rule(compiler: Compiler, rule: Element, outputs: Sequence[Element], names: Names) -> Rule:
    codes = []
    for cell, output in zip(children(rule, "outputEntry"), outputs, strict=True):
        text = text_of(cell)
        code = compiler.box(None, names)
        if text not in ("", "-"):
            code = compiler.feel(cell, text, names)
        codes.append(compiler.coerced(code, compiler.types.of(output), cell))
    notes = [text_of(entry) for entry in children(rule, "annotationEntry")]
    notes = [note for note in notes if note] or [text_of(child(rule, "description"))]
    return Rule(rule.get("id"), tuple(codes), "; ".join(notes))


def _label(output: Element, n: int) -> str:
    return named(output) or output.get("label") or f"output {n + 1}"


def _defaults(
    compiler: Compiler, outputs: Sequence[Element], names: Names
) -> tuple[Code, ...] | None:
    entries = [child(output, "defaultOutputEntry") for output in outputs]
    if not any(text_of(entry) for entry in entries):
        return None
    return tuple(
        compiler.feel(entry, text, names)
        if entry is not None and (text := text_of(entry))
        else compiler.box(None, names)
        for entry in entries
    )


def _policy(compiler: Compiler, element: Element, outputs: Sequence[Element]) -> Policy:
    written = " ".join((element.get("hitPolicy") or "").upper().replace("_", " ").split())
    name = POLICIES.get(written)
    if name is None:
        compiler.findings.error(element, f"there is no hit policy “{written}”", "choose one")
        name = "UNIQUE"
    aggregation = (element.get("aggregation") or "").upper()
    if aggregation and aggregation not in AGGREGATIONS:
        compiler.findings.error(element, f"there is no aggregation “{aggregation}”", "choose one")
    if aggregation and len(outputs) > 1:
        compiler.findings.error(
            element, f"a table that collects with {aggregation} has one output", "remove the others"
        )
    priorities = tuple(_priorities(compiler, output) for output in outputs)
    if name in ("PRIORITY", "OUTPUT ORDER") and not any(priorities):
        compiler.findings.error(
            element, "a table with priorities lists its output values", "add the output values"
        )
    keys = tuple(named(output) for output in outputs)
    if len(outputs) > 1 and len(set(keys) - {""}) < len(keys):
        compiler.findings.error(element, "each of several outputs has a name of its own")
    used = AGGREGATIONS.get(aggregation, "") if name == "COLLECT" else ""
    return Policy(name, used, priorities, keys)


def _priorities(compiler: Compiler, output: Element) -> list[object]:
    """Return the output values in their order: those of the output, else those of its type."""
    text = text_of(child(output, "outputValues"))
    kind = compiler.types.of(output)
    if not text and isinstance(kind, Constrained):
        text = kind.tests.text
    try:
        node = parse(text, "unary", (), LONG_NAMES)
    except FeelError as cause:
        compiler.findings.error(output, f"the output values cannot be read: {cause}")
        return []
    tests = node.tests if isinstance(node, UnaryTests) else ()
    short = [folded(test) for test in tests]
    return [test.value for test in short if isinstance(test, Literal)]
