"""Deployments, their files by content, definitions, and the start triggers of the active ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects import postgresql, sqlite

from engine.model import Definition
from engine.store.connect import Connection
from engine.store.statement import Row, Statement, inserting
from engine.store.tables import definition, deployment, deployment_file, file, trigger


class Deployed(NamedTuple):
    """A deployment without its files and definitions."""

    id: str
    hash: str
    created_at: datetime
    created_by: str
    comment: str
    problems: Any


class Trigger(NamedTuple):
    """A start event of an active definition: for a message, signal, moment or condition."""

    id: str
    definition_id: str
    process_id: str
    element_id: str
    kind: str
    name: str


_d = definition.c
_VALUE = tuple(Definition.__dataclass_fields__)
_columns = [_d[name] for name in _VALUE]
_ours = _d.tenant == bindparam("tenant")
_process = _d.process_id == bindparam("process_id")


def _definition(*row: Any) -> Definition:
    return Definition(**dict(zip(_VALUE, row, strict=True)))


_p = deployment.c
_deployed = [_p[name] for name in Deployed._fields]
_t = trigger.c
_trigger = [_t[name] for name in Trigger._fields]
_here = _t.tenant == bindparam("tenant")

_ADD_DEPLOYMENT = Statement[Any](inserting(deployment))
_content: dict[str, Any] = {column.name: bindparam(column.name) for column in file.c}
_ADD_FILE = {
    "sqlite": Statement[Any](sqlite.insert(file).values(_content).on_conflict_do_nothing()),
    "postgresql": Statement[Any](postgresql.insert(file).values(_content).on_conflict_do_nothing()),
}
_LINK = Statement[Any](inserting(deployment_file))
_ADD = Statement[Any](inserting(definition))
_ADD_TRIGGER = Statement[Any](inserting(trigger))
_BY_HASH = Statement(
    sa.select(*_deployed).where(
        _p.tenant == bindparam("tenant"), _p.hash == bindparam("hash")
    ),
    Deployed,
)  # fmt: skip
_BY_ID = Statement(
    sa.select(*_deployed).where(_p.tenant == bindparam("tenant"), _p.id == bindparam("b_id")),
    Deployed,
)
_PAGE = Statement(
    sa.select(*_deployed)
    .where(_p.tenant == bindparam("tenant"), _p.id < bindparam("after"))
    .order_by(_p.id.desc())
    .limit(bindparam("limit")),
    Deployed,
)
_NAMES = Statement[Row](
    sa.select(deployment_file.c.name)
    .where(deployment_file.c.tenant == bindparam("tenant"))
    .where(deployment_file.c.deployment_id == bindparam("deployment_id"))
    .order_by(deployment_file.c.name)
)
_contents = (
    sa.select(deployment_file.c.name, file.c.content)
    .join(file, sa.and_(
        file.c.tenant == deployment_file.c.tenant, file.c.hash == deployment_file.c.hash
    ))
    .where(deployment_file.c.tenant == bindparam("tenant"))
    .where(deployment_file.c.deployment_id == bindparam("deployment_id"))
)  # fmt: skip
_FILES = Statement[Row](_contents.order_by(deployment_file.c.name))
_FILE = Statement[Row](_contents.where(deployment_file.c.name == bindparam("name")))
_GET = Statement(sa.select(*_columns).where(_ours, _d.id == bindparam("b_id")), _definition)
_ACTIVE = Statement(sa.select(*_columns).where(_ours, _process, _d.active), _definition)
_VERSION = Statement(
    sa.select(*_columns).where(_ours, _process, _d.version == bindparam("version")), _definition
)
_OF_DEPLOYMENT = Statement(
    sa.select(*_columns)
    .where(_ours, _d.deployment_id == bindparam("deployment_id"))
    .order_by(_d.process_id),
    _definition,
)
_BESIDE = Statement[Row](
    sa.select(_d.id).where(
        _ours, _process,
        _d.deployment_id == sa.select(_d.deployment_id)
        .where(_ours, _d.id == bindparam("b_id")).correlate(None).scalar_subquery(),
    )
)  # fmt: skip
_TAGGED = Statement[Row](
    sa.select(_d.id)
    .where(_ours, _process, _d.version_tag == bindparam("version_tag"))
    .order_by(_d.version.desc())
    .limit(1)
)
_TOP = Statement[Row](sa.select(sa.func.max(_d.version)).where(_ours, _process))
_LIST = Statement(
    sa.select(*_columns).where(_ours).order_by(_d.process_id, _d.version.desc()), _definition
)
_PROCESSES = Statement[Row](sa.select(_d.process_id).where(_ours, _d.active))
_DEACTIVATE = Statement[Any](
    sa.update(definition)
    .where(_ours, _d.process_id == bindparam("b_process_id"), _d.active)
    .values(active=sa.false())
)
_ACTIVATE = Statement[Any](
    sa.update(definition).where(_ours, _d.id == bindparam("b_id")).values(active=sa.true())
)
_FORGET = Statement[Row](
    sa.delete(trigger).where(_here, _t.process_id == bindparam("process_id")).returning(_t.id)
)
_STILL = Statement[Row](sa.select(_t.id).where(_here, _t.id == bindparam("b_id")).with_for_update())
_TRIGGERED = Statement(
    sa.select(*_trigger)
    .where(_here, _t.kind == bindparam("kind"), _t.name == bindparam("name"))
    .order_by(_t.id),
    Trigger,
)


def add_deployment(
    connection: Connection, deployed: Mapping[str, Any], files: Mapping[str, tuple[str, bytes]]
) -> None:
    """Store a deployment and its files, given as name -> (hash, content)."""
    connection.run(_ADD_DEPLOYMENT, **deployed)
    connection.many(
        _ADD_FILE[connection.dialect.name],
        [{"hash": digest, "content": content} for digest, content in files.values()],
    )
    connection.many(
        _LINK,
        [
            {"deployment_id": deployed["id"], "name": name, "hash": digest}
            for name, (digest, _) in files.items()
        ],
    )


def add(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Store definitions."""
    connection.many(_ADD, rows)


