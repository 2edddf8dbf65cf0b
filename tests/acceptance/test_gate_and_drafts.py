"""The gate and the drafts on the command line, in both languages and every format."""

from __future__ import annotations

import json
from pathlib import Path

from tests.acceptance.command import Caseway
from tests.acceptance.diagrams import drawn, many_wrongs


def unfinished(folder: Path) -> str:
    path = folder / "many.bpmn"
    path.write_bytes(many_wrongs())
    return str(path)


def test_check_tells_in_chinese(caseway: Caseway) -> None:
    told = caseway.run("check", unfinished(caseway.folder), "--language", "zh")

    assert told.status == 1
    assert "[错误]" in told.out
    assert "没有" in told.out


def test_check_writes_sarif_with_the_place_of_the_file(caseway: Caseway) -> None:
    told = caseway.run("check", unfinished(caseway.folder), "--format", "sarif")

    (run,) = json.loads(told.out)["runs"]
    assert told.status == 1
    assert {result["level"] for result in run["results"]} >= {"error"}
    places = {
        location["physicalLocation"]["artifactLocation"]["uri"]
        for result in run["results"]
        for location in result["locations"]
    }
    assert len(places) == 1
    assert places.pop().endswith("many.bpmn")


def test_check_of_a_whole_diagram_ends_well_in_every_format(caseway: Caseway) -> None:
    path = caseway.folder / "plain.bpmn"
    path.write_text(drawn())

    for form in ("text", "json", "sarif"):
        assert caseway.run("check", str(path), "--format", form).status == 0


def test_a_draft_goes_its_way_on_the_command_line(caseway: Caseway) -> None:
    # given
    kept = caseway.json("drafts", "save", unfinished(caseway.folder), "--title", "Autumn")
    assert (kept["title"], kept["revision"]) == ("Autumn", 1)
    assert [draft["id"] for draft in caseway.json("drafts", "list")] == [kept["id"]]
    # when it lacks something
    shown = caseway.run("drafts", "show", kept["id"], "--language", "zh")
    refused = caseway.run("drafts", "deploy", kept["id"])
    # then it says so and stays
    assert (shown.status, refused.status) == (1, 1)
    assert "[错误]" in shown.out
    assert caseway.json("definitions") == []
    # when it is whole
    path = caseway.folder / "plain.bpmn"
    path.write_text(drawn())
    caseway.run("drafts", "save", str(path), "--replace", kept["id"], "--revision", "1")
    stale = caseway.run("drafts", "discard", kept["id"], "--revision", "1")
    back = caseway.folder / "back"
    assert caseway.run("drafts", "show", kept["id"], "--out", str(back)).status == 0
    assert caseway.run("drafts", "deploy", kept["id"], "--revision", "2").status == 0
    # then it runs, and is no draft any more
    assert stale.status == 1
    assert (back / "plain.bpmn").read_text() == drawn()
    assert [one["process_id"] for one in caseway.json("definitions")] == ["plain"]
    assert caseway.json("drafts", "list") == []
