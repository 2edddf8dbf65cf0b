"""Opening the engine: what the database refuses is told as such, a fault of ours stays one."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.runtime import Engine
from engine.settings import Settings
from web.opening import open_engine
from web.problems import NoDatabase


def test_a_file_that_is_no_database_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "caseway.db").write_bytes(b"no database at all, " * 100)

    with pytest.raises(NoDatabase, match=r"the database cannot be opened: .*not a database"):
        open_engine(Settings(data_dir=tmp_path))


def test_a_database_in_a_folder_that_is_not_there_is_refused_in_a_sentence(tmp_path: Path) -> None:
    nowhere = f"sqlite:///{tmp_path}/none/such.db"

    with pytest.raises(NoDatabase, match="the database cannot be opened: "):
        open_engine(Settings(data_dir=tmp_path, database_url=nowhere))


def test_a_fault_of_the_program_is_not_blamed_on_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Engine) -> None:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr(Engine, "migrate", broken)

    with pytest.raises(ZeroDivisionError, match="a fault of ours"):
        open_engine(Settings(data_dir=tmp_path))
