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
    "accepted": lazy("Accepted"),
    "attachments": lazy("Files"),
    "business_key": lazy("Number"),
    "case_number": lazy("Number"),
    "category": lazy("Category"),
    "channel": lazy("Channel"),
    "contact": lazy("Contact"),
    "currency": lazy("Currency"),
    "customer": lazy("Customer"),
    "customer_email": lazy("E-mail"),
    "customer_name": lazy("Customer"),
    "customer_phone": lazy("Telephone"),
    "decision": lazy("Decision"),
    "discount": lazy("Discount"),
    "due_at": lazy("Due"),
    "email": lazy("E-mail"),
    "escalation_level": lazy("Level of escalation"),
    "escalation_reason": lazy("Reason of the escalation"),
    "from": lazy("From"),
    "from_name": lazy("Name of the sender"),
    "id": lazy("Identifier"),
    "impact": lazy("Impact"),
    "language": lazy("Language"),
    "last_reply": lazy("Latest answer"),
    "lines": lazy("Lines"),
    "message": lazy("Message"),
    "name": lazy("Name"),
    "need": lazy("Need"),
    "offers": lazy("Offers"),
    "phone": lazy("Telephone"),
    "price": lazy("Price"),
    "priority": lazy("Priority"),
    "promised_on": lazy("Promised for"),
    "quote": lazy("Quotation"),
    "reason": lazy("Reason"),
    "request": lazy("Request"),
    "requirements": lazy("Requirements"),
    "score": lazy("Score"),
    "skill": lazy("Skill"),
    "sla": lazy("Service level"),
    "solution": lazy("Solution"),
    "subject": lazy("Subject"),
    "tags": lazy("Tags"),
    "text": lazy("Text"),
    "tier": lazy("Tier of the customer"),
    "title": lazy("Title"),
    "total": lazy("Total"),
    "urgency": lazy("Urgency"),
    "urgent": lazy("Urgent"),
}


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
