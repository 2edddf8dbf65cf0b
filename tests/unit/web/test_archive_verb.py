"""`caseway archive` moves what is old enough and says what it did; the history reads the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration import drawings
from web.cli import MISUSED, run

pytest.importorskip("arro3.io", reason="the extra `archive` is not installed")


@pytest.fixture
def cases(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return cases that have ended."""
    drawing = tmp_path / "a.bpmn"
    drawing.write_bytes(drawings.scripts(1))
    caseway(tmp_path, capsys, "deploy", str(drawing))
    return [caseway(tmp_path, capsys, "start", "p", "--var", "a=1")["id"] for _ in range(3)]


def caseway(tmp_path: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """Run a verb and return its JSON."""
    status = run(["--data", str(tmp_path / "data"), "--json", *arguments])
    said = capsys.readouterr()
    assert status == 0, said.err
    return json.loads(said.out)


def test_what_is_old_enough_is_moved_and_reads_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], cases: list[str]
) -> None:
    before = [caseway(tmp_path, capsys, "history", case) for case in cases]

    none = caseway(tmp_path, capsys, "archive", "--older-than", "1")
    done = caseway(tmp_path, capsys, "archive", "--older-than", "0")

    assert none == {"files": [], "cases": 0, "rows": 0, "dropped": []}
    assert (done["cases"], done["rows"]) == (3, sum(len(rows) for rows in before))
    assert [path.suffix for path in (tmp_path / "data" / "archive").rglob("*.*")] == [".parquet"]
    assert [caseway(tmp_path, capsys, "history", case) for case in cases] == before


def test_without_a_span_nothing_is_moved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], cases: list[str]
) -> None:
    status = run(["--data", str(tmp_path / "data"), "archive"])

    assert status == MISUSED
    assert "archive_days" in capsys.readouterr().err
    assert cases


def test_the_months_say_what_stands_in_the_database_and_what_in_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], cases: list[str]
) -> None:
    count = sum(len(caseway(tmp_path, capsys, "history", case)) for case in cases)

    (before,) = caseway(tmp_path, capsys, "archive", "--months")
    caseway(tmp_path, capsys, "archive", "--older-than", "0")
    month, rest = caseway(tmp_path, capsys, "archive", "--months")

    assert before == {
        "month": "all", "rows": count, "bytes": None, "files": 0, "archived_rows": 0,
        "archived_bytes": 0,
    }  # fmt: skip
    assert (rest["month"], rest["rows"]) == ("all", 0)
    assert (month["files"], month["archived_rows"]) == (1, count)
    assert month["archived_bytes"] > 0
