"""Decisions: deployed with their bundle, version by version, and made when a task calls them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from engine import dmn
from engine.clock import new_id
from engine.diagrams import load_models
from engine.errors import NotFound
from engine.feel.values import missing
from engine.runtime.base import Base, admitted, plain_text, verb
from engine.store import decisions, instances, tokens
from engine.store.decisions import Decision

if TYPE_CHECKING:
    from datetime import datetime

    from engine.diagrams import Bundle
    from engine.model import Deployment, HistoryRow, Value
    from engine.runtime.transaction import Transaction
    from engine.store.connect import Connection

#: cases whose decisions are read at once
_CASES = 100


class Decisions(Base):
    """The verbs about decisions."""

    def decisions(self) -> list[Decision]:
        """Return every version of every decision, the newest version of a decision first."""
        with self.reading() as connection:
            return decisions.all_decisions(connection)

    def decide(
        self, decision_id: str, inputs: Mapping[str, Value], *, version: int | None = None
    ) -> dmn.Decided:
        """Make a decision as a task would; nothing is stored.

        Raises NotFound, BadInput for inputs that no variable may hold, and ExecutionFault.
        """
        given = admitted(inputs, self.settings.input_limit)
        with self.reading() as connection:
            if version is None:
                found = decisions.active(connection, decision_id)
            else:
                found = decisions.version(connection, decision_id, version)
            if found is None:
                raise NotFound(_unknown(connection, decision_id, version))
            model = self.library.decision_model(connection, found.deployment_id, found.file)
        return model.evaluate(decision_id, given, now=self.clock.now())

    def what_if(
        self,
        files: Mapping[str, bytes],
        *,
        imports: Mapping[str, bytes] | None = None,
        decision_id: str | None = None,
        since: datetime | None = None,
        limit: int = 1000,
    ) -> list[dmn.WhatIf]:
        """Make the decisions of past cases again with changed models; nothing is stored.

        `imports` are further files that the models may import. At most `limit` cases are looked
        at, the newest first; `since` leaves out what was decided before. Raises NotFound for a
        decision that the files do not hold.
        """
        read = load_models({**(imports or {}), **files})
        models = [model for file, model in read.items() if file in files]
        names = {one.id: one.name for model in models for one in model.decisions}
        if decision_id is not None and decision_id not in names:
            raise NotFound(missing("decision", decision_id, names))
        wanted = [decision_id] if decision_id is not None else sorted(names)
        of = {one.id: model for model in models for one in model.decisions}
        found = {id: dmn.WhatIf(decision_id=id, name=names[id]) for id in wanted}
        for row, key in self._made(wanted, since, limit, found.values()):
            _compare(found[str(row.name)], of[str(row.name)], row, key)
        return list(found.values())

    def _made(
        self, names: list[str], since: datetime | None, limit: int, found: Iterable[dmn.WhatIf]
    ) -> Iterator[tuple[HistoryRow, str | None]]:
        """Yield how past cases decided, page by page of cases."""
        after: str | None = None
        while names and limit > 0:
            asked = min(limit, _CASES)
            with self.reading() as connection:
                cases = instances.page(connection, {}, after, asked)
                keys = {case.id: case.business_key for case in cases}
                rows = self.past.made_in(connection, keys, names)
            for row in rows:
                if since is None or row.at >= since:
                    yield row, keys[row.root_id]
            if len(cases) < asked:
                return
            limit -= asked
            after = cases[-1].id
        with self.reading() as connection:
            older = bool(names and instances.page(connection, {}, after, 1))
        for one in found:
            one.more = older

    @verb
    def activate_decision(
        self, decision_id: str, version: int, *, by: str, why: str = ""
    ) -> Decision:
        """Let calls of the latest version use this one; recorded with who and why."""
        with self.transaction() as tx:
            found = decisions.version(tx.connection, decision_id, version)
            if found is None:
                raise NotFound(_unknown(tx.connection, decision_id, version))
            _make_active(tx, [found], plain_text(by, "by"), plain_text(why, "why"))
            return found._replace(active=True)


def _unknown(connection: Connection, decision_id: str, version: int | None) -> str:
    """Return the complaint that a decision, or its version, was never deployed."""
    known = [str(one.version) for one in decisions.versions(connection, decision_id)]
    if known and version is not None:
        return f"decision {decision_id!r} has no version {version!r}; it has {', '.join(known)}"
    return missing("decision", decision_id, decisions.known(connection))


def _compare(found: dmn.WhatIf, model: dmn.Model, row: HistoryRow, key: str | None) -> None:
    """Make one decision again, and note it where it comes out differently."""
    past = dmn.past_inputs(row.value, found.decision_id) if not row.erased else None
    if past is None:
        found.skipped += 1
        return
    found.compared += 1
    inputs, before = past
    differs, after, fault = dmn.again(model, found.decision_id, inputs, before, row.at)
    if differs:
        found.different.append(
            dmn.Different(
                instance_id=row.root_id, business_key=key, at=row.at, element_id=row.element_id,
                before=before, after=after, fault=fault,
            )
        )  # fmt: skip


def add(tx: Transaction, fresh: Deployment, bundle: Bundle, activate: bool) -> None:
    """Store the decisions of a bundle with its deployment."""
    if not bundle.models:
        return
    connection = tx.connection
    tops = decisions.top_versions(connection)
    made = [
        Decision(
            id=new_id(), decision_id=one.id, version=tops.get(one.id, 0) + 1, name=one.name,
            deployment_id=fresh.id, file=file, version_tag=one.version_tag, active=False,
            created_at=fresh.created_at,
        )
        for file, model in sorted(bundle.models.items())
        for one in model.decisions
    ]  # fmt: skip
    decisions.add(connection, [one._asdict() for one in made])
    if activate:
        _make_active(tx, made, fresh.created_by, fresh.comment)
    tx.library.keep_models(fresh.id, bundle.models)


def activate_of(tx: Transaction, deployment_id: str, by: str, why: str) -> int:
    """Let calls use the decisions of a deployment; return how many were not active."""
    found = decisions.of_deployment(tx.connection, deployment_id)
    return _make_active(tx, [one for one in found if not one.active], by, why)


def roll_back_of(tx: Transaction, deployment_id: str, by: str, why: str) -> int:
    """Let calls use what was active before the decisions of a deployment; return how many."""
    found = decisions.of_deployment(tx.connection, deployment_id)
    before = [_before(tx.connection, one) for one in found if one.active]
    return _make_active(tx, [one for one in before if one is not None], by, why)


def _before(connection: Connection, active: Decision) -> Decision | None:
    """Return the version that was active last before the present one."""
    others = {
        _subject(one): one
        for one in decisions.versions(connection, active.decision_id)
        if one.version != active.version
    }
    acts = tokens.acts_on(connection, list(others))
    last = next((act.subject for act in acts if act.verb == "activate"), None)
    return None if last is None else others[last]


def _make_active(tx: Transaction, wanted: Sequence[Decision], by: str, why: str) -> int:
    """Make versions the active ones, and write down who did."""
    decisions.activate(tx.connection, wanted)
    for one in wanted:
        tokens.record(
            tx.connection, id=new_id(), at=tx.now, by=by, verb="activate",
            subject=_subject(one), why=why,
        )  # fmt: skip
    return len(wanted)


def _subject(one: Decision) -> str:
    return f"decision {one.decision_id} version {one.version}"
