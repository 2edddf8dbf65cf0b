"""The escalation board: which cards stand on which level, the most urgent first.

A running instance of the process `escalation` is a card at its level; a task of any other process
that is late, or soon will be, is a card at level 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from web.drawings import Drawing, drawing
from web.language import lazy

if TYPE_CHECKING:
    from engine.model import Instance, UserTask
    from engine.runtime import Engine

#: id of the process that is the ladder
LADDER = "escalation"
#: name of the property that says which level a task of the ladder is
LEVEL = "escalation.level"
#: tasks that are due within this time stand on the board before they are late
SOON = timedelta(hours=4)
LEVELS = (lazy("Late or soon late"), lazy("Level 1: team"), lazy("Level 2: lead"),
          lazy("Level 3: manager"))  # fmt: skip
#: reasons that the shipped processes give
REASONS = {
    "first_response": lazy("no first answer in time"),
    "rounds_used": lazy("all rounds of negotiation are used"),
    "design_stuck": lazy("no draft was accepted"),
    "work_overdue": lazy("the work is late"),
    "staff_shortage": lazy("nobody is free for it"),
    "unconfirmed": lazy("the customer has not confirmed"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One escalation, or one task that will become one."""

    level: int
    root_id: str
    #: number of the case
    case: str
    #: what the customer wants; "" if nobody wrote it down
    subject: str
    #: why it stands here; "" for a task that is just late
    reason: str
    #: what is to be done now
    step: str
    #: name of the process the step belongs to
    process: str
    owner: str | None
    due_at: datetime | None
    #: None while the ladder waits for an extension to pass
    task: UserTask | None
    instance_id: str

    @property
    def on_ladder(self) -> bool:
        """Tell whether the escalation has begun."""
        return self.level > 0


def cards(engine: Engine) -> list[list[Card]]:
    """Return the cards by level, on each level the one with the least time left first."""
    tasks = engine.pressing(LADDER, until=engine.clock.now() + SOON)
    by_instance = {task.instance_id: task for task in tasks if task.process_id == LADDER}
    found = [
        _escalation(engine, one, by_instance.get(one.id)) for one in engine.running(LADDER)
    ] + [_late(engine, task) for task in tasks if task.process_id != LADDER]
    columns: list[list[Card]] = [[] for _ in LEVELS]
    for card in found:
        columns[min(card.level, len(LEVELS) - 1)].append(card)
    for column in columns:
        column.sort(key=lambda card: (card.due_at is None, card.due_at, card.root_id))
    return columns


def card_of(engine: Engine, task_id: str) -> Card:
    """Return the card of an open task, whatever its level. Raises NotFound."""
    task = engine.task(task_id)
    if task.process_id != LADDER:
        return _late(engine, task)
    return _escalation(engine, engine.case(task.instance_id), task)


def _escalation(engine: Engine, instance: Instance, task: UserTask | None) -> Card:
    known = engine.variables(instance.id)
    drawn = drawing(instance.definition_id)
    level = _level(drawn, task, known)
    due_at = task.due_at if task else _timer(engine, instance)
    return Card(
        level=level, root_id=instance.root_id, instance_id=instance.id, task=task, due_at=due_at,
        case=_text(known, "case_number") or (task and task.business_key) or instance.root_id[-12:],
        subject=_text(known, "escalation_subject"), reason=_reason(known),
        step=drawn.name(task.element_id) if task else "", process=drawn.title,
        owner=(task.assignee if task else None) or _text(known, "escalation_owner") or None,
    )  # fmt: skip


def _late(engine: Engine, task: UserTask) -> Card:
    drawn = drawing(engine.case(task.instance_id).definition_id)
    return Card(
        level=0, root_id=task.root_id, instance_id=task.instance_id, task=task,
        due_at=task.due_at, case=task.business_key or task.root_id[-12:], reason="",
        subject=_text(engine.variables(task.root_id), "subject"), process=drawn.title,
        step=drawn.name(task.element_id), owner=task.assignee,
    )  # fmt: skip


def _level(drawn: Drawing, task: UserTask | None, known: Mapping[str, Any]) -> int:
    """Return the level: as drawn at the task, else as the variable says; at least 1."""
    told = drawn.told(task.element_id, LEVEL) if task else None
    if told is None:
        told = str(known.get("escalation_level") or 1)
    return max(1, int(told)) if told.isdecimal() else 1


def _timer(engine: Engine, instance: Instance) -> datetime | None:
    waits = engine.case_view(instance.root_id).waits
    due = [one.at for one in waits if one.instance_id == instance.id and one.kind == "timer"]
    return min(due, default=None)


def _reason(known: Mapping[str, Any]) -> str:
    told = _text(known, "escalation_reason")
    return str(REASONS.get(told, told))


def _text(known: Mapping[str, Any], name: str) -> str:
    value = known.get(name)
    return value if isinstance(value, str) else ""
