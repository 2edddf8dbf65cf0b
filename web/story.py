"""The history of a case in words: one sentence for each event, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from engine.codec import to_json
from web.decided import title_of
from web.language import _, lazy, moment

if TYPE_CHECKING:
    from engine.model import HistoryRow
    from web.drawings import Drawing

#: longest value that is shown in a line
_LONGEST = 200

#: kind of event -> what is said about it, and its tone: person | fine | wrong | time | mail | plain
SENTENCES: dict[str, tuple[Any, str]] = {
    "case.started": (lazy("The case began"), "fine"),
    "case.completed": (lazy("The case came to its end"), "fine"),
    "instance.started": (lazy("“%(what)s” began"), "fine"),
    "instance.completed": (lazy("“%(what)s” came to its end"), "fine"),
    "instance.cancelled": (lazy("“%(what)s” was cancelled: %(value)s"), "wrong"),
    "instance.terminated": (lazy("“%(what)s” was ended by a terminate event"), "wrong"),
    "instance.failed": (lazy("“%(what)s” failed: an error that nobody catches"), "wrong"),
    "instance.migrated": (
        lazy("%(who)s moved “%(what)s” from version %(source)s to version %(target)s: %(why)s"),
        "person",
    ),
    "instance.modified": (
        lazy("%(who)s changed where “%(what)s” stands (%(steps)s): %(why)s"),
        "person",
    ),
    "element.migrated": (lazy("“%(what)s” goes on where %(name)s was"), "plain"),
    "element.activated": (lazy("Reached “%(what)s”"), "plain"),
    "element.completed": (lazy("Left “%(what)s”"), "plain"),
    "element.cancelled": (lazy("“%(what)s” was withdrawn"), "plain"),
    "multi_instance.started": (lazy("“%(what)s” began %(value)s times"), "plain"),
    "variable.set": (lazy("%(name)s = %(value)s"), "plain"),
    "variable.erased": (lazy("%(name)s was set; the value is erased"), "plain"),
    "task.claimed": (lazy("%(name)s took “%(what)s”"), "person"),
    "task.unclaimed": (lazy("“%(what)s” was given back by %(name)s"), "person"),
    "task.completed": (lazy("%(who)s completed “%(what)s”"), "person"),
    "task.extended": (lazy("%(who)s gave “%(what)s” time until %(value)s: %(name)s"), "time"),
    "task.notified": (lazy("%(who)s told %(name)s about “%(what)s”: %(value)s"), "person"),
    "work.settled": (lazy("“%(what)s” was done by the handler %(name)s"), "fine"),
    "work.failed": (lazy("An attempt at “%(what)s” failed: %(error)s"), "wrong"),
    "work.tried": (lazy("An attempt at “%(what)s” ended without a word"), "wrong"),
    "timer.fired": (lazy("The time of “%(what)s” was up"), "time"),
    "message.sent": (lazy("The message %(name)s left at “%(what)s”"), "mail"),
    "message.received": (lazy("The message %(name)s arrived at “%(what)s”"), "mail"),
    "signal.sent": (lazy("The signal %(name)s left at “%(what)s”"), "mail"),
    "signal.received": (lazy("The signal %(name)s arrived at “%(what)s”"), "mail"),
    "error.thrown": (lazy("The error %(name)s was thrown at “%(what)s”"), "wrong"),
    "escalation.thrown": (lazy("Escalated at “%(what)s”: %(name)s"), "wrong"),
    "compensation.started": (lazy("From “%(what)s” on, what was done is being undone"), "wrong"),
    "condition.met": (lazy("The condition of “%(what)s” came true"), "plain"),
    "incident.raised": (lazy("Stopped at “%(what)s”: %(value)s"), "wrong"),
    "incident.resolved": (lazy("“%(what)s” goes on after an incident"), "fine"),
    "decision.evaluated": (lazy("“%(what)s” was decided by the table %(name)s"), "fine"),
    "data_store.written": (lazy("“%(what)s” wrote the data store %(name)s: %(value)s"), "plain"),
    "lane.left": (lazy("The lane of “%(what)s” went on without it: %(value)s"), "person"),
    "history.erased": (lazy("Values were erased from the history: %(value)s"), "plain"),
}

#: acts of administrators on a running case
_CHANGES = ("instance.migrated", "instance.modified")
#: ends of kinds of elements whose being reached says nothing that no other event says
_PASSED = ("Gateway", "boundaryEvent", "startEvent", "serviceTask", "sendTask", "businessRuleTask",
           "scriptTask", "callActivity")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One line of a timeline."""

    row: HistoryRow
    text: str
    tone: str
    #: name of the process, if it is not the case itself that did it
    process: str
    #: id of the element, if the diagram has it
    element: str | None


