"""The problems of the gate as SARIF: what the standard demands of a log, clause by clause."""

from __future__ import annotations

import json
import re
from pathlib import PurePosixPath
from typing import Any

import pytest

from engine.diagrams.sarif import sarif
from engine.model import Problem, Severity
from tests.drawing import diagram, end, flow, path, process, start, user
from tests.unit.diagrams.gate import read

DRAWING = diagram(
    process("p", start("s"), user("u"), end("e"), path("s", "u"), flow("s", "e", "a > 1"))
)


def log(**options: Any) -> dict[str, Any]:
    problems = read(DRAWING).problems
    return sarif(
        problems, version="1.2.3", places={"case.bpmn": PurePosixPath("a b/case.bpmn")}, **options
    )


def test_a_log_has_one_run_of_one_named_tool() -> None:
    found = log()
    (run,) = found["runs"]

    assert found["version"] == "2.1.0"
    assert found["$schema"].endswith("sarif-schema-2.1.0.json")
    assert run["tool"]["driver"]["name"] == "Caseway"
    assert run["tool"]["driver"]["version"] == "1.2.3"
    assert json.loads(json.dumps(found)) == found


def test_every_result_points_at_its_rule() -> None:
    (run,) = log()["runs"]
    rules = run["tool"]["driver"]["rules"]

    assert len({rule["id"] for rule in rules}) == len(rules)
    assert run["results"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("none", "note", "warning", "error")
        assert result["message"]["text"].endswith(".")


def test_a_result_says_where_it_is() -> None:
    (run,) = log()["runs"]
    place = next(
        result["locations"][0]
        for result in run["results"]
        if result["properties"]["element"] == "u"
    )

    physical = place["physicalLocation"]
    assert physical["artifactLocation"] == {"uri": "a%20b/case.bpmn", "uriBaseId": "%SRCROOT%"}
    assert physical["region"]["startLine"] >= 1
    assert place["logicalLocations"][0]["fullyQualifiedName"] == "case.bpmn#u"


@pytest.mark.parametrize(
    ("severity", "level"),
    [
        (Severity.ERROR, "error"),
        (Severity.UNSUPPORTED, "error"),
        (Severity.WARNING, "warning"),
        (Severity.INFO, "note"),
    ],
)
def test_a_weight_becomes_a_level(severity: Severity, level: str) -> None:
    problem = Problem(file="a.bpmn", element=None, line=None, message="No.", severity=severity)
    (run,) = sarif([problem], version="1", places={})["runs"]

    (result,) = run["results"]
    assert result["level"] == level
    assert run["tool"]["driver"]["rules"] == [
        {"id": "other", "defaultConfiguration": {"level": level}}
    ]
    assert "region" not in result["locations"][0]["physicalLocation"]


def test_a_problem_of_the_whole_bundle_has_no_place() -> None:
    problem = Problem(file="", element=None, line=None, message="Nothing here")
    (result,) = sarif([problem], version="1", places={})["runs"][0]["results"]

    assert "locations" not in result


def test_a_log_is_written_in_the_language_of_the_reader() -> None:
    (run,) = log(language="zh")["runs"]

    texts = [result["message"]["text"] for result in run["results"]]
    assert any("用户任务“u”" in text for text in texts)
    assert all(text.endswith("。") for text in texts)
    rules = run["tool"]["driver"]["rules"]
    assert all("…" in rule["shortDescription"]["text"] for rule in rules)
    assert run["language"] == "zh-CN"


def test_a_fingerprint_stays_when_lines_move_and_languages_change() -> None:
    moved = DRAWING.replace(b"<process", b"\n\n<process")
    prints = [
        {
            result["partialFingerprints"]["casewayProblem/v1"]
            for result in sarif(read(drawing).problems, version="1", places={}, language=code)[
                "runs"
            ][0]["results"]
        }
        for drawing, code in ((DRAWING, "en"), (moved, "zh"))
    ]
    assert prints[0] == prints[1]


def test_a_file_outside_the_sources_has_a_whole_address() -> None:
    problem = Problem(file="a.bpmn", element=None, line=1, message="No.")
    places = {"a.bpmn": PurePosixPath("/elsewhere/a.bpmn")}
    (result,) = sarif([problem], version="1", places=places)["runs"][0]["results"]

    artifact = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact == {"uri": "file:///elsewhere/a.bpmn"}


#: object -> (properties it must have, further ones that we write), as in the published schema,
#: which allows no others
SHAPES: dict[str, tuple[set[str], set[str]]] = {
    "log": ({"version", "runs"}, {"$schema"}),
    "run": ({"tool"}, {"language", "columnKind", "invocations", "results"}),
    "tool": ({"driver"}, set()),
    "driver": ({"name"}, {"version", "language", "rules"}),
    "rule": ({"id"}, {"defaultConfiguration", "shortDescription"}),
    "result": ({"message"}, {"ruleId", "ruleIndex", "level", "locations", "partialFingerprints",
                             "properties"}),
    "message": (set(), {"text"}),
    "location": (set(), {"physicalLocation", "logicalLocations"}),
    "physicalLocation": (set(), {"artifactLocation", "region"}),
    "artifactLocation": (set(), {"uri", "uriBaseId"}),
    "region": (set(), {"startLine"}),
    "logicalLocation": (set(), {"name", "fullyQualifiedName", "kind"}),
    "invocation": ({"executionSuccessful"}, set()),
}  # fmt: skip


def shaped(kind: str, found: dict[str, Any]) -> dict[str, Any]:
    """Return an object that has what its kind must have, and nothing that it may not have."""
    must, may = SHAPES[kind]
    assert must <= set(found) <= must | may, (kind, set(found))
    return found


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_log_has_the_shape_of_the_published_schema(language: str) -> None:
    (run,) = shaped("log", log(language=language))["runs"]
    driver = shaped("driver", shaped("tool", shaped("run", run)["tool"])["driver"])

    assert re.fullmatch(r"[a-z]{2}(-[A-Z]{2})?", run["language"])
    assert run["columnKind"] in ("utf16CodeUnits", "unicodeCodePoints")
    assert all(shaped("invocation", one) for one in run["invocations"])
    for rule in driver["rules"]:
        shaped("rule", rule)
        assert isinstance(shaped("message", rule["shortDescription"])["text"], str)
    for result in run["results"]:
        shaped("result", result)
        assert set(shaped("message", result["message"])) == {"text"}
        assert all(isinstance(one, str) for one in result["partialFingerprints"].values())
        for location in result["locations"]:
            physical = shaped("physicalLocation", shaped("location", location)["physicalLocation"])
            assert "artifactLocation" in physical
            shaped("artifactLocation", physical["artifactLocation"])
            assert shaped("region", physical["region"])["startLine"] >= 1
            for logical in location["logicalLocations"]:
                shaped("logicalLocation", logical)


def test_lists_hold_nothing_twice() -> None:
    """The schema wants the items of rules and locations to be unique."""
    (run,) = log()["runs"]
    for items in (run["tool"]["driver"]["rules"], *(one["locations"] for one in run["results"])):
        told = [json.dumps(item, sort_keys=True) for item in items]
        assert len(set(told)) == len(told)
