"""Row 12: what the last fault test has found (`make chaos` measures it, this only repeats it)."""

from __future__ import annotations

import json

from tests.bench.figure import Figure, not_built
from tests.bench.house import ROOT
from tests.bench.rounds import Bench

RESULT = ROOT / "build" / "chaos.json"
_NAME = "12 processes killed under load: cases lost, doubled or stuck"
#: the run that must break an invariant, so that the test itself is tested
_MUTANT = "mutant"


def measure(bench: Bench) -> list[Figure]:
    """Return the broken invariants of the runs in build/chaos.json, if there is one."""
    if not RESULT.exists():
        return [not_built(f"{_NAME}: see make chaos", "violations", "= 0")]
    runs = json.loads(RESULT.read_text(encoding="utf-8"))["runs"]
    real = [run for run in runs if run["name"] != _MUTANT]
    if not real:
        return [Figure(name=_NAME, value=None, unit="violations", goal="= 0")]
    wrong = sum(len(run["violations"]) for run in real)
    told = [f"{run['name']} {sum(run['faults'].values())} faults" for run in real]
    told += ["mutant caught" for run in runs if run["name"] == _MUTANT and run["ok"]]
    detail = "last make chaos: " + ", ".join(told)
    return [Figure(name=_NAME, value=wrong, unit="violations", goal="= 0", detail=detail)]
