"""Reads what mail programs send: any charset, declared or not, nested parts, HTML, attachments.

`read_mail` never raises for what stands in a mail: strangers write them. It has no effect.
"""

from __future__ import annotations

import email.errors
import email.header
import email.utils
import hashlib
import re
from binascii import Error as NoBase64
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32

from handlers.charsets import decoded, text_of_html

#: bytes of a mail that are looked at; characters of its text; attachments, bytes of one
MOST_BYTES, MOST_TEXT = 30 * 1024 * 1024, 100_000
MOST_FILES, MOST_FILE_BYTES = 50, 20 * 1024 * 1024
_MOST_LINE, _MOST_PARTS = 1000, 500

#: the token of `case+TOKEN@domain`, and of `<TOKEN@domain>`
_IN_ADDRESS = re.compile(r"(?:^|[^\w.+-])case\+([0-9a-f]{32})@", re.IGNORECASE)
_IN_MESSAGE_ID = re.compile(r"<([0-9a-f]{32})@[^<>\s]+>", re.IGNORECASE)
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,900}>")
_TO = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To", "X-Forwarded-To")
_ROBOTS = re.compile(r"^(mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?)\b", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingMail:
    """A mail as it was understood."""

    #: with its angle brackets; made of the content where the mail has none
    message_id: str
    in_reply_to: str | None
    references: tuple[str, ...]
    #: address alone, in small letters; "" if there is none
    from_: str
    from_name: str
    subject: str
    #: plain text; of a mail in HTML alone, its text
    text: str
    #: name, type, content
    attachments: tuple[tuple[str, str, bytes], ...]
    #: the unguessable token of one of our messages, if this is a reply to it
    token: str | None
    #: sent by a program (vacation, bounce, list): answered never, opens no case
    is_auto_reply: bool
    #: what was left out because of its size or number; for people
    left_out: tuple[str, ...] = ()


def read_mail(data: bytes) -> IncomingMail:
    """Return what a mail says; whatever is broken in it is read as well as it can be."""
    left_out: list[str] = []
    if len(data) > MOST_BYTES:
        left_out.append(f"{len(data) - MOST_BYTES} bytes at the end")
    mail = _parsed(data[:MOST_BYTES])
    text, files = _content(mail, left_out)
    sender_name, sender = email.utils.parseaddr(_header(mail, "From"))
    references = tuple(_MESSAGE_ID.findall(_header(mail, "References"))[-50:])
    reply_to = next(iter(_MESSAGE_ID.findall(_header(mail, "In-Reply-To"))), None)
    own_id = next(iter(_MESSAGE_ID.findall(_header(mail, "Message-ID"))), None)
    return IncomingMail(
        message_id=own_id or f"<{hashlib.sha256(data).hexdigest()}@caseway.invalid>",
        in_reply_to=reply_to,
        references=references,
        from_=sender.strip().lower() if "@" in sender else "",
        from_name=_line(sender_name),
        subject=_line(_header(mail, "Subject")),
        text=text,
        attachments=tuple(files),
        token=_token(mail, reply_to, references),
        is_auto_reply=_is_auto_reply(mail, sender),
        left_out=tuple(left_out),
    )


def _parsed(data: bytes) -> Message:
    try:
        return BytesParser(policy=compat32).parsebytes(data)
    except (RecursionError, ValueError, LookupError, TypeError, AttributeError):
        # parts inside parts without end: the headers alone
        return BytesParser(policy=compat32).parsebytes(data[:65536], headersonly=True)


# ------------------------------------------------------------------ headers


def _header(mail: Message, name: str) -> str:
    """Return a header with its words decoded, broken ones too; "" if it is missing."""
    raw = next((value for key, value in mail.raw_items() if key.lower() == name.lower()), None)
    return "" if raw is None else _unfolded(_raw_bytes(str(raw)))


def _raw_bytes(raw: str) -> bytes:
    return raw.encode("utf-8", "surrogateescape")


def _unfolded(raw: bytes) -> str:
    """Decode the words of RFC 2047, neighbours of one charset together, for split characters."""
    line = re.sub(rb"\r?\n[ \t]*", b" ", raw)
    # some programs leave out the blank between two words, or write blanks inside one
    line = re.sub(rb"\?=\s*=\?", b"?= =?", line)
    found: list[tuple[bytes, str | None]] = []
    for part, charset in _words(line):
        if found and charset is not None and found[-1][1] == charset:
            found[-1] = (found[-1][0] + part, charset)
        else:
            found.append((part, charset))
    text = "".join(decoded(part, charset) for part, charset in found)
    return "".join(c for c in text if c.isprintable() or c in " \t").strip()


def _words(line: bytes) -> list[tuple[bytes, str | None]]:
    try:
        as_text = line.decode("ascii")
    except UnicodeDecodeError:
        return [(line, None)]  # eight-bit header: no words, some charset
    try:
        parts = email.header.decode_header(as_text)
    except (email.errors.HeaderParseError, NoBase64, ValueError, LookupError):
        return [(line, None)]
    return [(p.encode("latin-1", "replace") if isinstance(p, str) else p, c) for p, c in parts]


def _line(text: str) -> str:
    return " ".join(text.split())[:_MOST_LINE]


# ------------------------------------------------------------------ body


def _content(mail: Message, left_out: list[str]) -> tuple[str, list[tuple[str, str, bytes]]]:
    """Return the text and the attachments; of alternatives the plain one."""
    plain: list[str] = []
    rich: list[str] = []
    files: list[tuple[str, str, bytes]] = []
    for part in _parts(mail):
        kind, name = part.get_content_type(), _file_name(part)
        is_text = kind in ("text/plain", "text/html") and not _is_attached(part, name)
        if is_text:
            found = decoded(_payload(part), _charset(part))
            plain.append(found) if kind == "text/plain" else rich.append(text_of_html(found))
        else:
            _attach(part, name or f"part-{len(files) + 1}", kind, files, left_out)
    chosen = [text for text in plain if text.strip()] or rich
    text = "\n".join(part.strip("\r\n") for part in chosen).replace("\r\n", "\n")
    text = text.replace("\r", "\n").replace("\0", "").strip()
    if len(text) > MOST_TEXT:
        left_out.append(f"{len(text) - MOST_TEXT} characters of the text")
    return text[:MOST_TEXT], files


def _parts(mail: Message) -> Iterator[Message]:
    """Yield the parts that hold something, without recursion; mails inside stay whole."""
    waiting, seen = [mail], 0
    while waiting and seen < _MOST_PARTS:
        part, seen = waiting.pop(0), seen + 1
        inner = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(inner, list):
            waiting[:0] = [one for one in inner if isinstance(one, Message)]
        else:
            yield part


def _is_attached(part: Message, name: str) -> bool:
    return bool(name) or part.get_content_disposition() == "attachment"


def _attach(
    part: Message, name: str, kind: str, files: list[tuple[str, str, bytes]], left_out: list[str]
) -> None:
    content = _payload(part)
    if len(files) >= MOST_FILES or len(content) > MOST_FILE_BYTES:
        left_out.append(f"attachment {name}")
    elif content:
        files.append((name, kind, content))


def _payload(part: Message) -> bytes:
    if part.is_multipart():  # a mail inside the mail
        inner = part.get_payload()
        whole = inner[0] if isinstance(inner, list) and inner else None
        try:
            return whole.as_bytes() if isinstance(whole, Message) else b""
        except (ValueError, LookupError, TypeError, RecursionError):
            return b""
    try:
        found = part.get_payload(decode=True)
    except (ValueError, LookupError, TypeError):
        found = None
    return found if isinstance(found, bytes) else b""


def _charset(part: Message) -> str | None:
    try:
        found = part.get_content_charset()
    except (ValueError, LookupError, TypeError):
        return None
    return found


def _file_name(part: Message) -> str:
    try:
        raw = part.get_filename() or ""
    except (ValueError, LookupError, TypeError):
        raw = ""
    name = _unfolded(_raw_bytes(raw)) if raw else ""
    return _line(re.sub(r"[\\/\0]", "_", name))[:200]


# ------------------------------------------------------------------ whose it is


def _token(mail: Message, reply_to: str | None, references: tuple[str, ...]) -> str | None:
    """Return the token in an address it was sent to, else of the latest message it refers to."""
    for name, value in mail.raw_items():
        if name.title() in _TO and (found := _IN_ADDRESS.search(str(value))):
            return found.group(1).lower()
    for identifier in (reply_to, *reversed(references)):
        if identifier and (match := _IN_MESSAGE_ID.fullmatch(identifier)):
            return match.group(1).lower()
    return None


def _is_auto_reply(mail: Message, sender: str) -> bool:
    submitted = _header(mail, "Auto-Submitted").lower()
    precedence = _header(mail, "Precedence").lower()
    return (
        (submitted not in ("", "no"))
        or precedence in ("bulk", "junk", "list", "auto_reply")
        or any(mail.get(name) is not None for name in ("X-Autoreply", "X-Autorespond", "List-Id"))
        or _header(mail, "Return-Path") == "<>"
        or bool(_ROBOTS.match(sender.strip()))
        or mail.get_content_type() == "multipart/report"
    )
