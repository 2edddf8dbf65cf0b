"""Backups: one file with the database of one moment and the data folder that belongs to it.

A gzipped tar of `database`, `data/...` and, last, `manifest.json` with the hash of each: what was
cut short has none. Files are read after the database, and those that it names never change, so all
it names are there.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import stat
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any

from engine.errors import BadInput, Conflict, NotFound, SchemaTooNew

if TYPE_CHECKING:
    from engine.settings import Settings

FORMAT = 1
_DATABASE, _FOLDER, _MANIFEST = "database", "data", "manifest.json"
#: begins the names of folders that are being filled
_UNFINISHED = ".restoring-"
_CHUNK = 1 << 20
#: SQLite's own files beside a database
_BESIDE = ("", "-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup says of itself."""

    format: int
    #: when it was begun, UTC
    made_at: str
    #: sqlite | postgresql
    kind: str
    #: number of the schema of the database
    schema: int
    #: name in the archive -> SHA-256
    files: Mapping[str, str]
    #: folders inside the data folder, empty ones too
    folders: tuple[str, ...]


def backup(settings: Settings, target: Path) -> Manifest:
    """Write a backup of a running or resting installation to a file that does not exist yet.

    The file appears when it is complete. Raises Conflict, BadInput, NotFound, EngineError.
    """
    from engine.store import dump

    target = target.absolute()
    _refuse_target(settings, target)
    made_at = datetime.now(UTC)
    with _workshop(target.parent, f".{target.name}-") as folder:
        schema = dump.dump(settings.url, folder / _DATABASE)
        with _packing(folder / "archive") as archive:
            files, folders = _pack(archive, settings, folder / _DATABASE)
            manifest = Manifest(
                format=FORMAT, made_at=made_at.isoformat(timespec="seconds"),
                kind=dump.kind_of(settings.url), schema=schema, files=files, folders=folders,
            )  # fmt: skip
            _add_manifest(archive, manifest)
        _publish(folder / "archive", target)
    return manifest


def left_out(settings: Settings) -> list[tuple[str, Path]]:
    """Return the folders with files that a backup does not hold, each with its setting."""
    named = {
        "archive_dir": settings.archive_dir, "outbox_dir": settings.outbox_dir,
        "maildir": settings.maildir, "handlers_dir": settings.handlers_dir,
    }  # fmt: skip
    home = settings.data_dir.resolve()
    return [
        (name, folder)
        for name, folder in named.items()
        if folder is not None and not folder.resolve().is_relative_to(home)
        if folder.is_dir() and any(folder.iterdir())
    ]


def check(source: Path) -> Manifest:
    """Read a whole backup and compare every hash. Raises NotFound, BadInput."""
    return _unpack(source, None)


def restore(settings: Settings, source: Path, *, force: bool = False) -> tuple[Manifest, str]:
    """Make the installation of the settings what the backup says.

    Returns the manifest, and the name under which was set aside what was there, or "". Nothing is
    changed before the backup has been read whole and found good. Raises NotFound, BadInput,
    SchemaTooNew, EngineError; Conflict while the installation runs, and without `force` also if
    there is anything.
    """
    from engine.store import dump

    home = settings.data_dir
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    _refuse_place(settings, force=force)
    with _workshop(home, _UNFINISHED) as folder:
        manifest = _unpack(source, folder)
        _refuse_backup(settings, manifest)
        aside = f"{dump.ASIDE}{datetime.now(UTC):%Y%m%dt%H%M%S}"
        moved = False
        if manifest.kind == "postgresql":
            moved = dump.load_postgres(settings.url, folder / _DATABASE, aside)
        moved = _set_files_aside(settings, aside) or moved
        _move_in(settings, folder)
    return manifest, aside if moved else ""


# ------------------------------------------------------------------ what is refused


def _refuse_target(settings: Settings, target: Path) -> None:
    if target.exists():
        raise Conflict(f"{target} exists: a backup overwrites nothing, choose another name")
    if not target.parent.is_dir():
        raise NotFound(f"there is no folder {target.parent}")
    if target.is_relative_to(settings.data_dir):
        raise BadInput(
            f"{target} is inside the data folder {settings.data_dir}, which it is to save: "
            "write it elsewhere, at best to another disk"
        )


