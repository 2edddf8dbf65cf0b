"""Answers of customers: what is needed, an offer, the survey. Each has a link of its own."""

from __future__ import annotations

from typing import Any

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.errors import Conflict
from web import intake
from web.context import engine
from web.language import _, lazy
from web.pages import PUBLIC
from web.portal_case import CustomerCase, fingerprint
from web.portal_door import DESK, Errors, case_by, errors_of, limit_sending
from web.portal_forms import MOST_REASON, Rating, Reply, read_rating, read_reply, read_text
from web.portal_thread import evidence

_REPLIES = {
    "accept": "proposal_accepted",
    "negotiate": "proposal_countered",
    "decline": "proposal_declined",
}
_LABELS = {
    "choice": lazy("Your answer"),
    "name": lazy("Your name"),
    "text": lazy("Your words"),
    "confirm": lazy("I accept"),
    "score": lazy("Your rating"),
}


@DESK.page("/p/confirm/<token>", roles=PUBLIC)
def confirm(token: str) -> ResponseReturnValue:
    """Show what we understood that is needed."""
    _link, case = case_by(token, "confirm")
    return render_template("portal/confirm.html", case=case, token=token, text="", errors={})


@DESK.page("/p/confirm/<token>", roles=PUBLIC, methods=["POST"])
def confirmed(token: str) -> ResponseReturnValue:
    """Take the confirmation, or what is to be corrected."""
    link, case = case_by(token, "confirm")
    text, why = read_text(request.form, most=MOST_REASON)
    correct = request.form.get("choice") == "correct"
    if why == "too_long" or (correct and why):
        errors = errors_of({"text": why}, {"text": _("What is different?")})
        shown = render_template(
            "portal/confirm.html", case=case, token=token, text=text, errors=errors
        )
        return make_response(shown, 422)
    limit_sending(link)
    name, by = "needs_corrected" if correct else "needs_confirmed", _who(case)
    payload = {"by": by, "comment": text} if correct else {"by": by}
    intake.send(engine(), case, name, payload, key=f"needs:{case.confirmation_id}")
    flash(_("Thank you. We go on with it."), "ok")
    return redirect(url_for("portal.confirm", token=token), 303)


@DESK.page("/p/answer/<token>", roles=PUBLIC)
def answer(token: str) -> ResponseReturnValue:
    """Show the offer, the earlier ones, and the ways to answer; or what was answered."""
    _link, case = case_by(token, "answer")
    return _offer(token, case, Reply(name=_who(case)), {})


@DESK.page("/p/answer/<token>", roles=PUBLIC, methods=["POST"])
def answered(token: str) -> ResponseReturnValue:
    """Take the answer to exactly the offer that was on the page."""
    link, case = case_by(token, "answer")
    proposal = case.proposal
    if proposal is None or "proposal_accepted" not in case.waits:
        raise Conflict(_("This offer was answered already, or is no longer open."))
    reply = read_reply(request.form, len(proposal.get("lines") or ()))
    if reply.sha256 != fingerprint(proposal):
        raise Conflict(_("There is a newer offer. Look at it before you answer."))
    if reply.wrong:
        labels = _LABELS | {f"line_{n}": _("Item %(n)s", n=n) for n in reply.lines}
        errors = errors_of(reply.wrong, labels)
        return make_response(_offer(token, case, reply, errors), 422)
    limit_sending(link)
    payload = _payload(reply, proposal)
    intake.send(engine(), case, _REPLIES[reply.choice], payload, key=f"offer:{proposal.get('id')}")
    flash(_("Thank you for your answer."), "ok")
    return redirect(url_for("portal.answer", token=token), 303)


def _offer(token: str, case: CustomerCase, reply: Reply, errors: Errors) -> str:
    return render_template(
        "portal/answer.html",
        case=case,
        token=token,
        reply=reply,
        errors=errors,
        sha256=fingerprint(case.proposal) if case.proposal else "",
        evidence=evidence(engine(), case),
    )


def _payload(reply: Reply, proposal: Any) -> dict[str, Any]:
    """Return what the process gets: who, what, and the fingerprint of what was on the page."""
    lines = [
        {"line": number, "text": text, "title": _title(proposal, number)}
        for number, text in sorted(reply.lines.items())
    ]
    told = [f"{line['title']}: {line['text']}" for line in lines]
    return {
        "by": reply.name,
        "comment": "\n".join([*told, reply.text]).strip(),
        "lines": lines,
        "wanted_total": None,
        "sha256": reply.sha256,
    }


def _title(proposal: Any, number: int) -> str:
    line = proposal["lines"][number - 1]
    return str(line.get("title") or number)


@DESK.page("/p/rate/<token>", roles=PUBLIC)
def rate(token: str) -> ResponseReturnValue:
    """Show the survey, with the answer that was given before."""
    _link, case = case_by(token, "rate")
    before = intake.rating_of(engine(), case)
    rating = Rating(score=before.score, text=before.text) if before else Rating()
    return _survey(token, case, rating, {}, given=before is not None)


@DESK.page("/p/rate/<token>", roles=PUBLIC, methods=["POST"])
def rated(token: str) -> ResponseReturnValue:
    """Take a rating; as long as the link is good it can be changed."""
    link, case = case_by(token, "rate")
    rating = read_rating(request.form)
    if rating.wrong:
        errors = errors_of(rating.wrong, _LABELS)
        return make_response(_survey(token, case, rating, errors, given=False), 422)
    limit_sending(link)
    assert rating.score is not None
    intake.rate(engine(), case, rating.score, rating.text)
    flash(_("Thank you. This helps us."), "ok")
    return redirect(url_for("portal.rate", token=token), 303)


def _survey(
    token: str,
    case: CustomerCase,
    rating: Rating,
    errors: Errors,
    *,
    given: bool,
) -> str:
    return render_template(
        "portal/rate.html", case=case, token=token, rating=rating, errors=errors, given=given
    )


def _who(case: CustomerCase) -> str:
    contact = case.contact
    return str(contact.get("name") or contact.get("email") or contact.get("phone") or "")
