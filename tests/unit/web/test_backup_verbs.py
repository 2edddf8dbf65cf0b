"""backup and restore on the command line: what they print, refuse and leave."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.acceptance.command import Caseway
from web.cli import REFUSED, run


def test_a_service_is_saved_checked_and_brought_back_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two, kept = (str(tmp_path / name) for name in ("one", "two", "kept"))
    assert run(["--data", one, "users", "add", "ann", "--role", "admin"]) == 0
    capsys.readouterr()

    assert run(["--data", one, "backup", kept, "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert run(["--data", two, "restore", kept, "--check"]) == 0
    assert "is good" in capsys.readouterr().out
    assert not (tmp_path / "two").exists()
    assert run(["--data", two, "restore", kept, "--json"]) == 0

    assert made["kind"] == "sqlite"
    assert made["bytes"] == (tmp_path / "kept").stat().st_size
    told = json.loads(capsys.readouterr().out)
    assert (told["made_at"], told["restored"], told["set_aside"]) == (made["made_at"], True, "")
    assert run(["--data", two, "users", "list"]) == 0
    assert "ann" in capsys.readouterr().out


def test_over_data_the_refusal_names_the_way_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # by processes of their own, which leave no connection open here
    other, kept = Caseway(tmp_path), str(tmp_path / "kept")
    other.ok("users", "list")
    other.ok("backup", kept)
    one = str(other.data)

    assert run(["--data", one, "restore", kept]) == REFUSED
    assert "--force" in capsys.readouterr().err

    assert run(["--data", one, "restore", kept, "--force"]) == 0
    assert "before_restore_" in capsys.readouterr().out


def test_folders_outside_the_data_folder_are_named_since_they_are_not_in_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, archive = str(tmp_path / "one"), tmp_path / "archive"
    monkeypatch.setenv("CASEWAY_ARCHIVE_DIR", str(archive))
    assert run(["--data", one, "users", "list"]) == 0
    archive.mkdir()
    capsys.readouterr()

    # an empty one is not missed
    assert run(["--data", one, "backup", str(tmp_path / "first")]) == 0
    assert capsys.readouterr().err == ""
    (archive / "2026-03").mkdir()

    assert run(["--data", one, "backup", str(tmp_path / "second"), "--json"]) == 0
    said = capsys.readouterr()
    assert f"archive_dir {archive}" in said.err
    assert json.loads(said.out)["left_out"] == [str(archive)]
