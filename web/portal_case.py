"""A case as its customer sees it: chosen facts only, nothing else of the variables leaves here."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from engine.codec import to_json
from engine.errors import NotFound
from engine.feel.moments import parse_duration
from engine.model import InstanceState
from web import portal_steps
from web.drawings import drawing

if TYPE_CHECKING:
    from engine.runtime import Engine
    from engine.runtime.views import CaseView
    from web.portal_steps import Note, Step

PROCESS = "service_lifecycle"
#: message that the case waits for -> what the customer is asked to do; the first that fits counts
TURNS = {
    "proposal_accepted": "answer",
    "needs_confirmed": "confirm",
    "survey_answer": "rate",
    "customer_reply": "reply",
}
#: messages that carry what a customer writes; the first that is waited for gets it
WRITING = ("customer_reply", "after_sales_request", "customer_message")
WITHDRAWS = "customer_withdraws"
#: called processes whose variables concern the customer while they run
_INSIDE = ("needs_analysis", "negotiation", "execution")


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerCase:
    """What one customer may know about one case."""

    root_id: str
    #: None until the case has its number
    number: str | None
    subject: str
    text: str
    #: name, email, phone
    contact: Mapping[str, Any]
    #: zh | en: what the customer writes
    language: str
    started_at: datetime
    ended_at: datetime | None
    #: running | completed | withdrawn | cancelled
    state: str
    steps: list[Step]
    notes: list[Note]
    #: what the customer is asked to do: answer | confirm | rate | reply; None: it is our turn
    turn: str | None
    #: messages that the case waits for, with their keys
    waits: Mapping[str, str | None]
    #: promised date of delivery, or when the next answer is due
    promised: date | datetime | None
    #: what `promised` is: delivery | end | answer
    promise: str
    #: the offer on the table, None without one
    proposal: Mapping[str, Any] | None
    #: earlier and present offers in short: id, round, total, counter
    offers: list[Mapping[str, Any]]
    #: open | agreed | declined | expired; None without a proposal
    agreement: str | None
    #: what was found out to be needed, None before
    requirements: Mapping[str, Any] | None
    #: key of the answer about the needs
    confirmation_id: str | None
    #: files the customer has sent
    files: list[Mapping[str, Any]] = field(default_factory=list)
    score: int | None = None

    @property
    def may_withdraw(self) -> bool:
        """Tell whether the customer can still take the request back."""
        return WITHDRAWS in self.waits

    @property
    def writes_to(self) -> str | None:
        """The message that carries what the customer writes; None: nobody reads it any more."""
        return next((name for name in WRITING if name in self.waits), None)


def customer_case(engine: Engine, root_id: str, language: str) -> CustomerCase:
    """Return a case. Raises NotFound, also for one that is no customer's."""
    view = engine.case_view(root_id)
    if view.root.process_id != PROCESS or view.root.id != root_id:
        raise NotFound("there is no such case")
    known = _variables(engine, view)
    waits = {wait.name: wait.key for wait in view.waits if wait.kind == "message"}
    drawn = {one.id: drawing(one.definition_id) for one in (view.root, *view.called)}
    marked = {
        instance_id: portal_steps.marks(one.content, one.definition.process_id)
        for instance_id, one in drawn.items()
    }
    promised, promise = _promise(view, known)
    return CustomerCase(
        root_id=root_id,
        number=_text(known.get("case_number")) or view.root.business_key,
        subject=_text(known.get("subject")),
        text=_text(known.get("text")),
        contact=_mapping(known.get("contact")) or {},
        language="zh" if known.get("language") == "zh" else "en",
        started_at=view.root.started_at,
        ended_at=view.root.ended_at,
        state=_state(view, known),
        steps=portal_steps.steps(view, marked[root_id], language),
        notes=portal_steps.notes(view, marked, language),
        turn=next((turn for name, turn in TURNS.items() if name in waits), None),
        waits=waits,
        promised=promised,
        promise=promise,
        proposal=_mapping(known.get("proposal")),
        offers=[offer for offer in _list(known.get("offers")) if isinstance(offer, Mapping)],
        agreement=_agreement(known),
        requirements=_mapping(known.get("requirements")),
        confirmation_id=_text(known.get("confirmation_id")) or None,
        files=[one for one in _list(known.get("attachments")) if isinstance(one, Mapping)],
        score=known["score"] if isinstance(known.get("score"), int) else None,
    )


def fingerprint(proposal: Mapping[str, Any]) -> str:
    """Return the hash that stands for exactly this offer."""
    return hashlib.sha256(to_json(dict(proposal))).hexdigest()


def _variables(engine: Engine, view: CaseView) -> dict[str, Any]:
    """Return what the case knows; what runs inside it knows better."""
    known = engine.variables(view.root.id)
    for one in view.called:
        if one.state == InstanceState.RUNNING and one.process_id in _INSIDE:
            known |= engine.variables(one.id)
    return known


def _state(view: CaseView, known: Mapping[str, Any]) -> str:
    if view.root.state == InstanceState.RUNNING:
        return "running"
    if "withdrawal_reason" in known or known.get("outcome") == "withdrawn":
        return "withdrawn"
    return "completed" if view.root.state == InstanceState.COMPLETED else "cancelled"


def _agreement(known: Mapping[str, Any]) -> str | None:
    if not known.get("proposal"):
        return None
    return _text(known.get("agreement")) or "open"


def _promise(view: CaseView, known: Mapping[str, Any]) -> tuple[date | datetime | None, str]:
    """Return the promised date of delivery, else when the clock of the case says it is due."""
    promised = known.get("promised_on")
    if isinstance(promised, str):
        promised = _read(date.fromisoformat, promised[:10])
    if isinstance(promised, date):
        return promised, "delivery"
    within = (_mapping(known.get("sla")) or {}).get("resolution")
    if isinstance(within, str):
        within = _read(parse_duration, within)
    if isinstance(within, timedelta):
        return view.root.started_at + within, "end"
    return None, ""


def _read(read: Callable[[str], Any], text: str) -> Any:
    try:
        return read(text)
    except ValueError:
        return None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _mapping(value: Any) -> Mapping[str, Any] | None:
    return value if isinstance(value, Mapping) and value else None


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []
