"""What customers type: read, checked, and given back as it was when something is wrong.

Nothing here knows Flask or the engine; a wrong field is named together with the reason.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

#: characters of a description or message, of one line, of a reason
MOST_TEXT, MOST_LINE, MOST_REASON = 5000, 120, 1000
_MOST_TITLE = 60
#: a field that people do not see: only programs fill it in
HONEYPOT = "website"

_MAIL = re.compile(
    r"[^\s@<>(),;:\"\\\[\]]{1,64}@(?:[^\s@<>(),;:\"\\\[\].]{1,63}\.)+[^\s@<>.\d]{2,63}"
)
_PHONE = re.compile(r"\+?[\d ()./-]{5,30}")
_NONCE = re.compile(r"[\w-]{22,43}")


@dataclass(slots=True, kw_only=True)
class Ask:
    """A request as it was typed, with what is wrong about it."""

    text: str = ""
    #: e-mail address or telephone number
    reach: str = ""
    name: str = ""
    #: makes a repeated submission the same one
    nonce: str = ""
    #: field -> empty | too_long | no_address
    wrong: dict[str, str] = field(default_factory=dict)

    @property
    def email(self) -> str | None:
        """The e-mail address, None if a telephone number was given."""
        return self.reach if _MAIL.fullmatch(self.reach) else None

    @property
    def phone(self) -> str | None:
        """The telephone number, None if an e-mail address was given."""
        return None if self.email else self.reach


def fresh_nonce() -> str:
    """Return what tells one form from all others, however often it is sent."""
    return secrets.token_urlsafe(18)


def read_nonce(given: Mapping[str, str]) -> str:
    """Return the nonce of a form; a fresh one if somebody has made it up."""
    nonce = given.get("nonce", "")
    return nonce if _NONCE.fullmatch(nonce) else fresh_nonce()


def blank_ask() -> Ask:
    """Return an empty form."""
    return Ask(nonce=fresh_nonce())


def read_ask(given: Mapping[str, str]) -> Ask:
    """Return what was typed; `wrong` says what is missing."""
    ask = Ask(
        text=_paragraphs(given.get("text", "")),
        reach=_line(given.get("reach", "")),
        name=_line(given.get("name", "")),
        nonce=read_nonce(given),
    )
    _check_length(ask.wrong, "text", ask.text, MOST_TEXT, required=True)
    _check_length(ask.wrong, "name", ask.name, MOST_LINE, required=False)
    _check_length(ask.wrong, "reach", ask.reach, MOST_LINE, required=True)
    if "reach" not in ask.wrong and not can_reach(ask.reach):
        ask.wrong["reach"] = "no_address"
    return ask


def title_of(text: str) -> str:
    """Return the beginning of a text as a title: its first line, cut where a word ends."""
    line = text.strip().splitlines()[0].strip() if text.strip() else ""
    if len(line) <= _MOST_TITLE:
        return line.rstrip("。.")
    cut = line[:_MOST_TITLE]
    at = max(cut.rfind(mark) for mark in " ，,；;。")
    return f"{cut[:at] if at > _MOST_TITLE // 2 else cut}…"


def can_reach(text: str) -> bool:
    """Tell whether a text looks like an e-mail address or a telephone number."""
    digits = sum(character.isdigit() for character in text)
    return bool(_MAIL.fullmatch(text) or (_PHONE.fullmatch(text) and digits >= 5))


@dataclass(slots=True, kw_only=True)
class Reply:
    """What a customer answers to an offer."""

    #: accept | negotiate | decline
    choice: str = ""
    #: number of the line, from 1 -> what is asked for
    lines: dict[int, str] = field(default_factory=dict)
    #: for the whole offer, or why it is declined
    text: str = ""
    #: who answers
    name: str = ""
    #: fingerprint of the offer that was on the page
    sha256: str = ""
    #: field -> empty | too_long | unconfirmed
    wrong: dict[str, str] = field(default_factory=dict)


def read_reply(given: Mapping[str, str], lines: int) -> Reply:
    """Return the answer to an offer with so many lines."""
    reply = Reply(
        choice=given.get("choice", ""),
        text=_paragraphs(given.get("text", "")),
        name=_line(given.get("name", "")),
        sha256=given.get("sha256", ""),
    )
    for number in range(1, lines + 1):
        if asked := _paragraphs(given.get(f"line_{number}", "")):
            reply.lines[number] = asked
            _check_length(reply.wrong, f"line_{number}", asked, MOST_REASON, required=False)
    _check_reply(reply, confirmed=given.get("confirm") == "yes")
    return reply


def _check_reply(reply: Reply, *, confirmed: bool) -> None:
    if reply.choice not in ("accept", "negotiate", "decline"):
        reply.wrong["choice"] = "empty"
    _check_length(reply.wrong, "name", reply.name, MOST_LINE, required=True)
    _check_length(reply.wrong, "text", reply.text, MOST_REASON, required=reply.choice == "decline")
    if reply.choice == "negotiate" and not reply.lines and not reply.text:
        reply.wrong["text"] = "empty"
    if reply.choice == "accept" and not confirmed:
        reply.wrong["confirm"] = "unconfirmed"


@dataclass(slots=True, kw_only=True)
class Rating:
    """What a customer thinks of the service."""

    #: 1 to 5; None: not chosen
    score: int | None = None
    text: str = ""
    #: field -> empty | too_long
    wrong: dict[str, str] = field(default_factory=dict)


def read_rating(given: Mapping[str, str]) -> Rating:
    """Return the answer to the survey."""
    score = given.get("score", "")
    rating = Rating(
        score=int(score) if score in ("1", "2", "3", "4", "5") else None,
        text=_paragraphs(given.get("text", "")),
    )
    if rating.score is None:
        rating.wrong["score"] = "empty"
    _check_length(rating.wrong, "text", rating.text, MOST_REASON, required=False)
    return rating


def read_text(given: Mapping[str, str], *, most: int = MOST_TEXT) -> tuple[str, str | None]:
    """Return a message to the desk, and what is wrong with it."""
    text = _paragraphs(given.get("text", ""))
    wrong: dict[str, str] = {}
    _check_length(wrong, "text", text, most, required=True)
    return text, wrong.get("text")


def _check_length(
    wrong: dict[str, str], name: str, text: str, most: int, *, required: bool
) -> None:
    if required and not text:
        wrong[name] = "empty"
    elif len(text) > most:
        wrong[name] = "too_long"


def _line(text: str) -> str:
    """Return a text in one line, without what nobody can see."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _paragraphs(text: str) -> str:
    """Return a text with its lines, without other characters that nobody can see."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    clean = [
        "".join(c for c in line if c.isprintable() or c in "\t\u200d").rstrip() for line in lines
    ]
    return "\n".join(clean).strip()
