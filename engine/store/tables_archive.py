"""Which part of the history stands in files: one row per file, one per case with a part in one."""

from __future__ import annotations

import sqlalchemy as sa

from engine.store.shape import metadata, moment, number, tenant, text

archive = sa.Table(
    "archive",
    metadata,
    tenant(),
    # also the name of the file
    text("id", key=True),
    # writing (nothing refers to it yet) | kept | dropped (the file is to be deleted)
    text("state"),
    # folder inside that of the archive: the month in which its first case began
    text("month"),
    number("cases"),
    number("rows"),
    number("bytes"),
    # of the whole file
    text("sha256"),
    moment("made_at"),
)
sa.Index(None, archive.c.tenant, archive.c.state, archive.c.id)

archived = sa.Table(
    "archived",
    metadata,
    tenant(),
    text("root_id", key=True),
    text("archive_id"),
    # its rows in the file: the first one, how many; events with higher numbers stand in `history`
    number("first"),
    number("rows"),
    sqlite_with_rowid=False,
)
sa.Index(None, archived.c.tenant, archived.c.archive_id)
