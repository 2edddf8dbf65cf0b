"""Mail comes in: read by handlers/mail_in.py, decided by handlers/intake_mail.py, done here.

A mail begins a case or is handed to one, never anything else: nobody accepts an offer by mail.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handlers.intake_mail import MailDecision, note_mail, take_mail
from handlers.mail_in import IncomingMail, read_mail
from handlers.records import Records
from web import intake
from web.attachments import MOST_FILES, FileRefused, keep

if TYPE_CHECKING:
    from pathlib import Path

    from engine.runtime import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of one mail."""

    #: new | reply | duplicate | ignored
    outcome: str
    case_number: str | None
    #: Message-ID
    message_id: str
    #: why nothing was done; empty otherwise
    reason: str


def take(engine: Engine, data: bytes) -> Taken:
    """Do what a mail asks for; the same mail again does nothing. Raises Conflict, BadInput."""
    records, now = Records.of(engine.settings), engine.clock.now()
    mail = read_mail(data)
    decision = take_mail(records, mail, now)
    if decision.kind in ("new", "reply"):
        payload = _with_files(decision, mail, engine.settings.data_dir / "attachments")
        _deliver(engine, decision, mail, payload)
        note_mail(records, mail, decision, now)
    return Taken(
        outcome=decision.kind,
        case_number=decision.case_number,
        message_id=mail.message_id,
        reason=decision.reason,
    )


def _deliver(
    engine: Engine, decision: MailDecision, mail: IncomingMail, payload: Mapping[str, Any]
) -> None:
    """Begin a case, or hand the mail to what waits for it; a case that has ended begins anew."""
    if decision.kind == "new":
        intake.begin_with(engine, decision.case_number, payload, key=decision.start_key)
        return
    waiting = intake.waits_of(engine, decision.case_number)
    name = next((n for n in (decision.message_name, decision.otherwise) if n in waiting), None)
    if name is not None:
        engine.correlate(
            name,
            key=decision.case_number,
            payload=payload,
            message_id=decision.start_key,
            by=intake.CUSTOMER,
        )
        return
    request = intake.Request(
        channel="email",
        text=payload["message"]["text"],
        subject=mail.subject,
        language=None,
        name=mail.from_name or None,
        email=mail.from_,
    )
    intake.begin(engine, request, key=decision.start_key)


def _with_files(decision: MailDecision, mail: IncomingMail, folder: Path) -> dict[str, Any]:
    """Return the payload with the files that were stored; of others the name and the reason."""
    told: list[dict[str, Any]] = []
    for name, _kind, content in mail.attachments[:MOST_FILES]:
        try:
            told += [one.value() for one in keep(folder, [(name, content)])]
        except FileRefused as error:
            told.append({"name": error.name, "size": len(content), "refused": error.why})
    payload = dict(decision.payload)
    if decision.kind == "new":
        return payload | {"attachments": told}
    return payload | {"message": {**payload["message"], "attachments": told}}
