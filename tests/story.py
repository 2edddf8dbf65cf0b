"""What the history of a case must say, whatever channel its customer took."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

#: the call activities of the lifecycle, in the order in which a whole case passes them:
#: contact, needs, design, agreement, execution, after-sales, feedback
PHASES = ["contact", "needs", "design", "talks", "delivery_phase", "after_sales_phase", "feedback"]

Event = Mapping[str, Any]


def phases(events: Iterable[Event]) -> list[str]:
    """Return the phases in the order in which they began, each time they did."""
    return [
        str(event["element_id"])
        for event in events
        if event["kind"] == "element.activated" and event["element_id"] in PHASES
    ]


def idle(events: Iterable[Event]) -> list[int]:
    """Return the numbers of the events, between start and end, after which nothing was active.

    A token that leaves its last element must come to the next one in the same moment, as the very
    next event; only the end of the case may stand there instead.
    """
    active: set[Any] = set()
    found: list[int] = []
    last: Event | None = None
    for event in events:
        if last is not None and not active and not _goes_on(last, event):
            found.append(last["seq"])
        if event["kind"] == "element.activated":
            active.add(event["token"])
            last = event
        elif event["kind"] in ("element.completed", "element.cancelled"):
            active.discard(event["token"])
        last = event if last is not None else None
    return found


def _goes_on(last: Event, event: Event) -> bool:
    if event["kind"] == "instance.completed":
        return True
    return bool(event["kind"] == "element.activated" and event["at"] == last["at"])


def gaps(events: Iterable[Event]) -> list[int]:
    """Return the numbers that are missing between the first and the last event."""
    numbers = [event["seq"] for event in events]
    return sorted({*range(1, max(numbers, default=0) + 1)} - {*numbers})
