"""Problems of the gate as SARIF 2.1.0, which editors and code hosts show beside the files.

The clauses named here are those of the OASIS standard "Static Analysis Results Interchange Format
Version 2.1.0".
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from engine.model import Problem, Severity
from engine.sentences import about

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
#: levels of SARIF (3.27.10); what is not executed stops a deployment as an error does
LEVELS = {
    Severity.ERROR: "error",
    Severity.UNSUPPORTED: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "note",
}
#: rule of a problem that no catalogue names
_OTHER = "other"
_TAGS = {"zh": "zh-CN", "en": "en"}

Json = dict[str, Any]


def sarif(
    problems: Sequence[Problem],
    *,
    language: str = "en",
    version: str,
    places: Mapping[str, PurePath],
) -> Json:
    """Return the log of one check.

    `places` says where a file of the bundle lies, by its name; a relative path is one from the
    folder that the log is read in (`%SRCROOT%`), and a file without a place keeps its name.
    """
    rules = sorted({one.rule or _OTHER for one in problems})
    index = {rule: number for number, rule in enumerate(rules)}
    levels = {rule: _worst(rule, problems) for rule in rules}
    driver = {
        "name": "Caseway",
        "version": version,
        "language": _TAGS[language],
        "rules": [_rule(rule, levels[rule], language) for rule in rules],
    }
    results = [_result(one, index, places, language) for one in problems]
    run = {
        "tool": {"driver": driver},
        "language": _TAGS[language],
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True}],
        "results": results,
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _worst(rule: str, problems: Sequence[Problem]) -> str:
    found = {LEVELS[one.severity] for one in problems if (one.rule or _OTHER) == rule}
    return next(level for level in ("error", "warning", "note") if level in found)


def _rule(rule: str, level: str, language: str) -> Json:
    described: Json = {"id": rule, "defaultConfiguration": {"level": level}}
    if text := about(rule, language):
        described["shortDescription"] = {"text": text}
    return described


def _result(
    problem: Problem, index: Mapping[str, int], places: Mapping[str, PurePath], language: str
) -> Json:
    said, rule = problem.told(language), problem.rule or _OTHER
    between = "。" if language == "zh" else ". "
    ending = "。" if language == "zh" else "."
    text = between.join(part[:1].upper() + part[1:] for part in (said.message, said.advice) if part)
    result: Json = {
        "ruleId": rule,
        "ruleIndex": index[rule],
        "level": LEVELS[problem.severity],
        "message": {"text": text + ending},
        "partialFingerprints": {"casewayProblem/v1": _fingerprint(problem)},
        "properties": {"severity": problem.severity.value, "element": problem.element},
    }
    if problem.file:
        result["locations"] = [_location(problem, places)]
    return result


def _location(problem: Problem, places: Mapping[str, PurePath]) -> Json:
    physical: Json = {"artifactLocation": _artifact(places.get(problem.file), problem.file)}
    if problem.line:
        physical["region"] = {"startLine": problem.line}
    location: Json = {"physicalLocation": physical}
    if problem.element:
        whole = f"{problem.file}#{problem.element}"
        location["logicalLocations"] = [
            {"name": problem.element, "fullyQualifiedName": whole, "kind": "element"}
        ]
    return location


def _artifact(place: PurePath | None, name: str) -> Json:
    """Return the address of a file (3.4.3): relative to the root of the sources where it can be."""
    if place is not None and place.is_absolute():
        return {"uri": place.as_uri()}
    return {"uri": quote((place or PurePath(name)).as_posix()), "uriBaseId": "%SRCROOT%"}


def _fingerprint(problem: Problem) -> str:
    """Return what stays when lines move: the rule, its element and the English sentence."""
    parts = (problem.file, problem.element or "", problem.rule, problem.message)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
