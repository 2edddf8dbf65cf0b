"""What pages ask for beyond single values: a case with all of its parts, lists with counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import NotFound
from engine.model import HistoryRow, Instance
from engine.runtime.base import Base, page_size, verb
from engine.store import definitions, instances, tokens, views
from engine.store.definitions import Deployed
from engine.store.tokens import Act
from engine.store.views import OpenTask, Passage, Trouble, Wait

__all__ = ["Act", "CaseView", "Deployed", "OpenTask", "Passage", "Trouble", "Views", "Wait"]

#: before the first row of any history, read backwards
_LAST = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """A case as one moment shows it: its instances, where their tokens were, what is awaited."""

    root: Instance
    #: processes it has called, at any depth, oldest first
    called: tuple[Instance, ...]
    passages: tuple[Passage, ...]
    waits: tuple[Wait, ...]


class Views(Base):
    """Reads for pages; none of them rebuilds a workflow."""

    @verb
    def case_view(self, instance_id: str) -> CaseView:
        """Return the case that an instance, root or called, belongs to. Raises NotFound."""
        with self.reading() as connection:
            found = instances.get(connection, instance_id)
            root = found and instances.get(connection, found.root_id)
            if root is None:
                raise NotFound(f"there is no case {instance_id!r}")
            # a running case is not in the archive
            reader = self.past if root.ended_at else views
            return CaseView(
                root=root,
                called=tuple(views.called(connection, root.id)),
                passages=tuple(reader.passages(connection, root.id)),
                waits=tuple(views.waits(connection, root.id)),
            )

    @verb
    def story(
        self, root_id: str, *, before: int | None = None, limit: int = 50, whole: bool = False
    ) -> list[HistoryRow]:
        """Return what has happened in a case, newest first, below number `before`.

        Without `whole` it leaves out what follows from the rest: ends of elements and variables.
        """
        bound = _LAST if before is None else before
        with self.reading() as connection:
            size = page_size(limit)
            return self.past.backwards(connection, root_id, bound, size, story=not whole)

    @verb
    def decided(
        self, root_id: str, *, before: int | None = None, limit: int = 50
    ) -> list[HistoryRow]:
        """Return how the decisions of a case were made, newest first, below number `before`."""
        bound = _LAST if before is None else before
        with self.reading() as connection:
            return self.past.decided(connection, root_id, bound, page_size(limit))

    def standing(self, root_ids: Sequence[str]) -> tuple[list[OpenTask], dict[str, int]]:
        """Return the open tasks of some cases by name, and how many open incidents each has."""
        with self.reading() as connection:
            return (
                views.open_tasks_of(connection, root_ids),
                views.stopped(connection, root_ids),
            )

    def troubles(self) -> list[Trouble]:
        """Return the open incidents counted by place and message, the latest first."""
        with self.reading() as connection:
            return views.troubles(connection)

    def in_use(self) -> dict[str, tuple[int, int]]:
        """Return how many running cases, and called processes, stand on each definition."""
        with self.reading() as connection:
            return views.in_use(connection)

    def deployments(self, *, after: str | None = None, limit: int = 50) -> list[Deployed]:
        """Return deployments, newest first; `after` is the id of the last one seen."""
        with self.reading() as connection:
            return definitions.page(connection, after, page_size(limit))

    def acts_on(self, subjects: Sequence[str]) -> list[Act]:
        """Return what people did to definitions or cases of these names, newest first."""
        with self.reading() as connection:
            return tokens.acts_on(connection, subjects)
