"""Tests that analysts keep beside a decision: a table of inputs and of what must come out.

The first row has the headings: the name of an input (`customer.tier` for a part of a context),
`expect` for the value or `expect NAME` for one of its outputs, `decision` where a model has
several, `#` for a remark. An empty cell is null; what reads as FEEL is FEEL, anything else a text.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from engine import dmn, feel
from engine.errors import BadInput, ExecutionFault, FeelError, NotFound
from engine.feel.operators import equal
from engine.feel.values import text_of

EXPECT, REMARK, DECISION = "expect", "#", "decision"
_FEEL = re.compile(r'-?\d*\.?\d+|true|false|null|".*"|\[.*\]|\{.*\}|@".*"|[a-z][a-z ]*\(.*\)', re.S)
#: rows of one table of cases
MAX_ROWS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One row."""

    #: line in the file
    line: int
    remark: str
    #: decision that is made; "" for the one of the model
    decision: str
    inputs: Mapping[str, Any]
    #: name of the output ("" for the value itself) -> what must come out
    expected: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came out for a row."""

    line: int
    remark: str
    decision: str
    passed: bool
    value: Any
    #: (heading, what was expected, what came out) of each cell that differs
    differences: tuple[tuple[str, Any, Any], ...]
    #: why there is no value; "" where there is one
    fault: str
    #: (table, number of the rule) of all that matched
    rules: tuple[tuple[str, int], ...]


@dataclass(slots=True, kw_only=True)
class Report:
    """What came out for a table of cases."""

    results: list[Result] = field(default_factory=list)
    #: (table, number of the rule, its remark) that no row reaches
    unreached: list[tuple[str, int, str]] = field(default_factory=list)
    rules: int = 0

    @property
    def failed(self) -> int:
        """How many rows came out differently."""
        return sum(not result.passed for result in self.results)


def read_cases(path: Path) -> Iterator[Case]:
    """Yield the rows of a table of cases. Raises BadInput with the line."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            heads = [head.strip() for head in next(reader, [])]
            _check_heads(heads, path)
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield _case(heads, cells, f"{path}:{reader.line_num}", reader.line_num)
                if reader.line_num > MAX_ROWS:
                    raise BadInput(f"{path}: more than {MAX_ROWS} rows; divide the file")
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: is not UTF-8 ({error.reason}); save it as CSV UTF-8")
    except csv.Error as error:
        raise BadInput(f"{path}: is no CSV file: {error}")


def _check_heads(heads: list[str], path: Path) -> None:
    doubled = {head for head in heads if head != REMARK and heads.count(head) > 1}
    if doubled:
        raise BadInput(f"{path}:1: the heading {sorted(doubled)[0]!r} occurs twice")
    if not any(head.split(" ")[0] == EXPECT for head in heads):
        raise BadInput(f"{path}:1: no column says what to expect; head it `expect`")


def _case(heads: list[str], cells: list[str], where: str, line: int) -> Case:
    if len(cells) > len(heads) and any(cells[len(heads) :]):
        raise BadInput(f"{where}: {len(cells)} cells, but {len(heads)} headings")
    remark, decision = "", ""
    inputs: dict[str, Any] = {}
    expected: dict[str, Any] = {}
    for head, text in zip(heads, [*cells, *[""] * len(heads)], strict=False):
        word, _, output = head.partition(" ")
        if head == REMARK:
            remark = text.strip()
        elif head == DECISION:
            decision = text.strip()
        elif word == EXPECT:
            expected[output.strip()] = value_of(text, f"{where}: {head}")
        elif head:
            _put(inputs, head.split("."), value_of(text, f"{where}: {head}"), where)
    return Case(line=line, remark=remark, decision=decision, inputs=inputs, expected=expected)


def _put(inputs: dict[str, Any], path: list[str], value: Any, where: str) -> None:
    for name in path[:-1]:
        inputs = inputs.setdefault(name.strip(), {})
        if not isinstance(inputs, dict):
            raise BadInput(f"{where}: {'.'.join(path)} is a part of what is no context")
    inputs[path[-1].strip()] = value


def value_of(text: str, where: str) -> Any:
    """Return what a cell means. Raises BadInput for FEEL that has no value."""
    text = text.strip()
    if not text:
        return None
    if not _FEEL.fullmatch(text):
        return text
    notes: list[tuple[str, int | None]] = []
    try:
        found = feel.compile(text).evaluate({}, diagnostics=notes)
    except FeelError as error:
        if text[0] in '"[{@':
            raise BadInput(f"{where}: {text!r} is not FEEL: {error}")
        return text  # reads like a call, such as hello (world)
    return text if notes else found


def run_cases(
    model: dmn.Model, cases: Iterator[Case], *, decision: str | None, now: datetime
) -> Report:
    """Make the decision of every row. Raises NotFound for a decision the model has not."""
    report = Report()
    reached: set[tuple[str, int]] = set()
    for case in cases:
        result = _result(model, case, case.decision or decision or _only(model), now)
        report.results.append(result)
        reached.update(result.rules)
    for table, remarks in model.rules.items():
        report.rules += len(remarks)
        report.unreached += [
            (table, number, remark)
            for number, remark in enumerate(remarks, 1)
            if (table, number) not in reached
        ]
    return report


def _only(model: dmn.Model) -> str:
    names = [one.id for one in model.decisions]
    if len(names) == 1:
        return names[0]
    raise NotFound(f"say which decision is made: {', '.join(names) or 'the file has none'}")


def _result(model: dmn.Model, case: Case, decision: str, now: datetime) -> Result:
    fault, value, explanation = "", None, []
    try:
        decided = model.evaluate(decision, case.inputs, now=now)
        value, explanation = decided.value, decided.explanation
    except (ExecutionFault, FeelError) as error:
        fault = str(error)
    found = [(EXPECT + (f" {name}" if name else ""), want, _output(value, name))
             for name, want in case.expected.items()]  # fmt: skip
    differences = tuple(one for one in found if fault or not _same(one[1], one[2]))
    return Result(
        line=case.line, remark=case.remark, decision=decision, passed=not differences,
        value=value, differences=differences, fault=fault,
        rules=tuple(
            (table["table"] or "", hit["number"])
            for entry in explanation
            for table in entry.get("tables", ())
            for hit in table["matched"]
        ),
    )  # fmt: skip


def _output(value: Any, name: str) -> Any:
    if not name:
        return value
    if isinstance(value, list):
        return [_output(item, name) for item in value]
    return value.get(name) if isinstance(value, Mapping) else None


def _same(wanted: Any, found: Any) -> bool:
    return wanted is found or equal(wanted, found) is True


def shown(value: Any) -> str:
    """Return a value as FEEL writes it."""
    return text_of(value, nested=True)