def _refuse_place(settings: Settings, *, force: bool) -> None:
    from engine.store import dump

    if dump.in_use(settings.url):
        raise Conflict(
            "the database is open in another process: stop every `caseway serve`, `web` and `work` "
            "of this installation first"
        )
    left = [path.name for path in _entries(settings.data_dir)]
    if force or (dump.is_empty(settings.url) and not left):
        return
    what = f"the folder has {', '.join(sorted(left)[:3])}" if left else "the database has tables"
    raise Conflict(
        f"{settings.data_dir} is not empty ({what}): restore into a new --data folder, or say "
        "--force, which sets aside what is there"
    )


def _refuse_backup(settings: Settings, manifest: Manifest) -> None:
    from engine.store import dump
    from engine.store.migrate import SCHEMA

    kind = dump.kind_of(settings.url)
    if manifest.kind != kind:
        raise BadInput(
            f"the backup is of {manifest.kind}, and database_url names {kind}: a backup goes back "
            "to where it comes from"
        )
    if manifest.schema > SCHEMA:
        raise SchemaTooNew(
            f"the backup has schema {manifest.schema}, this Caseway knows schema {SCHEMA}: "
            "restore it with the version that made it, or a newer one"
        )


# ------------------------------------------------------------------ writing


@contextmanager
def _workshop(beside: Path, prefix: str) -> Iterator[Path]:
    """Yield a folder of our own on the same disk; it is gone afterwards, whatever happens."""
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=beside))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _entries(home: Path) -> list[Path]:
    """Return what stands in a data folder, without what restores have left there."""
    from engine.store.dump import ASIDE

    if not home.is_dir():
        return []
    return [path for path in home.iterdir() if not path.name.startswith((ASIDE, _UNFINISHED))]


def _own_files(settings: Settings) -> set[Path]:
    """Return the files of a SQLite database, wherever it is."""
    from engine.store.dump import sqlite_file

    file = sqlite_file(settings.url)
    return set() if file is None else {file.with_name(file.name + end) for end in _BESIDE}


