"""What a decision table leaves open, says twice or can never say; each with an example input.

The cells of an input cut its values into groups that the same rules accept (cells.py), so that the
inputs of a table are finitely many boxes. A box is looked at only as far as rules remain. A cell
that is no set of constants may accept anything and surely accepts nothing: neither a gap nor an
overlap is told that might not be there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from lxml.etree import _Element as Element

from engine import feel
from engine.dmn.cells import WITH_ZONE, Axis, Cell, Column, bits, constant, place_of, tests_of
from engine.dmn.hits import Hit
from engine.dmn.types import constraints, simple_kind
from engine.feel.operators import equal
from engine.feel.types import ANY
from engine.feel.values import (
    BOOLEAN,
    DATE,
    DAYS,
    MOMENT,
    MONTHS,
    NUMBER,
    STRING,
    TIME,
    number_of,
    text_of,
)

if TYPE_CHECKING:
    from engine.dmn.findings import Findings
    from engine.dmn.tables import Input, Table

#: groups that are looked at before the check of a table gives up, and says so
MAX_STEPS = 300_000
#: rules of a table that is searched at all
MAX_RULES = 4_000
#: inputs that are gone through for gaps
MAX_INPUTS = 100
#: gaps, overlaps or idle rules of one table that are told
MAX_TOLD = 5

Number = int | Decimal
_UNITS = {DATE: "P1D", MOMENT: "P1D", DAYS: "P1D", MONTHS: "P1M", TIME: "PT1H"}
#: values close to the ends of a stretch, and in its middle
_NEAR = {
    kind: feel.compile(f'[a + @"{unit}", b - @"{unit}", a + (b - a) / 2]')
    for kind, unit in _UNITS.items()
}
#: a value where nothing is compared
_ANY: dict[str, tuple[object, ...]] = {
    kind: (feel.compile(f'@"{text}"').evaluate({}),)
    for kind, text in {
        DATE: "2026-01-01", TIME: "12:00:00", TIME + WITH_ZONE: "12:00:00Z", DAYS: "P1D",
        MOMENT: "2026-01-01T12:00:00", MOMENT + WITH_ZONE: "2026-01-01T12:00:00Z", MONTHS: "P1M",
    }.items()
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Group:
    """Values of one input that the same rules accept."""

    #: rules that perhaps accept them, and those that surely do
    may: int
    must: int
    #: one of the values, in a tuple; None where the input does not matter
    example: tuple[object] | None


class TooMuch(Exception):
    """Raised when a table needs more steps than are made."""


class Check:
    """The check of one table."""

    def __init__(self, table: Table, element: Element, rows: Sequence[Element], said: Findings):
        self.table = table
        self.element = element
        #: the elements of the rules
        self.rows = rows
        self.said = said
        self.all = (1 << len(rows)) - 1
        self.steps = 0
        entangled = _entangled(table.inputs)
        is_small = len(rows) <= MAX_RULES and len(table.inputs) <= MAX_INPUTS
        #: per input; empty where the table is too large
        self.groups = [
            [_anything(one.column)] if n in entangled else list(_groups(one))
            for n, one in enumerate(table.inputs if is_small else ())
        ]
        self.constants = [[_constant(text) for text in rule.texts] for rule in table.rules]
        self.idle: set[int] = set()

    def run(self) -> None:
        """Say everything that is wrong with the table."""
        self._outputs()
        try:
            if len(self.groups) < len(self.table.inputs):
                raise TooMuch
            self._never()
            self._opaque()
            if self.table.policy.name in ("UNIQUE", "ANY"):
                self._overlaps()
            if self.table.policy.name in ("FIRST", "PRIORITY"):
                self._unreached()
            if self.table.policy.single and self.table.defaults is None:
                self._gaps()
        except TooMuch:
            self.said.info(
                self.element,
                "the table is too large to be searched to the end: gaps and overlaps may be left",
                "divide the table",
            )

    def _count(self, steps: int = 1) -> None:
        self.steps += steps
        if self.steps > MAX_STEPS:
            raise TooMuch

    # ------------------------------------------------ gaps

    def _gaps(self) -> None:
        columns = [
            [(group, group.may) for group in groups if group.example != (None,)]
            for groups in self.groups
        ]
        for told, hole in enumerate(self._holes(columns, self.all, 0, set())):
            if told == MAX_TOLD:
                self.said.warning(
                    self.element, "the table has more gaps than these {count}", count=told
                )
                return
            example = self._example(hole)
            if example:
                self.said.warning(
                    self.element,
                    "no rule matches, for instance, {example}",
                    "add a rule for it, or a default output",
                    example=example,
                )
            else:
                self.said.warning(self.element, "the table has no rule that matches", "add one")

    def _holes(
        self,
        columns: Sequence[Sequence[tuple[Group, int]]],
        rules: int,
        at: int,
        whole: set[tuple[int, int]],
    ) -> Iterator[tuple[Group, ...]]:
        """Yield boxes (groups of the first columns) for which none of the rules is left."""
        if not rules:
            yield ()
        elif at < len(columns) and (at, rules) not in whole:
            is_whole = True
            for group, mask in columns[at]:
                self._count()
                for rest in self._holes(columns, rules & mask, at + 1, whole):
                    is_whole = False
                    yield (group, *rest)
            if is_whole:
                whole.add((at, rules))

    def _example(self, box: Sequence[Group]) -> str:
        return ", ".join(
            f"{one.label} = {text_of(group.example[0], nested=True)[:80]}"
            for one, group in zip(self.table.inputs, box, strict=False)
            if group.example is not None
        )

    # ------------------------------------------------ overlaps

    def _overlaps(self) -> None:
        told = 0
        near = [self._near(groups) for groups in self.groups]
        for n in range(len(self.rows)):
            others = self.all & ~((2 << n) - 1)
            for column in near:
                others &= column[n]
            for other in bits(others):
                self._count()
                if not self._contradict(n, other):
                    continue
                if told == MAX_TOLD:
                    self.said.warning(
                        self.element, "the table has more overlaps than these {count}", count=told
                    )
                    return
                told += 1
                self._overlap(n, other)

    def _near(self, groups: Sequence[Group]) -> list[int]:
        """Return for each rule those that surely accept one of its values, too."""
        found = [0] * len(self.rows)
        for group in groups:
            self._count(group.must.bit_count() + 1)
            for n in bits(group.must):
                found[n] |= group.must
        return found

    def _contradict(self, one: int, other: int) -> bool:
        if self.table.policy.name == "UNIQUE":
            return True
        pairs = zip(self.constants[one], self.constants[other], strict=True)
        return any(
            a is not None and b is not None and equal(a[0], b[0]) is not True for a, b in pairs
        )

    def _overlap(self, one: int, other: int) -> None:
        both = 1 << one | 1 << other
        # a value that is there tells more than null
        box = [
            max((g for g in groups if g.must & both == both), key=lambda g: g.example != (None,))
            for groups in self.groups
        ]
        example = self._example(box) or "-"
        if self.table.policy.name == "UNIQUE":
            self.said.warning(
                self.rows[other],
                "rule {one} and rule {other} both match, for instance, {example}; but only one may",
                "change one of them, or the hit policy",
                one=one + 1, other=other + 1, example=example,
            )  # fmt: skip
        else:
            self.said.warning(
                self.rows[other],
                "rule {one} and rule {other} contradict each other, for instance, for {example}",
                "let both give the same, or change the hit policy",
                one=one + 1, other=other + 1, example=example,
            )  # fmt: skip

    # ------------------------------------------------ rules that never fire

    def _never(self) -> None:
        for column, (one, groups) in enumerate(zip(self.table.inputs, self.groups, strict=True)):
            for n in bits(self.all & ~_union(group.may for group in groups)):
                if n not in self.idle:
                    self.idle.add(n)
                    self._idle(n, one, one.column.cells[n], column)

    def _idle(self, n: int, one: Input, cell: Cell, column: int) -> None:
        at, found = self.rows[n], cell.accepts
        spans = [span for spans in found.spans.values() for span in spans] if found else []
        kinds = set(found.spans) if found else set()
        if not spans:
            self.said.warning(
                at,
                "rule {rule} can never match: “{cell}” under “{column}” leaves no value",
                "correct the ends of the interval",
                rule=n + 1, cell=cell.text, column=one.label,
            )  # fmt: skip
        elif not kinds & set(_axes(one)):
            self.said.warning(
                at,
                "rule {rule} can never match: “{column}” is of type {kind}, and “{cell}” is not",
                "write a value of that type, texts in quotation marks",
                rule=n + 1, cell=cell.text, column=one.label, kind=simple_kind(one.type),
            )  # fmt: skip
        else:
            self.said.warning(
                at,
                "rule {rule} can never match: “{cell}” is not among the values of “{column}”",
                "correct the cell, or add to the allowed values",
                rule=n + 1, cell=cell.text, column=one.label,
            )  # fmt: skip

    def _unreached(self) -> None:
        told = 0
        for n, before in self._earlier():
            if n in self.idle or not before:
                continue
            alone = before
            self._count(sum(map(len, self.groups)) // 32)
            own = [[g for g in groups if g.may >> n & 1] for groups in self.groups]
            for groups in own:
                for group in groups:
                    self._count()
                    alone &= group.must
            columns = [[(group, group.must) for group in groups] for groups in own]
            if not alone and next(self._holes(columns, before, 0, set()), None) is not None:
                continue
            told += 1
            if told > MAX_TOLD:
                self.said.warning(
                    self.element, "the table has more idle rules than these {count}", count=MAX_TOLD
                )
                return
            self._shadowed(n, next(bits(alone), None))

    def _earlier(self) -> Iterator[tuple[int, int]]:
        """Yield each rule with those that come before it when both match."""
        order = list(range(len(self.rows)))
        if self.table.policy.name == "PRIORITY":
            if any(value is None for row in self.constants for value in row):
                return
            hits = [
                Hit(n, tuple(value[0] for value in row if value))
                for n, row in enumerate(self.constants)
            ]
            order = [hit.number for hit in self.table.policy.ranked(hits)]
        before = 0
        for n in order:
            yield n, before
            before |= 1 << n

    def _shadowed(self, n: int, other: int | None) -> None:
        if other is None:
            self.said.warning(
                self.rows[n],
                "rule {rule} never decides: other rules come first whenever it matches",
                "remove it, or move it up",
                rule=n + 1,
            )
        else:
            self.said.warning(
                self.rows[n],
                "rule {rule} never decides: rule {other} comes first whenever it matches",
                "remove it, or move it up",
                rule=n + 1, other=other + 1,
            )  # fmt: skip

    # ------------------------------------------------ outputs and what cannot be told

    def _outputs(self) -> None:
        for n, row in enumerate(self.constants):
            for text, value, output in zip(
                self.table.rules[n].texts, row, self.table.outputs, strict=True
            ):
                if text in ("", "-"):
                    self.said.warning(
                        self.rows[n],
                        "rule {rule} gives nothing for “{column}”",
                        "write an output, or null",
                        rule=n + 1, column=output.label,
                    )  # fmt: skip
                elif value is not None and value[0] is not None and not output.takes(value[0]):
                    self.said.warning(
                        self.rows[n],
                        "rule {rule} gives {value} for “{column}”, which takes {wanted} only",
                        "correct the output, or add to the allowed values",
                        rule=n + 1, value=text[:80], column=output.label, wanted=output.wanted(),
                    )  # fmt: skip

    def _opaque(self) -> None:
        cells = [
            (n, one)
            for one, groups in zip(self.table.inputs, self.groups, strict=True)
            for n, cell in enumerate(one.column.cells)
            if cell.says and (cell.accepts is None or groups == [_anything(one.column)])
        ]
        if cells:
            n, one = min(cells, key=lambda found: found[0])
            self.said.info(
                self.rows[n],
                "{count} cell(s) are not compared with constants alone, the first in rule {rule}"
                " under “{column}”: gaps and overlaps that depend on them are not looked for",
                count=len(cells), rule=n + 1, column=one.label,
            )  # fmt: skip


def _union(masks: Iterator[int]) -> int:
    found = 0
    for mask in masks:
        found |= mask
    return found


def _constant(text: str) -> tuple[object] | None:
    node = tests_of(text)
    return constant(node.tests[0]) if node is not None and len(node.tests) == 1 else None


def _entangled(inputs: Sequence[Input]) -> set[int]:
    """Return the inputs that depend on another one before them, so that boxes may be empty."""
    found: set[int] = set()
    for n, one in enumerate(inputs):
        for other in inputs[:n]:
            paths = one.path is not None and other.path is not None
            apart = paths and not f"{one.path}.".startswith(f"{other.path}.")
            apart = apart and not f"{other.path}.".startswith(f"{one.path}.")
            if one.reads & other.reads and not apart:
                found.add(n)
    return found


def _anything(column: Column) -> Group:
    full = (1 << len(column.cells)) - 1
    return Group(full, column.present & column.null, None)


def _axes(one: Input) -> list[str]:
    """Return the axes on which the values of an input lie; none where the type is no simple one."""
    kind = simple_kind(one.type)
    if not kind:
        return sorted(one.column.axes) if one.type is None or one.type is ANY else []
    zoned = [name for name in one.column.axes if name.removesuffix(WITH_ZONE) == kind]
    return sorted(zoned) or [kind]


def _groups(one: Input) -> Iterator[Group]:
    """Yield the groups of an input: every place of its axes with an allowed value, and null."""
    column, axes = one.column, _axes(one)
    if not axes or not any(cell.says for cell in column.cells):
        yield _anything(column)
        return
    limits = [*constraints(one.type), *([one.allowed] if one.allowed is not None else [])]
    # the allowed values cut the axes as the cells do, but are no rules
    cut = Column([*column.cells, *(Cell(test.text, lambda: None) for test in limits)])
    full = (1 << len(column.cells)) - 1
    found: dict[int, Group] = {}
    for name in axes:
        for example, rules in _places(name, cut.axes.get(name) or Axis([]), one):
            if all(test.evaluate({"?": example}) is True for test in limits):
                must = (rules | cut.present) & full
                found.setdefault(must, Group(must | column.slow, must, (example,)))
    yield from found.values()
    yield Group(column.null | column.slow, column.null, (None,))


def _places(name: str, axis: Axis, one: Input) -> Iterator[tuple[object, int]]:
    """Yield an example for each place of an axis that has values, and the rules there."""
    other = axis.place("other") if name == STRING else 0
    for place in sorted(range(len(axis.rules)), key=lambda place: place != other):
        for example in _candidates(name, axis, place, one):
            found = place_of(example)
            if found is not None and found[0] == name and axis.place(found[1]) == place:
                yield example, axis.rules[place]
                break


def _candidates(name: str, axis: Axis, place: int, one: Input) -> Iterator[object]:
    """Yield values that may lie at a place: the limit itself, or what is between two."""
    at, exact = divmod(place, 2)
    if exact and axis.limits[at] in axis.values:
        yield axis.values[axis.limits[at]]
        return
    low = axis.values.get(axis.limits[at - 1]) if at else None
    high = axis.values.get(axis.limits[at]) if at < len(axis.limits) else None
    if name in (BOOLEAN, STRING):
        yield from (False, True) if name == BOOLEAN else ("other", "", f"{low} ", f"{low}a")
    elif name == NUMBER:
        yield from _numbers(number_of(low), number_of(high), one)
    else:
        yield from _ANY[name] if low is None and high is None else ()
        near = _NEAR[name.removesuffix(WITH_ZONE)].evaluate({"a": low, "b": high})
        yield from near if isinstance(near, list) else ()


def _numbers(low: Number | None, high: Number | None, one: Input) -> Iterator[Number]:
    if low is not None:
        yield low // 1 + (1 if low >= 0 or low == low // 1 else 0)
    if high is not None:
        yield -(-high // 1) - 1
    if low is None and high is None:
        yield 0
    if low is not None and high is not None and not one.whole:
        yield (Decimal(low) + Decimal(high)) / 2
