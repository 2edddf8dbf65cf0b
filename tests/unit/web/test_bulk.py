"""Long work goes on after a refusal, tells all of them, and waits for a busy service."""

from __future__ import annotations

import json

import pytest

from engine.errors import NotFound, TooBusy
from web.bulk import SHOWN, WAITS, Tally, patiently
from web.output import Output


def test_refused_lines_are_listed_and_the_rest_is_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tally = Tally(("started",))
    tally.done("started", "id-1")
    with tally.refusals("file:2"):
        raise NotFound("there is none")

    status = tally.report(Output(as_json=True))

    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert status == 1
    assert document["started"] == ["id-1"]
    assert document["refused"][0]["place"] == "file:2"
    assert document["refused"][0]["code"] == "not_found"
    assert "file:2: there is none" in printed.err


def test_without_refusals_the_status_is_zero(capsys: pytest.CaptureFixture[str]) -> None:
    tally = Tally(("started", "already there"))
    tally.done("already there", "id-1")

    assert tally.report(Output()) == 0
    assert capsys.readouterr().out == "0 started, 1 already there, 0 refused\n"


def test_a_flood_of_refusals_is_cut_short(capsys: pytest.CaptureFixture[str]) -> None:
    tally = Tally(())
    for number in range(SHOWN + 7):
        with tally.refusals(f"file:{number}"):
            raise NotFound("there is none")

    tally.report(Output())

    assert "... and 7 more" in capsys.readouterr().err


def test_a_busy_service_is_waited_for() -> None:
    answers = iter([TooBusy("busy", 2.0), TooBusy("busy", 3.0), None])
    waits: list[float] = []

    def verb() -> str:
        if (error := next(answers)) is not None:
            raise error
        return "done"

    assert patiently(verb, tell=lambda _: None, wait=waits.append) == "done"
    assert waits == [2.0, 3.0]


def test_patience_ends() -> None:
    waits: list[float] = []

    def verb() -> None:
        raise TooBusy("busy", 1.0)

    with pytest.raises(TooBusy):
        patiently(verb, tell=lambda _: None, wait=waits.append)
    assert len(waits) == WAITS
