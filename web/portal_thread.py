"""What was written in a case, both ways, and how the customer has answered an offer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from handlers import records as tables
from handlers.records import Records
from web.portal_case import WRITING

if TYPE_CHECKING:
    from engine.model import HistoryRow
    from engine.runtime import Engine
    from web.portal_case import CustomerCase

_CHOICES = {
    "proposal_accepted": "accept",
    "proposal_countered": "negotiate",
    "proposal_declined": "decline",
}
#: events that are read at most: a longer story is not shown whole
_MOST = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One message of the thread."""

    at: datetime
    #: True: the desk has written it; False: the customer
    ours: bool
    subject: str
    text: str
    files: list[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """How an offer was answered."""

    #: accept | negotiate | decline
    choice: str
    by: str
    at: datetime
    comment: str
    #: fingerprint of the offer as it was on the page
    sha256: str


def thread(engine: Engine, case: CustomerCase) -> list[Entry]:
    """Return the messages of a case, oldest first, the request itself among them."""
    asked = Entry(at=case.started_at, ours=False, subject="", text=case.text, files=case.files)
    found = [asked, *_sent(engine, case), *_received(engine, case)]
    return sorted(found, key=lambda entry: entry.at)


def evidence(engine: Engine, case: CustomerCase) -> Evidence | None:
    """Return the last answer to an offer, None before the first."""
    for row in engine.story(case.root_id, limit=_MOST):
        if row.kind == "message.received" and row.name in _CHOICES:
            payload = _payload(row)
            return Evidence(
                choice=_CHOICES[row.name],
                by=_text(payload.get("by")),
                at=row.at,
                comment=_text(payload.get("comment")),
                sha256=_text(payload.get("sha256")),
            )
    return None


def _sent(engine: Engine, case: CustomerCase) -> Iterator[Entry]:
    """Yield what left for the customer."""
    if case.number is None:
        return
    rows = Records.of(engine.settings).all(tables.message, case_number=case.number)
    for row in rows:
        if row["direction"] == "out" and row["template"] not in _FOR_STAFF:
            yield Entry(
                at=datetime.fromisoformat(row["at"]), ours=True, subject=row["subject"] or "",
                text=_LINK.sub("", row["text"] or "").strip(), files=[],
            )  # fmt: skip


def _received(engine: Engine, case: CustomerCase) -> Iterator[Entry]:
    """Yield what came from the customer after the request."""
    for row in engine.story(case.root_id, limit=_MOST):
        message = _payload(row).get("message") if row.kind == "message.received" else None
        if row.kind == "message.received" and row.name in _WITH_WORDS:
            yield _said(row)
        elif row.name in WRITING and isinstance(message, Mapping):
            files = message.get("attachments")
            yield Entry(
                at=row.at, ours=False, subject="", text=_text(message.get("text")),
                files=[one for one in files if "sha256" in one] if files else [],
            )  # fmt: skip


#: answers that come with words, so that they belong to the thread
_WITH_WORDS = ("proposal_countered", "proposal_declined", "needs_corrected", "customer_withdraws")
#: a link serves its own purpose only, so no page shows the one of another
_LINK = re.compile(r"https?://\S+/p/\S+")
#: templates of notices that are not for the customer
_FOR_STAFF = ("escalation", "escalation_note")


def _said(row: HistoryRow) -> Entry:
    payload = _payload(row)
    text = _text(payload.get("comment")) or _text(payload.get("reason"))
    return Entry(at=row.at, ours=False, subject="", text=text or "–", files=[])


def _payload(row: HistoryRow) -> Mapping[str, Any]:
    return row.value if isinstance(row.value, Mapping) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
