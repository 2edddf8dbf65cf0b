"""What comes in: each contact is stored once, whatever channel it took."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal, TypedDict

from engine import HandlerContext, handler
from handlers import records as tables
from handlers.records import Records
from handlers.text import tell_language

Channel = Literal[
    "phone", "visit", "email", "letter", "sms", "webchat", "wechat", "weibo", "app", "web", "api"
]


class Taken(TypedDict):
    """What `intake.record` returns."""

    interaction_id: str
    language: str
    channel: str


@handler("intake.record", title="Record a contact", title_zh="登记来访")
def record_intake(
    context: HandlerContext,
    case_number: Annotated[str, "number of the case"],
    text: Annotated[str, "what the customer said or wrote"] = "",
    subject: Annotated[str | None, "what it is about"] = None,
    channel: Annotated[Channel | None, "how it came in"] = None,
    contact: Annotated[dict[str, Any] | None, "name, email, phone of who asks"] = None,
    language: Annotated[Literal["zh", "en"] | None, "if it is known"] = None,
) -> Taken:
    """Store a contact with its channel, once for each activation, and tell its language."""
    records = Records.of(context.settings)
    spoken = language or tell_language(f"{subject or ''} {text}")["language"]
    came_by: str = channel or "web"
    known = contact or {}
    identifier = digest(context.key)
    records.once(tables.message, context.key, lambda _: {
        "id": identifier, "direction": "in", "case_number": case_number, "channel": came_by,
        "address": known.get("email") or known.get("phone") or known.get("handle"),
        "subject": subject, "text": text, "state": "taken", "at": context.now.isoformat(),
    })  # fmt: skip
    records.change(
        tables.case, {"id": case_number}, subject=subject or text[:80], language=spoken,
        root_id=context.root_id,
    )  # fmt: skip
    return {"interaction_id": identifier, "language": spoken, "channel": came_by}


def digest(key: str) -> str:
    """Return a short id that every attempt of one activation shares."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]
