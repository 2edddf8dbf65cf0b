"""Rows of the history as a Parquet file: written once, known by its SHA-256, never changed.

Any reader of Parquet understands it; values are the JSON texts that stood in the database. The
library comes with the extra `archive` and is imported when a file is written or read.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.errors import SettingsError

if TYPE_CHECKING:
    from arro3.core import DataType, RecordBatch

#: rows of one group: what is unpacked at once when a case is looked for
_GROUP = 8192
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Line(NamedTuple):
    """One row of the history, as it stands in a file."""

    root_id: str
    seq: int
    at: datetime
    kind: str
    instance_id: str
    element_id: str | None
    token: int | None
    actor: str | None
    name: str | None
    #: JSON of the engine, large values in place
    value: str | None
    erased: bool


class Written(NamedTuple):
    """A file that is on the disk."""

    bytes: int
    sha256: str


class Damaged(SettingsError):
    """A file of the archive is not what was written; it has to come from a backup."""


def write(path: Path, lines: Sequence[Line]) -> Written:
    """Write the rows under this name: whole and on the disk, or not at all.

    Raises SettingsError if the extra is not installed, OSError if the disk refuses.
    """
    write_parquet = _library().write_parquet
    path.parent.mkdir(parents=True, exist_ok=True)
    unready = path.with_suffix(".part")
    try:
        with unready.open("wb") as file:
            write_parquet(_batch(lines), file, compression="zstd(3)", max_row_group_size=_GROUP)
            file.flush()
            os.fsync(file.fileno())
        content = unready.read_bytes()
        unready.replace(path)
    finally:
        unready.unlink(missing_ok=True)
    _settle(path.parent)
    return Written(len(content), hashlib.sha256(content).hexdigest())


@lru_cache(maxsize=2)  # the pages of one long history read the same rows again and again
def read(path: Path, sha256: str, first: int, rows: int) -> tuple[Line, ...]:
    """Return some rows of a file.

    Raises FileNotFoundError, Damaged, and SettingsError if the extra is not installed.
    """
    library, content = _library(), path.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise Damaged(f"{path} is not the file that was written: take it from a backup")
    found: list[Line] = []
    before = 0
    for batch in library.read_parquet(content, batch_size=_GROUP):
        begin, end = max(first - before, 0), min(first + rows - before, batch.num_rows)
        if begin < end:
            found += _lines(batch.slice(begin, end - begin))
        before += batch.num_rows
        if before >= first + rows:
            break
    return tuple(found)


def require() -> None:
    """Raise SettingsError if the extra is not installed."""
    _library()


def _library() -> Any:
    try:
        import arro3.io
    except ImportError:
        raise SettingsError(
            "the archive is made of Parquet files: install caseway[archive] to write and read them"
        ) from None
    return arro3.io


def _types() -> dict[str, DataType]:
    from arro3.core import DataType

    special = {
        "seq": DataType.int64(), "token": DataType.int64(), "erased": DataType.bool(),
        "at": DataType.timestamp("us", tz="UTC"),
    }  # fmt: skip
    return {name: special.get(name, DataType.utf8()) for name in Line._fields}


def _batch(lines: Sequence[Line]) -> RecordBatch:
    from arro3.core import Array, DataType, Field, RecordBatch, Schema

    types, arrays = _types(), []
    for place, (name, kind) in enumerate(types.items()):
        column = [line[place] for line in lines]
        if name == "at":
            moments = [(line.at - _EPOCH) // _MICROSECOND for line in lines]
            arrays.append(Array(moments, DataType.int64()).cast(kind))
        else:
            arrays.append(Array(column, kind))
    fields = [Field(name, kind, nullable=True) for name, kind in types.items()]
    return RecordBatch.from_arrays(arrays, schema=Schema(fields))


def _lines(batch: RecordBatch) -> list[Line]:
    columns = [batch.column(name).to_pylist() for name in Line._fields]
    place = Line._fields.index("at")
    columns[place] = [moment.astimezone(UTC) for moment in columns[place]]
    return [Line(*row) for row in zip(*columns, strict=True)]


def _settle(folder: Path) -> None:
    """Make the name of a file last; Windows has no such thing and needs none."""
    if os.name == "nt":
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
