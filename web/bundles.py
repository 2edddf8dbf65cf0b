"""From files, folders and zip archives to the bundle that the deploy gate reads: name -> bytes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from engine.errors import BadInput

#: what a folder or an archive is searched for; a file named by itself may have any ending
#: (schema.json: the forms of SpiffWorkflow)
KINDS = (".bpmn", ".bpmn2", ".bpmn20.xml", ".dmn", ".form", "schema.json")
#: more entries than this in one archive are no bundle of diagrams
MAX_ENTRIES = 1000
#: no diagram is packed better than this; what claims to be is made to fill the memory
MAX_RATIO = 200


def read_bundle(paths: Iterable[Path], *, limit: int) -> dict[str, bytes]:
    """Return the files at these paths: files, folders (searched below) and zip archives.

    The bundle has `limit` bytes at most, counted unpacked. Raises BadInput before anything too
    large is read.
    """
    bundle: dict[str, bytes] = {}
    left = limit
    for path in paths:
        for name, data in _files(path, left):
            left -= len(data)
            add(bundle, name, data)
    if not bundle:
        raise BadInput(f"no file here ends in {', '.join(KINDS)}")
    return bundle


def places(paths: Iterable[Path], names: Iterable[str]) -> dict[str, Path]:
    """Return where each file of a bundle lies, relative to the working directory if below it.

    What came out of an archive lies nowhere, and is left out.
    """
    wanted, here = set(names), Path.cwd()
    found: dict[str, Path] = {}
    for path in paths:
        folder = path if path.is_dir() else path.parent
        for name in wanted if path.is_dir() else {path.name} & wanted:
            if (folder / name).is_file() and path.suffix.lower() != ".zip":
                full = (folder / name).resolve()
                found[name] = full.relative_to(here) if full.is_relative_to(here) else full
    return found


def add(bundle: dict[str, bytes], name: str, data: bytes) -> None:
    """Put a file into the bundle. Raises BadInput if another one has its name."""
    if name in bundle:
        raise BadInput(f"{name}: two files of the bundle have this name")
    bundle[name] = data


def _files(path: Path, left: int) -> Iterator[tuple[str, bytes]]:
    try:
        if path.is_dir():
            yield from _folder(path, left)
        elif path.suffix.lower() == ".zip":
            yield from unpack(path.name, read_file(path, left), limit=left)
        else:
            yield path.name, read_file(path, left)
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}")


def _folder(folder: Path, left: int) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.name.lower().endswith(KINDS) and path.is_file():
            data = read_file(path, left)
            left -= len(data)
            yield path.relative_to(folder).as_posix(), data


def read_file(path: Path, limit: int) -> bytes:
    """Return the content of a file, read only if it is small enough."""
    size = path.stat().st_size
    if size > limit:
        raise BadInput(f"{path}: {size} bytes are more than the limit of {limit} for a bundle")
    return path.read_bytes()


def unpack(name: str, data: bytes, *, limit: int) -> Iterator[tuple[str, bytes]]:
    """Yield the diagrams of a zip archive, never more than `limit` bytes of them.

    Raises BadInput for a broken archive, a path that leaves it, and one that unpacks too large.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > MAX_ENTRIES:
                raise BadInput(f"{name}: more than {MAX_ENTRIES} entries")
            for entry in entries:
                if entry.filename.lower().endswith(KINDS):
                    content = _unpacked(archive, entry, f"{name}: {entry.filename}", limit)
                    limit -= len(content)
                    yield _safe(name, entry.filename), content
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise BadInput(f"{name}: is no readable zip archive: {error}")


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, place: str, limit: int) -> bytes:
    with archive.open(entry) as stream:
        # the size that the archive states may be a lie, so at most one byte too many is unpacked
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise BadInput(f"{place}: unpacks to more than the limit for a bundle")
    if len(content) > MAX_RATIO * max(entry.compress_size, 1024):
        raise BadInput(f"{place}: unpacks to more than {MAX_RATIO} times its size")
    return content


def _safe(archive: str, name: str) -> str:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in name or not name.isprintable():
        raise BadInput(f"{archive}: the path {name!r} leads out of the archive")
    return path.as_posix()
