"""The desk of cases: a list with filters in the address, and each case with all its parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.codec import to_json
from engine.errors import NotFound
from engine.model import InstanceState
from web import attachments
from web.case_facts import files_of, messages_of, scopes_of
from web.case_state import by_step, standing
from web.context import engine, person, settings
from web.decided import made_in
from web.drawings import Drawing, drawing, present
from web.language import _, lazy
from web.links import links_of
from web.pages import WORKERS, Desk
from web.render import plain
from web.rights import holders, holds
from web.story import shown, told

if TYPE_CHECKING:
    from engine.model import HistoryRow, Instance
    from engine.runtime import Engine
    from engine.runtime.views import Act, CaseView, OpenTask

DESK = Desk("cases")
DESK.entry("case_list", lazy("Cases"), roles=WORKERS, place=20)

#: rows of the list, lines of a timeline, rows of one piece of an export
_ROWS, _LINES, _PIECE = 25, 40, 1000
#: versions of a process that are searched for the names of earlier steps
_VERSIONS = 20
STATES = {
    InstanceState.RUNNING: lazy("running"),
    InstanceState.COMPLETED: lazy("completed"),
    InstanceState.TERMINATED: lazy("terminated"),
    InstanceState.FAILED: lazy("failed"),
    InstanceState.CANCELLED: lazy("cancelled"),
}
_BADGES = {
    InstanceState.RUNNING: "info",
    InstanceState.COMPLETED: "fine",
    InstanceState.FAILED: "late",
}


DESK.globals["state_words"] = lambda state: STATES[InstanceState(state)]
DESK.globals["state_badge"] = lambda state: _BADGES.get(InstanceState(state), "")
DESK.globals["shown"] = shown
DESK.globals["holds"] = holds


@DESK.page("/cases", roles=WORKERS)
def case_list() -> ResponseReturnValue:
    """List cases, newest first; the address holds all filters."""
    wanted = {name: request.args.get(name, "").strip() for name in ("state", "process", "key")}
    after = request.args.get("after") or None
    rows = engine().cases(
        state=wanted["state"] or None, process_id=wanted["process"] or None,
        business_key=wanted["key"] or None, after=after, limit=_ROWS + 1,
    )  # fmt: skip
    more, rows = len(rows) > _ROWS, rows[:_ROWS]
    tasks, stopped = engine().standing([row.id for row in rows])
    drawn = present()
    kept: dict[str, Any] = {name: value for name, value in wanted.items() if value}
    return render_template(
        "cases/list.html", rows=rows, wanted=wanted,
        titles={process_id: one.title for process_id, one in drawn.items()},
        step_name=partial(_step_name, drawn), states=STATES,
        stopped=stopped, tasks={row.id: [t for t in tasks if t.root_id == row.id] for row in rows},
        next_url=url_for("cases.case_list", **kept, after=rows[-1].id) if more else None,
        first_url=url_for("cases.case_list", **kept) if after else None,
    )  # fmt: skip


def _step_name(drawn: dict[str, Drawing], task: OpenTask) -> str:
    """Return what a task is called: as the present version draws it, else as it was made."""
    one = drawn.get(task.process_id)
    known = one is not None and one.step(task.element_id) is not None
    return one.name(task.element_id) if one is not None and known else task.name


@DESK.page("/cases/<instance_id>", roles=WORKERS)
def case(instance_id: str) -> ResponseReturnValue:
    """Show a case where it stands; a called process has its own diagram in the same case."""
    view = engine().case_view(instance_id)
    shown_one = next(one for one in (view.root, *view.called) if one.id == instance_id)
    drawings = _drawings(view)
    incidents = engine().incidents(open=None, instance_id=view.root.id, limit=200)
    here = standing(view, shown_one, drawings[instance_id], incidents)
    tasks = engine().tasks(instance_id=view.root.id, limit=200)
    acts = engine().acts_on(
        [view.root.id, *(one.id for one in view.called), f"links of {view.root.id}"]
    )
    return render_template(
        "cases/case.html", view=view, instance=shown_one, standing=here, drawings=drawings,
        picture=here.for_viewer(request.args.get("element")), lines=here.lines(),
        way=_way(view, shown_one), tasks=tasks, tasks_at=by_step(tasks),
        incidents=[one for one in incidents if one.resolved_at is None],
        acts=acts, made=made_in(view), newer=_active_version(shown_one),
        **_timeline(view, drawings, _further(view, acts)), **_contents(view, shown_one),
    )  # fmt: skip


def _active_version(instance: Instance) -> int | None:
    """Return the version that new cases use, if this one runs in another."""
    known = (one for one in engine().definitions() if one.process_id == instance.process_id)
    active = next((one for one in known if one.active), None)
    return None if active is None or active.id == instance.definition_id else active.version


def _contents(view: CaseView, instance: Instance) -> dict[str, Any]:
    """Return what a case holds: variables by scope, messages, files."""
    scopes = scopes_of(engine(), instance)
    return {
        "scopes": scopes,
        "messages": messages_of(engine(), view),
        "files": files_of(engine(), view),
    }


def _drawings(view: CaseView) -> dict[str, Drawing]:
    return {one.id: drawing(one.definition_id) for one in (view.root, *view.called)}


def _further(view: CaseView, acts: Sequence[Act]) -> dict[str, list[Drawing]]:
    """Return the drawings of other versions for each instance that was moved, the newest first."""
    moved = {act.subject for act in acts if act.verb == "migrate"}
    known = engine().definitions() if moved else []
    return {
        one.id: [drawing(d.id) for d in known
                 if d.process_id == one.process_id and d.id != one.definition_id][:_VERSIONS]
        for one in (view.root, *view.called)
        if one.id in moved
    }  # fmt: skip


def _way(view: CaseView, instance: Instance) -> list[Instance]:
    """Return the instances from the case down to this one."""
    known = {one.id: one for one in (view.root, *view.called)}
    way = [instance]
    while way[0].parent_id in known:
        way.insert(0, known[way[0].parent_id])
    return way


def _timeline(
    view: CaseView, drawings: dict[str, Drawing], others: dict[str, list[Drawing]]
) -> dict[str, Any]:
    whole = request.args.get("all") == "1"
    before = request.args.get("before", type=int)
    rows = engine().story(view.root.id, before=before, limit=_LINES + 1, whole=whole)
    more, rows = len(rows) > _LINES, rows[:_LINES]
    return {
        "story": [
            line
            for row in rows
            if (line := told(row, drawings, whole=whole, others=others)) is not None
        ],
        "whole": whole,
        "before": before,
        "earlier": rows[-1].seq if more else None,
    }


@DESK.page("/cases/<instance_id>/cancel", roles=holders("cancel"), methods=["POST"])
def cancel(instance_id: str) -> ResponseReturnValue:
    """End a case now; the reason is kept in the record."""
    why = request.form.get("why", "").strip()
    if not why:
        flash(_("A case is cancelled with a reason: write one."), "error")
    else:
        engine().cancel(instance_id, by=person().name, why=why)
        flash(_("The case is cancelled, with all that was open in it."), "ok")
    return redirect(url_for("cases.case", instance_id=instance_id), 303)


@DESK.page("/cases/<instance_id>/end-links", roles=holders("oversee"), methods=["POST"])
def end_links(instance_id: str) -> ResponseReturnValue:
    """Make every link of a case that was sent so far worthless; an act with its reason."""
    why = request.form.get("why", "").strip()
    root = engine().case_view(instance_id).root
    if not why:
        flash(_("Links are ended with a reason: write one."), "error")
    else:
        links_of(engine()).revoke_all(root.id, by=person().name, why=why)
        flash(_("Every link that was sent in this case is worthless now."
                " Messages that are sent later carry new ones."), "ok")  # fmt: skip
    return redirect(url_for("cases.case", instance_id=instance_id), 303)


@DESK.page("/cases/<instance_id>/history.jsonl", roles=WORKERS)
def export(instance_id: str) -> ResponseReturnValue:
    """Give the whole history as JSON lines, one event each."""
    found = engine().case(instance_id)
    response = Response(_lines(engine(), found.id), mimetype="application/x-ndjson")
    response.headers["Content-Disposition"] = f'attachment; filename="{found.id}.jsonl"'
    return response


def _lines(engine: Engine, instance_id: str) -> Iterator[bytes]:
    rows: list[HistoryRow] = engine.history(instance_id, limit=_PIECE)
    while rows:
        yield from (to_json(plain(row)) + b"\n" for row in rows)
        rows = engine.history(instance_id, after=rows[-1].seq, limit=_PIECE)


@DESK.page("/cases/<instance_id>/files/<sha256>", roles=WORKERS)
def file(instance_id: str, sha256: str) -> ResponseReturnValue:
    """Hand out a file that the case names, as a download only."""
    found = files_of(engine(), engine().case_view(instance_id))
    named = next((one for one in found if one.sha256 == sha256), None)
    path = attachments.stored(settings().data_dir / "attachments", sha256) if named else None
    if named is None or path is None:
        raise NotFound("this case has no such file")
    response = Response(path.read_bytes(), mimetype="application/octet-stream")
    response.headers.set("Content-Disposition", "attachment", filename=named.name)
    return response
