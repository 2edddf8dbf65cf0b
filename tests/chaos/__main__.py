"""`make chaos`: SQLite, PostgreSQL (one machine, several) and two mutants under random faults.

build/chaos.json tells all. Ends with 1 if an invariant is broken, or if a mutant is not caught
(results taken without a look at the fence; no look for work without a hint): a test that cannot
fail proves nothing.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests import postgres
from tests.chaos import log
from tests.chaos.round import ON_SERVER, Plan, Result, play

#: run -> what the service does wrongly in it
MUTANTS = {"mutant": "ignore_fence", "sweepless": "no_sweep"}
#: mutant -> what is told when it is caught
CAUGHT = {"ignore_fence": "not a stale one", "no_sweep": "and nothing ended for"}
RUNS = ("sqlite", "postgres", "cluster", *MUTANTS)
#: how long a mutant that gets stuck is waited for; seconds
STUCK_S = 15.0
#: run -> seconds of faults, cases; what a number on the command line is multiplied from
SHORT = {
    "sqlite": (20.0, 120), "postgres": (25.0, 100), "cluster": (25.0, 100), "mutant": (5.0, 12),
    "sweepless": (3.0, 6),
}  # fmt: skip
LONG = {
    "sqlite": (240.0, 1500), "postgres": (240.0, 1200), "cluster": (240.0, 1200),
    "mutant": (30.0, 60), "sweepless": (3.0, 6),
}  # fmt: skip


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, help="of faults in each run")
    parser.add_argument("--cases", type=int, help="in each run")
    parser.add_argument("--seed", type=int, help="of the faults; their order is never the same")
    parser.add_argument("--long", action="store_true", help="minutes instead of seconds")
    parser.add_argument("--keep", action="store_true", help="the folder of each run, with its logs")
    parser.add_argument("--only", choices=RUNS, action="append", help="just this run")
    parser.add_argument("--log", type=Path, help="note each run here, for docs/reliability.md")
    parser.add_argument("--out", type=Path, default=Path("build/chaos.json"))
    return parser.parse_args(given)


def plans(wanted: argparse.Namespace) -> list[Plan]:
    """Return the runs to do; what is left out is said."""
    seed = wanted.seed if wanted.seed is not None else random.SystemRandom().randrange(10**6)
    found = []
    for name in wanted.only or RUNS:
        if name in ON_SERVER and postgres.binaries() is None:
            print(f"left out: {name}: no PostgreSQL; SYSTEM=1 make test installs it", flush=True)
            continue
        seconds, cases = (LONG if wanted.long else SHORT)[name]
        found.append(
            Plan(
                name=name, cases=wanted.cases or cases, seconds=wanted.seconds or seconds,
                seed=seed, mutant=MUTANTS.get(name), keep=wanted.keep,
                stuck_s=STUCK_S if name == "sweepless" else 90.0,
            )
        )  # fmt: skip
    return found


def is_good(plan: Plan, result: Result) -> bool:
    """Tell whether a run went as it must: invariants kept, or the mutant caught by one of them."""
    if plan.mutant is None:
        return not result.violations
    return any(CAUGHT[plan.mutant] in told for told in result.violations)


def report(plan: Plan, result: Result, good: bool) -> None:
    """Print what came of a run."""
    faults = ", ".join(f"{number} x {name}" for name, number in sorted(result.faults.items()))
    figures = ", ".join(f"{name} {number}" for name, number in result.counts.items())
    print(f"  faults: {faults or 'none'}\n  counts: {figures}")
    for told in result.violations:
        print(f"  {told}")
    if plan.mutant is not None:
        said = "caught, as it must be" if good else "NOT caught: this test is worth nothing"
    else:
        said = "every invariant holds" if good else f"BROKEN; kept in {result.kept}"
    if plan.keep:
        print(f"  kept in {result.kept}")
    print(f"{plan.name}: {said} ({result.seconds:g} s)", flush=True)


def noted(plan: Plan, result: Result) -> log.Run:
    """Return the line of a run."""
    kills = log.killed(result.faults)
    return log.Run(
        kind="processes", database=plan.name, seed=plan.seed, kills=kills,
        command=f"python -m tests.chaos --only {plan.name} --seconds {plan.seconds:g}"
        f" --cases {plan.cases}",
        other_faults=sum(result.faults.values()) - kills, cases=result.counts.get("cases", 0),
        violations=tuple(result.violations), seconds=result.seconds,
    )  # fmt: skip


def leave(number: int, frame: object) -> None:
    """End by an exception, so that every process of a run is ended."""
    raise SystemExit(128 + number)


def main(given: Sequence[str] | None = None) -> int:
    """Do the runs and return the exit status."""
    signal.signal(signal.SIGTERM, leave)
    wanted = arguments(given)
    results, all_good = [], True
    for plan in plans(wanted):
        print(f"{plan.name}: {plan.cases} cases, faults for {plan.seconds:g} s,"
              f" seed {plan.seed}", flush=True)  # fmt: skip
        result = play(plan)
        good = is_good(plan, result)
        all_good &= good
        report(plan, result, good)
        results.append(asdict(result) | {"ok": good})
        if wanted.log is not None and plan.mutant is None:
            log.note(wanted.log, noted(plan, result))
    wanted.out.parent.mkdir(parents=True, exist_ok=True)
    wanted.out.write_text(json.dumps({"runs": results, "ok": all_good}, indent=1) + "\n")
    return 0 if all_good else 1


if __name__ == "__main__":
    sys.exit(main())
