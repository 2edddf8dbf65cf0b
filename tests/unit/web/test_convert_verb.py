"""convert: one file in, a file of Camunda 8 and its forms out, and a list of what is left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.diagrams.test_convert import invoice
from web.cli import run

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    path = tmp_path / "invoice.bpmn"
    path.write_bytes(invoice())
    return path


def command(data: Path, *arguments: str) -> int:
    return run(["--data", str(data / "data"), *arguments])


def test_a_diagram_is_converted_beside_the_original(
    drawn: Path, tmp_path: Path, capsys: Capture
) -> None:
    assert command(tmp_path, "convert", str(drawn), "--to", "zeebe") == 0

    assert drawn.read_bytes() == invoice()
    assert b"zeebe:taskDefinition" in (tmp_path / "invoice.zeebe.bpmn").read_bytes()
    assert json.loads((tmp_path / "userTaskForm_ask.form").read_text())["id"] == "userTaskForm_ask"
    assert "“asyncBefore” has no effect here" in capsys.readouterr().out


def test_what_is_left_to_do_is_told_in_chinese_too(
    drawn: Path, tmp_path: Path, capsys: Capture
) -> None:
    drawn.write_bytes(invoice().replace(b'camunda:assignee="demo"', b'camunda:assignee="${a.b()}"'))
    out = tmp_path / "out.bpmn"

    code = command(tmp_path, "convert", str(drawn), "--to", "zeebe", "--output", str(out),
                   "--language", "zh")  # fmt: skip

    assert code == 1
    assert "无法用 FEEL 表达" in capsys.readouterr().out
    assert out.exists()


def test_the_original_is_never_overwritten(drawn: Path, tmp_path: Path, capsys: Capture) -> None:
    code = command(tmp_path, "convert", str(drawn), "--to", "zeebe", "--output", str(drawn))

    assert code == 1
    assert drawn.read_bytes() == invoice()
    assert "would be overwritten" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_named_and_nothing_is_written(
    drawn: Path, tmp_path: Path, capsys: Capture
) -> None:
    target = tmp_path / "missing" / "new.bpmn"

    code = command(tmp_path, "convert", str(drawn), "--to", "zeebe", "--output", str(target))

    assert code == 1
    assert "missing" in capsys.readouterr().err
    assert not target.parent.exists()
