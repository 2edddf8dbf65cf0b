"""The decisions of a case in words: what came out and why, what was known, which rules said no."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask import g

from engine.dmn import in_words
from engine.errors import NotFound
from web import facts
from web.context import engine
from web.drawings import drawing
from web.language import _, current
from web.sheets import Column, Sheet, half, sheet

if TYPE_CHECKING:
    from engine.model import HistoryRow
    from engine.runtime.views import CaseView

#: decisions of a case that are shown
_MOST = 50
_RANGE = re.compile(r"([\[(\]])\s*([^\s\[\]().,]+(?:\.\d+)?)\s*\.\.\s*([^\s\[\](),]+?)\s*([\])\[])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A rule that did not match, and the first cell that said no."""

    number: int
    #: why the rule is there
    note: str
    #: column, what the cell wants, what was given
    label: str
    wanted: str
    given: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One decision that a case has made."""

    #: number of the event in the history of the case
    seq: int
    at: datetime
    root_id: str
    decision_id: str
    title: str
    #: name of the step that asked
    step: str
    #: of the decision; None for one made before versions were written down
    version: int | None
    #: what came out and why; empty if the values were erased
    sentences: tuple[str, ...] = ()
    #: label and value of each input
    given: tuple[tuple[str, str], ...] = ()
    refused: tuple[Refusal, ...] = ()
    erased: bool = False


def made_in(view: CaseView) -> list[Made]:
    """Return the decisions of a case, newest first."""
    definitions = {one.id: one.definition_id for one in (view.root, *view.called)}
    return [
        made(row, definitions.get(row.instance_id))
        for row in engine().decided(view.root.id, limit=_MOST)
    ]


def made(row: HistoryRow, definition_id: str | None) -> Made:
    """Return an event `decision.evaluated` in words; `definition_id` is that of its process."""
    entries = row.value if isinstance(row.value, list) and not row.erased else []
    entry: Mapping[str, Any] = next((one for one in entries if one.get("decision") == row.name), {})
    drawn = _sheet(entry, str(row.name))
    told = [_in_language(one, _sheet(one, one["decision"])) for one in entries]
    tables = [one for one in told if one.get("tables")]
    return Made(
        seq=row.seq, at=row.at, root_id=row.root_id, decision_id=str(row.name),
        title=half(drawn.name, current()), version=entry.get("version"),
        step=_step(definition_id, row.element_id), erased=row.erased,
        sentences=tuple(in_words(tables or told[-1:], current())),
        given=tuple(_given(entry, drawn)),
        refused=tuple(_refused(entry, drawn)),
    )  # fmt: skip


def title_of(decision_id: str) -> str:
    """Return what a decision is called in its newest version; its id if nobody deploys it."""
    if "decisions" not in g:
        g.decisions = {one.decision_id: one for one in reversed(engine().decisions())}
    found = g.decisions.get(decision_id)
    if found is None:
        return decision_id
    where = {"deployment_id": found.deployment_id, "file": found.file}
    return half(_sheet(where, decision_id).name, current())


def _step(definition_id: str | None, element_id: str | None) -> str:
    if definition_id is None:
        return element_id or "–"
    return drawing(definition_id).name(element_id)


def _sheet(entry: Mapping[str, Any], decision_id: str) -> Sheet:
    """Return the decision as the version that was used draws it."""
    plain = Sheet(id=decision_id, name=decision_id, text="", variable="")
    if "deployment_id" not in entry:
        return plain
    try:
        return sheet(engine(), entry["deployment_id"], entry["file"], decision_id)
    except NotFound:
        return plain  # an imported model has a file of its own


# ------------------------------------------------------------------ in the reader's language


def _in_language(entry: Mapping[str, Any], drawn: Sheet) -> dict[str, Any]:
    """Return an entry of an explanation with labels, codes and remarks the reader understands."""
    single = drawn.outputs[0] if len(drawn.outputs) == 1 else None
    return {
        **entry,
        "name": half(drawn.name if single is None else single.label, current()),
        "value": _outcome(entry.get("value"), drawn),
        "tables": [_table(table, drawn) for table in entry.get("tables", ())],
    }


def _outcome(value: Any, drawn: Sheet) -> Any:
    """Return the value of a whole decision: of several outputs each with its label."""
    if isinstance(value, Mapping):
        outputs = {one.name: one for one in drawn.outputs}
        return ", ".join(
            f"{_label(name, outputs.get(name))} {spoken(one, outputs.get(name))}"
            for name, one in value.items()
        )
    if isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
        return "; ".join(str(_outcome(one, drawn)) for one in value)
    return spoken(value, drawn.outputs[0] if len(drawn.outputs) == 1 else None)


def _table(table: Mapping[str, Any], drawn: Sheet) -> dict[str, Any]:
    inputs = {one.label: one for one in drawn.inputs}
    outputs = {one.name: one for one in drawn.outputs}
    return {
        **table,
        "inputs": {
            half(label, current()): spoken(value, inputs.get(label))
            for label, value in table["inputs"].items()
        },
        "matched": [_hit(hit, inputs, outputs) for hit in table["matched"]],
        "rejected": [_cell(cell, inputs) for cell in table["rejected"]],
    }


def _hit(
    hit: Mapping[str, Any], inputs: Mapping[str, Column], outputs: Mapping[str, Column]
) -> dict[str, Any]:
    told = {
        **hit,
        "annotation": half(hit.get("annotation") or "", current()),
        "outputs": {
            _label(name, outputs.get(name)): spoken(value, outputs.get(name))
            for name, value in hit["outputs"].items()
        },
    }
    if "because" in hit:
        told["because"] = [_cell(cell, inputs) for cell in hit["because"]]
    return told


def _label(name: str, column: Column | None) -> str:
    return name if column is None else half(column.label, current())


def _cell(cell: Mapping[str, Any], inputs: Mapping[str, Column]) -> dict[str, Any]:
    column = inputs.get(cell["input"])
    return {**cell, "input": half(cell["input"], current()), "test": tested(cell["test"], column)}


def tested(text: str, column: Column | None) -> str:
    """Return the text of an input cell with words in place of codes and of true and false."""
    if text in ("true", "false"):
        return f'"{_yes(text == "true")}"'
    return text if column is None else column.test(text, current())


def spoken(value: Any, column: Column | None) -> Any:
    """Return a value of a column as it is read: codes in words, durations too."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return _yes(value)
    if isinstance(value, str):
        known = value if column is None else column.word(value, current())
        return facts.in_span(known) if known == value else known
    if isinstance(value, list):
        return _(", ").join(str(spoken(one, column)) for one in value) or "–"
    return value


