"""Answers leave as mail files: one .eml per answer, in the outbox folder of the installation."""

from __future__ import annotations

import hashlib
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Annotated, TypedDict

from engine import HandlerContext, handler
from handlers.envelopes import address_to, file_name, one_line, write_once

_SENDER = "Service desk <desk@example.com>"


class Written(TypedDict):
    """What `mail.write` returns."""

    #: name of the file in the outbox
    mail_file: str
    #: Message-ID; the same in every attempt, so a doubled mail is recognised as one
    mail_id: str


@handler("mail.write", title="Write an answer as a mail file", title_zh="把回复写成邮件文件")
def write_mail(
    context: HandlerContext,
    answer: Annotated[str, "text of the answer"],
    from_: Annotated[str | None, "address of who asked, on any channel"] = None,
    from_name: Annotated[str | None, "name of who asked"] = None,
    subject: Annotated[str | None, "subject of the request"] = None,
    text: Annotated[str | None, "text of the request, quoted below the answer"] = None,
    request_id: Annotated[str | None, "number of the request, named if it has no subject"] = None,
    language: Annotated[str | None, "zh or en: language of the subject"] = None,
) -> Written:
    """Write the answer to a request into the outbox, once for each activation of the task.

    The task header `sender` names who it comes from. Who cannot be reached by mail is named in the
    header X-Caseway-Recipient, for whoever passes the answer on.
    """
    if not context.key:
        raise ValueError("a mail needs the key of its work item")
    digest = hashlib.sha256(context.key.encode()).hexdigest()[:32]
    mail = EmailMessage(policy=SMTP)
    mail["From"] = context.headers.get("sender", _SENDER)
    address_to(mail, from_, from_name)
    mail["Subject"] = _subject(subject, request_id, language)
    mail["Date"] = format_datetime(context.now)
    mail["Message-ID"] = f"<{digest}@caseway.invalid>"
    mail.set_content(_body(answer, text), cte="base64")
    name = file_name(context.key)
    write_once(context.settings.outbox_dir / name, mail.as_bytes())
    return {"mail_file": name, "mail_id": f"<{digest}@caseway.invalid>"}


def _subject(subject: str | None, request_id: str | None, language: str | None) -> str:
    if line := one_line(subject):
        return f"回复：{line}" if language == "zh" else f"Re: {line}"
    number = one_line(request_id)
    return f"您的请求 {number}".strip() if language == "zh" else f"Your request {number}".strip()


def _body(answer: str, text: str | None) -> str:
    quoted = "\n".join(f"> {line}" for line in (text or "").splitlines())
    return f"{answer}\n\n{quoted}\n" if quoted else f"{answer}\n"
