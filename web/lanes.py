"""The page of lanes that stand still: what stops each, since when, and the two ways on.

A lane keeps the order of one customer or engineer; an incident at its first item stops all behind
it. Either that item is tried again, in its place, or the lane goes on without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.errors import Conflict, NotFound
from web.context import engine, person
from web.drawings import Drawing, drawing
from web.language import _, ngettext
from web.pages import WORKERS, Desk
from web.rights import holders

if TYPE_CHECKING:
    from engine.model import Incident, Instance
    from engine.store.lanes import Blocked

DESK = Desk("lanes")
#: lanes of one page
_ROWS = 50
#: lanes that the page of incidents counts; more are said to be more
_COUNTED = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """A lane that stands still, with what people know its parts by."""

    lane: Blocked
    incident: Incident
    case: Instance
    drawing: Drawing

    @property
    def step(self) -> str:
        """The name of the step that stopped it, for the reader."""
        return self.drawing.name(self.lane.element_id)


@DESK.page("/incidents/lanes", roles=WORKERS)
def stopped() -> ResponseReturnValue:
    """List the lanes that an incident has stopped, by name."""
    after = request.args.get("after", "")
    rows = engine().blocked_lanes(after=after, limit=_ROWS + 1)
    more, rows = len(rows) > _ROWS, rows[:_ROWS]
    return render_template(
        "lanes/stopped.html", rows=[_stopped(row) for row in rows],
        next_url=url_for("lanes.stopped", after=rows[-1].lane) if more else None,
        first_url=url_for("lanes.stopped") if after else None,
    )  # fmt: skip


@DESK.page("/incidents/lanes/pass", roles=holders("retry"), methods=["POST"])
def let_pass() -> ResponseReturnValue:
    """Let the chosen lanes go on without what has stopped them; each is recorded in its case."""
    chosen = list(dict.fromkeys(request.form.getlist("id")))
    why = request.form.get("why", "").strip()
    gone = sum(_passed(incident_id, why) for incident_id in chosen)
    if not chosen:
        flash(_("Choose at least one lane."), "error")
    if gone:
        flash(ngettext("%(num)s lane goes on.", "%(num)s lanes go on.", gone), "ok")
    if late := len(chosen) - gone:
        flash(
            ngettext("%(num)s had gone on already.", "%(num)s had gone on already.", late), "warn"
        )
    return redirect(url_for("lanes.stopped"), 303)


def _stopped(lane: Blocked) -> Stopped:
    incident = engine().incident(lane.incident_id)
    return Stopped(
        lane=lane, incident=incident, case=engine().case(lane.root_id),
        drawing=drawing(engine().case(incident.instance_id).definition_id),
    )  # fmt: skip


def _passed(incident_id: str, why: str) -> bool:
    """Let a lane go on; tell whether it still stood."""
    try:
        engine().step_aside(incident_id, by=person().name, why=why)
    except (Conflict, NotFound):  # somebody else was faster
        return False
    return True


def stand_still() -> int:
    """Return how many lanes stand still, for the page of incidents."""
    return len(engine().blocked_lanes(limit=_COUNTED))


DESK.globals["lanes_stopped"] = stand_still
