"""What every outgoing mail needs: addresses, one-line headers, and files written whole or not."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path

#: file systems take 255 bytes, and the ending needs some
_LONGEST_NAME = 200


def address_to(mail: EmailMessage, to: str | None, name: str | None) -> bool:
    """Address a mail; False if there is no mail address, so that somebody passes it on."""
    to, name = one_line(to), one_line(name)
    try:
        address = Address(name, addr_spec=to) if "@" in to else None
    except (ValueError, MessageError, IndexError):
        address = None  # the parser raises any of these for what only looks like an address
    if address is not None and address.username and address.domain and to.isascii():
        mail["To"] = address
        return True
    mail["To"] = "undisclosed-recipients:;"
    mail["X-Caseway-Recipient"] = " ".join(part for part in (name, to) if part) or "unknown"
    return False


def one_line(text: str | None) -> str:
    """Return a text fit for a header: a line break there would begin a header of its own."""
    return " ".join((text or "").split())


def file_name(key: str) -> str:
    """Return the name of the file for an idempotency key."""
    name = re.sub(r"[^\w-]+", "-", key)
    if len(name.encode()) > _LONGEST_NAME:
        name = hashlib.sha256(key.encode()).hexdigest()
    return f"{name}.eml"


def write_once(file: Path, content: bytes) -> None:
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