def _pack(
    archive: tarfile.TarFile, settings: Settings, database: Path
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Write database and folder into an archive; return the hashes, and the folders."""
    home, left_out = settings.data_dir, _own_files(settings)
    files = {_DATABASE: _add(archive, _DATABASE, database) or ""}
    folders: list[str] = []
    for top in sorted(_entries(home)):
        for path in [top, *sorted(top.rglob("*"))] if top.is_dir() else [top]:
            name = f"{_FOLDER}/{path.relative_to(home).as_posix()}"
            if path.is_dir():
                folders.append(name)
            elif path not in left_out and (digest := _add(archive, name, path)):
                files[name] = digest
    return files, tuple(folders)


@contextmanager
def _packing(target: Path) -> Iterator[tarfile.TarFile]:
    """Yield an archive to fill; it is on the disk afterwards."""
    with target.open("wb") as file:
        # level 1: pages of a database shrink to a fifth, and the disk stays the slower part
        with (
            gzip.GzipFile(fileobj=file, mode="wb", compresslevel=1, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as archive,
        ):
            yield archive
        file.flush()
        os.fsync(file.fileno())


def _add(archive: tarfile.TarFile, name: str, path: Path) -> str | None:
    """Add one file as it is now, return its hash; None if it is gone, or no file at all."""
    try:
        source = path.open("rb")
    except FileNotFoundError:
        return None  # a mail that was taken from the maildir meanwhile
    with source:
        status = os.fstat(source.fileno())
        if not stat.S_ISREG(status.st_mode):
            return None
        entry = tarfile.TarInfo(name)
        entry.size, entry.mtime = status.st_size, int(status.st_mtime)
        entry.mode = stat.S_IMODE(status.st_mode)
        reader = _Hashing(source)
        archive.addfile(entry, reader)
    return reader.digest.hexdigest()


class _Hashing(io.RawIOBase):
    """A file that hashes what is read of it."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        data = self._source.read(size)
        self.digest.update(data)
        return data


def _add_manifest(archive: tarfile.TarFile, manifest: Manifest) -> None:
    text = json.dumps(asdict(manifest), ensure_ascii=False, indent=1).encode()
    entry = tarfile.TarInfo(_MANIFEST)
    entry.size, entry.mode = len(text), 0o600
    archive.addfile(entry, io.BytesIO(text))


def _publish(archive: Path, target: Path) -> None:
    """Give the finished file its name, unless somebody else has taken it meanwhile."""
    archive.chmod(0o600)  # it holds the key that signs links and cookies
    try:
        os.link(archive, target)
    except FileExistsError:
        raise Conflict(f"{target} exists by now: a backup overwrites nothing")
    except OSError:  # a file system without hard links
        archive.rename(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


# ------------------------------------------------------------------ reading


def _unpack(source: Path, folder: Path | None) -> Manifest:
    """Read a backup to its end, into a folder if there is one. Raises NotFound, BadInput."""
    if not source.is_file():
        raise NotFound(f"there is no backup {source}")
    found: dict[str, str] = {}
    told: dict[str, Any] | None = None
    try:
        with (
            gzip.open(source) as packed,
            tarfile.open(fileobj=packed, mode="r|") as archive,
        ):
            for entry in archive:
                content = archive.extractfile(entry)
                if content is None or not _is_ours(entry.name):
                    raise BadInput(f"{source} is no backup of Caseway: it contains {entry.name!r}")
                if entry.name == _MANIFEST:
                    told = json.loads(content.read())
                else:
                    found[entry.name] = _take_out(content, entry, folder)
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError) as error:
        raise BadInput(f"{source} is damaged or no backup of Caseway: {error}")
    manifest = _read_manifest(source, told)
    wrong = sorted(name for name in {*found, *manifest.files}
                   if found.get(name) != manifest.files.get(name))  # fmt: skip
    if wrong or _DATABASE not in found:
        raise BadInput(f"{source} is damaged: {', '.join(wrong[:5])} differ from the manifest")
    if folder is not None:
        for name in manifest.folders:
            (folder / name).mkdir(parents=True, exist_ok=True)
    return manifest


def _is_ours(name: str) -> bool:
    """Tell whether a name leads to a place that backups have, and nowhere else."""
    parts = PurePosixPath(name).parts
    if name in (_DATABASE, _MANIFEST):
        return True
    return len(parts) > 1 and parts[0] == _FOLDER and ".." not in parts


def _read_manifest(source: Path, told: dict[str, Any] | None) -> Manifest:
    if told is None:
        raise BadInput(f"{source} is not complete: it has no manifest")
    if told.get("format") != FORMAT:
        raise BadInput(
            f"{source} has format {told.get('format')}, this Caseway reads {FORMAT}: use the "
            "version that made it, or a newer one"
        )
    folders = tuple(name for name in told.pop("folders") if _is_ours(name))
    return Manifest(**told, folders=folders)


def _take_out(content: IO[bytes], entry: tarfile.TarInfo, folder: Path | None) -> str:
    """Read one file, write it if there is a folder, and return its hash."""
    digest = hashlib.sha256()
    with open(os.devnull, "wb") if folder is None else _created(folder, entry) as out:
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
            out.write(chunk)
        out.flush()
        if folder is not None:
            os.fsync(out.fileno())
    return digest.hexdigest()


def _created(folder: Path, entry: tarfile.TarInfo) -> IO[bytes]:
    path = folder / entry.name
    path.parent.mkdir(parents=True, exist_ok=True)
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, entry.mode & 0o777), "wb")


def _set_files_aside(settings: Settings, aside: str) -> bool:
    """Move what is there into a folder of its own; tell whether there was anything."""
    moved = False
    homes = {settings.data_dir: _entries(settings.data_dir)}
    for file in _own_files(settings):
        if not file.is_relative_to(settings.data_dir) and file.exists():
            homes.setdefault(file.parent, []).append(file)
    for home, paths in homes.items():
        for path in paths:
            (home / aside).mkdir(exist_ok=True, mode=0o700)
            path.rename(home / aside / path.name)
            moved = True
    return moved


def _move_in(settings: Settings, folder: Path) -> None:
    """Put the unpacked files in their places: the database last, since it names the others."""
    from engine.store.dump import sqlite_file

    if (folder / _FOLDER).is_dir():
        for path in (folder / _FOLDER).iterdir():
            path.rename(settings.data_dir / path.name)
    file = sqlite_file(settings.url)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            file.unlink()
        shutil.move(folder / _DATABASE, file)
