"""Row 12: what the last fault test has found (`make chaos` measures it, this only repeats it)."""

from __future__ import annotations

import json
from typing import Any

from tests.bench.figure import Figure, not_built
from tests.bench.house import ROOT
from tests.bench.rounds import Bench

RESULT = ROOT / "build" / "chaos.json"
_NAME = "12 processes killed under load: lost, doubled or stuck instances"


def measure(bench: Bench) -> list[Figure]:
    """Return the sum over the runs in build/chaos.json, if there is one."""
    if not RESULT.exists():
        return [not_built(f"{_NAME}, see make chaos", "instances", "= 0")]
    found = json.loads(RESULT.read_text(encoding="utf-8"))
    wrong = sum(_numbers(found))
    detail = "from build/chaos.json, the last run of make chaos"
    return [Figure(name=_NAME, value=wrong, unit="instances", goal="= 0", detail=detail)]


def _numbers(found: Any) -> list[int]:
    """Return every number under a key that says lost, doubled or stuck."""
    if isinstance(found, list):
        return [number for part in found for number in _numbers(part)]
    if not isinstance(found, dict):
        return []
    numbers = []
    for key, value in found.items():
        counted = key in ("lost", "doubled", "stuck")
        if counted and isinstance(value, (int, list)):
            numbers.append(value if isinstance(value, int) else len(value))
        else:
            numbers += _numbers(value)
    return numbers
