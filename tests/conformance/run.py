"""Run all public corpora and write down what passes: `make conformance`.

Writes build/conformance.json and docs/conformance.md. The exit status is 1 if a runner passes
fewer cases than once before (tests/conformance/minimum.json).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path

from tests import scratch
from tests.conformance.corpora import CORPORA, Corpus
from tests.conformance.page import Result, by_group, page

ROOT = Path(__file__).resolve().parents[2]
KIT = ROOT.parent / "shared" / "conformance"
MINIMUM = Path(__file__).with_name("minimum.json")
OUTPUT = ROOT / "build" / "conformance.json"
PAGE = ROOT / "docs" / "conformance.md"
#: what docs/elements.md names as proofs
PROOFS = Path(__file__).with_name("proofs.json")
#: runners at a time
_AT_ONCE = 2
#: a runner that takes longer hangs; seconds
_LONGEST_S = 1200


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the corpora and report; see --help."""
    options = _options(arguments)
    if not KIT.is_dir():
        print(f"conformance: left out, there is no {os.path.relpath(KIT, ROOT)}")
        return 1 if os.environ.get("CI") == "true" else 0
    scratch.use()
    minimum = json.loads(MINIMUM.read_text()) if MINIMUM.exists() else {}
    chosen = [c for c in CORPORA if not options.only or _wanted(c.key, options.only)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        results = list(pool.map(lambda c: _run(c, minimum.get(c.key, 0)), chosen))
    if options.raise_minimum:
        results = _raise(results, minimum)
    if not options.only:
        _write(results)
    return _report(results)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.conformance.run", description=__doc__)
    parser.add_argument("--raise-minimum", action="store_true", help="store higher minimums")
    parser.add_argument(
        "--only", action="append", metavar="NAME", default=[],
        help="a corpus (" + " ".join(c.key for c in CORPORA) + "); wildcards; writes no files",
    )  # fmt: skip
    return parser.parse_args(arguments)


def _wanted(key: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch(key, pattern) for pattern in patterns)


def _run(corpus: Corpus, minimum: int) -> Result:
    """Run one runner in a process of its own; a broken one is a result, too."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "out.json"
        script, *options = corpus.command
        command = [sys.executable, str(KIT / script), *options, "--json", str(output)]
        if corpus.minimum_option and minimum:
            command += ["--min-pass", str(minimum)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        try:
            done = subprocess.run(
                command, cwd=ROOT, env=environment, capture_output=True, text=True,
                timeout=_LONGEST_S, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return Result(corpus, [], minimum, f"it took longer than {_LONGEST_S} s")
        if not output.exists():
            last = (done.stderr or done.stdout).strip().split("\n")[-1]
            return Result(corpus, [], minimum, f"exit status {done.returncode}: {last}")
        cases = list(corpus.read(json.loads(output.read_text(encoding="utf-8"))))
    return Result(corpus, cases, minimum, groups=by_group(cases))


def _raise(results: Sequence[Result], minimum: dict[str, int]) -> list[Result]:
    """Store what was reached where it is more than before; never less."""
    reached = {r.corpus.key: r.passed for r in results if not r.broken}
    raised = {c.key: max(minimum.get(c.key, 0), reached.get(c.key, 0)) for c in CORPORA}
    MINIMUM.write_text(json.dumps(raised, indent=2) + "\n")
    return [replace(r, minimum=raised[r.corpus.key]) for r in results]


def _write(results: Sequence[Result]) -> None:
    OUTPUT.parent.mkdir(exist_ok=True)
    found = [
        {
            "name": r.corpus.key,
            "title": r.corpus.title,
            "passed": r.passed,
            "of": len(r.cases),
            "minimum": r.minimum,
            "broken": r.broken,
            "groups": {name: {"passed": p, "of": of} for name, (p, of) in r.groups.items()},
            "not_passed": {c.name: c.reason for c in r.cases if not c.passed},
        }
        for r in results
    ]
    OUTPUT.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    PAGE.write_text(page(results), encoding="utf-8")


def _report(results: Sequence[Result]) -> int:
    print(f"{'corpus':52} {'passed':>7} {'of':>6} {'minimum':>8}")
    for r in results:
        grown = r.passed > r.minimum and not r.broken
        remark = "higher: ARGS=--raise-minimum" if grown else "" if r.holds else "BELOW THE MINIMUM"
        numbers = f"{r.passed:7,} {len(r.cases):6,} {r.minimum:8,}"
        print(f"{r.corpus.title:52} {numbers}  {r.broken or remark}".rstrip())
    below = [r.corpus.key for r in results if not r.holds]
    if below:
        print(f"conformance: fewer than once before in {', '.join(below)}")
        return 1
    if lost := _lost_proofs(results):
        print(f"conformance: docs/elements.md names what does not pass: {', '.join(lost)}")
        return 1
    total = sum(r.passed for r in results)
    print(f"conformance: {total:,} passed, every corpus holds its minimum")
    return 0


def _lost_proofs(results: Sequence[Result]) -> list[str]:
    """Return the tests of these corpora that prove an element and do not pass."""
    proofs = json.loads(PROOFS.read_text(encoding="utf-8"))
    lost = []
    for result in results:
        failed = {case.name for case in result.cases if not case.passed}
        named = {name for names in proofs.get(result.corpus.key, {}).values() for name in names}
        lost += sorted(named & failed)
    return lost


if __name__ == "__main__":
    sys.exit(main())
