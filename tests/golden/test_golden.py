"""What programs before this one have stored goes on here, as it would have gone on there."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from engine.errors import SchemaTooNew
from engine.kernel import FORMAT
from engine.kernel.snapshot import read as read_snapshot
from tests.golden.kept import FOLDER, Keeper, read
from tests.golden.scenes import SCENES

#: this format and the one before are read
FORMATS = (FORMAT - 1, FORMAT)
FILES = [
    path for number in FORMATS for path in sorted((FOLDER / f"format-{number}").glob("*.json"))
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_kept_case_is_read_and_ends_as_it_did(path: Path) -> None:
    now, then = read(path)

    assert now == then


@pytest.mark.parametrize("number", FORMATS)
def test_every_construct_is_kept_in_each_format_that_is_read(number: int) -> None:
    assert {path.stem for path in FILES if path.parent.name == f"format-{number}"} >= set(SCENES)


def test_a_kept_case_says_its_format() -> None:
    for path in FILES:
        file = json.loads(path.read_text(encoding="utf-8"))
        written = read_snapshot(base64.b64decode(file["snapshot"]))["f"]
        # what has no large values is written so that the program before can still read it
        assert written == (2 if file["large"] else 1), path


def test_a_snapshot_of_a_newer_program_is_refused_in_words() -> None:
    play = Keeper(SCENES["user_task"].drawing)
    play.start()
    assert play.snapshot is not None
    play.snapshot = play.snapshot.replace(b'"f":1', f'"f":{FORMAT + 1}'.encode())

    with pytest.raises(SchemaTooNew, match=f"reads up to {FORMAT}: upgrade it"):
        play.complete("a")