def told(
    row: HistoryRow,
    drawings: Mapping[str, Drawing],
    *,
    whole: bool = False,
    others: Mapping[str, Sequence[Drawing]] | None = None,
) -> Told | None:
    """Return an event in words; without `whole` None for what says nothing, as a gateway passed.

    `drawings` are those of the case by instance id; `others` those of further versions that an
    instance has run in, for names that its present one does not have.
    """
    drawn = drawings.get(row.instance_id)
    step = drawn.step(row.element_id) if drawn and row.element_id else None
    passed = row.kind == "element.activated" and step is not None and step.kind.endswith(_PASSED)
    if passed and not whole:
        return None
    sentence, tone = SENTENCES.get(_kind(row), (row.kind, "plain"))
    return Told(
        row=row, text=str(sentence) % _values(row, drawn, (others or {}).get(row.instance_id, ())),
        tone=tone,
        process=drawn.title if drawn and row.instance_id != row.root_id else "",
        element=step.id if step else None,
    )  # fmt: skip


def _kind(row: HistoryRow) -> str:
    if row.kind == "variable.set" and row.erased:
        return "variable.erased"
    if row.instance_id == row.root_id and row.kind in ("instance.started", "instance.completed"):
        return row.kind.replace("instance", "case")
    return row.kind


def _name(id: str | None, drawn: Drawing | None, others: Sequence[Drawing]) -> str:
    """Return the name of an element: as the present version has it, else as another one had it."""
    if drawn is not None and (id is None or drawn.step(id) is not None):
        return drawn.name(id)
    for other in others:
        if id is not None and other.step(id) is not None:
            return other.name(id)
    return drawn.name(id) if drawn is not None else id or "–"


def _values(row: HistoryRow, drawn: Drawing | None, others: Sequence[Drawing]) -> dict[str, str]:
    value = row.value
    error = value.get("error") if isinstance(value, dict) else None
    return {
        "what": _name(row.element_id, drawn, others),
        "name": _named(row),
        "who": row.actor or "–",
        "value": "–" if value is None else shown(value),
        "error": shown(error or value or "–"),
        **(_changed(value, drawn, others) if row.kind in _CHANGES else {}),
    }


def _changed(
    value: dict[str, Any], drawn: Drawing | None, others: Sequence[Drawing]
) -> dict[str, str]:
    """Return what an act of an administrator on a case was about."""

    def name(id: str) -> str:
        return _name(id, drawn, others)

    steps = [_("“%(name)s” taken away", name=name(id)) for id, _token in value.get("cancel", ())]
    steps += [_("begun at “%(name)s”", name=name(id)) for id in value.get("before", ())]
    steps += [_("begun behind “%(name)s”", name=name(id)) for id in value.get("after", ())]
    return {
        "source": str(value.get("from", "–")), "target": str(value.get("to", "–")),
        "why": str(value["why"]) or "–", "steps": ", ".join(steps),
    }  # fmt: skip


def _named(row: HistoryRow) -> str:
    name = row.name or "–"
    return title_of(name) if row.kind == "decision.evaluated" else name


def shown(value: Any, longest: int = _LONGEST) -> str:
    """Return a value of a variable as short text: texts and times plain, the rest as JSON."""
    if isinstance(value, str):
        text = value
    elif isinstance(value, datetime) and value.tzinfo:
        text = moment(value).striptags()
    elif isinstance(value, datetime | date | time | timedelta):
        text = str(value)
    else:
        text = to_json(value).decode()
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
