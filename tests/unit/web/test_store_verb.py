"""Data stores on the command line: what is written is JSON, or a text that is said to be one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.runtime import Engine
from web.cli import run


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        (("--set", '{"rate": 2}'), {"rate": 2}),
        (("--set", '"plain words"'), "plain words"),
        (("--text", "{bad"), "{bad"),
        (("--text", "7"), "7"),
        (("--text", ""), ""),
    ],
)
def test_json_and_texts_are_kept_as_they_are_meant(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...],
    value: Any,
) -> None:  # fmt: skip
    monkeypatch.setenv("CASEWAY_DATA_DIR", str(tmp_path))

    assert run(["store", "rates", *arguments]) == 0

    assert engine.data_store("rates").value == value


@pytest.mark.parametrize("broken", ["{bad", "plain words", "", "[1,"])
def test_what_is_no_json_is_refused_with_the_way_out(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("CASEWAY_DATA_DIR", str(tmp_path))

    assert run(["store", "rates", "--set", broken]) == 1

    said = capsys.readouterr().err
    assert "--set" in said
    assert "--text" in said
    assert engine.data_stores() == []


def test_json_and_a_text_at_once_are_refused(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("CASEWAY_DATA_DIR", str(tmp_path))

    assert run(["store", "rates", "--set", "1", "--text", "1"]) == 1

    assert "either --set or --text" in capsys.readouterr().err
    assert engine.data_stores() == []


def test_a_store_is_shown_as_json_as_it_is_written(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("CASEWAY_DATA_DIR", str(tmp_path))
    engine.write_data_store("rates", {"open": True, "none": None}, by="ann")

    assert run(["store", "rates"]) == 0

    name, _, shown = capsys.readouterr().out.strip().partition(" = ")
    assert (name, json.loads(shown)) == ("rates", {"open": True, "none": None})
