"""Drafts on the pages: an unfinished bundle, with all that is missing at its elements."""

from __future__ import annotations

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.errors import BadInput, DeploymentRefused, NotFound
from web.checked import checked, uploaded_bundle
from web.context import engine, person, settings
from web.language import _
from web.pages import Desk
from web.rights import holders

DESK = Desk("drafts")


@DESK.page("/drafts/<draft_id>", roles=holders("check"))
def draft(draft_id: str) -> ResponseReturnValue:
    """Show a draft."""
    return _page(draft_id)


def _page(draft_id: str, *, wrong: str = "") -> str:
    found = engine().bundle_draft(draft_id)
    return render_template(
        "deployments/draft.html", draft=found, wrong=wrong, limit=settings().upload_limit,
        **checked(engine().bundle_draft_files(draft_id), list(found.problems)),
    )  # fmt: skip


@DESK.page("/drafts/<draft_id>", roles=holders("check"), methods=["POST"], uploads=True)
def replace(draft_id: str) -> ResponseReturnValue:
    """Replace the files of a draft."""
    try:
        bundle = uploaded_bundle(settings().upload_limit)
    except BadInput as error:
        return _page(draft_id, wrong=str(error)), 422
    kept = engine().replace_bundle_draft(
        draft_id, bundle, by=person().name, title=request.form.get("title", "").strip(),
        revision=request.form.get("revision", type=int),
    )  # fmt: skip
    flash(_("Saved. This is revision %(n)s of the draft.", n=kept.revision), "ok")
    return redirect(url_for("drafts.draft", draft_id=draft_id), 303)


@DESK.page("/drafts/<draft_id>/discard", roles=holders("check"), methods=["POST"])
def discard(draft_id: str) -> ResponseReturnValue:
    """Forget a draft."""
    gone = engine().discard_bundle_draft(
        draft_id, by=person().name, revision=request.form.get("revision", type=int)
    )
    flash(_("The draft “%(title)s” is gone.", title=gone.title), "ok")
    return redirect(url_for("deployments.overview"), 303)


@DESK.page("/drafts/<draft_id>/deploy", roles=holders("deploy"), methods=["POST"])
def deploy(draft_id: str) -> ResponseReturnValue:
    """Deploy a draft; what stops it is shown on its page."""
    try:
        made = engine().deploy_bundle_draft(
            draft_id, by=person().name, activate=bool(request.form.get("activate")),
            comment=request.form.get("comment", "").strip(),
            revision=request.form.get("revision", type=int),
        )  # fmt: skip
    except DeploymentRefused:
        return _page(draft_id), 422
    flash(_("Deployed: %(n)s processes.", n=len(made.definitions)), "ok")
    return redirect(url_for("deployments.deployment", deployment_id=made.id), 303)


@DESK.page("/drafts/<draft_id>/files/<path:name>", roles=holders("check"))
def file(draft_id: str, name: str) -> ResponseReturnValue:
    """Give a file back, byte for byte as it was uploaded."""
    files = engine().bundle_draft_files(draft_id)
    if name not in files:
        raise NotFound(f"the draft has no file {name!r}")
    response = Response(files[name], mimetype="application/octet-stream")
    response.headers.set("Content-Disposition", "attachment", filename=name.rpartition("/")[2])
    return response
