"""Reads drawings through the gate, and says in short what it found."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pytest
from lxml.etree import _Element as Element

from engine import diagrams
from engine.diagrams.report import Report
from engine.diagrams.rewrite import rewrite
from engine.diagrams.xml import read_xml
from engine.languages import Languages, Python
from engine.model import Problem, Severity

FEEL = Languages()
PYTHON = Languages("python", python=Python(restricted=False))

#: public test data beside the repository
SHARED = Path(__file__).resolve().parents[4] / "shared" / "conformance"


def shared(*parts: str) -> Path:
    """Return a path of the public test data; skips the test if it is not there."""
    found = SHARED.joinpath(*parts)
    if not found.exists():
        pytest.skip(f"no public test data: {'/'.join(('shared', 'conformance', *parts))}")
    return found


def read(
    drawing: bytes,
    *,
    languages: Languages = FEEL,
    topics: Collection[str] | None = None,
    processes: Collection[str] = (),
) -> diagrams.Bundle:
    """Read one diagram."""
    return diagrams.read(
        {"case.bpmn": drawing},
        languages=languages,
        known_topics=topics,
        known_processes=processes,
    )


def stopping(drawing: bytes, *, languages: Languages = FEEL) -> list[Problem]:
    """Return what stops the deployment of a diagram."""
    return [problem for problem in read(drawing, languages=languages).problems if problem.stops]


def objections(drawing: bytes, severity: Severity = Severity.ERROR) -> list[tuple[str | None, str]]:
    """Return element and message of each problem of one severity."""
    found = read(drawing).problems
    return [(p.element, p.message) for p in found if p.severity == severity]


def accepted(drawing: bytes) -> bool:
    """Tell whether nothing stops a diagram; shows what does in a failing test."""
    found = stopping(drawing)
    assert not found, "\n".join(f"{p.element}: {p.message}" for p in found)
    return True


def internal(drawing: bytes, default: str = "feel") -> Element:
    """Return the internal form of a diagram."""
    root = read_xml(drawing, Report("case.bpmn"))
    assert root is not None
    return rewrite(root, file="case.bpmn", default=default)
