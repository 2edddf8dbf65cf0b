"""Drafts of bundles: who keeps which files, replaced and dropped as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from engine.model import BundleDraft
from engine.store.connect import Connection
from engine.store.statement import Row, Statement, inserting
from engine.store.tables import bundle_draft, bundle_draft_file

_NAMES = ("id", "title", "revision", "created_at", "created_by", "saved_at", "saved_by")
_d, _f = bundle_draft.c, bundle_draft_file.c
_columns = [_d[name] for name in _NAMES]
_ours = sa.and_(_d.tenant == bindparam("tenant"), _d.id == bindparam("b_id"))
_inside = sa.and_(_f.tenant == bindparam("tenant"), _f.draft_id == bindparam("b_id"))


def _draft(*row: Any) -> BundleDraft:
    return BundleDraft(**dict(zip(_NAMES, row, strict=True)))


_ADD = Statement[Any](inserting(bundle_draft))
_ADD_FILE = Statement[Any](inserting(bundle_draft_file))
_GET = Statement(sa.select(*_columns).where(_ours), _draft)
_LOCK = Statement(sa.select(*_columns).where(_ours).with_for_update(), _draft)
_LIST = Statement(
    sa.select(*_columns)
    .where(_d.tenant == bindparam("tenant"))
    .order_by(_d.saved_at.desc(), _d.id.desc()),
    _draft,
)
_FILES = Statement[Row](sa.select(_f.name, _f.content).where(_inside).order_by(_f.name))
_CHANGED = ("title", "revision", "saved_at", "saved_by")
_REPLACE = Statement[Any](
    sa.update(bundle_draft).where(_ours).values({name: bindparam(f"b_{name}") for name in _CHANGED})
)
_DROP_FILES = Statement[Any](sa.delete(bundle_draft_file).where(_inside))
_DROP = Statement[Any](sa.delete(bundle_draft).where(_ours))


def every(connection: Connection) -> list[BundleDraft]:
    """Return all drafts without their files, the one that was saved last first."""
    return connection.all(_LIST)


def get(connection: Connection, draft_id: str, *, lock: bool = False) -> BundleDraft | None:
    """Return a draft without its files; locked until the transaction ends if it is to change."""
    return connection.one(_LOCK if lock else _GET, b_id=draft_id)


def files(connection: Connection, draft_id: str) -> dict[str, bytes]:
    """Return the files of a draft, byte for byte as they were saved."""
    return {name: bytes(content) for name, content in connection.all(_FILES, b_id=draft_id)}


def add(connection: Connection, draft: BundleDraft, contents: Mapping[str, bytes]) -> None:
    """Store a new draft."""
    connection.run(_ADD, **{name: getattr(draft, name) for name in _NAMES})
    _add_files(connection, draft.id, contents)


def replace(connection: Connection, draft: BundleDraft, contents: Mapping[str, bytes]) -> None:
    """Give a draft a new title, revision and files; the old files are gone."""
    connection.run(
        _REPLACE, b_id=draft.id, b_title=draft.title, b_revision=draft.revision,
        b_saved_at=draft.saved_at, b_saved_by=draft.saved_by,
    )  # fmt: skip
    connection.run(_DROP_FILES, b_id=draft.id)
    _add_files(connection, draft.id, contents)


def drop(connection: Connection, draft_id: str) -> None:
    """Forget a draft and its files."""
    connection.run(_DROP_FILES, b_id=draft_id)
    connection.run(_DROP, b_id=draft_id)


def _add_files(connection: Connection, draft_id: str, contents: Mapping[str, bytes]) -> None:
    rows = [
        {"draft_id": draft_id, "name": name, "content": content}
        for name, content in sorted(contents.items())
    ]
    connection.many(_ADD_FILE, rows)
