"""What a case holds, for its page: variables by scope, messages that went and came, files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from web.attachments import Attachment

if TYPE_CHECKING:
    from engine.model import Instance
    from engine.runtime import Engine
    from engine.runtime.views import CaseView

#: events that are read to find the messages
_MOST_EVENTS = 1000
_MAIL = ("message.sent", "message.received", "signal.sent", "signal.received")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The variables of one scope."""

    #: element that opened it; None for the process itself
    element: str | None
    #: number of its token
    token: int
    variables: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A message or signal that a case has sent, received, or waits for."""

    #: sent | received | awaited
    way: str
    #: message | signal
    kind: str
    name: str
    at: datetime
    instance_id: str
    element_id: str
    #: payload of one that passed, correlation key of one that is awaited
    value: Any


def scopes_of(engine: Engine, instance: Instance) -> list[Scope]:
    """Return the variables of an instance, the outermost scope first; of an ended one the last."""
    scopes = [
        Scope(element=one["element"], token=one["scope"], variables=one["variables"])
        for one in engine.scopes(instance.id)
    ]
    if not scopes:
        scopes = [Scope(element=None, token=0, variables=engine.variables(instance.id))]
    return [scope for scope in scopes if scope.variables or scope.element is None]


def messages_of(engine: Engine, view: CaseView) -> list[Passed]:
    """Return what is awaited now, then what has passed, the latest first."""
    awaited = [
        Passed(way="awaited", kind=wait.kind, name=wait.name, at=wait.at, value=wait.key,
               instance_id=wait.instance_id, element_id=wait.element_id)
        for wait in view.waits
        if wait.kind in ("message", "signal")
    ]  # fmt: skip
    return awaited + list(_passed(engine, view.root.id))


def _passed(engine: Engine, root_id: str) -> Iterator[Passed]:
    for row in engine.story(root_id, limit=_MOST_EVENTS):
        if row.kind in _MAIL:
            kind, _, way = row.kind.partition(".")
            yield Passed(
                way=way, kind=kind, name=row.name or "", at=row.at, value=row.value,
                instance_id=row.instance_id, element_id=row.element_id or "",
            )  # fmt: skip


def files_of(engine: Engine, view: CaseView) -> list[Attachment]:
    """Return the files of a case: those its variables name, and those that came with messages."""
    came = [one.value for one in _passed(engine, view.root.id)]
    return files_in([engine.variables(view.root.id), *came])


def files_in(value: Any) -> list[Attachment]:
    """Return the stored files that variables name, each once, however deep they stand."""
    return list({one.sha256: one for one in _files(value)}.values())


def _files(value: Any) -> Iterator[Attachment]:
    if isinstance(value, Mapping):
        name, size, digest = (value.get(key) for key in ("name", "size", "sha256"))
        if isinstance(name, str) and isinstance(digest, str) and len(digest) == 64:
            yield Attachment(name=name, size=int(size or 0), sha256=digest)
        for inner in value.values():
            yield from _files(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _files(inner)
