"""Decisions: which file of which deployment decides under an id, version by version."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam

from engine.model import HistoryRow
from engine.store import history as past
from engine.store.columns import among
from engine.store.connect import Connection
from engine.store.statement import Row, Statement, inserting
from engine.store.tables import decision, definition, history


class Decision(NamedTuple):
    """One version of a decision."""

    #: of this version
    id: str
    #: id in the file
    decision_id: str
    #: 1, 2, 3 ... per decision id
    version: int
    name: str
    deployment_id: str
    #: name of the file in the deployment
    file: str
    version_tag: str | None
    #: the one that calls of the latest version use
    active: bool
    created_at: datetime


_c = decision.c
_columns = [_c[name] for name in Decision._fields]
_ours = _c.tenant == bindparam("tenant")
_named = _c.decision_id == bindparam("decision_id")

_ADD = Statement[Any](inserting(decision))
_ACTIVE = Statement(sa.select(*_columns).where(_ours, _named, _c.active), Decision)
_VERSION = Statement(
    sa.select(*_columns).where(_ours, _named, _c.version == bindparam("version")), Decision
)
_BESIDE = Statement(
    sa.select(*_columns).where(
        _ours, _named,
        _c.deployment_id == sa.select(definition.c.deployment_id)
        .where(definition.c.tenant == bindparam("tenant"), definition.c.id == bindparam("b_id"))
        .scalar_subquery(),
    ),
    Decision,
)  # fmt: skip
_TAGGED = Statement(
    sa.select(*_columns)
    .where(_ours, _named, _c.version_tag == bindparam("version_tag"))
    .order_by(_c.version.desc())
    .limit(1),
    Decision,
)
_OF_DEPLOYMENT = Statement(
    sa.select(*_columns)
    .where(_ours, _c.deployment_id == bindparam("deployment_id"))
    .order_by(_c.decision_id),
    Decision,
)
_VERSIONS = Statement(sa.select(*_columns).where(_ours, _named).order_by(_c.version), Decision)
_TOPS = Statement[Row](
    sa.select(_c.decision_id, sa.func.max(_c.version)).where(_ours).group_by(_c.decision_id)
)
_LIST = Statement(
    sa.select(*_columns).where(_ours).order_by(_c.decision_id, _c.version.desc()), Decision
)
_KNOWN = Statement[Row](sa.select(_c.decision_id).where(_ours, _c.active))
_MADE = Statement(
    past.READ.where(
        history.c.tenant == bindparam("tenant"), among(history.c.root_id, "ids"),
        among(history.c.name, "names"), history.c.kind == "decision.evaluated",
    )
    .order_by(history.c.root_id.desc(), history.c.seq.desc()),
    past.row_of,
)  # fmt: skip
_DEACTIVATE = Statement[Any](
    sa.update(decision)
    .where(_ours, _c.decision_id == bindparam("b_decision_id"), _c.active)
    .values(active=sa.false())
)
_ACTIVATE = Statement[Any](
    sa.update(decision).where(_ours, _c.id == bindparam("b_id")).values(active=sa.true())
)


def add(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Store versions of decisions."""
    connection.many(_ADD, rows)


def activate(connection: Connection, versions: Collection[Decision]) -> None:
    """Make these versions the active ones of their decisions."""
    for one in versions:
        connection.run(_DEACTIVATE, b_decision_id=one.decision_id)
        connection.run(_ACTIVATE, b_id=one.id)


def active(connection: Connection, decision_id: str) -> Decision | None:
    """Return the version that a call of the latest one uses."""
    return connection.one(_ACTIVE, decision_id=decision_id)


def version(connection: Connection, decision_id: str, number: int) -> Decision | None:
    """Return one version of a decision."""
    return connection.one(_VERSION, decision_id=decision_id, version=number)


def of_deployment(connection: Connection, deployment_id: str) -> list[Decision]:
    """Return the decisions that a deployment has brought."""
    return connection.all(_OF_DEPLOYMENT, deployment_id=deployment_id)


def versions(connection: Connection, decision_id: str) -> list[Decision]:
    """Return all versions of a decision, the oldest first."""
    return connection.all(_VERSIONS, decision_id=decision_id)


def beside(connection: Connection, decision_id: str, definition_id: str) -> Decision | None:
    """Return the version in the same deployment as the definition of a process."""
    return connection.one(_BESIDE, decision_id=decision_id, b_id=definition_id)


def tagged(connection: Connection, decision_id: str, version_tag: str) -> Decision | None:
    """Return the latest version with a version tag."""
    return connection.one(_TAGGED, decision_id=decision_id, version_tag=version_tag)


def top_versions(connection: Connection) -> dict[str, int]:
    """Return the highest version number of every decision."""
    return {row[0]: int(row[1]) for row in connection.all(_TOPS)}


def all_decisions(connection: Connection) -> list[Decision]:
    """Return every version of every decision, the newest of a decision first."""
    return connection.all(_LIST)


def known(connection: Connection) -> frozenset[str]:
    """Return the ids of the decisions that have an active version."""
    return frozenset(row[0] for row in connection.all(_KNOWN))


def made_in(
    connection: Connection, roots: Collection[str], names: Collection[str]
) -> list[HistoryRow]:
    """Return how decisions were made in these cases, the newest case first."""
    return connection.all(_MADE, ids=list(roots), names=list(names)) if roots else []
