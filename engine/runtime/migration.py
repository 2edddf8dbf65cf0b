"""Running cases go to another version of their process: one, or many in steps, or only tried."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from engine import kernel
from engine.changes import MigrationPlan, MigrationReport, Refusal
from engine.clock import new_id
from engine.errors import BadInput, ChangeRefused, Conflict, NotFound
from engine.kernel import Migration, Objections
from engine.model import Definition, Event, Instance, InstanceState, Migrate, Problem
from engine.runtime import steps
from engine.runtime.base import Base, optional_text, page_size, plain_text, verb
from engine.runtime.library import deployed
from engine.runtime.transaction import Transaction
from engine.runtime.world import World
from engine.store import instances, moves, tokens
from engine.store.connect import Connection
from engine.store.instances import Case

#: longest mapping that a person writes
_MOST = 1000
#: with a case, the version and the mapping -> what forbids the move
_Act = Callable[[Instance, int, Mapping[str, str]], Sequence[Problem]]


class Migrations(Base):
    """The verbs that move running cases between versions."""

    @verb
    def migrate_case(
        self,
        instance_id: str,
        to_version: int | None = None,
        mapping: Mapping[str, str] | None = None,
        *,
        by: str,
        why: str = "",
    ) -> Instance:
        """Let a running instance go on in another version of its process, by default the active.

        What waits goes on waiting at the element of the same id, or where the mapping says. A
        called instance can go on its own. Raises NotFound, BadInput, Conflict if it has ended or
        runs in that version already, and ChangeRefused with all that forbids it; then it stays as
        it was.
        """
        names = _mapping(mapping)
        plain_text(by, "by")
        plain_text(why, "why")
        with self.transaction() as tx:
            case, instance = locked(tx, instance_id)
            target = _target(tx.connection, instance, to_version)
            command = _command(instance, target, names)
            snapshot = _running(instance, case.snapshot)
            found = _tried(tx.connection, tx.world, case.id, snapshot, command, tx.now)
            if found.problems:
                raise ChangeRefused(found.problems)
            return _move(tx, case, instance, target, command, found, by, why)

    def plan_migration(
        self,
        instance_id: str,
        to_version: int | None = None,
        mapping: Mapping[str, str] | None = None,
    ) -> MigrationPlan:
        """Return what `migrate_case` would do now, and all that forbids it; nothing is stored.

        Raises NotFound, BadInput and Conflict as `migrate_case` does.
        """
        names = _mapping(mapping)
        plain_text(instance_id, "the id of a case")
        with self.reading(one_moment=True) as connection:
            instance = instances.get(connection, instance_id)
            stored = instances.snapshot_of(connection, instance_id)
            if instance is None or stored is None:
                raise NotFound(f"there is no case {instance_id!r}")
            snapshot = _running(instance, stored[1])
            target = _target(connection, instance, to_version)
            now = self.clock.now()
            world = World(connection, self.library, self.registry, self.limits, now, self.clock,
                          self.memory)  # fmt: skip
            command = _command(instance, target, names)
            found = _tried(connection, world, instance.root_id, snapshot, command, now)
            return MigrationPlan(
                instance_id=instance.id, process_id=instance.process_id,
                business_key=instance.business_key, source=instance.version,
                target=target.version, moves=tuple(found.moves), problems=found.problems,
            )  # fmt: skip

    def migrate_cases(
        self,
        process_id: str,
        from_version: int,
        to_version: int | None = None,
        mapping: Mapping[str, str] | None = None,
        *,
        by: str,
        why: str = "",
        after: str | None = None,
        limit: int = 100,
    ) -> MigrationReport:
        """Move the running cases of one version, at most `limit`, each in its own transaction.

        A case that cannot go stays where it is and is reported with its reasons; `next` is the
        `after` of the next call. Raises NotFound and BadInput.
        """
        plain_text(by, "by")
        plain_text(why, "why")

        def move(case: Instance, target: int, names: Mapping[str, str]) -> Sequence[Problem]:
            self.migrate_case(case.id, target, names, by=by, why=why)
            return ()

        return self._each(process_id, (from_version, to_version), mapping, (after, limit), move)

    def plan_migrations(
        self,
        process_id: str,
        from_version: int,
        to_version: int | None = None,
        mapping: Mapping[str, str] | None = None,
        *,
        after: str | None = None,
        limit: int = 100,
    ) -> MigrationReport:
        """Return what `migrate_cases` would do now; nothing is stored."""

        def look(case: Instance, target: int, names: Mapping[str, str]) -> Sequence[Problem]:
            return self.plan_migration(case.id, target, names).problems

        found = self._each(process_id, (from_version, to_version), mapping, (after, limit), look)
        return replace(found, dry=True)

    def _each(
        self, process_id: str, versions: tuple[int, int | None],
        mapping: Mapping[str, str] | None, page: tuple[str | None, int], act: _Act,
    ) -> MigrationReport:  # fmt: skip
        """Do something with each running case of a version; what it gives forbids the move."""
        names, size = _mapping(mapping), page_size(page[1])
        plain_text(process_id, "process_id")
        after = optional_text(page[0], "after") or ""
        with self.reading(one_moment=True) as connection:
            source = deployed(connection, process_id, versions[0])
            target = deployed(connection, process_id, versions[1])
            if source.id == target.id:
                raise BadInput(f"the cases of {process_id} run in version {source.version} already")
            found = moves.running(connection, process_id, source.id, after, size)
        gone: list[str] = []
        refused: list[Refusal] = []
        for one in found:
            try:
                problems = tuple(act(one, target.version, names))
            except ChangeRefused as refusal:
                problems = refusal.problems
            except (Conflict, NotFound):
                continue  # it has ended or gone meanwhile
            if problems:
                about = Refusal(instance_id=one.id, business_key=one.business_key,
                                problems=problems)  # fmt: skip
                refused.append(about)
            else:
                gone.append(one.id)
        return MigrationReport(
            process_id=process_id, source=source.version, target=target.version, dry=False,
            moved=tuple(gone), refused=tuple(refused),
            next=found[-1].id if len(found) == size else None,
        )  # fmt: skip


def _mapping(mapping: Mapping[str, str] | None) -> dict[str, str]:
    if mapping is None:
        return {}
    if not isinstance(mapping, Mapping):
        raise BadInput(f"the mapping is an object of ids, not {type(mapping).__name__}")
    if len(mapping) > _MOST:
        raise BadInput(f"the mapping names {len(mapping)} elements, at most {_MOST} are allowed")
    return {
        plain_text(source, "an id of the mapping"): plain_text(target, "an id of the mapping")
        for source, target in mapping.items()
    }


def locked(tx: Transaction, instance_id: str) -> tuple[Case, Instance]:
    """Return the case of a running instance, locked, and the instance. Raises NotFound, Conflict"""
    case = instances.lock_root_of(tx.connection, plain_text(instance_id, "the id of a case"))
    if case is None:
        raise NotFound(f"there is no case {instance_id!r}")
    if case.id == instance_id:
        instance = case.value()
    else:
        found = instances.get(tx.connection, instance_id)
        assert found is not None
        instance = found
    _running(instance, case.snapshot)
    return case, instance


def _running(instance: Instance, snapshot: bytes | None) -> bytes:
    """Return the snapshot of a running instance. Raises Conflict."""
    if instance.state is not InstanceState.RUNNING or snapshot is None:
        raise Conflict(f"case {instance.id} has ended: {instance.state} at {instance.ended_at}")
    return snapshot


def _target(connection: Connection, instance: Instance, version: int | None) -> Definition:
    target = deployed(connection, instance.process_id, version)
    if target.id == instance.definition_id:
        raise Conflict(f"case {instance.id} runs in version {target.version} already")
    return target


def _command(instance: Instance, target: Definition, names: Mapping[str, str]) -> Migrate:
    return Migrate(instance_id=instance.id, definition_id=target.id, mapping=names)


class _Tried:
    """What a try has shown: of the kernel, and of the rows that it does not know."""

    def __init__(self, found: Migration, report: Objections) -> None:
        self.moves, self.moved = found.moves, found.moved
        self.problems = (*found.problems, *report.problems)


def _tried(
    connection: Connection, world: World, root_id: str, snapshot: bytes, command: Migrate,
    now: datetime,
) -> _Tried:  # fmt: skip
    found = kernel.plan_migration(world, snapshot, command, now)
    report = Objections()
    _keep_begun(connection, root_id, found, report)
    return _Tried(found, report)


def _keep_begun(
    connection: Connection, root_id: str, found: Migration | _Tried, report: Objections
) -> None:
    """Object where the element of begun work has another id: callees know the work by it."""
    renamed = {
        one.token: one.before
        for one in found.moved
        if one.waits == "work" and one.before != one.element_id
    }
    begun = moves.begun(connection, root_id) if renamed else frozenset()
    for token in sorted(renamed.keys() & begun):
        report.error(
            renamed[token],
            "the work of {element} has been begun, so it must keep its id",
            "wait until it is done, or map it to its own id",
            element=renamed[token],
        )


def _move(
    tx: Transaction, case: Case, instance: Instance, target: Definition, command: Migrate,
    found: _Tried, by: str, why: str,
) -> Instance:  # fmt: skip
    value = {"from": instance.version, "to": target.version, "why": why,
             "mapping": dict(command.mapping)}  # fmt: skip
    told = Event("instance.migrated", instance.id, None, None, instance.process_id, value)
    moved = steps.advance(tx, case, command, by=by, before=[told])
    moves.pin(tx.connection, instance.id, target.id, target.version)
    moves.rename(tx.connection, case.id, found.moved)
    report = Objections()
    # a worker may have begun it since it was looked at
    _keep_begun(tx.connection, case.id, found, report)
    if report.problems:
        raise ChangeRefused(report.problems)
    tokens.record(
        tx.connection, id=new_id(), at=tx.now, by=by, verb="migrate", subject=instance.id, why=why
    )
    if instance.id == case.id:
        moved = moved._replace(definition_id=target.id, version=target.version)
        return moved.value()
    after = instances.get(tx.connection, instance.id)
    assert after is not None
    return after
