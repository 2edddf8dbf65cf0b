"""The desk of incidents: what stopped, grouped by the same error, and trying one or many again."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.errors import Conflict, NotFound
from web.context import engine, person
from web.drawings import Drawing, drawing
from web.language import _, lazy, ngettext
from web.pages import WORKERS, Desk
from web.rights import holders

if TYPE_CHECKING:
    from engine.model import Incident
    from engine.runtime.views import Trouble

DESK = Desk("incidents")
DESK.entry("groups", lazy("Incidents"), roles=WORKERS, place=40)

#: incidents of one group that are listed and tried again at once
_MOST = 200
#: what differs between two incidents of the same error: ids, numbers, quoted values
_CHANCE = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+|'[^']*'|\"[^\"]*\"|“[^”]*”")
KINDS = {
    "work": lazy("a handler gave up"),
    "fault": lazy("a step cannot go on"),
    "uncaught_error": lazy("an error that nobody catches"),
    "runaway": lazy("too long without a wait"),
}
DESK.globals["incident_kind"] = lambda kind: KINDS.get(kind, kind)


@dataclass(slots=True, kw_only=True)
class Group:
    """Open incidents with the same error at the same element."""

    key: str
    process_id: str
    element_id: str
    kind: str
    #: of the latest
    message: str
    number: int
    first_at: datetime
    last_at: datetime
    #: one of them, whose diagram names the element
    sample: Incident
    drawing: Drawing | None


@DESK.page("/incidents", roles=WORKERS)
def groups() -> ResponseReturnValue:
    """Show the open incidents, one line for each error."""
    return render_template("incidents/groups.html", groups=_groups())


@DESK.page("/incidents/group/<key>", roles=WORKERS)
def group(key: str) -> ResponseReturnValue:
    """Show all incidents with one error, to try some or all of them again."""
    found = next((one for one in _groups() if one.key == key), None)
    if found is None:
        flash(_("No incident of this kind is open any more."), "ok")
        return redirect(url_for("incidents.groups"), 303)
    members = [
        one
        for one in engine().incidents(
            process_id=found.process_id, element_id=found.element_id, kind=found.kind, limit=1000
        )
        if _same(one.message) == _same(found.message)
    ]
    cases = {one.id: engine().case(one.root_id) for one in members[:_MOST] if _has_case(one)}
    return render_template(
        "incidents/group.html", group=found, members=members[:_MOST], more=len(members) - _MOST,
        cases=cases,
    )  # fmt: skip


@DESK.page("/incidents/<incident_id>", roles=WORKERS)
def incident(incident_id: str) -> ResponseReturnValue:
    """Show one incident with its trace, where it stopped, and what became of it since."""
    found = engine().incident(incident_id)
    others = engine().incidents(open=None, instance_id=found.root_id, limit=200)
    later = [one for one in others if one.token == found.token and one.id > found.id]
    has_case = _has_case(found)
    return render_template(
        "incidents/incident.html", incident=found, drawing=_drawing(found), later=later,
        case=engine().case(found.root_id) if has_case else None,
    )  # fmt: skip


@DESK.page("/incidents/retry", roles=holders("retry"), methods=["POST"])
def retry() -> ResponseReturnValue:
    """Try the chosen incidents again, each by itself, and say what became of each."""
    chosen = list(dict.fromkeys(request.form.getlist("id")))[:_MOST]
    if not chosen:
        flash(_("Choose at least one incident."), "error")
        return redirect(
            (request.form.get("group") and _group_url()) or url_for("incidents.groups"), 303
        )
    results = [(incident_id, _tried(incident_id)) for incident_id in chosen]
    if len(results) == 1 and not results[0][1]:
        flash(_("It is tried again; if it fails once more, it comes back here."), "ok")
        return redirect(url_for("incidents.incident", incident_id=chosen[0]), 303)
    refused = sum(bool(why) for _id, why in results)
    summary = ngettext(
        "%(num)s is tried again.", "%(num)s are tried again.", len(results) - refused
    )
    return render_template(
        "incidents/result.html", summary=summary, refused=refused,
        results=[(engine().incident(one), why) for one, why in results],
    )  # fmt: skip


def _group_url() -> str:
    return url_for("incidents.group", key=request.form["group"])


def _tried(incident_id: str) -> str:
    """Try an incident again; return why it was refused, "" if it was not."""
    try:
        engine().retry(incident_id, by=person().name)
    except (Conflict, NotFound) as error:
        return str(error)
    return ""


def _groups() -> list[Group]:
    """Return the groups, the latest first; messages that differ by chance count as one."""
    found: dict[str, list[Trouble]] = defaultdict(list)
    for one in engine().troubles():
        found[_key(one)].append(one)
    return [_group(key, members) for key, members in found.items()]


def _key(one: Trouble) -> str:
    told = "\0".join((one.process_id, one.element_id, one.kind, _same(one.message)))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _same(message: str) -> str:
    return _CHANCE.sub("…", message.partition("\n")[0])


def _group(key: str, members: Iterable[Trouble]) -> Group:
    members = list(members)
    latest = members[0]
    sample = engine().incident(latest.sample_id)
    return Group(
        key=key, process_id=latest.process_id, element_id=latest.element_id, kind=latest.kind,
        message=latest.message, number=sum(one.number for one in members),
        first_at=min(one.first_at for one in members), sample=sample,
        last_at=max(one.last_at for one in members), drawing=_drawing(sample),
    )  # fmt: skip


def _has_case(one: Incident) -> bool:
    """Tell whether the incident is of a case: one that could not begin has none."""
    try:
        engine().case(one.root_id)
    except NotFound:
        return False
    return True


def _drawing(one: Incident) -> Drawing | None:
    try:
        return drawing(engine().case(one.instance_id).definition_id)
    except NotFound:
        return None
