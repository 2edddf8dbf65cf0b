"""Decision tables: evaluated without reading anything (table_reader.py reads them once)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine import feel
from engine.dmn.cells import Column, bits
from engine.dmn.evaluation import Code, Evaluation, Scope, shown
from engine.dmn.hits import Hit, Policy
from engine.dmn.types import constraints
from engine.errors import ExecutionFault
from engine.feel.types import Mismatch, Type
from engine.feel.values import text_of

#: rules that are explained one by one
MAX_EXPLAINED = 50


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a table."""

    label: str
    code: Code
    #: type of the expression; None where none is stated
    type: Type | None
    #: unary tests of the values it may have; None where any is
    allowed: feel.Expression | None
    #: variables that it reads
    reads: frozenset[str]
    #: the expression, if it is a plain name or path
    path: str | None
    #: has whole numbers only
    whole: bool
    column: Column


@dataclass(frozen=True, slots=True)
class Output:
    """One output of a table."""

    label: str
    #: name in the context that several outputs make
    key: str
    type: Type | None
    #: unary tests of the values it may have; None where any is
    allowed: feel.Expression | None

    def takes(self, value: object) -> bool:
        """Tell whether a value has the type of the output, and is among its values."""
        if self.allowed is not None and self.allowed.evaluate({"?": value}) is not True:
            return False
        try:
            if self.type is not None:
                self.type.coerce(value)
        except Mismatch:
            return False
        return True

    def wanted(self) -> str:
        """Return what the output takes, as the model says it."""
        if self.allowed is not None:
            return self.allowed.text
        tests = constraints(self.type)
        return tests[0].text if tests else str(self.type)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: what it gives, and what people call it."""

    id: str | None
    outputs: tuple[Code, ...]
    #: the outputs as written
    texts: tuple[str, ...]
    annotation: str


@dataclass(frozen=True, slots=True)
class Table:
    """A compiled decision table."""

    id: str | None
    inputs: tuple[Input, ...]
    rules: tuple[Rule, ...]
    outputs: tuple[Output, ...]
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
        found = bits(matching & -matching if self.policy.name == "FIRST" else matching)
        return [
            Hit(n + 1, tuple(code(scope, run) for code in self.rules[n].outputs)) for n in found
        ]

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
                "outputs": self._outputs(hit),
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

    def _outputs(self, hit: Hit) -> dict[str, Any]:
        labels = [output.label for output in self.outputs]
        return dict(zip(labels, map(shown, hit.outputs), strict=True))

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
    return text_of(value, nested=True)[:100]
