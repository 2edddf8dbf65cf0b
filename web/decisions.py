"""The desk of decisions: every table, version by version, and how one decided in a case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.errors import NotFound
from web.context import engine
from web.decided import Made, made, plain, spoken
from web.language import _, current, lazy
from web.pages import WORKERS, Desk
from web.sheets import Sheet, half, sheet

if TYPE_CHECKING:
    from engine.model import HistoryRow
    from engine.store.decisions import Decision

DESK = Desk("decisions")
DESK.entry("overview", lazy("Decisions"), roles={"lead", "analyst", "admin"}, place=55)
#: hit policy -> what it means
_POLICIES = {
    "UNIQUE": lazy("Unique: exactly one rule fits"),
    "ANY": lazy("Any: all rules that fit say the same"),
    "FIRST": lazy("First: the first rule that fits decides"),
    "PRIORITY": lazy("Priority: of the rules that fit the most important one decides"),
    "OUTPUT ORDER": lazy("Output order: all rules that fit count, the most important one first"),
    "RULE ORDER": lazy("Rule order: all rules that fit count, in their order"),
    "COLLECT": lazy("Collect: all rules that fit count"),
    "COLLECT SUM": lazy("Sum: the values of all rules that fit are added up"),
    "COLLECT MIN": lazy("Minimum: the smallest value of all rules that fit"),
    "COLLECT MAX": lazy("Maximum: the largest value of all rules that fit"),
    "COLLECT COUNT": lazy("Count: how many rules fit"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A rule as a row of the page."""

    number: int
    #: text of each cell, and whether it was the one that said no
    cells: tuple[tuple[str, bool], ...]
    outputs: tuple[str, ...]
    note: str
    #: fits | fails; "" if no case is looked at, or the rule was not reached
    fate: str = ""


@DESK.page("/decisions", roles=WORKERS)
def overview() -> ResponseReturnValue:
    """List the decisions in their active version."""
    newest: dict[str, Decision] = {}
    for one in engine().decisions():
        if one.active or one.decision_id not in newest:
            newest[one.decision_id] = one
    rows = [(one, _drawn(one)) for one in newest.values()]
    return render_template(
        "decisions/overview.html", policy_words=policy_words,
        rows=sorted(rows, key=lambda row: half(row[1].name, current())),
    )  # fmt: skip


@DESK.page("/decisions/<path:decision_id>/<int:version>", roles=WORKERS)
def table(decision_id: str, version: int) -> ResponseReturnValue:
    """Show one version of a decision; with `case` and `event` how it decided there."""
    versions = [one for one in engine().decisions() if one.decision_id == decision_id]
    found = next((one for one in versions if one.version == version), None)
    if found is None:
        raise NotFound(f"decision {decision_id!r} has no version {version}")
    drawn = _drawn(found)
    here, event = _asked_for(decision_id, version)
    return render_template(
        "decisions/table.html", decision=found, drawn=drawn, versions=versions, here=here,
        policy=policy_words(drawn.policy), lines=_lines(drawn, event, here),
        requires=[(half(name, current()), id) for name, id in drawn.requires],
    )  # fmt: skip


def policy_words(policy: str) -> str:
    """Return what a hit policy means."""
    return str(_POLICIES.get(policy, policy))


def _drawn(one: Decision) -> Sheet:
    try:
        return sheet(engine(), one.deployment_id, one.file, one.decision_id)
    except NotFound:  # a decision service has no logic of its own
        return Sheet(id=one.decision_id, name=one.name, text="", variable="")


def _asked_for(decision_id: str, version: int) -> tuple[Made | None, HistoryRow | None]:
    """Return the event of a case that the address names, in words and as it is stored."""
    case_id, seq = request.args.get("case"), request.args.get("event", type=int)
    if case_id is None or seq is None:
        return None, None
    view = engine().case_view(case_id)
    rows = engine().decided(view.root.id, before=seq + 1, limit=1)
    if not rows or rows[0].seq != seq or rows[0].name != decision_id:
        raise NotFound("this case has no such decision")
    definitions = {one.id: one.definition_id for one in (view.root, *view.called)}
    told = made(rows[0], definitions.get(rows[0].instance_id))
    if told.version != version:
        raise NotFound("another version of the table decided this")
    return told, rows[0]


def _lines(drawn: Sheet, event: HistoryRow | None, here: Made | None) -> list[Line]:
    fits: set[int] = set()
    refused: dict[int, str] = {}
    for entry in event.value if event is not None and isinstance(event.value, list) else ():
        for one in entry.get("tables", ()) if entry.get("decision") == drawn.id else ():
            fits |= {hit["number"] for hit in one["matched"]}
            refused |= {no["number"]: no["input"] for no in one["rejected"]}
    return [
        Line(
            number=rule.number, note=half(rule.note, current()),
            cells=tuple(
                (plain(text, column), refused.get(rule.number) == column.label)
                for text, column in zip(rule.cells, drawn.inputs, strict=False)
            ),
            outputs=tuple(
                _output(text, n, drawn) for n, text in enumerate(rule.outputs)
            ),
            fate="fits" if rule.number in fits else "fails" if rule.number in refused else "",
        )
        for rule in drawn.rules
    ]  # fmt: skip


def _output(text: str, n: int, drawn: Sheet) -> str:
    """Return an output cell as it is read: a constant in words, anything else as written."""
    column = drawn.outputs[n] if n < len(drawn.outputs) else None
    if text in ("", "-", "null"):
        return "–"
    if text == "[]":
        return _("nothing")
    inner = text[1:-1]
    if text[0] == text[-1] == '"' and '"' not in inner:
        return str(spoken(inner, column))
    return plain(text, column).strip("[]")


def case_address(made: Made) -> str | None:
    """Return where a decision of a case is shown on its table; None if its version is unknown."""
    if made.version is None or made.erased:
        return None
    return url_for(
        "decisions.table", decision_id=made.decision_id, version=made.version,
        case=made.root_id, event=made.seq,
    )  # fmt: skip


DESK.globals["decision_address"] = case_address
DESK.filters["half"] = lambda text: half(text, current())
