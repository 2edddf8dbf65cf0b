"""Deploying bundles, and which version of a process new cases use."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from engine import diagrams
from engine.clock import new_id
from engine.errors import BadInput, DeploymentRefused, NotFound
from engine.model import Definition, Deployment, Problem, Severity
from engine.runtime.base import Base, plain_text, verb
from engine.runtime.decisions import add as add_decisions
from engine.store import decisions, definitions, tokens, work
from engine.store.connect import Duplicate

if TYPE_CHECKING:
    from engine.diagrams import Bundle
    from engine.runtime.transaction import Transaction
    from engine.store.connect import Connection
    from engine.store.definitions import Deployed


class Deployments(Base):
    """The verbs about what is drawn."""

    def check(self, files: Mapping[str, bytes]) -> list[Problem]:
        """Return every problem of a bundle, as `deploy` would find them; stores nothing."""
        return list(self._read(files).problems)

    @verb
    def deploy(
        self, files: Mapping[str, bytes], *, by: str, activate: bool = True, comment: str = ""
    ) -> Deployment:
        """Store a bundle and make its processes the ones that new cases use.

        A bundle with equal content is not stored again: its deployment comes back with
        created=False. Raises DeploymentRefused with all problems, nothing is stored then.
        """
        plain_text(by, "by")
        plain_text(comment, "comment")
        bundle = self._read(files)
        if any(problem.stops for problem in bundle.problems):
            raise DeploymentRefused(bundle.problems)
        try:
            return self._store(bundle, by, activate, comment)
        except Duplicate:
            # another node has deployed the same processes at the same moment
            return self._store(bundle, by, activate, comment)

    @verb
    def activate(self, process_id: str, version: int, *, by: str, why: str = "") -> Definition:
        """Let new cases of a process use one of its versions; recorded with who and why."""
        with self.transaction() as tx:
            found = definitions.version(tx.connection, process_id, version)
            if found is None:
                raise NotFound(f"process {process_id!r} has no version {version!r}")
            make_active(tx, found, by=plain_text(by, "by"), why=plain_text(why, "why"))
            return replace(found, active=True)

    def definitions(self) -> list[Definition]:
        """Return every version of every process, the newest version of a process first."""
        with self.reading() as connection:
            return definitions.all_definitions(connection)

    def deployment(self, deployment_id: str) -> Deployment:
        """Return a deployment. Raises NotFound."""
        with self.reading() as connection:
            found = definitions.deployed(connection, deployment_id)
            if found is None:
                raise NotFound(f"there is no deployment {deployment_id!r}")
            return _deployment(connection, found)

    def file(self, deployment_id: str, name: str) -> bytes:
        """Return a file of a deployment, byte for byte as it was uploaded. Raises NotFound."""
        with self.reading() as connection:
            found = definitions.file_of(connection, deployment_id, name)
            if found is None:
                raise NotFound(f"deployment {deployment_id!r} has no file {name!r}")
            return found

    def _read(self, files: Mapping[str, bytes]) -> Bundle:
        if not files:
            raise BadInput("a deployment needs at least one file")
        for name, content in files.items():
            plain_text(name, "the name of a file", longest=255)
            if not isinstance(content, bytes):
                raise BadInput(f"the content of {name!r} is bytes, not {type(content).__name__}")
        with self.reading() as connection:
            known = definitions.processes(connection)
            known_decisions = decisions.known(connection)
        return diagrams.read(
            files,
            languages=self.languages,
            known_topics=None if self.registry is None else self.registry.names(),
            known_processes=known,
            known_decisions=known_decisions,
            max_bytes=self.settings.upload_limit,
        )

    def _store(self, bundle: Bundle, by: str, activate: bool, comment: str) -> Deployment:
        with self.transaction() as tx:
            known = definitions.by_hash(tx.connection, bundle.hash)
            if known is not None:
                tx.abandon()
                return replace(_deployment(tx.connection, known), created=False)
            fresh = Deployment(
                id=new_id(), hash=bundle.hash, created_at=tx.now, created_by=by, comment=comment,
                files=tuple(sorted(bundle.files)), definitions=(),
                problems=tuple(bundle.problems),
            )  # fmt: skip
            return _add(tx, fresh, bundle, activate)


def _add(tx: Transaction, fresh: Deployment, bundle: Bundle, activate: bool) -> Deployment:
    connection = tx.connection
    row = {"id": fresh.id, "hash": fresh.hash, "created_at": fresh.created_at,
           "created_by": fresh.created_by, "comment": fresh.comment,
           "problems": [_problem_out(problem) for problem in fresh.problems]}  # fmt: skip
    contents = {
        name: (hashlib.sha256(content).hexdigest(), content)
        for name, content in bundle.files.items()
    }
    definitions.add_deployment(connection, row, contents)
    made = []
    for process_id, parsed in sorted(bundle.definitions.items()):
        version = definitions.top_version(connection, process_id) + 1
        one = Definition(
            id=new_id(), process_id=process_id, version=version, name=parsed.name, active=False,
            deployment_id=fresh.id, hash=fresh.hash, created_at=fresh.created_at,
        )  # fmt: skip
        row = {name: getattr(one, name) for name in Definition.__dataclass_fields__}
        definitions.add(connection, [{**row, "version_tag": parsed.version_tag}])
        tx.library.keep(one.id, parsed)
        made.append(one)
    add_decisions(tx, fresh, bundle, activate)
    if activate:
        for one in made:
            make_active(tx, one, by=fresh.created_by, why=fresh.comment)
    return replace(fresh, definitions=tuple(replace(one, active=activate) for one in made))


def subject_of(definition: Definition) -> str:
    """Return how the record of acts names a version."""
    return f"{definition.process_id} version {definition.version}"


def make_active(tx: Transaction, definition: Definition, *, by: str, why: str) -> None:
    """Move activity and start triggers from the former version to this one; write down who did."""
    connection = tx.connection
    tokens.record(
        connection, id=new_id(), at=tx.now, by=by, verb="activate",
        subject=subject_of(definition), why=why,
    )  # fmt: skip
    gone = definitions.activate(connection, definition.process_id, definition.id)
    if gone:
        work.forget_triggers(connection, gone)
    rows = []
    for trigger in tx.library.parsed(connection, definition.id).triggers(tx.now):
        trigger_id = new_id()
        rows.append({
            "id": trigger_id, "definition_id": definition.id, "name": trigger.name,
            "process_id": definition.process_id, "element_id": trigger.element_id,
            "kind": trigger.kind,
        })  # fmt: skip
        if trigger.kind == "timer":
            tx.add_work(
                id=new_id(), root_id=new_id(), instance_id="", element_id=trigger.element_id,
                kind="start", topic=definition.id, due_at=trigger.due_at, trigger_id=trigger_id,
                inputs={"repeats": trigger.repeats, "interval": trigger.interval,
                        "due": trigger.due_at},
            )  # fmt: skip
    definitions.add_triggers(connection, rows)


def _deployment(connection: Connection, found: Deployed) -> Deployment:
    return Deployment(
        id=found.id, hash=found.hash, created_at=found.created_at, created_by=found.created_by,
        comment=found.comment, files=definitions.file_names(connection, found.id),
        definitions=definitions.of_deployment(connection, found.id),
        problems=tuple(_problems_in(found.problems)),
    )  # fmt: skip


def _problem_out(problem: Problem) -> dict[str, Any]:
    fields = {name: getattr(problem, name) for name in Problem.__dataclass_fields__}
    return {**fields, "severity": problem.severity.value}


def _problems_in(stored: Iterable[dict[str, Any]]) -> Iterable[Problem]:
    for row in stored:
        said = tuple((code, text, way) for code, text, way in row.get("translations", ()))
        yield Problem(**{**row, "severity": Severity(row["severity"]), "translations": said})
