"""The desk of deployments: upload, problems on the diagram, what changes, activate, roll back."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.errors import BadInput, DeploymentRefused
from engine.feel.values import text_of
from engine.model import Problem, Severity
from web import element_templates
from web.changes import KINDS as CHANGES
from web.changes import changes_of, property_words
from web.checked import checked, uploaded_bundle
from web.context import engine, person, settings
from web.drawings import titles
from web.language import _, current, lazy
from web.pages import WORKERS, Desk
from web.rights import holders, holds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine import dmn
    from engine.model import Definition
    from engine.registry import Registry

DESK = Desk("deployments")
DESK.entry("overview", lazy("Processes"), roles=WORKERS, place=50)
DESK.globals["change_word"] = lambda kind: CHANGES[kind]
DESK.globals["property_words"] = property_words


def subject_words(subject: str) -> str:
    """Return how a person reads what an act was about: a process and its version."""
    process_id, found, number = subject.rpartition(" version ")
    if not found:
        return subject
    return f"{titles().get(process_id, process_id)} {_('version %(n)s', n=number)}"


DESK.globals["subject_words"] = subject_words
_ROWS = 20
#: cases on which changed decisions are tried when a page is shown
_PAST_CASES = 200
DESK.globals["as_feel"] = lambda value: text_of(value, nested=True)
SEVERITIES = {
    Severity.ERROR: (lazy("error"), "late"),
    Severity.UNSUPPORTED: (lazy("cannot be executed"), "late"),
    Severity.WARNING: (lazy("warning"), "soon"),
    Severity.INFO: (lazy("note"), "info"),
}
DESK.globals["severity"] = lambda problem: SEVERITIES[problem.severity]


@DESK.page("/deployments", roles=WORKERS)
def overview() -> ResponseReturnValue:
    """Show every process with its versions and their use, and the latest deployments."""
    after = request.args.get("after") or None
    rows = engine().deployments(after=after, limit=_ROWS + 1)
    more, rows = len(rows) > _ROWS, rows[:_ROWS]
    return render_template(
        "deployments/overview.html", processes=_by_process(), use=engine().in_use(), rows=rows,
        titles=titles(), after=after, drafts=engine().bundle_drafts() if holds("check") else [],
        next_url=url_for("deployments.overview", after=rows[-1].id) if more else None,
        first_url=url_for("deployments.overview") if after else None,
    )  # fmt: skip


def _by_process() -> dict[str, list[Definition]]:
    found: dict[str, list[Definition]] = defaultdict(list)
    for one in engine().definitions():
        found[one.process_id].append(one)
    return found


@DESK.page("/deployments/processes/<path:process_id>", roles=WORKERS)
def process(process_id: str) -> ResponseReturnValue:
    """Show the versions of a process: who uses them, who activated them and why."""
    versions = _by_process().get(process_id, [])
    subjects = [f"{one.process_id} version {one.version}" for one in versions]
    return render_template(
        "deployments/process.html", versions=versions, use=engine().in_use(),
        title=titles().get(process_id, process_id), acts=engine().acts_on(subjects),
    )  # fmt: skip


@DESK.page("/deployments/processes/<path:process_id>", roles=holders("activate"), methods=["POST"])
def activate_version(process_id: str) -> ResponseReturnValue:
    """Let new cases use one version of a process."""
    version = request.form.get("version", type=int) or 0
    why = request.form.get("why", "").strip()
    if not why:
        flash(_("A version is activated with a reason: write one."), "error")
    else:
        engine().activate(process_id, version, by=person().name, why=why)
        flash(_("New cases use version %(n)s now.", n=version), "ok")
    return redirect(url_for("deployments.process", process_id=process_id), 303)


# ------------------------------------------------------------------ uploads


@DESK.page("/deployments/new", roles=holders("check"))
def upload() -> ResponseReturnValue:
    """Show the form to upload diagrams."""
    return render_template("deployments/upload.html", limit=settings().upload_limit, wrong="")


@DESK.page("/deployments", roles=holders("check"), methods=["POST"], uploads=True)
def uploaded() -> ResponseReturnValue:
    """Check what was uploaded; deploy it if that was asked for and nothing stops it."""
    try:
        bundle = uploaded_bundle(settings().upload_limit)
    except BadInput as error:
        shown = render_template(
            "deployments/upload.html", limit=settings().upload_limit, wrong=str(error)
        )
        return shown, 422
    if request.form.get("act") == "draft":
        title = request.form.get("comment", "").strip()
        kept = engine().save_bundle_draft(bundle, title=title, by=person().name)
        flash(_("The draft is kept. Nothing of it is executed."), "ok")
        return redirect(url_for("drafts.draft", draft_id=kept.id), 303)
    deploys = request.form.get("act") == "deploy" and person().role in holders("deploy")
    if not deploys:
        return _problems_page(bundle, engine().check(bundle))
    try:
        made = engine().deploy(
            bundle, by=person().name, activate=bool(request.form.get("activate")),
            comment=request.form.get("comment", "").strip(),
        )  # fmt: skip
    except DeploymentRefused as refusal:
        return _problems_page(bundle, list(refusal.problems)), 422
    if made.created:
        flash(_("Deployed: %(n)s processes.", n=len(made.definitions)), "ok")
    else:
        flash(_("Exactly these files are deployed already; nothing was stored."), "info")
    return redirect(url_for("deployments.deployment", deployment_id=made.id), 303)


def _problems_page(bundle: dict[str, bytes], problems: list[Problem]) -> str:
    shown = checked(bundle, problems)
    changed = {name: data for name, data in bundle.items() if name.endswith(".dmn")}
    past = [] if shown["stopping"] else _what_if(changed)
    return render_template("deployments/problems.html", what_if=past, **shown)


def _what_if(files: Mapping[str, bytes]) -> list[dmn.WhatIf]:
    """Return what changed decisions would have meant for the latest cases, where there are any."""
    if not files or person().role not in holders("check"):
        return []
    found = engine().what_if(files, limit=_PAST_CASES)
    return [one for one in found if one.compared or one.skipped]


# ------------------------------------------------------------------ one deployment


@DESK.page("/deployments/<deployment_id>", roles=WORKERS)
def deployment(deployment_id: str) -> ResponseReturnValue:
    """Show a deployment: what it changed, its files, who did what with it."""
    found = engine().deployment(deployment_id)
    subjects = [f"{one.process_id} version {one.version}" for one in found.definitions]
    files = changes_of(engine(), found)
    changed = {
        one.name: engine().file(deployment_id, one.name)
        for one in files
        if one.kind != "same" and one.name.endswith(".dmn")
    }
    use, versions = engine().in_use(), _by_process()
    older = {
        one.process_id: [other for other in versions[one.process_id]
                         if other.id != one.id and use.get(other.id, (0, 0))[0]]
        for one in found.definitions
    }  # fmt: skip
    return render_template(
        "deployments/deployment.html", deployment=found, titles=titles(), use=use, older=older,
        files=files, what_if=_what_if(changed), acts=engine().acts_on(subjects),
        back=engine().rolls_back_to(deployment_id),
    )  # fmt: skip


@DESK.page("/deployments/<deployment_id>/activate", roles=holders("activate"), methods=["POST"])
def activate(deployment_id: str) -> ResponseReturnValue:
    """Let new cases use all processes of a deployment."""
    why = request.form.get("why", "").strip()
    if not why:
        flash(_("A version is activated with a reason: write one."), "error")
    else:
        engine().activate_all(deployment_id, by=person().name, why=why)
        flash(_("New cases use this deployment now; running ones keep their version."), "ok")
    return redirect(url_for("deployments.deployment", deployment_id=deployment_id), 303)


@DESK.page("/deployments/<deployment_id>/roll-back", roles=holders("activate"), methods=["POST"])
def roll_back(deployment_id: str) -> ResponseReturnValue:
    """Let new cases use what was active before; one click, the reason may follow or not."""
    why = request.form.get("why", "").strip() or _("rolled back")
    now = engine().roll_back(deployment_id, by=person().name, why=why)
    names = ", ".join(f"{one.process_id} {one.version}" for one in now)
    flash(_("Rolled back. New cases use: %(names)s.", names=names), "ok")
    return redirect(url_for("deployments.deployment", deployment_id=deployment_id), 303)


@DESK.page("/deployments/<deployment_id>/source/<path:name>", roles=WORKERS)
def source(deployment_id: str, name: str) -> ResponseReturnValue:
    """Give the viewer a file: as plain text, since an uploaded XML could be a page with scripts."""
    response = Response(engine().file(deployment_id, name), mimetype="text/plain")
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return response


@DESK.page("/deployments/<deployment_id>/files/<path:name>", roles=WORKERS)
def file(deployment_id: str, name: str) -> ResponseReturnValue:
    """Give a file back, byte for byte as it was uploaded."""
    content = engine().file(deployment_id, name)
    response = Response(content, mimetype="application/octet-stream")
    response.headers.set("Content-Disposition", "attachment", filename=name.rpartition("/")[2])
    return response


# ------------------------------------------------------------------ handlers


@DESK.page("/handlers", roles=WORKERS)
def handlers() -> ResponseReturnValue:
    """Show the catalogue of handlers: what a service task can be told to do."""
    entries = sorted(_registry(), key=lambda one: one.name)
    return render_template(
        "deployments/handlers.html", catalogue=entries,
        title_of=lambda one: element_templates.title_of(one, current()),
    )  # fmt: skip


@DESK.page("/handlers/templates.zip", roles=WORKERS)
def templates() -> ResponseReturnValue:
    """Give the element templates of all handlers, for the desktop modeler."""
    content = element_templates.archive(_registry(), current())
    response = Response(content, mimetype="application/zip")
    response.headers.set(
        "Content-Disposition", "attachment", filename="caseway-element-templates.zip"
    )
    return response


def _registry() -> Registry:
    from engine.registry import Registry

    return engine().registry or Registry.load(settings())
