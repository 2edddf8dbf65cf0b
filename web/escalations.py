"""The desk of escalations: a board by level and time, and what a lead does there, all on record."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.clock import new_id
from engine.errors import BadInput
from engine.registry import HandlerContext
from handlers.notices import send_notice
from web.board import LEVELS, card_of, cards
from web.context import engine, now, person, settings
from web.language import _, lazy
from web.pages import WORKERS, Desk
from web.rights import holders

if TYPE_CHECKING:
    from web.board import Card

DESK = Desk("escalations")
DESK.entry("board", lazy("Escalations"), roles=WORKERS, place=30)

#: message that a running ladder listens to
_NOTIFY = "escalation_notify"
#: how much longer something may take
EXTENSIONS = {
    "PT1H": (lazy("1 hour"), timedelta(hours=1)),
    "PT4H": (lazy("4 hours"), timedelta(hours=4)),
    "P1D": (lazy("1 day"), timedelta(days=1)),
    "P3D": (lazy("3 days"), timedelta(days=3)),
}


@DESK.page("/escalations", roles=WORKERS)
def board() -> ResponseReturnValue:
    """Show all open escalations by level, and what is late or soon will be."""
    columns = cards(engine())
    people = [one for one in engine().users() if one.disabled_at is None and one.role != "customer"]
    return render_template(
        "escalations/board.html", columns=list(zip(LEVELS, columns, strict=True)),
        extensions=EXTENSIONS, people=people,
    )  # fmt: skip


@DESK.page("/escalations/<task_id>/take-over", roles=holders("oversee"), methods=["POST"])
def take_over(task_id: str) -> ResponseReturnValue:
    """Take the work over: the ladder is told so and ends, a late task changes hands."""
    card, why = card_of(engine(), task_id), _why(required=False)
    if card.on_ladder:
        decision = {"decision": "take_over", "taken_over_by": person().name, "reason": why}
        engine().answer_escalation(task_id, decision, by=person().name, act="take_over", why=why)
    else:
        engine().take_over(task_id, by=person().name, why=why)
    flash(_("You have taken over %(case)s.", case=card.case), "ok")
    return _back()


@DESK.page("/escalations/<task_id>/extend", roles=holders("oversee"), methods=["POST"])
def extend(task_id: str) -> ResponseReturnValue:
    """Give more time, with a reason: the ladder waits for so long, a late task is due later."""
    wish = request.form.get("extension", "")
    if wish not in EXTENSIONS:
        raise BadInput(f"extension is one of {', '.join(EXTENSIONS)}")
    card, why = card_of(engine(), task_id), _why(required=True)
    words, longer = EXTENSIONS[wish]
    if card.on_ladder:
        decision = {"decision": "extend", "extension": wish, "reason": why}
        engine().answer_escalation(task_id, decision, by=person().name, act="extend", why=why)
    else:
        until = max(now(), card.due_at or now()) + longer
        engine().postpone(task_id, until, by=person().name, why=why)
    flash(_("%(case)s has %(time)s more.", case=card.case, time=words), "ok")
    return _back()


@DESK.page("/escalations/<task_id>/notify", roles=holders("oversee"), methods=["POST"])
def notify(task_id: str) -> ResponseReturnValue:
    """Tell somebody: the ladder sends the notice as it is drawn, a late task's goes out at once."""
    whom = engine().user(request.form.get("to", "")).name
    card, text = card_of(engine(), task_id), _why(required=True)
    if card.on_ladder:
        engine().correlate(
            _NOTIFY, key=card.case, payload={"to": whom, "text": text}, by=person().name
        )
    else:
        _send(card, whom, text)
    engine().notified(task_id, whom=whom, by=person().name, why=text)
    flash(_("%(who)s is told about %(case)s.", who=whom, case=card.case), "ok")
    return _back()


def _send(card: Card, whom: str, text: str) -> None:
    context = HandlerContext(
        key=f"{card.root_id}/board/{new_id()}", root_id=card.root_id, settings=settings(),
        instance_id=card.instance_id, now=now(),
        headers={"template": "escalation_note", "audience": "staff"},
    )  # fmt: skip
    send_notice(
        context, case_number=card.case, subject=card.subject or card.step, to=whom,
        language="en" if engine().user(whom).language == "en" else "zh",
        facts={"reason": card.step, "text": text},
    )  # fmt: skip


def _why(*, required: bool) -> str:
    why = request.form.get("why", "").strip()
    if required and not why:
        raise BadInput(_("Write a reason: it is kept in the record."))
    return why or _("taken over at the escalation board")


def _back() -> ResponseReturnValue:
    return redirect(url_for("escalations.board"), 303)
