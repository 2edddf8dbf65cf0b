"""The archive: the history of cases that ended long ago leaves the database for Parquet files.

A file is announced, written, and counts from the transaction on that deletes its rows from the
database: wherever a process ends, each row stands in one of both places, never in both or none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from engine import codec
from engine.clock import new_id
from engine.model import HistoryRow
from engine.runtime.base import Base
from engine.store import archive, instances, parquet
from engine.store.archive import Ended, Part
from engine.store.connect import Duplicate
from engine.store.parquet import Line, Written

#: cases of one file, at most
_CASES = 5000
#: a file that was announced so long ago and is not finished was given up by its process
_STALE = timedelta(hours=1)
#: before the first id
_FIRST = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What one file has taken out of the database."""

    #: its name below the folder of the archive; "" if others changed the cases meanwhile
    file: str
    cases: int
    rows: int
    bytes: int
    #: where the next look begins
    last: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """A file with the content of another one but for some values; nothing refers to it yet."""

    #: id of the file it replaces, and its own
    old: str
    new: str
    #: folder of both
    month: str
    written: Written
    #: where the cases stand in it
    parts: tuple[Part, ...]
    #: rows that lost a value
    changed: int


class Archive(Base):
    """The verbs about what has left the database."""

    def archive(self, before: datetime, *, after: str = _FIRST) -> Moved | None:
        """Move the history of some cases that ended before a moment into one file.

        Of cases with an id behind `after`, the oldest; None if there are no more. Raises
        SettingsError if the library for it is not installed, OSError if the disk refuses.
        """
        parquet.require()
        with self.reading() as connection:
            chosen = _one_file(
                archive.ended(connection, before, after, _CASES), self.settings.archive_rows
            )
            lines = archive.lines(connection, [case.id for case in chosen])
        if not chosen:
            return None
        archive_id, month = self._announced(chosen[0].started_at)
        written = parquet.write(self.past.file(archive_id, month), lines)
        kept = self._keep(archive_id, written, chosen, lines)
        if not kept:
            self.give_up(archive_id, month)
        return Moved(
            file=f"{month}/{archive_id}.parquet" if kept else "", last=chosen[-1].id,
            cases=len(chosen) if kept else 0, rows=len(lines) if kept else 0,
            bytes=written.bytes if kept else 0,
        )  # fmt: skip

    def tidy_archive(self) -> int:
        """Delete files that nothing refers to any more; return how many."""
        with self.transaction() as tx:
            stale = tx.now - _STALE
            archive.drop_idle(tx.connection, stale)
        with self.reading() as connection:
            found = archive.leftovers(connection)
        for one in found:
            self.past.file(one.id, one.month).unlink(missing_ok=True)
            with self.transaction() as tx:
                archive.forget(tx.connection, one.id)
        return len(found)

    def _announced(self, first: datetime) -> tuple[str, str]:
        archive_id, month = new_id(), f"{first:%Y-%m}"
        with self.transaction() as tx:
            archive.begin(tx.connection, archive_id, month, tx.now)
        return archive_id, month

    def _keep(
        self, archive_id: str, written: Written, chosen: Sequence[Ended], lines: Sequence[Line]
    ) -> bool:
        """Let the file count instead of the rows; False if a case has changed since it was read."""
        ids = [case.id for case in chosen]
        try:
            with self.transaction() as tx:
                now = instances.lock_many(tx.connection, ids)
                same = [id for id in ids if id in now]
                if [now[id].revision for id in same] != [case.revision for case in chosen] or (
                    not archive.keep(tx.connection, archive_id, written, len(ids), len(lines))
                ):
                    tx.abandon()
                    return False
                archive.add_parts(tx.connection, archive_id, _places(lines))
                archive.empty(tx.connection, ids)
        except Duplicate:
            # another process has archived one of them
            return False
        return True

    def give_up(self, archive_id: str, month: str) -> None:
        """Delete a file that was announced and does not count."""
        with self.transaction() as tx:
            archive.drop(tx.connection, archive_id, archive.WRITING)
        self.past.file(archive_id, month).unlink(missing_ok=True)
        with self.transaction() as tx:
            archive.forget(tx.connection, archive_id)

    def rewritten(
        self, part: Part, erased: Callable[[Sequence[HistoryRow]], Mapping[int, Any]]
    ) -> Rewritten | None:
        """Write the file of a case anew; None if nothing changes.

        `erased` gets the archived rows of the case and returns number -> value that is left.
        """
        remaining = erased(self.past.rows(part))
        if not remaining:
            return None
        with self.reading() as connection:
            parts = archive.in_file(connection, part.archive_id)
        lines: list[Line] = []
        for one in parts:
            found = self.past.of(one)
            lines += _erase(found, remaining) if one.root_id == part.root_id else found
        with self.transaction() as tx:
            new = new_id()
            archive.begin(tx.connection, new, part.month, tx.now)
        written = parquet.write(self.past.file(new, part.month), lines)
        places = {root_id: (first, rows) for root_id, first, rows in _places(lines)}
        return Rewritten(
            old=part.archive_id, new=new, month=part.month, written=written, changed=len(remaining),
            parts=tuple(
                one._replace(first=places[one.root_id][0], archive_id=new) for one in parts
            ),
        )  # fmt: skip


def _one_file(found: Sequence[Ended], rows: int) -> list[Ended]:
    """Return the cases of the first month, as many as a file may have rows; at least one."""
    chosen: list[Ended] = []
    for case in found:
        if chosen and (rows < case.history_seq or not _same_month(case, chosen[0])):
            break
        chosen.append(case)
        rows -= case.history_seq
    return chosen


def _same_month(one: Ended, other: Ended) -> bool:
    return one.started_at.timetuple()[:2] == other.started_at.timetuple()[:2]


def _places(lines: Sequence[Line]) -> list[tuple[str, int, int]]:
    """Return case, first row and number of rows, in the order of the file."""
    places: dict[str, tuple[str, int, int]] = {}
    for number, line in enumerate(lines):
        _, first, rows = places.get(line.root_id, (line.root_id, number, 0))
        places[line.root_id] = (line.root_id, first, rows + 1)
    return list(places.values())


def _erase(lines: Sequence[Line], remaining: Mapping[int, Any]) -> list[Line]:
    return [
        line._replace(value=_text(remaining[line.seq]), erased=True)
        if line.seq in remaining
        else line
        for line in lines
    ]


def _text(value: Any) -> str | None:
    return None if value is None else codec.encode(value).decode()
