"""Where a case stands: its instances, steps in words, marks and badges for the diagram."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask import url_for

from web.drawings import Drawing, words
from web.language import _

if TYPE_CHECKING:
    from engine.diagrams.outline import Step
    from engine.model import Incident, Instance, UserTask
    from engine.runtime.views import CaseView, Passage


@dataclass(slots=True)
class Count:
    """How often tokens came to an element, left it, or were withdrawn."""

    came: int = 0
    left: int = 0
    withdrawn: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None

    @property
    def here(self) -> int:
        """Tokens that are there now."""
        return max(0, self.came - self.left - self.withdrawn)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of the table of steps."""

    step: Step
    name: str
    #: wrong | here | done | withdrawn | open
    state: str
    count: Count
    #: called instances that began at this step
    called: tuple[Instance, ...] = ()
    incidents: tuple[Incident, ...] = ()


@dataclass(slots=True)
class Standing:
    """One instance of a case on its diagram."""

    instance: Instance
    drawing: Drawing
    counts: Mapping[str, Count]
    flows: frozenset[str]
    #: instances it has called, by the step they began at
    called: Mapping[str, list[Instance]] = field(default_factory=dict)
    incidents: Mapping[str, list[Incident]] = field(default_factory=dict)

    def lines(self) -> list[Line]:
        """Return the steps in the order of the flow, with what happened at each."""
        return [self._line(step) for step in self.drawing.steps]

    def _line(self, step: Step) -> Line:
        count = self.counts.get(step.id, Count())
        return Line(
            step=step, name=self.drawing.name(step.id), count=count,
            state=self._state(step.id, count),
            called=tuple(self.called.get(step.id, ())),
            incidents=tuple(self.incidents.get(step.id, ())),
        )  # fmt: skip

    def _state(self, element_id: str, count: Count) -> str:
        if self.incidents.get(element_id):
            return "wrong"
        if count.here and self.instance.state == "running":
            return "here"
        if count.left:
            return "done"
        return "withdrawn" if count.came else "open"

    def for_viewer(self, focus: str | None = None) -> dict[str, Any]:
        """Return what the viewer draws: marks by element, badges, and what to look at first."""
        shown = {"here": "active", "done": "done", "wrong": "wrong"}
        lines = self.lines()
        marks = {line.step.id: [shown[line.state]] for line in lines if line.state in shown}
        marks |= {flow: ["done"] for flow in self.flows}
        return {
            "source": self.drawing.address,
            "words": words(),
            "focus": focus,
            "marks": marks,
            "badges": [badge for line in lines for badge in _badges(line)],
            "attention": [line.step.id for line in lines if line.state in ("wrong", "here")],
        }


def _badges(line: Line) -> Iterable[dict[str, Any]]:
    if line.state == "wrong":
        yield {"element": line.step.id, "text": f"{len(line.incidents)} !", "kind": "wrong",
               "title": _("stopped by an incident"), "href": "#incidents"}  # fmt: skip
    elif line.state == "here":
        yield {"element": line.step.id, "text": str(line.count.here), "kind": "active",
               "title": _("here now")}  # fmt: skip
    if line.count.left > 1:
        yield {"element": line.step.id, "text": f"{line.count.left}×", "kind": "done",
               "place": "left", "title": _("done so often")}  # fmt: skip
    for number, one in enumerate(line.called[-1:], 1):
        yield {"element": line.step.id, "text": "↓", "kind": "call", "place": "below",
               "title": _("open the called process"), "number": number,
               "href": url_for("cases.case", instance_id=one.id)}  # fmt: skip


def standing(
    view: CaseView, instance: Instance, drawing: Drawing, incidents: Iterable[Incident]
) -> Standing:
    """Put together where one instance of a case stands."""
    mine = [passage for passage in view.passages if passage.instance_id == instance.id]
    stopped: dict[str, list[Incident]] = defaultdict(list)
    for one in incidents:
        if one.instance_id == instance.id and one.resolved_at is None:
            stopped[one.element_id].append(one)
    return Standing(
        instance=instance, drawing=drawing, counts=_counts(mine), incidents=stopped,
        flows=frozenset(p.flow for p in mine if p.flow and p.kind == "element.activated"),
        called=_called(view, instance, drawing),
    )  # fmt: skip


def _counts(passages: Iterable[Passage]) -> dict[str, Count]:
    found: dict[str, Count] = defaultdict(Count)
    for one in passages:
        count = found[one.element_id]
        if one.kind == "element.activated":
            count.came += one.number
            count.first_at = min(count.first_at or one.first_at, one.first_at)
        elif one.kind == "element.completed":
            count.left += one.number
        elif one.kind == "element.migrated":
            count.came += one.number
            found[one.flow or ""].withdrawn += one.number
        else:
            count.withdrawn += one.number
        count.last_at = max(count.last_at or one.last_at, one.last_at)
    return found


def _called(
    view: CaseView, instance: Instance, drawing: Drawing
) -> dict[str, list[Instance]]:  # fmt: skip
    """Return called instances by call activity; the drawing says which activity calls what."""
    found: dict[str, list[Instance]] = defaultdict(list)
    for one in view.called:
        if one.parent_id != instance.id:
            continue
        fitting = [s.id for s in drawing.steps if s.calls == one.process_id]
        dynamic = [s.id for s in drawing.steps if s.calls and s.calls.startswith("=")]
        for step_id in (fitting or dynamic)[:1]:
            found[step_id].append(one)
    return found


def by_step(tasks: Iterable[UserTask]) -> dict[tuple[str, str], list[UserTask]]:
    """Return open tasks by instance and element."""
    found: dict[tuple[str, str], list[UserTask]] = defaultdict(list)
    for task in tasks:
        if task.state == "open":
            found[task.instance_id, task.element_id].append(task)
    return found
