"""Incidents: what stopped, and trying it again."""

from __future__ import annotations

from dataclasses import replace

from engine.errors import Conflict, NotFound
from engine.model import Event, Incident, InstanceState, Retry
from engine.runtime import steps
from engine.runtime.base import Base, note, page_size, plain_text, verb
from engine.runtime.transaction import Transaction
from engine.store import incidents, instances, lanes, work
from engine.store.lanes import Blocked

#: incidents tried again by one call of retry_many
_MANY = 1000


class Incidents(Base):
    """The verbs about what needs a person."""

    @verb
    def retry(self, incident_id: str, *, by: str) -> Incident:
        """Try again where an incident stopped a case; its attempts are counted anew.

        Raises NotFound, and Conflict if it is resolved or its case has ended.
        """
        plain_text(by, "by")
        with self.transaction() as tx:
            found = incidents.get(tx.connection, incident_id)
            if found is None:
                raise NotFound(f"there is no incident {incident_id!r}")
            if found.resolved_at is not None:
                raise Conflict(f"incident {incident_id} was resolved at {found.resolved_at}")
            if found.work_id is not None:
                _revive(tx, found, found.work_id, by)
            else:
                _retry_token(tx, found, by)
            return replace(found, resolved_at=tx.now, resolved_by=by)

    def retry_many(
        self,
        *,
        process_id: str | None = None,
        element_id: str | None = None,
        kind: str | None = None,
        by: str,
    ) -> list[Incident]:
        """Try all open incidents again that fit, at most 1,000, each in its own transaction."""
        tried = []
        for found in self.incidents(
            process_id=process_id, element_id=element_id, kind=kind, limit=_MANY
        ):
            try:
                tried.append(self.retry(found.id, by=by))
            except Conflict:
                # resolved meanwhile, or final
                continue
        return tried

    @verb
    def step_aside(self, incident_id: str, *, by: str, why: str = "") -> Incident:
        """Let the lane go on that an incident has stopped; the work itself stays as it is.

        When it is retried later, it is done out of its order. Raises NotFound, and Conflict if the
        incident is resolved or stops no lane.
        """
        plain_text(by, "by")
        plain_text(why, "why")
        with self.transaction() as tx:
            found = incidents.get(tx.connection, incident_id)
            if found is None:
                raise NotFound(f"there is no incident {incident_id!r}")
            # the case first, then its lane: the order in which everybody locks
            event = Event("lane.left", found.instance_id, found.element_id, found.token, None, why)
            note(tx, found.root_id, [event], by)
            freed = None
            if found.work_id is not None and found.resolved_at is None:
                freed = lanes.step_aside(tx.connection, found.work_id, tx.now)
            if freed is None:
                raise Conflict(f"incident {incident_id} stops no lane")
            tx.tell_due(freed)
            return found

    def blocked_lanes(self, *, after: str = "", limit: int = 50) -> list[Blocked]:
        """Return lanes that an incident has stopped, by name, with how many rows wait behind it."""
        with self.reading() as connection:
            return lanes.blocked(connection, plain_text(after, "after"), page_size(limit))

    def incident(self, incident_id: str) -> Incident:
        """Return an incident. Raises NotFound."""
        with self.reading() as connection:
            found = incidents.get(connection, incident_id)
            if found is None:
                raise NotFound(f"there is no incident {incident_id!r}")
            return found

    def incidents(
        self,
        *,
        open: bool | None = True,
        instance_id: str | None = None,
        process_id: str | None = None,
        element_id: str | None = None,
        kind: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> list[Incident]:
        """Return incidents, oldest first; `open` None means resolved ones as well."""
        given = {"process_id": process_id, "element_id": element_id, "kind": kind}
        filters = {
            name: plain_text(value, name) for name, value in given.items() if value is not None
        }
        with self.reading() as connection:
            if instance_id is not None:
                case = instances.get(connection, instance_id)
                if case is None:
                    return []
                filters["root_id"] = case.root_id
                if case.id != case.root_id:
                    filters["instance_id"] = case.id
            return incidents.page(connection, filters, open, after or "", page_size(limit))


def _revive(tx: Transaction, found: Incident, work_id: str, by: str) -> None:
    """Make the dead work row ready again."""
    # a case that was still to begin has no history yet
    event = Event("incident.resolved", found.instance_id, found.element_id, found.token)
    note(tx, found.root_id, [event], by)
    revived = work.revive(tx.connection, work_id, tx.now)
    if revived is None or not incidents.resolve(tx.connection, found.id, by, tx.now):
        raise Conflict(f"incident {found.id} was resolved by somebody else just now")
    tx.tell(revived.kind, revived.topic, tx.now)


def _retry_token(tx: Transaction, found: Incident, by: str) -> None:
    """Let the kernel go on at the stopped token."""
    case = instances.lock(tx.connection, found.root_id)
    if case is None or case.state != InstanceState.RUNNING:
        ended = "is gone" if case is None else f"has ended: {case.state}"
        raise Conflict(f"incident {found.id} is final, its case {ended}")
    steps.advance(tx, case, Retry(token=found.token), by=by)
