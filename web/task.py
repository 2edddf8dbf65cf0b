"""The page of one task: its form beside the facts of the case; draft, complete, and what if
somebody was faster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import (
    Response,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from markupsafe import Markup, escape

from engine.errors import BadInput, Conflict
from engine.runtime.worklist import Draft, TaskView, Wanted
from web import facts, forms, names
from web.context import engine, now, person
from web.decided import made_in
from web.desk import may_claim, name_of, process_of
from web.forms import rich
from web.forms.fill import PREFIX
from web.forms.rows import COUNT, SHOWN
from web.language import _, current, moment, zone
from web.pages import WORKERS, Desk

DESK = Desk("task")
NOTE = "note"
#: what the button says that only shows the form again
_SHOW = "show"
#: where a value is too long to be a fact beside a form
_LONGEST_NOTE = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A task opened by somebody: what the template needs."""

    view: TaskView
    form: forms.Form | None
    filled: forms.Filled | None
    draft: Draft | None
    note: str
    #: the form's file cannot be read; the reason
    damaged: str


@DESK.page("/tasks/<task_id>", roles=WORKERS)
def show(task_id: str) -> ResponseReturnValue:
    """Show a task with its form; a draft of the person's is in it."""
    view = engine().task_view(task_id)
    draft = engine().draft(task_id, by=person().name) if view.task.state == "open" else None
    return _page(view, _sheet(view, draft.fields if draft else None, draft=draft), 200)


@DESK.page("/tasks/<task_id>", roles=WORKERS, methods=["POST"])
def act(task_id: str) -> ResponseReturnValue:
    """Complete a task, keep a draft, or show the form again with one row more or less."""
    texts = _typed()
    wish = request.form.get("act", "complete")
    view = engine().task_view(task_id)
    if view.task.state != "open" or view.task.assignee != person().name:
        return _too_late(view, texts)
    if wish == "draft":
        return _keep_draft(task_id, texts)
    if wish in ("complete", "next"):
        return _complete(view, texts, then_next=wish == "next")
    return _page(view, _sheet(view, forms.act_on_rows(texts, wish)), 200)


def _typed() -> dict[str, list[str]]:
    """Return what was typed into the form, without what belongs to the page."""
    ours = (PREFIX, COUNT + PREFIX)
    return {
        name: texts
        for name, texts in request.form.lists()
        if name.startswith(ours) or name in (SHOWN, NOTE)
    }


def _keep_draft(task_id: str, texts: dict[str, list[str]]) -> ResponseReturnValue:
    saved = engine().save_draft(task_id, texts, by=person().name)
    if request.headers.get("X-Caseway") == "draft":  # saved by the script while typing
        return make_response(str(moment(saved)), 200)
    flash(_("The draft is kept. You can go on whenever you like."), "ok")
    return redirect(url_for("task.show", task_id=task_id), 303)


def _complete(
    view: TaskView, texts: dict[str, list[str]], *, then_next: bool
) -> ResponseReturnValue:
    task = view.task
    sheet = _sheet(view, texts, check=True)
    if sheet.damaged or (sheet.filled is not None and sheet.filled.errors):
        return _page(view, sheet, 422)
    values = sheet.filled.values if sheet.filled is not None else {}
    if sheet.form is None and sheet.note:
        values = {NOTE: sheet.note}
    try:
        engine().complete(task.id, values, by=person().name)
    except Conflict:
        return _too_late(engine().task_view(task.id), texts)
    except BadInput as error:
        return _page(view, sheet, 422, refused=str(error))
    engine().drop_drafts(task.id)
    flash(_("Done: %(name)s", name=name_of(view.instance.definition_id, task)), "ok")
    return redirect(_next() if then_next else url_for("desk.work_list"), 303)


def _next() -> str:
    """Return the address of the most pressing task that is left for this person."""
    me = person()
    for view in ("mine", "groups"):
        found = engine().work_list(Wanted(view=view), user=me.name, groups=me.groups, limit=1)
        if found:
            return url_for("task.show", task_id=found[0].task.id)
    return url_for("desk.work_list")


def _too_late(view: TaskView, texts: dict[str, list[str]]) -> Response:
    """Say who was faster and when, and give back what was typed; nothing of it is lost."""
    if view.task.state == "open":
        engine().save_draft(view.task.id, texts, by=person().name)
    sheet = _sheet(view, texts)
    shown = render_template(
        "desk/conflict.html", **_told(view), sheet=sheet, typed=_readable(sheet)
    )
    return make_response(shown, 409)


def _readable(sheet: Sheet) -> list[tuple[str, str]]:
    """Return what was typed as pairs of label and text."""
    if sheet.form is None:
        return [(_("Note"), sheet.note)] if sheet.note else []
    return _pairs(sheet.filled.parts) if sheet.filled else []


def _pairs(parts: list[forms.Shown]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for part in parts:
        labels = {option.text: option.label for option in part.options}
        texts = [labels.get(text, text) for text in part.texts]
        if part.rows or part.parts:
            found += [pair for row in [part.parts, *part.rows] for pair in _pairs(row)]
        elif any(texts) and not part.content:
            text = _("yes") if part.kind == "checkbox" else ", ".join(texts)
            found.append((str(part.label), text))
    return found


def _sheet(
    view: TaskView, texts: Mapping[str, list[str]] | None, *, draft: Draft | None = None,
    check: bool = False,
) -> Sheet:  # fmt: skip
    note = ((texts or {}).get(NOTE) or [""])[0].strip()[:_LONGEST_NOTE]
    form, filled, damaged = None, None, ""
    if view.form is not None:
        try:
            form = forms.load(view.form)
        except forms.FormDamaged as error:
            damaged = str(error)
    if form is not None:
        given = forms.Sheet(
            variables=view.variables, texts=texts, language=current(), zone=zone(), now=now(),
            check=check,
        )  # fmt: skip
        filled = forms.fill(form, given)
    return Sheet(view=view, form=form, filled=filled, draft=draft, note=note, damaged=damaged)


def _page(view: TaskView, sheet: Sheet, status: int, *, refused: str = "") -> Response:
    mine = view.task.state == "open" and view.task.assignee == person().name
    shown = render_template(
        "desk/task.html",
        wide=True,
        **_told(view),
        sheet=sheet,
        refused=refused,
        editable=mine,
        may_claim=may_claim(view.task),
        hidden=forms.hidden_fields(sheet.filled) if sheet.filled else [],
        row_field=forms.row_field,
        show_again=_SHOW,
    )
    return make_response(shown, status)


def _told(view: TaskView) -> dict[str, Any]:
    """Return what all pages about a task say of it."""
    task, definition = view.task, view.instance.definition_id
    words = view.words.get(task.element_id)
    return {
        "view": view,
        "task": task,
        "name": name_of(definition, task),
        "process": process_of(definition, task.process_id),
        "explained": words.text(current()) if words else "",
        "made": made_in(engine().case_view(view.root.id)),
        "facts": facts.told(
            view.variables, engine().labels(definition), engine().choices(definition)
        ),
    }


def case_link(instance_id: str, text: str) -> Markup:
    """Return a link to the page of a case, where there is such a page."""
    if "cases.case" not in current_app.view_functions:
        return escape(text)
    address = url_for("cases.case", instance_id=instance_id)
    return Markup('<a href="{}">{}</a>').format(address, text)


DESK.globals["case_link"] = case_link
DESK.filters.update(
    fact_name=names.fact_name,
    group_name=names.group_name,
    person_name=names.person_name,
    markdown=rich.markdown,
)
