"""The history by month: its partitions on PostgreSQL, the files of the archive beside them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from engine.errors import Unavailable
from engine.runtime.base import Base
from engine.store import archive, history, partitions
from engine.store.partitions import Kept

log = logging.getLogger("caseway.history")


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """How much of the history of the cases that began in a month stands where."""

    #: 2026-11; `before 2026-11`: all that is older; `rest`: what no month was made for; `all`
    month: str
    #: in the database: rows by estimate, and bytes with their indexes; None: not known
    rows: int
    bytes: int | None
    #: in the archive
    files: int
    archived_rows: int
    archived_bytes: int


class Months(Base):
    """The verbs about the months of the history."""

    _is_ready = False

    def migrate(self) -> None:
        """Bring the schema up to date; the first time also see that the coming months are there."""
        super().migrate()
        if self._is_ready:
            return
        try:
            partitions.ready(self.database)
        except (Unavailable, self.database.driver_error) as error:
            # rows that have no month go into the rest: no reason not to start
            log.warning("the coming months of the history could not be made: %s", error)
        self._is_ready = True

    def keep_months(self) -> Kept:
        """Do what is to be done about the months of the history; nothing on SQLite.

        Called now and then by a worker, in a thread of its own, since the division of a large table
        takes as long as it takes to read it. Any number of nodes may call it at once.
        """
        return partitions.keep(self.database)

    def months(self) -> list[Month]:
        """Return the months of the history, the oldest first."""
        with self.reading() as connection:
            files = {one.month: one for one in archive.months(connection)}
            there = partitions.parts(self.database)
            stored: dict[str, tuple[int, int | None]] = {
                _name(part.begins, part.ends): (part.rows, part.bytes) for part in there
            } or {"all": (history.count(connection), None)}
        found = []
        for name in sorted({*files, *stored}, key=_order):
            rows, size = stored.get(name, (0, 0 if there else None))
            kept = files.get(name) or archive.InFiles(name, 0, 0, 0)
            found.append(
                Month(month=name, rows=rows, bytes=size, files=kept.files,
                      archived_rows=kept.rows, archived_bytes=kept.bytes)
            )  # fmt: skip
        return found


def _name(begins: datetime | None, ends: datetime | None) -> str:
    if ends is None:
        return "rest"
    return f"before {ends:%Y-%m}" if begins is None else f"{begins:%Y-%m}"


def _order(name: str) -> tuple[bool, str, bool]:
    """Sort months by time, what is before a month in front of it, the others at the end."""
    return name in ("rest", "all"), name.removeprefix("before "), not name.startswith("before")
