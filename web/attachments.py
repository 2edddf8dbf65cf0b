"""Files that customers send: checked, stored once under their hash, handed out as downloads."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from engine.errors import BadInput

#: files of one message, bytes of one file, bytes of all
MOST_FILES, MOST_BYTES, MOST_TOGETHER = 5, 5 * 1024 * 1024, 8 * 1024 * 1024
_LONGEST_NAME = 120

#: endings that are taken -> how such a file begins; empty: in any way
TYPES: dict[str, tuple[bytes, ...]] = {
    ".pdf": (b"%PDF-",),
    ".png": (b"\x89PNG\r\n",),
    ".jpg": (b"\xff\xd8\xff",),
    ".jpeg": (b"\xff\xd8\xff",),
    ".gif": (b"GIF8",),
    ".webp": (b"RIFF",),
    ".txt": (),
    ".log": (),
    ".csv": (),
    ".docx": (b"PK\x03\x04",),
    ".xlsx": (b"PK\x03\x04",),
    ".pptx": (b"PK\x03\x04",),
    ".odt": (b"PK\x03\x04",),
    ".ods": (b"PK\x03\x04",),
}
_HASH = re.compile(r"[0-9a-f]{64}")


class FileRefused(BadInput):
    """A file is of a kind or size that is not taken. Send another one, or fewer."""

    def __init__(self, why: str, name: str) -> None:
        super().__init__(f"{name}: {why.replace('_', ' ')}")
        #: too_many | too_large | wrong_type | empty
        self.why = why
        self.name = name


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """One stored file, as a variable of a case describes it."""

    #: as the customer called it, without folders
    name: str
    #: bytes
    size: int
    sha256: str

    def value(self) -> dict[str, Any]:
        """Return the variable."""
        return {"name": self.name, "size": self.size, "sha256": self.sha256}


def keep(folder: Path, files: Iterable[tuple[str, bytes]]) -> list[Attachment]:
    """Check all files, then store all. Raises FileRefused before anything is stored."""
    checked = [(plain_name(name), content) for name, content in files]
    if len(checked) > MOST_FILES:
        raise FileRefused("too_many", checked[MOST_FILES][0])
    if checked and sum(len(content) for _, content in checked) > MOST_TOGETHER:
        raise FileRefused("too_large", checked[-1][0])
    for name, content in checked:
        _check(name, content)
    return [_store(folder, name, content) for name, content in checked]


def stored(folder: Path, sha256: str) -> Path | None:
    """Return where a file lies; None if there is none, or the hash is none."""
    if not _HASH.fullmatch(sha256):
        return None
    path = folder / sha256[:2] / sha256
    return path if path.is_file() else None


def plain_name(name: str) -> str:
    """Return a file name without folders and without what no name should contain."""
    last = PurePosixPath(name.replace("\\", "/")).name
    clean = "".join(c if c.isprintable() and c not in '<>:"|?*' else "_" for c in last).strip(". ")
    stem, dot, ending = clean.rpartition(".")
    return (
        f"{(stem or ending)[:_LONGEST_NAME]}{dot}{ending[:10]}" if stem else clean[:_LONGEST_NAME]
    )


def _check(name: str, content: bytes) -> None:
    if not content:
        raise FileRefused("empty", name)
    if len(content) > MOST_BYTES:
        raise FileRefused("too_large", name)
    begins = TYPES.get(PurePosixPath(name.lower()).suffix)
    if begins is None or (begins and not content.startswith(begins)):
        raise FileRefused("wrong_type", name)


def _store(folder: Path, name: str, content: bytes) -> Attachment:
    sha256 = hashlib.sha256(content).hexdigest()
    path = folder / sha256[:2] / sha256
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(path)
    return Attachment(name=name, size=len(content), sha256=sha256)
