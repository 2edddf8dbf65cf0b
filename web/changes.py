"""What a deployment changes, file by file: a list in words, and colours for its diagrams."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import url_for

from engine.diagrams.compare import Change, compare
from engine.diagrams.outline import Outline, outline
from web.drawings import words
from web.language import current, lazy

if TYPE_CHECKING:
    from engine.model import Definition, Deployment
    from engine.runtime import Engine

KINDS = {
    "added": lazy("added"),
    "removed": lazy("removed"),
    "changed": lazy("changed"),
    "moved": lazy("moved"),
    "same": lazy("unchanged"),
}
#: end of a property's path -> what it is for a person
_PROPERTIES = {
    "@name": lazy("name"),
    "documentation": lazy("documentation"),
    "taskDefinition@type": lazy("handler"),
    "taskDefinition@retries": lazy("attempts after the first"),
    "assignmentDefinition@assignee": lazy("person"),
    "assignmentDefinition@candidateGroups": lazy("groups"),
    "assignmentDefinition@candidateUsers": lazy("people"),
    "formDefinition@formId": lazy("form"),
    "taskSchedule@dueDate": lazy("due time"),
    "taskSchedule@followUpDate": lazy("follow-up time"),
    "priorityDefinition@priority": lazy("priority"),
    "calledElement@processId": lazy("called process"),
    "calledDecision@decisionId": lazy("decision"),
    "conditionExpression": lazy("condition"),
    "timeDuration": lazy("duration"),
    "timeDate": lazy("date"),
    "timeCycle": lazy("cycle"),
    "script@expression": lazy("expression"),
    "subscription@correlationKey": lazy("correlation key"),
    "@sourceRef": lazy("from"),
    "@targetRef": lazy("to"),
    "@default": lazy("default flow"),
    "@cancelActivity": lazy("interrupting"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """What became of one file."""

    name: str
    #: added | changed | same
    kind: str
    #: version it is compared with; None for a new process
    before: int | None
    changes: tuple[Change, ...]
    #: for the viewer; None if nothing is drawn
    picture: dict[str, Any] | None = None
    #: the version before, where something was removed from it
    old_picture: dict[str, Any] | None = None
    outline: Outline | None = None

    def label(self, change: Change) -> str:
        """Return how the list names an element."""
        named = self.outline.name(change.id, current()) if self.outline else ""
        return named or change.name or change.id

    def count(self, kind: str) -> int:
        """Return how many elements are added, removed, changed or moved."""
        return sum(change.kind == kind for change in self.changes)


def property_words(path: str) -> str | None:
    """Return what a property is called; None if only its path tells."""
    for end, word in _PROPERTIES.items():
        if path.endswith(end):
            return str(word)
    return None


def changes_of(engine: Engine, deployment: Deployment) -> list[FileChange]:
    """Return for each file what differs from the version before of the same process or name."""
    predecessors = _predecessors(engine, deployment)
    others = {one.deployment_id: engine.deployment(one.deployment_id) for one in predecessors}
    return [
        _file(engine, deployment, name, predecessors, others.values()) for name in deployment.files
    ]


def _predecessors(engine: Engine, deployment: Deployment) -> list[Definition]:
    """Return of each process the highest version below that of the deployment."""
    mine = {one.process_id: one.version for one in deployment.definitions}
    found: dict[str, Definition] = {}
    for one in engine.definitions():
        if one.version < mine.get(one.process_id, 0):
            found.setdefault(one.process_id, one)
    return list(found.values())


def _file(
    engine: Engine, deployment: Deployment, name: str, predecessors: list[Definition],
    others: Iterable[Deployment],
) -> FileChange:  # fmt: skip
    content = engine.file(deployment.id, name)
    drawn = outline(content)
    earlier = _earlier(engine, drawn, name, predecessors, others)
    if earlier is None:
        return FileChange(
            name=name, kind="added", before=None, changes=(), outline=drawn,
            picture=_picture(deployment.id, name, drawn, ()),
        )  # fmt: skip
    old_id, old_name, version = earlier
    old = engine.file(old_id, old_name)
    if old == content:
        return FileChange(name=name, kind="same", before=version, changes=(), outline=drawn)
    changes = tuple(compare(old, content)) if drawn else ()
    gone = [change for change in changes if change.kind == "removed"]
    before = outline(old) if gone else None
    return FileChange(
        name=name, kind="changed", before=version, changes=changes, outline=drawn,
        picture=_picture(deployment.id, name, drawn, changes),
        old_picture=_picture(old_id, old_name, before, gone),
    )  # fmt: skip


def _earlier(
    engine: Engine, drawn: Outline | None, name: str, predecessors: list[Definition],
    others: Iterable[Deployment],
) -> tuple[str, str, int | None] | None:  # fmt: skip
    """Return deployment, file and version that a file replaces."""
    for one in predecessors:
        if drawn is None or one.process_id not in drawn.processes:
            continue
        for file in engine.deployment(one.deployment_id).files:
            read = outline(engine.file(one.deployment_id, file))
            if read is not None and one.process_id in read.processes:
                return one.deployment_id, file, one.version
    return next(((one.id, name, None) for one in others if name in one.files), None)


def _picture(
    deployment_id: str, name: str, drawn: Outline | None, changes: Iterable[Change]
) -> dict[str, Any] | None:
    if drawn is None or not drawn.has_layout:
        return None
    return {
        "source": url_for("deployments.source", deployment_id=deployment_id, name=name),
        "words": words(),
        "marks": {change.id: [change.kind] for change in changes},
        "attention": [change.id for change in changes],
    }
