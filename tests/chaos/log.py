"""`python -m tests.chaos.log`: writes what the long runs did into docs/reliability.md.

The runs themselves add their lines to tests/chaos/runs.jsonl (`--log tests/chaos/runs.jsonl`); the
page only shows sums of them, so no figure there is typed by anybody.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
RUNS = ROOT / "tests" / "chaos" / "runs.jsonl"
PAGE = ROOT / "docs" / "reliability.md"
#: what `python -m tests.chaos.recovery --out` has written
RECOVERIES = ROOT / "tests" / "chaos" / "recoveries.jsonl"
BEGIN, END = "<!-- {}: begin -->\n", "<!-- {}: end -->\n"


@dataclass(frozen=True, kw_only=True)
class Run:
    """One long run; a line of runs.jsonl."""

    #: processes | storm | points
    kind: str
    #: sqlite | postgres | cluster
    database: str
    #: what to type for another one, without the seed
    command: str
    #: of the faults; None where every point is visited
    seed: int | None
    #: processes killed with kill -9, crashes of the database included
    kills: int
    #: freezes, orderly ends, results made late
    other_faults: int
    #: cases begun; not counted at points, where each kill has a few of its own
    cases: int
    #: what did not hold
    violations: tuple[str, ...]
    seconds: float


def note(path: Path, run: Run) -> None:
    """Add a run to the log."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(run)) + "\n")


def read(path: Path = RUNS) -> list[Run]:
    """Return the runs that were noted."""
    return [Run(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def killed(faults: dict[str, int]) -> int:
    """Return how many of the faults of a run were kills."""
    return sum(n for name, n in faults.items() if name.startswith(("kill", "crash")))


def told(runs: Iterable[Run]) -> str:
    """Return the sums as the page shows them."""
    rows = sorted(runs, key=lambda run: (run.kind, run.database, run.command, run.seed or 0))
    lines = ["| runs of | on | runs | kills | other faults | cases | broken invariants | minutes |",
             "|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for (kind, database), each in groupby(rows, lambda run: (run.kind, run.database)):
        lines.append(_row(kind, database, list(each)))
    lines += [_row("**all**", "", rows), ""]
    for command, each in groupby(rows, lambda run: run.command):
        seeds = ", ".join(str(run.seed) for run in each if run.seed is not None)
        lines.append(f"- `{command}`" + (f", seeds {seeds}" if seeds else ""))
    return "\n".join(lines) + "\n"


def _row(kind: str, database: str, runs: list[Run]) -> str:
    sums = [
        len(runs), sum(run.kills for run in runs), sum(run.other_faults for run in runs),
        sum(run.cases for run in runs), sum(len(run.violations) for run in runs),
        round(sum(run.seconds for run in runs) / 60),
    ]  # fmt: skip
    return f"| {kind} | {database} | " + " | ".join(f"{n:,}" for n in sums) + " |"


def recovered(path: Path = RECOVERIES) -> str:
    """Return the measured recoveries as the page shows them."""
    lines = ["| database | open cases | alive | ready | overdue timer fired | CPU of all processes"
             " | load of the machine |", "|---|---|---|---|---|---|---|"]  # fmt: skip
    for text in path.read_text(encoding="utf-8").splitlines():
        line = json.loads(text)
        took = line["seconds"]
        seconds = " | ".join(f"{took[name]:g} s" for name in list(took)[:4])
        lines.append(f"| {line['database']} | {line['open_cases']:,} | {seconds} |"
                     f" {took['load of the machine']:g} |")  # fmt: skip
    return "\n".join(lines) + "\n"


def filled(page: str, parts: dict[str, str]) -> str:
    """Return the page with new contents between its marks."""
    for name, text in parts.items():
        begin, end = BEGIN.format(name), END.format(name)
        before, rest = page.split(begin)
        page = before + begin + text + end + rest.split(end)[1]
    return page


def parts() -> dict[str, str]:
    """Return what belongs between the marks of the page."""
    return {"runs": told(read()), "recoveries": recovered()}


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), parts()), encoding="utf-8")
