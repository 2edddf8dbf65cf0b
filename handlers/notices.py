"""Notices to customers and staff: written once, sent by SMTP, or as .eml files without a server.

Each message carries an unguessable token, in its Message-ID and its Reply-To address. A reply
joins its case by this token and by nothing else.
"""

from __future__ import annotations

import secrets
import smtplib
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Annotated, Any, Literal, TypedDict

from engine import HandlerContext, handler
from handlers import letters
from handlers import records as tables
from handlers.envelopes import address_to, file_name, one_line, write_once
from handlers.intake import digest
from handlers.links import link_to
from handlers.records import Records, Row

_SENDER = "Service desk <desk@example.com>"
_DOMAIN = "example.com"
_SMTP_WAIT_S = 15.0


class Sent(TypedDict):
    """What `notify.send` returns."""

    #: message_id, token, template, to, channel, state (sent | refused), file
    notice: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who gets a message, and how."""

    #: mail address or telephone number
    address: str | None
    name: str | None
    #: email, or a channel that a person or a bridge serves from the outbox
    channel: str = "email"


@handler("notify.send", retries=5, timeout_s=60, title="Send a notice", title_zh="发送通知")
def send_notice(
    context: HandlerContext,
    case_number: Annotated[str | None, "number of the case"] = None,
    customer: Annotated[
        dict[str, Any] | None, "who gets it: name, email, phone, reply_channel"
    ] = None,
    contact: Annotated[dict[str, Any] | None, "the same, before the customer is known"] = None,
    subject: Annotated[str | None, "what the request is about"] = None,
    language: Annotated[Literal["zh", "en"] | None, "zh if nothing is said"] = None,
    facts: Annotated[dict[str, Any] | None, "what the text needs"] = None,
    to: Annotated[str | None, "user, group or address; staff only"] = None,
) -> Sent:
    """Write the text of the task header `template` and send it, once for each activation.

    The header `expects` names the message that a reply to it becomes; `audience` staff sends it to
    `to` instead of the customer. Who has no mail address is named in X-Caseway-Recipient; what
    leaves on another channel than e-mail waits in the outbox with X-Caseway-Channel.
    """
    template = context.headers.get("template", "answer")
    known = {"case_number": case_number, "subject": subject or "-", **(facts or {})}
    if context.headers.get("audience") == "staff":
        reader = Reader(address=_of_staff(context, to), name=to)
    else:
        reader = reader_of(customer or contact or {})
    return {"notice": deliver(
        context, template, known, reader, language=language or "zh",
        expects=context.headers.get("expects"),
    )}  # fmt: skip


def reader_of(who: dict[str, Any]) -> Reader:
    """Return how a customer is reached: on the reply channel, without one at the best address.

    Bridges to messengers find people by name or telephone number.
    """
    channel, name = who.get("reply_channel"), who.get("name")
    if channel is None:
        return Reader(address=who.get("email") or who.get("phone"), name=name)
    own = {"email": who.get("email"), "none": None}
    return Reader(address=own.get(channel, who.get("phone")), name=name, channel=channel)


def deliver(
    context: HandlerContext, template: str, facts: dict[str, Any], reader: Reader, *,
    language: str, expects: str | None,
) -> dict[str, Any]:  # fmt: skip
    """Store a message, send it outside any transaction, and note that it went out."""
    records = Records.of(context.settings)
    row = _stored(records, context, template, facts, reader, language, expects)
    if row["state"] == "queued":
        mail = _mail(context, row, reader.name)
        refused = _dispatch(context, row, mail)
        row["state"] = "refused" if refused else "sent"
        records.change(tables.message, {"id": row["id"]}, state=row["state"])
    return {
        "message_id": row["message_id"], "template": template, "to": row["address"],
        "channel": row["channel"], "state": row["state"], "file": row["file"],
    }  # fmt: skip


def _stored(
    records: Records, context: HandlerContext, template: str, facts: dict[str, Any],
    reader: Reader, language: str, expects: str | None,
) -> Row:  # fmt: skip
    """Store the message as it will leave; the token is drawn once, so all attempts share it."""
    purpose = letters.link_purpose(template)
    link = link_to(context, purpose) if purpose else ""
    letter = letters.write(template, language, facts, name=reader.name, link=link)
    token = secrets.token_hex(16)
    return records.once(tables.message, context.key, lambda _: {
        "id": digest(context.key), "direction": "out", "case_number": facts.get("case_number"),
        "token": token, "message_id": f"<{token}@{_domain(context)}>", "channel": reader.channel,
        "address": reader.address, "template": template, "expects": expects,
        "subject": letter.subject, "text": letter.body, "state": "queued",
        "file": file_name(context.key), "at": context.now.isoformat(),
    })  # fmt: skip


def _mail(context: HandlerContext, row: Row, name: str | None) -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = _setting(context, "mail_from", _SENDER)
    address_to(mail, row["address"], name)
    mail["Reply-To"] = f"case+{row['token']}@{_domain(context)}"
    mail["Subject"] = one_line(row["subject"])
    mail["Date"] = format_datetime(datetime.fromisoformat(row["at"]))
    mail["Message-ID"] = row["message_id"]
    mail["Auto-Submitted"] = "auto-generated"
    if row["channel"] != "email":
        mail["X-Caseway-Channel"] = row["channel"]
    mail.set_content(row["text"], cte="base64")
    return mail


def _dispatch(context: HandlerContext, row: Row, mail: EmailMessage) -> bool:
    """Hand the mail over; True if the server refuses its recipient, for a person to pass it on."""
    host = _setting(context, "smtp_host", "")
    refused = False
    by_hand = "X-Caseway-Recipient" in mail or "X-Caseway-Channel" in mail
    if host and not by_hand:
        try:
            _by_smtp(context, host, mail)
            return False
        except smtplib.SMTPRecipientsRefused:
            refused = True
    write_once(context.settings.outbox_dir / row["file"], mail.as_bytes())
    return refused


def _by_smtp(context: HandlerContext, host: str, mail: EmailMessage) -> None:
    port = int(_setting(context, "smtp_port", "25"))
    encrypted = smtplib.SMTP_SSL if port == 465 else smtplib.SMTP
    with encrypted(host, port, timeout=_SMTP_WAIT_S) as server:
        if port != 465 and server.ehlo()[0] == 250 and server.has_extn("starttls"):
            server.starttls()
        if user := _setting(context, "smtp_user", ""):
            server.login(user, _setting(context, "smtp_password", ""))
        server.send_message(mail)


def _of_staff(context: HandlerContext, to: str | None) -> str | None:
    """Return the address of a member of the staff; a group has none and is passed on."""
    if to is None or "@" in to:
        return to
    person = Records.of(context.settings).get(tables.staff, id=to)
    return (person or {}).get("email") or None


def _domain(context: HandlerContext) -> str:
    address = parseaddr(_setting(context, "mail_from", _SENDER))[1]
    return address.rpartition("@")[2] or _DOMAIN


def _setting(context: HandlerContext, name: str, default: str) -> str:
    """Return a setting of the mail server; an installation without one writes files."""
    return str(getattr(context.settings, name, "") or default)
