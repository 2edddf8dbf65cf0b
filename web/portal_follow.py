"""Following: where the case stands, what was written, writing to the desk, withdrawing, files."""

from __future__ import annotations

from flask import flash, make_response, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from engine.errors import Conflict
from web import attachments, intake
from web.attachments import FileRefused
from web.context import engine
from web.language import _, lazy
from web.pages import PUBLIC
from web.portal_case import WITHDRAWS, CustomerCase
from web.portal_door import (
    DESK,
    case_by,
    errors_of,
    file_wrong,
    files_folder,
    limit_sending,
    no_case,
    uploads,
)
from web.portal_forms import MOST_REASON, fresh_nonce, read_nonce, read_text
from web.portal_thread import thread

_LABELS = {"text": lazy("Your message"), "files": lazy("Files (optional)")}


@DESK.page("/p/follow/<token>", roles=PUBLIC)
def follow(token: str) -> ResponseReturnValue:
    """Show where the case stands, whose turn it is, and what was written."""
    _link, case = case_by(token, "follow")
    return _page(token, case)


def _page(token: str, case: CustomerCase, **more: object) -> str:
    shown = {"draft": "", "form_nonce": fresh_nonce(), "errors": {}, **more}
    return render_template(
        "portal/follow.html", case=case, token=token, thread=thread(engine(), case), **shown
    )


@DESK.page("/p/follow/<token>/write", roles=PUBLIC, methods=["POST"], uploads=True)
def write(token: str) -> ResponseReturnValue:
    """Hand a message to whoever waits for it in the case."""
    link, case = case_by(token, "follow")
    text, why = read_text(request.form)
    errors = errors_of({"text": why} if why else {}, _LABELS)
    nonce = read_nonce(request.form)
    kept = []
    try:
        kept = attachments.keep(files_folder(), uploads())
    except FileRefused as error:
        errors["files"] = (_LABELS["files"], file_wrong(error))
    if errors:
        return make_response(_page(token, case, draft=text, form_nonce=nonce, errors=errors), 422)
    limit_sending(link)
    if case.writes_to is None:
        raise Conflict(_("The case is closed: nobody would read this."))
    letter = intake.Letter(text=text, channel="web", attachments=tuple(kept))
    intake.hand_over(engine(), case, letter, key=f"portal:{link.nonce}:{nonce}")
    flash(_("Your message is on its way to us."), "ok")
    return redirect(url_for("portal.follow", token=token, _anchor="messages"), 303)


@DESK.page("/p/follow/<token>/withdraw", roles=PUBLIC)
def withdraw(token: str) -> ResponseReturnValue:
    """Ask whether the request is really to be taken back."""
    _link, case = case_by(token, "follow")
    return render_template("portal/withdraw.html", case=case, token=token, reason="", errors={})


@DESK.page("/p/follow/<token>/withdraw", roles=PUBLIC, methods=["POST"])
def withdrawn(token: str) -> ResponseReturnValue:
    """Take the request back."""
    link, case = case_by(token, "follow")
    reason, why = read_text(request.form, most=MOST_REASON)
    if why == "too_long":
        errors = errors_of({"text": why}, {"text": _("Reason (optional)")})
        shown = render_template(
            "portal/withdraw.html", case=case, token=token, reason=reason, errors=errors
        )
        return make_response(shown, 422)
    limit_sending(link)
    intake.send(engine(), case, WITHDRAWS, {"reason": reason}, key=f"withdraw:{case.root_id}")
    flash(_("Your request is withdrawn."), "ok")
    return redirect(url_for("portal.follow", token=token), 303)


@DESK.page("/p/follow/<token>/files/<sha256>", roles=PUBLIC)
def file(token: str, sha256: str) -> ResponseReturnValue:
    """Hand out a file of this case as a download."""
    _link, case = case_by(token, "follow")
    names = {str(one.get("sha256")): str(one.get("name")) for one in files_of(case)}
    path = attachments.stored(files_folder(), sha256) if sha256 in names else None
    if path is None:
        raise no_case()
    return send_file(
        path, "application/octet-stream", as_attachment=True, download_name=names[sha256]
    )


def files_of(case: CustomerCase) -> list[dict[str, object]]:
    """Return every file of a case: those of the request and those of later messages."""
    later = [one for entry in thread(engine(), case) for one in entry.files]
    return [dict(one) for one in (*case.files, *later)]
