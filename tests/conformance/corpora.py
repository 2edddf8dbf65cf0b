"""The runners of the kit: how each is called, and what its JSON says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

#: slower machines and shared ones get this much more time per process test
_PATIENCE = "3"
_ADAPTERS = "tests.conformance.adapters"
_NOT_YET = re.compile(r"cannot be executed here yet \(([^)]*)\)")
#: what differs from run to run or from machine to machine
_VOLATILE = (
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22,}\b"), "..."),
    (re.compile(r"\d+\.\d+ s\b"), "... s"),
    (re.compile(r"/\S*/"), ".../"),
)


@dataclass(frozen=True, slots=True)
class Case:
    """One test of a corpus."""

    group: str
    name: str
    passed: bool
    #: why not, in short; empty if passed
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Corpus:
    """One runner with its arguments."""

    key: str
    title: str
    #: script in the kit and its arguments
    command: tuple[str, ...]
    #: JSON of the runner -> cases
    read: Callable[[Any], Iterable[Case]]
    #: the runner itself enforces a minimum with --min-pass
    minimum_option: bool = True


def short(text: str) -> str:
    """Return the gist of a reason, the same in every run."""
    kinds = dict.fromkeys(_NOT_YET.findall(text))
    if kinds:
        return "not executed yet: " + ", ".join(kinds)
    for pattern, instead in _VOLATILE:
        text = pattern.sub(instead, text)
    text = " ".join(text.split())
    return text if len(text) <= 160 else text[:157] + "..."


def _betsy(found: Any) -> Iterable[Case]:
    for test in found["tests"]:
        failed = next((c for c in test["cases"] if not c["passed"]), None)
        reason = ""
        if failed is not None:
            refused = failed["outcome"] == "rejected"
            reason = failed["detail"] if refused else f"{failed['wrong']} {failed['detail']}"
        yield Case(test["group"], test["name"], test["passed"], short(reason))


def _constraints(found: Any) -> Iterable[Case]:
    for file in found["files"]:
        group = {
            "refused": "must be refused, place " + ("known" if file.get("known") else "not known"),
            "accepted": "must be accepted",
            "deployable": "must be deployable",
        }[file["expect"]]
        stops = [p for p in file["problems"] if p["severity"] in ("error", "unsupported")]
        said = "; ".join(p["message"] for p in stops) or file["verdict"]
        yield Case(group, file["name"], file["passed"], "" if file["passed"] else short(said))


def _drawings(found: Any) -> Iterable[Case]:
    for file in found["files"]:
        reason = file["wrong"] or file["incomplete"]
        yield Case(file["set"], file["name"], file["passed"], short(reason))


def _decisions(found: Any) -> Iterable[Case]:
    for check in found["checks"]:
        reason = "" if check["passed"] else short(check["wrong"])
        yield Case(f"level {check['level']}", check["name"], check["passed"], reason)


def _probes(found: Any) -> Iterable[Case]:
    for probe in found:
        failed = next((c for c in probe["cases"] if not c["ok"]), None)
        reason = ""
        if failed is not None:
            refused = failed["outcome"] == "rejected"
            shown = f"{failed['why']}: {failed['outcome']} [{failed['got']}] {failed['detail']}"
            reason = failed["detail"] if refused else shown
        yield Case(probe["group"], probe["name"], failed is None, short(reason))


def _adapter(name: str) -> tuple[str, str]:
    return ("--adapter", f"{_ADAPTERS}:{name}")


#: in the order of the report
CORPORA = (
    Corpus(
        "betsy", "Process tests (betsy)",
        ("run_betsy.py", *_adapter("Engine"), "--patience", _PATIENCE), _betsy,
    ),
    Corpus(
        "betsy_restart", "Process tests, engine restarted after every step",
        ("run_betsy.py", *_adapter("Engine"), "--restart", "--patience", _PATIENCE), _betsy,
    ),
    Corpus(
        "probes", "Probes of execution semantics",
        ("probes/drive.py", *_adapter("Probes"), "--limit", "60"), _probes, False,
    ),
    Corpus(
        "probes_restart", "Probes, engine restarted after every step",
        ("probes/drive.py", *_adapter("ProbesRestart"), "--limit", "60"), _probes, False,
    ),
    Corpus(
        "constraints", "Invalid and valid diagrams at the gate",
        ("run_constraints.py", *_adapter("Engine")), _constraints,
    ),
    Corpus("miwg", "Real drawings (MIWG)", ("run_miwg.py", *_adapter("Engine")), _drawings),
    Corpus("tck", "Decision models (DMN TCK)", ("run_tck.py", *_adapter("Dmn")), _decisions),
)  # fmt: skip
