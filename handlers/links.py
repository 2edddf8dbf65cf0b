"""Signed links: what lets a customer without an account see or answer one thing for a while.

A link carries its purpose, its subject, when it was made and when it ends, and an HMAC over all of
it; nothing of it is stored. What is stored are the ends: one link, or all links of a subject.
Handlers put links into mails by `link_to`; web/links.py reads what comes back.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from engine import HandlerContext

if TYPE_CHECKING:
    from engine.settings import Settings

#: what a link may be for -> how long it is good, unless its maker says otherwise
PURPOSES: dict[str, timedelta] = {
    "follow": timedelta(days=180),  # see the case, write to the desk, withdraw
    "confirm": timedelta(days=30),  # confirm or correct what is needed
    "answer": timedelta(days=30),  # accept, negotiate or decline proposals
    "rate": timedelta(days=60),  # answer the survey, and change the answer
    "file": timedelta(hours=12),  # keep a file that came with a form in which something was wrong
}

_MAC_BYTES = 24
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
#: a link is far shorter; what is longer is not looked at
_LONGEST = 600


class LinkRefused(Exception):
    """The link cannot be used any more. Ask the service desk for a new one."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the link is {why}")
        #: forged | expired | revoked
        self.why = why


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What a link says about itself once its signature was found right."""

    #: one of PURPOSES
    purpose: str
    #: id of the case (its root instance), or what else the purpose is about
    subject: str
    #: aware UTC, whole milliseconds
    made_at: datetime
    ends_at: datetime
    #: tells links of one purpose and subject apart
    nonce: str

    @property
    def name(self) -> str:
        """The name under which the end of this link is stored."""
        return f"{self.purpose}:{self.nonce}"


class Ends(Protocol):
    """Where it is kept which links ended before their time: the engine."""

    def links_ended_at(self, name: str) -> datetime | None:
        """Return when the links of this name were ended, None if they were not."""

    def end_links(self, name: str, *, by: str, why: str = "") -> None:
        """Make worthless what was made until now under this name."""


class Endless:
    """Ends for who only makes links."""

    def links_ended_at(self, name: str) -> datetime | None:
        """Return None: nothing is known here."""
        return None

    def end_links(self, name: str, *, by: str, why: str = "") -> None:
        """Refuse: only the engine keeps ends."""
        raise NotImplementedError("links are ended by the engine")


def link_to(context: HandlerContext, purpose: str) -> str:
    """Return the address of a page about the case of a handler; every attempt has one nonce."""
    settings = context.settings
    links = Links(secret(settings.data_dir), Endless(), lambda: context.now)
    made = links.make(purpose, context.root_id, seed=context.key)
    return address(settings, purpose, made)


def address(settings: Settings, purpose: str, made: str) -> str:
    """Return the address of the page that a link opens, as people outside type it."""
    site = settings.public_url or f"http://{settings.host}:{settings.port}"
    return f"{site.rstrip('/')}/p/{purpose}/{made}"


def secret(data_dir: Path) -> bytes:
    """Return the key of this installation, made at the first call; only its owner can read it."""
    path = data_dir / "secret.key"
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(32))
        with contextlib.suppress(FileExistsError):  # who comes second takes the first one's
            os.link(fresh, path)
        fresh.unlink()
    return path.read_bytes()


class Links:
    """Makes, reads and ends links with one secret key."""

    def __init__(self, secret: bytes, ends: Ends, now: Callable[[], datetime]) -> None:
        # a key of its own: what signs sessions shall never sign a link
        self._key = hmac.digest(secret, b"caseway signed links 1", "sha256")
        self._ends = ends
        self._now = now

    def make(
        self, purpose: str, subject: str, *, good_for: timedelta | None = None, seed: str = ""
    ) -> str:
        """Return a link for one purpose. With a `seed` a repetition has the same nonce."""
        made = _moment(_number(self._now()))
        nonce = _nonce(self._key, purpose, seed) if seed else secrets.token_urlsafe(9)
        link = Link(
            purpose=purpose,
            subject=subject,
            made_at=made,
            ends_at=made + (PURPOSES[purpose] if good_for is None else good_for),
            nonce=nonce,
        )
        content = _packed(link)
        return f"{_text(content)}.{_text(self._mac(content))}"

    def read(self, given: str, purpose: str) -> Link:
        """Return what a link says. Raises LinkRefused with the reason why not."""
        link = self._signed(given)
        if link is None or link.purpose != purpose:
            raise LinkRefused("forged")
        if self._now() >= link.ends_at:
            raise LinkRefused("expired")
        if self._ends.links_ended_at(link.name) is not None:
            raise LinkRefused("revoked")
        ended = self._ends.links_ended_at(f"of {link.subject}")
        if ended is not None and link.made_at <= ended:
            raise LinkRefused("revoked")
        return link

    def revoke(self, link: Link, *, by: str, why: str = "") -> None:
        """Make one link worthless."""
        self._ends.end_links(link.name, by=by, why=why)

    def revoke_all(self, subject: str, *, by: str, why: str = "") -> None:
        """Make every link of a subject that exists by now worthless; later ones are good."""
        self._ends.end_links(f"of {subject}", by=by, why=why)

    def _signed(self, given: str) -> Link | None:
        """Return what stands in a link that we have signed, None for any other text."""
        if len(given) > _LONGEST or not given.isascii():
            return None
        content, mac = (_bytes(part) for part in given.partition(".")[::2])
        if content is None or mac is None or not hmac.compare_digest(mac, self._mac(content)):
            return None
        return _unpacked(content)

    def _mac(self, content: bytes) -> bytes:
        return hmac.digest(self._key, content, "sha256")[:_MAC_BYTES]


def _nonce(key: bytes, purpose: str, seed: str) -> str:
    return _text(hashlib.sha256(key + f"{purpose}\0{seed}".encode()).digest()[:9])


def _packed(link: Link) -> bytes:
    parts = [link.purpose, link.subject, _number(link.made_at), _number(link.ends_at), link.nonce]
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode()


def _unpacked(content: bytes) -> Link:
    purpose, subject, made, ends, nonce = json.loads(content)
    return Link(
        purpose=purpose, subject=subject, made_at=_moment(made), ends_at=_moment(ends), nonce=nonce
    )  # fmt: skip


def _number(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _moment(number: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=number)


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes | None:
    """Return the bytes that a text stands for; None unless it is their one spelling."""
    try:
        content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    return content if content and _text(content) == text else None
