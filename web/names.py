"""What things are called on the pages: people, groups, and variables of cases.

A variable that a form of its deployment asks for is called as there; common ones stand here; all
others are shown by their own names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g

from engine.errors import NotFound
from web.context import engine
from web.language import current, lazy

#: candidate groups of the shipped processes
_GROUPS: dict[str, Any] = {
    "frontdesk": lazy("Front desk"),
    "front_desk": lazy("Front desk"),
    "desk": lazy("Service desk"),
    "operators": lazy("Operators"),
    "analyst": lazy("Analysis"),
    "analysts": lazy("Analysis"),
    "experts": lazy("Experts"),
    "delivery": lazy("Delivery"),
    "quality": lazy("Quality"),
    "lead": lazy("Team leads"),
    "admin": lazy("Administrators"),
}
#: variables that many processes have
_FACTS: dict[str, Any] = {
    "subject": lazy("Subject"),
    "request": lazy("Request"),
    "text": lazy("Text"),
    "need": lazy("Need"),
    "last_reply": lazy("Latest answer"),
    "message": lazy("Message"),
    "customer_name": lazy("Customer"),
    "customer": lazy("Customer"),
    "contact": lazy("Contact"),
    "name": lazy("Name"),
    "email": lazy("E-mail"),
    "customer_email": lazy("E-mail"),
    "phone": lazy("Telephone"),
    "customer_phone": lazy("Telephone"),
    "tier": lazy("Tier of the customer"),
    "preferred_channel": lazy("Preferred channel"),
    "channel": lazy("Channel"),
    "from": lazy("From"),
    "from_name": lazy("Name of the sender"),
    "category": lazy("Category"),
    "priority": lazy("Priority"),
    "impact": lazy("Impact"),
    "urgency": lazy("Urgency"),
    "urgent": lazy("Urgent"),
    "due_at": lazy("Due"),
    "promised_on": lazy("Promised for"),
    "sla": lazy("Service level"),
    "first_response": lazy("First response"),
    "resolution": lazy("Resolution"),
    "escalation_level": lazy("Level of escalation"),
    "escalation_reason": lazy("Reason of the escalation"),
    "decision": lazy("Decision"),
    "reason": lazy("Reason"),
    "accepted": lazy("Accepted"),
    "total": lazy("Total"),
    "gross": lazy("Before discount"),
    "net": lazy("Net"),
    "tax": lazy("Tax"),
    "amount": lazy("Amount"),
    "count": lazy("Count"),
    "price": lazy("Price"),
    "discount": lazy("Discount"),
    "discount_rate": lazy("Discount"),
    "currency": lazy("Currency"),
    "round": lazy("Round"),
    "score": lazy("Score"),
    "skill": lazy("Skill"),
    "title": lazy("Title"),
    "tags": lazy("Tags"),
    "why": lazy("Why"),
    "what": lazy("What"),
    "who": lazy("Who"),
    "when": lazy("When"),
    "where": lazy("Where"),
    "how": lazy("How"),
    "result": lazy("Result"),
    "criterion": lazy("Criterion"),
    "items": lazy("Details"),
    "requirements": lazy("Requirements"),
    "solution": lazy("Solution"),
    "lines": lazy("Lines"),
    "quote": lazy("Quotation"),
    "offers": lazy("Offers"),
    "attachments": lazy("Files"),
}
_RANKS = {name: number for number, name in enumerate(_FACTS)}


def group_name(group: str) -> str:
    """Return the name of a candidate group."""
    return str(_GROUPS.get(group, group))


def person_name(name: str | None) -> str:
    """Return what others read for a user's name; programs and strangers keep theirs."""
    if not name:
        return "–"
    known: dict[str, str] = g.setdefault("people", {})
    if name not in known:
        try:
            known[name] = engine().user(name).display
        except NotFound:
            known[name] = name
    return known[name]


def fact_name(name: str, labels: Mapping[str, Mapping[str, str]] | None = None) -> str:
    """Return the name of a variable; `labels` are those of the forms of its deployment."""
    found = (labels or {}).get(name)
    if found:
        return found.get(current()) or found.get("", name)
    known = _FACTS.get(name)
    return name.replace("_", " ") if known is None else str(known)


def is_known(name: str, labels: Mapping[str, Mapping[str, str]]) -> bool:
    """Tell whether a variable has a name for people."""
    return name in labels or name in _FACTS


def rank(name: str) -> int:
    """Return how early a variable is read; those that only forms know come in between."""
    return _RANKS.get(name, _RANKS["total"])
