"""The values of changes to running cases: what a move to another version does, and what it did.

Like those of `model`: no behaviour, ids are texts, a *token* is the number of one activation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from engine.model import Problem


class Moved(NamedTuple):
    """A wait that goes on at another element, or under another name."""

    token: int
    #: work | task | subscription; None: no row stands for it
    waits: str | None
    #: id of the element before and now
    before: str
    element_id: str
    #: of a task whose name or form has changed: both; else None
    name: str | None
    form_key: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What becomes of one active element of a case that goes to another version."""

    #: None: it begins to listen with the move
    token: int | None
    #: id, name and BPMN tag of the element
    element_id: str
    name: str
    type: str
    #: which row stands for its wait: work | task | subscription
    waits: str | None
    #: id in the other version; None: it listens no more
    to: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationPlan:
    """What a move to another version would do to one case; nothing is stored."""

    instance_id: str
    process_id: str
    business_key: str | None
    #: the version it runs in
    source: int
    #: the version it would go to
    target: int
    moves: tuple[Move, ...]
    #: what forbids it; empty: it can go
    problems: tuple[Problem, ...] = ()

    @property
    def possible(self) -> bool:
        """True if nothing forbids the move."""
        return not self.problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A case that could not go to another version, and why."""

    instance_id: str
    business_key: str | None
    #: all that forbids it, or one sentence about the case as a whole
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationReport:
    """What became of some running cases of one version; each was a transaction of its own."""

    process_id: str
    source: int
    target: int
    #: True: nothing was stored, this is what would happen
    dry: bool
    #: cases that went, or could go
    moved: tuple[str, ...]
    refused: tuple[Refusal, ...]
    #: where the next call goes on; None: all were looked at
    next: str | None