def _yes(value: bool) -> str:
    return _("yes") if value else _("no")


# ------------------------------------------------------------------ what was known, what said no


def _given(entry: Mapping[str, Any], drawn: Sheet) -> Iterator[tuple[str, str]]:
    inputs = {one.label: one for one in drawn.inputs}
    for table in entry.get("tables", ())[:1]:
        for label, value in table["inputs"].items():
            yield half(label, current()), str(spoken(value, inputs.get(label)))


def _refused(entry: Mapping[str, Any], drawn: Sheet) -> Iterator[Refusal]:
    inputs = {one.label: one for one in drawn.inputs}
    notes = {rule.number: half(rule.note, current()) for rule in drawn.rules}
    for table in entry.get("tables", ())[:1]:
        for one in table["rejected"]:
            column = inputs.get(one["input"])
            yield Refusal(
                number=one["number"], note=notes.get(one["number"], ""),
                label=half(one["input"], current()), wanted=plain(one["test"], column),
                given=str(spoken(table["inputs"].get(one["input"]), column)),
            )  # fmt: skip


def _between(found: re.Match[str]) -> str:
    """Return a range as its two limits: (1..5] as > 1 … ≤ 5."""
    low = "≥" if found[1] == "[" else ">"
    high = "≤" if found[4] == "]" else "<"
    return f"{low} {found[2]} … {high} {found[3]}"


def plain(text: str, column: Column | None) -> str:
    """Return a cell for people: without quotation marks, with the signs they know."""
    if text in ("", "-"):
        return _("any")
    shown = _RANGE.sub(_between, tested(text, column).replace('"', ""))
    for sign, read in ((">=", "≥ "), ("<=", "≤ "), (",", _(", "))):
        shown = shown.replace(sign, read)
    return " ".join(shown.split())
