"""The way in for customers, whatever channel they took: begin a case, or hand a message to one.

Everything here is safe to repeat: each call is named by a key of its caller, and the same key
begins nothing twice and delivers nothing twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.errors import Conflict
from handlers import records as tables
from handlers.customers import identities
from handlers.numbering import reserve_number
from handlers.records import Records

if TYPE_CHECKING:
    from engine.runtime import Engine, User
    from web.attachments import Attachment
    from web.portal_case import CustomerCase

#: the process that takes requests
PROCESS = "service_lifecycle"
#: message that begins a case
REQUEST = "service_request"
#: who acts where nobody has signed in
CUSTOMER = "customer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a customer asks for."""

    #: web | email, as handlers/intake.py names channels
    channel: str
    text: str
    subject: str
    #: zh | en; None: it is told from the text
    language: str | None
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    attachments: tuple[Attachment, ...] = ()
    #: durations that replace the usual ones of the diagrams, by name; for demonstrations
    times: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What a customer writes to a case."""

    #: web | email
    channel: str
    text: str
    subject: str | None = None
    #: address of the sender; None: known by the case
    sender: str | None = None
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """What a customer has answered to the survey."""

    score: int
    text: str


def begin(engine: Engine, request: Request, *, key: str) -> str:
    """Begin a case and return its id; the same key returns the same case.

    The number is reserved before, so that the case can hear the customer from its first moment.
    """
    number = reserve_number(Records.of(engine.settings), key, engine.clock.now())
    contact = {"name": request.name, "email": request.email, "phone": request.phone}
    payload = {
        "case_number": number,
        "channel": request.channel,
        "contact": {name: value for name, value in contact.items() if value},
        "subject": request.subject,
        "text": request.text,
        "attachments": [one.value() for one in request.attachments],
    }
    if request.language is not None:
        payload["language"] = request.language
    if request.times:
        payload["times"] = dict(request.times)
    return begin_with(engine, number, payload, key=key)


def begin_with(engine: Engine, number: str | None, payload: Mapping[str, Any], *, key: str) -> str:
    """Begin a case with these start variables; the same key returns the same case."""
    if not any(one.process_id == PROCESS and one.active for one in engine.definitions()):
        raise Conflict("no process takes requests: the service is not deployed")
    done = engine.correlate(REQUEST, key=number, payload=payload, message_id=key, by=CUSTOMER)
    if done.instance_id is None:
        raise Conflict("no process takes requests: the service is not deployed")
    return done.instance_id


def waits_of(engine: Engine, number: str | None) -> dict[str, str | None]:
    """Return the messages that the case of this number waits for, with their keys."""
    found = engine.cases(business_key=number, process_id=PROCESS, state="running", limit=1)
    if not found:
        return {}
    view = engine.case_view(found[0].id)
    return {wait.name: wait.key for wait in view.waits if wait.kind == "message"}


def hand_over(engine: Engine, case: CustomerCase, letter: Letter, *, key: str) -> None:
    """Hand a letter to what waits for it in the case. Raises Conflict if nothing does any more."""
    if case.writes_to is None:
        raise Conflict("the case is closed: nobody would read this")
    message = {
        "text": letter.text,
        "subject": letter.subject or case.subject,
        "from": letter.sender or case.contact.get("email") or case.contact.get("phone"),
        "channel": letter.channel,
        "attachments": [one.value() for one in letter.attachments],
    }
    send(engine, case, case.writes_to, {"message": message}, key=key)


def send(
    engine: Engine, case: CustomerCase, name: str, payload: Mapping[str, Any], *, key: str
) -> None:
    """Deliver a message that the case waits for. Raises Conflict if it does not wait for it."""
    if name not in case.waits:
        raise Conflict("this was answered already, or is no longer open")
    done = engine.correlate(
        name, key=case.waits[name], payload=payload, message_id=key, ttl_s=0, by=CUSTOMER
    )
    if done.outcome not in ("delivered", "duplicate"):
        raise Conflict("this was answered already, or is no longer open")


def cases_of(engine: Engine, user: User) -> list[str]:
    """Return the ids of the cases of a customer who has signed in, newest first."""
    records = Records.of(engine.settings)
    known = records.known_by([one for one in identities({"email": user.email}) if one[1]])
    rows = [row for one in known for row in records.all(tables.case, customer_id=one["id"])]
    rows.sort(key=lambda row: str(row["id"]), reverse=True)
    return [str(row["root_id"]) for row in rows if row["root_id"]]


# ---------------------------------------------------------------- the survey


def rating_of(engine: Engine, case: CustomerCase) -> Rated | None:
    """Return the rating that a customer has given, None before."""
    row = _survey(engine, case)
    if row is None or row["score"] is None:
        return None
    return Rated(score=row["score"], text=row["comment"] or "")


def rate(engine: Engine, case: CustomerCase, score: int, text: str) -> None:
    """Take a rating, or change it. Raises Conflict if there is no survey to answer."""
    if "survey_answer" in case.waits:
        payload = {"score": score, "comment": text}
        send(engine, case, "survey_answer", payload, key=f"survey:{case.root_id}")
        return
    row = _survey(engine, case)
    if row is None or row["score"] is None:
        raise Conflict("there is nothing to rate just now")
    Records.of(engine.settings).change(
        tables.survey, {"id": row["id"]},
        score=score, comment=text, answered_at=engine.clock.now().isoformat(),
    )  # fmt: skip


def _survey(engine: Engine, case: CustomerCase) -> Mapping[str, Any] | None:
    """Return the last survey of a case."""
    if case.number is None:
        return None
    rows = Records.of(engine.settings).all(tables.survey, case_number=case.number)
    return max(rows, key=lambda row: str(row["sent_at"]), default=None)
