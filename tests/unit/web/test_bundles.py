"""Files, folders and archives become one bundle, and nothing too large or astray is read."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from engine.errors import BadInput
from web.bundles import MAX_ENTRIES, places, read_bundle, unpack

LIMIT = 1000


def archive(entries: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as written:
        for name, data in entries.items():
            written.writestr(name, data)
    return stream.getvalue()


def test_folder_is_searched_for_diagrams_only(tmp_path: Path) -> None:
    (tmp_path / "forms").mkdir()
    (tmp_path / "a.bpmn").write_bytes(b"A")
    (tmp_path / "forms" / "b.form").write_bytes(b"B")
    (tmp_path / "readme.txt").write_bytes(b"no diagram")

    bundle = read_bundle([tmp_path], limit=LIMIT)

    assert bundle == {"a.bpmn": b"A", "forms/b.form": b"B"}


def test_a_file_named_by_itself_may_have_any_ending(tmp_path: Path) -> None:
    path = tmp_path / "drawn.xml"
    path.write_bytes(b"X")

    assert read_bundle([path], limit=LIMIT) == {"drawn.xml": b"X"}


def test_archive_and_file_become_one_bundle(tmp_path: Path) -> None:
    (tmp_path / "all.zip").write_bytes(archive({"x/a.bpmn": b"A", "notes.md": b"-"}))
    (tmp_path / "b.dmn").write_bytes(b"B")

    bundle = read_bundle([tmp_path / "all.zip", tmp_path / "b.dmn"], limit=LIMIT)

    assert bundle == {"x/a.bpmn": b"A", "b.dmn": b"B"}


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.bpmn").write_bytes(b"A")

    with pytest.raises(BadInput, match=r"a\.bpmn: two files"):
        read_bundle([tmp_path / "one", tmp_path / "two"], limit=LIMIT)


def test_a_hundred_megabytes_are_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.bpmn"
    with path.open("wb") as stream:
        stream.truncate(100 * 1024 * 1024)

    with pytest.raises(BadInput, match="limit of 1000"):
        read_bundle([path], limit=LIMIT)


def test_files_together_keep_to_the_limit(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.bpmn").write_bytes(b"x" * 400)

    with pytest.raises(BadInput, match=r"2\.bpmn.*limit"):
        read_bundle([tmp_path], limit=LIMIT)


def test_an_archive_that_unpacks_too_large_is_refused() -> None:
    bomb = archive({"a.bpmn": b"0" * 1_000_000})
    assert len(bomb) < 2000

    with pytest.raises(BadInput, match="unpacks to more"):
        list(unpack("bomb.zip", bomb, limit=LIMIT))


@pytest.mark.parametrize("name", ["../a.bpmn", "/etc/a.bpmn", "x/../../a.bpmn", "..\\a.bpmn"])
def test_a_path_that_leaves_the_archive_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="leads out"):
        list(unpack("all.zip", archive({name: b"A"}), limit=LIMIT))


def test_what_is_no_archive_is_refused() -> None:
    with pytest.raises(BadInput, match="no readable zip"):
        list(unpack("all.zip", b"PK\x03\x04 and then nothing", limit=LIMIT))


def test_what_is_packed_too_well_is_refused() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.bpmn", b" " * 4_000_000)

    with pytest.raises(BadInput, match="200 times"):
        list(unpack("a.zip", stream.getvalue(), limit=10_000_000))


def test_an_archive_of_too_many_entries_is_refused() -> None:
    crowd = archive({f"{number}.txt": b"" for number in range(MAX_ENTRIES + 1)})

    with pytest.raises(BadInput, match="entries"):
        list(unpack("crowd.zip", crowd, limit=LIMIT))


def test_a_folder_without_diagrams_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"\.bpmn"):
        read_bundle([tmp_path], limit=LIMIT)


def test_a_file_of_a_bundle_lies_where_it_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "drawn" / "forms").mkdir(parents=True)
    (tmp_path / "drawn" / "forms" / "b.form").write_bytes(b"B")
    (tmp_path / "a.bpmn").write_bytes(b"A")
    (tmp_path / "c.zip").write_bytes(archive({"c.bpmn": b"C"}))
    monkeypatch.chdir(tmp_path)

    paths = [Path("drawn"), tmp_path / "a.bpmn", Path("c.zip")]
    found = places(paths, read_bundle(paths, limit=LIMIT))

    assert found == {"forms/b.form": Path("drawn/forms/b.form"), "a.bpmn": Path("a.bpmn")}
