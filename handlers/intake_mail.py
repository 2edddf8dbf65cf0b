"""What becomes of a mail: a new case, a reply to one, or nothing.

A reply joins its case by the unguessable token alone, never by subject or sender, and it only ever
becomes a message to read: no mail accepts a proposal or confirms anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from handlers import records as tables
from handlers.mail_in import IncomingMail
from handlers.numbering import reserve_number
from handlers.records import Records, Row
from handlers.text import tell_language

#: the process that a new mail starts, by message or by name
PROCESS = "service_lifecycle"
#: begins a case
REQUEST = "service_request"
#: reaches every open case
MESSAGE = "customer_message"
#: what a reply may become beside that, if the message it answers expects it
_EXPECTED = {"customer_reply", "after_sales_request"}
#: where the quoted message begins
_QUOTE = re.compile(
    r"^(?:>|-{2,}\s*(?:原始邮件|Original Message|Forwarded)|_{8,}$|On .{5,200} wrote:$"
    r"|在.{5,100}写道[：:]|发件人[：:]|From: .+@)",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailDecision:
    """What to do with a mail; whoever has the engine does it."""

    #: new: start a case; reply: correlate; duplicate, ignored: nothing
    kind: Literal["new", "reply", "duplicate", "ignored"]
    #: number of the case; None if nothing is done
    case_number: str | None = None
    #: message to correlate, with the case number as its key; try `otherwise` if nobody waits
    message_name: str | None = None
    otherwise: str | None = None
    #: start variables of a new case, payload of a reply
    payload: dict[str, Any] = field(default_factory=dict)
    #: makes a second delivery of the mail harmless: start key, and id of the message
    start_key: str = ""
    #: why nothing is done; for people
    reason: str = ""


def take_mail(records: Records, mail: IncomingMail, now: datetime) -> MailDecision:
    """Decide about a mail. Asked again about the same mail, the decision is the same.

    Nothing is noted as done here: that is `note_mail`, after the engine has taken it.
    """
    key = f"mail/{mail.message_id}"[:300]
    if mail.is_auto_reply:
        return MailDecision(kind="ignored", start_key=key, reason="it was sent by a program")
    if not mail.from_:
        return MailDecision(kind="ignored", start_key=key, reason="it has no sender")
    if records.get(tables.message, message_id=mail.message_id, direction="in") is not None:
        return MailDecision(kind="duplicate", start_key=key, reason="it came before")
    sent = _answered(records, mail)
    if sent is not None:
        return _reply(mail, sent, key)
    return _new(records, mail, key, now)


def note_mail(records: Records, mail: IncomingMail, decision: MailDecision, now: datetime) -> None:
    """Note that the engine has taken a mail, so that a second delivery is a duplicate."""
    records.once(tables.message, f"taken/{decision.start_key}"[:300], lambda _: {
        "id": records.fresh_id(), "direction": "in", "case_number": decision.case_number,
        "message_id": mail.message_id, "channel": "email", "address": mail.from_,
        "subject": mail.subject, "text": mail.text, "state": "taken", "at": now.isoformat(),
    })  # fmt: skip


def own_words(text: str) -> str:
    """Return a reply without the message it quotes; all of it if nothing would be left."""
    found = _QUOTE.search(text)
    kept = text[: found.start()].strip() if found else text.strip()
    return kept or text.strip()


def _answered(records: Records, mail: IncomingMail) -> Row | None:
    """Return the message of ours that a mail answers, if its case is still open."""
    if mail.token is None:
        return None
    sent = records.get(tables.message, token=mail.token, direction="out")
    if sent is None or sent["case_number"] is None:
        return None
    found = records.get(tables.case, id=sent["case_number"])
    return sent if found is not None and found["state"] == "open" else None


def _reply(mail: IncomingMail, sent: Row, key: str) -> MailDecision:
    expected = sent["expects"] if sent["expects"] in _EXPECTED else MESSAGE
    return MailDecision(
        kind="reply", case_number=sent["case_number"], message_name=expected,
        otherwise=None if expected == MESSAGE else MESSAGE, start_key=key,
        payload={"message": {**_said(mail), "in_reply_to": sent["message_id"],
                             "answers": sent["template"]}},
    )  # fmt: skip


def _new(records: Records, mail: IncomingMail, key: str, now: datetime) -> MailDecision:
    number = reserve_number(records, key, now)
    said = _said(mail)
    return MailDecision(
        kind="new", case_number=number, message_name=REQUEST, start_key=key,
        payload={
            "case_number": number, "channel": "email", "subject": mail.subject or said["text"][:80],
            "contact": {"name": mail.from_name or None, "email": mail.from_},
            "text": said["text"], "attachments": said["attachments"],
            "language": tell_language(f"{mail.subject} {said['text']}")["language"],
        },
    )  # fmt: skip


def _said(mail: IncomingMail) -> dict[str, Any]:
    return {
        "text": own_words(mail.text), "subject": mail.subject, "from": mail.from_,
        "channel": "email", "message_id": mail.message_id,
        "attachments": [
            {"name": name, "type": kind, "size": len(content)}
            for name, kind, content in mail.attachments
        ],
    }  # fmt: skip
