"""Asking: the form for a new request, and the cases of a customer who has signed in."""

from __future__ import annotations

from datetime import timedelta

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.errors import TooBusy
from web import intake
from web.attachments import Attachment, FileRefused, keep
from web.context import engine, person, visitor
from web.language import _, current, lazy
from web.links import LinkRefused, links_of
from web.pages import PUBLIC
from web.portal_case import customer_case
from web.portal_door import (
    DESK,
    Errors,
    errors_of,
    file_wrong,
    files_folder,
    limit_asking,
    no_case,
    uploads,
)
from web.portal_forms import HONEYPOT, Ask, blank_ask, read_ask, title_of

_LABELS = {
    "text": lazy("What is it about?"),
    "reach": lazy("How can we reach you?"),
    "name": lazy("Your name (optional)"),
    "files": lazy("Files (optional)"),
}
#: how long a note about a file that was sent with a wrong form is good
_KEPT_FOR = timedelta(hours=12)
#: how long the link of somebody who has signed in is good
_SIGNED_IN_FOR = timedelta(hours=12)
_MINE = 100


@DESK.page("/p/new", roles=PUBLIC)
def ask() -> ResponseReturnValue:
    """Show the form; somebody who has signed in finds it half filled in."""
    blank, found = blank_ask(), visitor()
    if found is not None and found.role == "customer":
        blank.reach, blank.name = found.email or "", found.display
    return _form(blank)


@DESK.page("/p/new", roles=PUBLIC, methods=["POST"], uploads=True)
def asked() -> ResponseReturnValue:
    """Take a request: the same form sent twice begins one case."""
    given = read_ask(request.form)
    if request.form.get(HONEYPOT):
        return redirect(url_for("portal.thanks"), 303)  # a program: it shall believe it was heard
    kept = _kept()
    errors = errors_of(given.wrong, _LABELS)
    try:
        kept += keep(files_folder(), uploads())
    except FileRefused as error:
        errors["files"] = (_LABELS["files"], file_wrong(error))
    except TooBusy as error:
        return _busy(given, kept, error)
    if errors:
        return make_response(_form(given, errors, kept), 422)
    try:
        limit_asking()
        root_id = intake.begin(engine(), _request(given, kept), key=f"portal:{given.nonce}")
    except TooBusy as error:
        return _busy(given, kept, error)
    link = links_of(engine()).make("follow", root_id, seed=given.nonce)
    flash(_("We have your request. Keep the address of this page: it is your link."), "ok")
    return redirect(url_for("portal.follow", token=link), 303)


def _busy(given: Ask, kept: list[Attachment], error: TooBusy) -> Response:
    """Ask for patience; what was typed stays."""
    response = make_response(_form(given, {"text": (_("Not sent yet"), str(error))}, kept), 429)
    response.headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
    return response


@DESK.page("/p/thanks", roles=PUBLIC)
def thanks() -> ResponseReturnValue:
    """Say thank you without a link."""
    return render_template("portal/thanks.html")


def _request(given: Ask, kept: list[Attachment]) -> intake.Request:
    return intake.Request(
        channel="web",
        text=given.text,
        subject=title_of(given.text),
        language=current(),
        name=given.name or None,
        email=given.email,
        phone=given.phone,
        attachments=tuple(kept),
    )


def _form(
    given: Ask,
    errors: Errors | None = None,
    kept: list[Attachment] | None = None,
) -> str:
    links = links_of(engine())
    notes = [
        (links.make("file", f"{one.sha256}:{one.size}:{one.name}", good_for=_KEPT_FOR), one)
        for one in kept or ()
    ]
    return render_template("portal/ask.html", ask=given, errors=errors or {}, kept=notes)


def _kept() -> list[Attachment]:
    """Return the files that came with an earlier try and were ticked to stay."""
    found: list[Attachment] = []
    for note in request.form.getlist("kept")[:10]:
        try:
            sha256, size, name = links_of(engine()).read(note, "file").subject.split(":", 2)
        except LinkRefused:
            continue  # its twelve hours are over: the customer sees that it is not listed
        found.append(Attachment(name=name, size=int(size), sha256=sha256))
    return found


@DESK.page("/my", roles={"customer"})
def mine() -> ResponseReturnValue:
    """List the cases of the customer who has signed in."""
    found = intake.cases_of(engine(), person())[:_MINE]
    cases = [customer_case(engine(), root_id, current()) for root_id in found]
    return render_template("portal/mine.html", cases=cases)


@DESK.page("/my/<root_id>/<any(follow, confirm, answer, rate):purpose>", roles={"customer"})
def open_mine(root_id: str, purpose: str) -> ResponseReturnValue:
    """Lead to a page about an own case, by a link that is good for a working day."""
    if root_id not in intake.cases_of(engine(), person()):
        raise no_case()
    link = links_of(engine()).make(purpose, root_id, good_for=_SIGNED_IN_FOR)
    return redirect(url_for(f"portal.{purpose}", token=link), 303)
