"""The operator's desk: the list of open tasks, filtered by its address, and claiming from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.errors import Conflict, Forbidden
from engine.model import UserTask
from engine.runtime.worklist import Listed, Wanted
from engine.store.worklist import FIRST
from web.context import engine, may, now, person
from web.language import _, current, lazy, zone
from web.names import group_name
from web.pages import LEADS, WORKERS, Desk, local

DESK = Desk("desk")
DESK.entry("work_list", lazy("Work"), roles=WORKERS, place=10)
DESK.home("work_list", *WORKERS)

ROWS = 25
#: this many or more are shown as 999+
_MANY = 1000
_LONGEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A task as the list shows it."""

    task: UserTask
    name: str
    process: str
    may_claim: bool
    is_mine: bool


@DESK.page("/tasks", roles=WORKERS)
def work_list() -> ResponseReturnValue:
    """Show open tasks: mine, those of my groups, or (leads) all of them."""
    me = person()
    view = _view()
    asked = request.args
    wanted = Wanted(
        view=view, process_id=asked.get("process") or None, group=asked.get("group") or None,
        before=_before(asked.get("due", "")), text=asked.get("q", "")[:_LONGEST].strip() or None,
    )  # fmt: skip
    found = engine().work_list(
        wanted, user=me.name, groups=me.groups, after=_after(asked.get("after")), limit=ROWS + 1
    )
    more = len(found) > ROWS
    return render_template(
        "desk/list.html",
        wide=True,
        view=view,
        lines=[_line(row) for row in found[:ROWS]],
        counts=_counts(),
        processes=_processes(),
        groups=me.groups,
        filtered=any(asked.get(name) for name in ("process", "group", "due", "q")),
        next_url=_page(found[ROWS - 1].task) if more else None,
        first_url=_page(None) if asked.get("after") else None,
    )


@DESK.page("/tasks/<task_id>/claim", roles=WORKERS, methods=["POST"])
def claim(task_id: str) -> ResponseReturnValue:
    """Take a task, from the list or from its page."""
    task = engine().task(task_id)
    if not may_claim(task):
        raise Forbidden(
            "this task is for other groups: " + ", ".join(map(group_name, task.candidate_groups))
        )
    try:
        engine().claim(task_id, by=person().name)
    except Conflict:
        flash(_("Somebody else was faster: the task is taken."), "warn")
        return redirect(_back(), 303)
    return redirect(local(request.form.get("next")) or url_for("task.show", task_id=task_id), 303)


@DESK.page("/tasks/<task_id>/unclaim", roles=WORKERS, methods=["POST"])
def unclaim(task_id: str) -> ResponseReturnValue:
    """Give a task back to its group."""
    task = engine().task(task_id)
    if task.assignee not in (None, person().name) and not may(*LEADS):
        raise Forbidden("only who has a task, or a lead, can give it back")
    engine().unclaim(task_id, by=person().name)
    flash(_("The task is back with its group."), "ok")
    return redirect(_back(), 303)


def may_claim(task: UserTask) -> bool:
    """Tell whether the person is one of those the task is for."""
    me = person()
    if task.state != "open" or task.assignee is not None:
        return False
    anybody = not task.candidate_groups and not task.candidate_users
    named = me.name in task.candidate_users or bool({*me.groups} & {*task.candidate_groups})
    return anybody or named or may(*LEADS)


def name_of(definition_id: str, task: UserTask) -> str:
    """Return the name of a task in the language of this request."""
    found = engine().words(definition_id).get(task.element_id)
    drawn = found.name(current()) if found else ""
    # a name that was computed for this one task says more than the drawn one
    return drawn if found and found.name("") == task.name else task.name or drawn or task.element_id


def process_of(definition_id: str, process_id: str) -> str:
    """Return the name of a process in the language of this request."""
    found = engine().words(definition_id).get(process_id)
    return (found.name(current()) if found else "") or process_id


def _line(row: Listed) -> Line:
    task = row.task
    return Line(
        task=task, name=name_of(row.definition_id, task), may_claim=may_claim(task),
        process=process_of(row.definition_id, task.process_id),
        is_mine=task.assignee == person().name,
    )  # fmt: skip


def _view() -> str:
    wish = request.args.get("view", "mine")
    allowed = ("mine", "groups", "all") if may(*LEADS) else ("mine", "groups")
    return wish if wish in allowed else "mine"


def _counts() -> dict[str, str]:
    me = person()
    found = engine().work_counts(user=me.name, groups=me.groups)
    numbers = {"mine": found.mine, "groups": found.groups, "all": found.all}
    return {view: f"{_MANY - 1}+" if n >= _MANY else str(n) for view, n in numbers.items()}


def _processes() -> list[tuple[str, str]]:
    active = [one for one in engine().definitions() if one.active]
    return sorted((process_of(one.id, one.process_id), one.process_id) for one in active)


def _before(wish: str) -> datetime | None:
    """Return the moment that a filter by due time means."""
    if wish == "late":
        return now()
    days = {"today": 1, "week": 7}.get(wish)
    if days is None:
        return None
    there = now().astimezone(zone()).date() + timedelta(days=days)
    return datetime.combine(there, time(), zone()).astimezone(UTC)


def _page(task: UserTask | None) -> str:
    """Return the address of this list behind a task; None: from its beginning."""
    given: dict[str, Any] = {k: v for k, v in request.args.items() if k != "after" and v}
    if task is not None:
        due = "" if task.due_at is None else task.due_at.isoformat()
        given["after"] = f"{due}~{task.id}"
    return url_for("desk.work_list", **given)


def _after(cursor: str | None) -> tuple[datetime | None, str] | None:
    """Return where a list goes on; nonsense means its beginning."""
    if not cursor or "~" not in cursor:
        return None
    due, _mark, task_id = cursor[:100].partition("~")
    try:
        moment = datetime.fromisoformat(due) if due else None
    except ValueError:
        return None
    if moment is not None and (moment.tzinfo is None or moment < FIRST):
        return None
    return moment, task_id


def _back() -> str:
    return local(request.form.get("next")) or url_for("desk.work_list")
