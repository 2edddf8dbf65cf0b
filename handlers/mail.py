"""Answers leave as mail files: one .eml per answer, in the outbox folder of the installation."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Annotated, TypedDict

from engine import HandlerContext, handler

_SENDER = "Service desk <desk@example.com>"
#: file systems take 255 bytes, and the ending needs some
_LONGEST_NAME = 200


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
    _address(mail, from_, from_name)
    mail["Subject"] = _subject(subject, request_id, language)
    mail["Date"] = format_datetime(context.now)
    mail["Message-ID"] = f"<{digest}@caseway.invalid>"
    mail.set_content(_body(answer, text), cte="base64")
    name = _file_name(context.key)
    _write_once(context.settings.outbox_dir / name, mail.as_bytes())
    return {"mail_file": name, "mail_id": f"<{digest}@caseway.invalid>"}


def _address(mail: EmailMessage, to: str | None, name: str | None) -> None:
    to, name = _one_line(to), _one_line(name)
    try:
        address = Address(name, addr_spec=to) if "@" in to else None
    except (ValueError, MessageError, IndexError):
        address = None  # the parser raises any of these for what only looks like an address
    if address is not None and address.username and address.domain and to.isascii():
        mail["To"] = address
        return
    mail["To"] = "undisclosed-recipients:;"
    mail["X-Caseway-Recipient"] = " ".join(part for part in (name, to) if part) or "unknown"


def _subject(subject: str | None, request_id: str | None, language: str | None) -> str:
    if line := _one_line(subject):
        return f"回复：{line}" if language == "zh" else f"Re: {line}"
    number = _one_line(request_id)
    return f"您的请求 {number}".strip() if language == "zh" else f"Your request {number}".strip()


def _body(answer: str, text: str | None) -> str:
    quoted = "\n".join(f"> {line}" for line in (text or "").splitlines())
    return f"{answer}\n\n{quoted}\n" if quoted else f"{answer}\n"


def _one_line(text: str | None) -> str:
    """Return a text fit for a header: a line break there would begin a header of its own."""
    return " ".join((text or "").split())


def _file_name(key: str) -> str:
    name = re.sub(r"[^\w-]+", "-", key)
    if len(name.encode()) > _LONGEST_NAME:
        name = hashlib.sha256(key.encode()).hexdigest()
    return f"{name}.eml"


def _write_once(file: Path, content: bytes) -> None:
    """Write a file whole or not at all; one that is there is the work of an earlier attempt."""
    if file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _keep(file.parent)


def _keep(folder: Path) -> None:
    """Store the folder's entry too, or a power failure could take the file back."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
