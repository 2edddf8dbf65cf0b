"""Files of customers: few, small, of known kinds, stored once under their hash."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from web.attachments import MOST_BYTES, MOST_FILES, FileRefused, keep, plain_name, stored

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


def test_a_file_is_found_again_by_its_hash(tmp_path: Path) -> None:
    (kept,) = keep(tmp_path, [("泵的照片.png", PNG)])

    assert kept.value() == {
        "name": "泵的照片.png", "size": len(PNG), "sha256": hashlib.sha256(PNG).hexdigest()
    }  # fmt: skip
    path = stored(tmp_path, kept.sha256)
    assert path is not None
    assert path.read_bytes() == PNG


def test_equal_files_lie_there_once(tmp_path: Path) -> None:
    keep(tmp_path, [("a.png", PNG), ("b.png", PNG)])

    assert sum(path.is_file() for path in tmp_path.rglob("*")) == 1


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ([("a.exe", b"MZ")], "wrong_type"),
        ([("a.html", b"<script>")], "wrong_type"),
        ([("a.svg", b"<svg/>")], "wrong_type"),
        ([("noending", b"text")], "wrong_type"),
        ([("a.png", b"<script>")], "wrong_type"),
        ([("a.pdf", b"MZ")], "wrong_type"),
        ([("a.txt", b"")], "empty"),
        ([("a.txt", b"x" * (MOST_BYTES + 1))], "too_large"),
        ([("a.txt", b"x" * MOST_BYTES), ("b.txt", b"x" * MOST_BYTES)], "too_large"),
        ([("a.txt", b"x")] * (MOST_FILES + 1), "too_many"),
    ],
)
def test_what_is_not_taken_leaves_nothing_behind(
    files: list[tuple[str, bytes]], why: str, tmp_path: Path
) -> None:
    with pytest.raises(FileRefused) as refused:
        keep(tmp_path, [("good.txt", b"good"), *files] if len(files) == 1 else files)

    assert refused.value.why == why
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\lin\\发票.pdf", "发票.pdf"),
        ('a"b\r\n.txt', "a_b__.txt"),
        ("x" * 300 + ".pdf", "x" * 120 + ".pdf"),
        ("..", ""),
    ],
)
def test_a_name_has_no_folders_and_no_quotes(given: str, plain: str) -> None:
    assert plain_name(given) == plain


@pytest.mark.parametrize("hash_", ["", "../secret.key", "A" * 64, "0" * 63, "0" * 64])
def test_what_is_no_stored_hash_is_no_file(hash_: str, tmp_path: Path) -> None:
    assert stored(tmp_path, hash_) is None