def by_hash(connection: Connection, digest: str) -> Deployed | None:
    """Return the deployment with this content."""
    return connection.one(_BY_HASH, hash=digest)


def deployed(connection: Connection, deployment_id: str) -> Deployed | None:
    """Return a deployment."""
    return connection.one(_BY_ID, b_id=deployment_id)


def page(connection: Connection, after: str | None, limit: int) -> list[Deployed]:
    """Return deployments, newest first, older than `after`."""
    return connection.all(_PAGE, after=after or "~", limit=limit)


def file_names(connection: Connection, deployment_id: str) -> tuple[str, ...]:
    """Return the names of the files of a deployment."""
    return tuple(row[0] for row in connection.all(_NAMES, deployment_id=deployment_id))


def files(connection: Connection, deployment_id: str) -> dict[str, bytes]:
    """Return the files of a deployment as they were uploaded."""
    return {row[0]: bytes(row[1]) for row in connection.all(_FILES, deployment_id=deployment_id)}


def file_of(connection: Connection, deployment_id: str, name: str) -> bytes | None:
    """Return one file of a deployment."""
    found = connection.one(_FILE, deployment_id=deployment_id, name=name)
    return None if found is None else bytes(found[1])


def get(connection: Connection, definition_id: str) -> Definition | None:
    """Return a definition."""
    return connection.one(_GET, b_id=definition_id)


def active(connection: Connection, process_id: str) -> Definition | None:
    """Return the version that new instances use."""
    return connection.one(_ACTIVE, process_id=process_id)


def version(connection: Connection, process_id: str, number: int) -> Definition | None:
    """Return one version of a process."""
    return connection.one(_VERSION, process_id=process_id, version=number)


def of_deployment(connection: Connection, deployment_id: str) -> tuple[Definition, ...]:
    """Return the definitions that a deployment has brought."""
    return tuple(connection.all(_OF_DEPLOYMENT, deployment_id=deployment_id))


def beside(connection: Connection, process_id: str, definition_id: str) -> str | None:
    """Return the definition of a process in the same deployment as another definition."""
    found = connection.one(_BESIDE, process_id=process_id, b_id=definition_id)
    return None if found is None else str(found[0])


def tagged(connection: Connection, process_id: str, version_tag: str) -> str | None:
    """Return the latest definition of a process with a version tag."""
    found = connection.one(_TAGGED, process_id=process_id, version_tag=version_tag)
    return None if found is None else str(found[0])


def top_version(connection: Connection, process_id: str) -> int:
    """Return the highest version number of a process, 0 if it is new."""
    found = connection.one(_TOP, process_id=process_id)
    assert found is not None
    return int(found[0] or 0)


def all_definitions(connection: Connection) -> list[Definition]:
    """Return every definition, the newest version of a process first."""
    return connection.all(_LIST)


def processes(connection: Connection) -> frozenset[str]:
    """Return the ids of the processes that have an active version."""
    return frozenset(row[0] for row in connection.all(_PROCESSES))


def activate(connection: Connection, process_id: str, definition_id: str) -> list[str]:
    """Make one version the active one; return the start triggers that are gone with the former."""
    connection.run(_DEACTIVATE, b_process_id=process_id)
    connection.run(_ACTIVATE, b_id=definition_id)
    return [row[0] for row in connection.all(_FORGET, process_id=process_id)]


def add_triggers(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Store the start triggers of a definition that became active."""
    connection.many(_ADD_TRIGGER, rows)


def triggered(connection: Connection, kind: str, name: str) -> Trigger | None:
    """Return the start event that a message begins a case at; the first deployed if several."""
    return connection.one(_TRIGGERED, kind=kind, name=name)


def conditional(connection: Connection, process_id: str | None) -> list[Trigger]:
    """Return the conditional start events of the active definitions, or of one process."""
    found = connection.all(_TRIGGERED, kind="conditional", name="")
    return [one for one in found if process_id in (None, one.process_id)]


def still_triggers(connection: Connection, trigger_id: str) -> bool:
    """Tell if a start trigger is active, and keep it so until the transaction ends."""
    return connection.one(_STILL, b_id=trigger_id) is not None
