"""The history of a case wherever it stands: new rows in the database, old ones in the archive.

Rows in the database cost what they cost without an archive; only where they begin later than what
is asked for is a file looked for. A file that has just been replaced is a Disconnected: the verb
runs again and finds the new one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from engine.model import HistoryRow
from engine.store import archive, decisions, history, parquet, views
from engine.store.archive import Part
from engine.store.connect import Connection, Disconnected
from engine.store.parquet import Line
from engine.store.views import Passage


class Past:
    """Reads histories; `folder` is where the files of the archive lie."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def page(
        self, connection: Connection, root_id: str, instance_id: str, after: int, limit: int
    ) -> list[HistoryRow]:
        """Return the rows behind number `after`, of a called instance only its own ones."""
        rows = history.page(connection, root_id, instance_id, after, limit)
        whole = instance_id == root_id
        if whole and rows and rows[0].seq == after + 1:
            return rows
        older = [
            row
            for row in self._archived(connection, root_id)
            if row.seq > after and (whole or row.instance_id == instance_id)
        ]
        return (older + rows)[:limit]

    def backwards(
        self, connection: Connection, root_id: str, before: int, limit: int, *, story: bool
    ) -> list[HistoryRow]:
        """Return rows with a number below `before`, the newest first."""
        rows = views.backwards(connection, root_id, before, limit, story=story)
        kinds = views.ASIDE if story else ()
        return self._behind(
            connection, root_id, rows, limit,
            lambda row: row.seq < before and row.kind not in kinds,
        )  # fmt: skip

    def decided(
        self, connection: Connection, root_id: str, before: int, limit: int
    ) -> list[HistoryRow]:
        """Return how decisions were made, below number `before`, the newest first."""
        rows = views.decided(connection, root_id, before, limit)
        return self._behind(
            connection, root_id, rows, limit,
            lambda row: row.seq < before and row.kind == views.DECIDED,
        )  # fmt: skip

    def made_in(
        self, connection: Connection, roots: Collection[str], names: Collection[str]
    ) -> list[HistoryRow]:
        """Return how decisions were made in these cases, the newest case first."""
        rows = decisions.made_in(connection, roots, names)
        for part in archive.parts(connection, list(roots)) if roots else ():
            rows += [
                row for row in self.rows(part) if row.kind == views.DECIDED and row.name in names
            ]
        return sorted(rows, key=lambda row: (row.root_id, row.seq), reverse=True)

    def passages(self, connection: Connection, root_id: str) -> list[Passage]:
        """Return where the tokens of an ended case were, in the order of the first time."""
        return _passages(self._archived(connection, root_id), views.passages(connection, root_id))

    def of(self, part: Part) -> tuple[Line, ...]:
        """Return the archived rows of a case as they stand in the file. Raises Disconnected."""
        path = self.file(part.archive_id, part.month)
        try:
            return parquet.read(path, part.sha256, part.first, part.rows)
        except FileNotFoundError as error:
            raise Disconnected(
                f"the history of {part.root_id} stands in {path}, which is not there: mount the "
                "folder of the archive on this machine, or take the file from a backup"
            ) from error

    def file(self, archive_id: str, month: str) -> Path:
        """Return the path of a file of the archive."""
        return self._folder / month / f"{archive_id}.parquet"

    def _behind(
        self, connection: Connection, root_id: str, rows: list[HistoryRow], limit: int,
        wanted: Callable[[HistoryRow], bool],
    ) -> list[HistoryRow]:  # fmt: skip
        if len(rows) == limit:
            return rows
        older = [row for row in self._archived(connection, root_id) if wanted(row)]
        return (rows + older[::-1])[:limit]

    def _archived(self, connection: Connection, root_id: str) -> list[HistoryRow]:
        parts = archive.parts(connection, [root_id])
        return self.rows(parts[0]) if parts else []

    def rows(self, part: Part) -> list[HistoryRow]:
        """Return the archived rows of a case. Raises Disconnected."""
        return [history.row_of(*line[:-1], None, line.erased) for line in self.of(part)]


def _passages(rows: Iterable[HistoryRow], later: Iterable[Passage]) -> list[Passage]:
    """Count as `views.passages` does; what is still in the database comes behind."""
    counted: dict[tuple[str, str, str, str | None], Passage] = {}
    for row in rows:
        if row.kind in views.MOVES:
            _count(counted, Passage(row.instance_id, row.element_id or "", row.kind, row.name, 1,
                                    row.at, row.at))  # fmt: skip
    for passage in later:
        _count(counted, passage)
    return list(counted.values())


def _count(counted: dict[tuple[str, str, str, str | None], Passage], more: Passage) -> None:
    key = more[:4]
    known = counted.get(key)
    if known is not None:
        more = known._replace(number=known.number + more.number, last_at=more.last_at)
    counted[key] = more
