"""Decision tables as people read them: clauses, rules and the words for codes, from a DMN file.

Texts in two languages stand in one, Chinese first: `客户等级 / tier`. What the codes of a column
mean stands in the description of its type: `vip = 贵宾 / VIP; standard = 普通 / Standard`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from lxml.etree import _Element as Element

from engine.dmn.findings import Findings
from engine.dmn.xml import child, children, local, named, read_xml, text_of
from engine.errors import NotFound

if TYPE_CHECKING:
    from engine.runtime import Engine

#: files that are kept read
_MANY = 256
_CODE = re.compile(r'"((?:[^"\\]|\\.)*)"')
#: code -> its words, in both languages
Codes = Mapping[str, str]


def half(text: str, language: str) -> str:
    """Return the part of a text in two languages that a reader understands, else all of it."""
    chinese, slash, english = text.partition(" / ")
    if not slash or chinese.isascii() or not english.isascii():
        return text
    return chinese if language == "zh" else english


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """An input or an output of a table."""

    #: in both languages
    label: str
    #: of an input its expression, of an output its name
    name: str
    codes: Codes

    def word(self, code: str, language: str) -> str:
        """Return what a code of this column means, else the code."""
        return half(self.codes.get(code, code), language)

    def test(self, text: str, language: str) -> str:
        """Return a cell with words in place of codes; it stays FEEL."""
        return _CODE.sub(lambda found: f'"{self.word(found[1], language)}"', text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of a table."""

    id: str
    number: int
    #: text of each input cell, then of each output cell
    cells: tuple[str, ...]
    outputs: tuple[str, ...]
    #: why, in both languages
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One decision as its file draws it."""

    id: str
    #: in both languages
    name: str
    text: str
    #: name of the value in the history
    variable: str
    #: id of its decision table; "" for one with other logic
    table: str = ""
    #: as UNIQUE or COLLECT SUM
    policy: str = ""
    inputs: tuple[Column, ...] = ()
    outputs: tuple[Column, ...] = ()
    rules: tuple[Rule, ...] = ()
    #: logic of a decision without a table, as it is written
    expression: str = ""
    #: what it requires: name in both languages, and the id of a decision
    requires: tuple[tuple[str, str | None], ...] = field(default=())


def sheet(engine: Engine, deployment_id: str, file: str, decision_id: str) -> Sheet:
    """Return a decision of a deployed file. Raises NotFound."""
    found = _read(engine, deployment_id, file).get(decision_id)
    if found is None:
        raise NotFound(f"{file} has no decision {decision_id!r}")
    return found


@lru_cache(maxsize=_MANY)
def _read(engine: Engine, deployment_id: str, file: str) -> Mapping[str, Sheet]:
    return sheets(engine.file(deployment_id, file), file)


def sheets(content: bytes, file: str = "") -> Mapping[str, Sheet]:
    """Return the decisions of a DMN file by id; none for a file that cannot be read."""
    root = read_xml(content, Findings(file))
    if root is None:
        return {}
    reader = _Reader(root)
    return {
        str(one.get("id")): reader.sheet(one)
        for one in children(root, "decision")
        if one.get("id")
    }  # fmt: skip


class _Reader:
    """Reads one file."""

    def __init__(self, root: Element) -> None:
        self._by_id = {str(one.get("id")): one for one in root if isinstance(one.tag, str)}
        self._types = {named(one): one for one in children(root, "itemDefinition")}
        self._data = {
            named(one): child(one, "variable")
            for one in children(root, "inputData")
        }  # fmt: skip

    def sheet(self, decision: Element) -> Sheet:
        """Return one decision."""
        table = child(decision, "decisionTable")
        variable = child(decision, "variable")
        logic = next((one for one in decision if local(one) == "literalExpression"), None)
        whole = Sheet(
            id=str(decision.get("id")), name=named(decision) or str(decision.get("id")),
            text=text_of(child(decision, "description")),
            variable="" if variable is None else named(variable),
            expression=text_of(logic), requires=tuple(self._requires(decision)),
        )  # fmt: skip
        return whole if table is None else self._table(whole, table, variable)

    def _table(self, whole: Sheet, table: Element, variable: Element | None) -> Sheet:
        inputs = list(children(table, "input"))
        outputs = list(children(table, "output"))
        policy = f"{table.get('hitPolicy') or 'UNIQUE'} {table.get('aggregation') or ''}"
        return Sheet(
            id=whole.id, name=whole.name, text=whole.text, variable=whole.variable,
            expression="", requires=whole.requires,
            table=table.get("id") or whole.id, policy=policy.strip(),
            inputs=tuple(self._input(one) for one in inputs),
            outputs=tuple(self._output(one, variable, len(outputs)) for one in outputs),
            rules=tuple(_rule(one, n) for n, one in enumerate(children(table, "rule"), 1)),
        )  # fmt: skip

    def _input(self, clause: Element) -> Column:
        expression = child(clause, "inputExpression")
        text = text_of(expression)
        label = " ".join((clause.get("label") or text).split())
        variable = self._data.get(text)
        codes = self._codes(None if variable is None else variable.get("typeRef"))
        return Column(label=label, name=text, codes=codes)

    def _output(self, clause: Element, variable: Element | None, number: int) -> Column:
        name = named(clause)
        kind = None if variable is None else variable.get("typeRef")
        item = self._types.get(kind or "")
        if number > 1 and item is not None:
            parts = {named(part): text_of(child(part, "typeRef")) for part in
                     children(item, "itemComponent")}  # fmt: skip
            kind = parts.get(name)
        elif item is not None and text_of(child(item, "typeRef")) in self._types:
            kind = text_of(child(item, "typeRef"))
        label = " ".join((clause.get("label") or name).split())
        return Column(label=label, name=name, codes=self._codes(kind))

    def _codes(self, kind: str | None) -> Codes:
        item = self._types.get(kind or "")
        pairs = (pair.split(" = ", 1) for pair in _description(item).split("; "))
        return {pair[0].strip(): pair[1].strip() for pair in pairs if len(pair) == 2}

    def _requires(self, decision: Element) -> list[tuple[str, str | None]]:
        found: list[tuple[str, str | None]] = []
        for need in children(decision, "informationRequirement"):
            target = child(need, "requiredInput", "requiredDecision")
            node = None if target is None else self._by_id.get((target.get("href") or "")[1:])
            if node is not None:
                drawn = local(node) == "decision"
                told = named(node) if drawn else _description(node) or named(node)
                found.append((told, node.get("id") if drawn else None))
        return found


def _description(element: Element | None) -> str:
    return "" if element is None else text_of(child(element, "description"))


def _rule(element: Element, number: int) -> Rule:
    notes = [text_of(one) for one in children(element, "annotationEntry")]
    return Rule(
        id=element.get("id") or "", number=number,
        cells=tuple(text_of(one) for one in children(element, "inputEntry")),
        outputs=tuple(text_of(one) for one in children(element, "outputEntry")),
        note="; ".join(note for note in notes if note) or _description(element),
    )  # fmt: skip
