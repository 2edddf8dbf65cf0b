"""Which deployment new cases use: all of its processes at once, and back again."""

from __future__ import annotations

from dataclasses import replace

from engine.errors import Conflict, NotFound
from engine.model import Definition
from engine.runtime import decisions
from engine.runtime.base import Base, plain_text, verb
from engine.runtime.deployments import make_active, subject_of
from engine.runtime.transaction import Transaction
from engine.store import definitions, tokens
from engine.store.connect import Connection


class Releases(Base):
    """The verbs about a deployment as a whole, recorded with who and why."""

    @verb
    def activate_all(self, deployment_id: str, *, by: str, why: str = "") -> list[Definition]:
        """Let new cases use all processes of a deployment; return those that were not active.
        Its decisions become active with them.

        Raises NotFound, and Conflict if all of them are active already.
        """
        plain_text(by, "by")
        plain_text(why, "why")
        with self.transaction() as tx:
            found = _of(tx.connection, deployment_id)
            decided = decisions.activate_of(tx, deployment_id, by, why)
            return _switch(tx, [one for one in found if not one.active], decided, by, why)

    @verb
    def roll_back(self, deployment_id: str, *, by: str, why: str = "") -> list[Definition]:
        """Let new cases use what was active before; return the versions that are active now.
        Its decisions go back with them.

        A process that it has brought as the first stays active. Raises NotFound, and Conflict if
        nothing of it is active or nothing was there before.
        """
        plain_text(by, "by")
        plain_text(why, "why")
        with self.transaction() as tx:
            found = _of(tx.connection, deployment_id)
            before = _before(tx.connection, [one for one in found if one.active])
            decided = decisions.roll_back_of(tx, deployment_id, by, why)
            return _switch(tx, list(before.values()), decided, by, why)

    def rolls_back_to(self, deployment_id: str) -> dict[str, Definition]:
        """Return by process id what `roll_back` would make active. Raises NotFound."""
        with self.reading() as connection:
            found = _of(connection, deployment_id)
            return _before(connection, [one for one in found if one.active])


def _of(connection: Connection, deployment_id: str) -> tuple[Definition, ...]:
    if definitions.deployed(connection, deployment_id) is None:
        raise NotFound(f"there is no deployment {deployment_id!r}")
    return definitions.of_deployment(connection, deployment_id)


def _before(connection: Connection, active: list[Definition]) -> dict[str, Definition]:
    """Return for each process the version that was active last before the present one."""
    found: dict[str, Definition] = {}
    for one in active:
        others = {
            subject_of(other): other
            for other in definitions.all_definitions(connection)
            if other.process_id == one.process_id and other.version != one.version
        }
        acts = tokens.acts_on(connection, list(others))
        last = next((act.subject for act in acts if act.verb == "activate"), None)
        older = [other for other in others.values() if other.version < one.version]
        if last is not None:
            found[one.process_id] = others[last]
        elif older:
            # deployed before activations were written down
            found[one.process_id] = max(older, key=lambda other: other.version)
    return found


def _switch(
    tx: Transaction, wanted: list[Definition], decided: int, by: str, why: str
) -> list[Definition]:
    if not wanted and not decided:
        raise Conflict("nothing would change: no other version is there to be made active")
    for one in wanted:
        make_active(tx, one, by=by, why=why)
    return [replace(one, active=True) for one in wanted]
