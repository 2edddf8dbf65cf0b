"""`make test`: every part of the suite that this machine can run, on each Python found.

What is left out is said in one line each; with CI=true nothing may be. The last line is the sum.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests import postgres

ROOT = Path(__file__).resolve().parent.parent
CI = os.environ.get("CI") == "true"
MAY_INSTALL = CI or os.environ.get("SYSTEM") == "1"
ADVICE = "see build/apt-*.log" if MAY_INSTALL else "SYSTEM=1 installs it"
JOBS = os.environ.get("JOBS", "2")
#: what an interpreter that is not the default runs
SOME = ["tests/unit", "tests/integration", "-m", "not slow and not browser"]


@dataclass
class Result:
    """What came of all runs together."""

    #: outcome -> number of tests, over all interpreters
    counts: dict[str, int] = field(default_factory=dict)
    #: one line for each part that was not run
    left_out: list[str] = field(default_factory=list)
    #: one line for each run that failed, also where no test did
    broken: list[str] = field(default_factory=list)


def main() -> int:
    """Run the suite; return 1 when anything failed, or was left out under CI."""
    started, result = time.monotonic(), Result()
    (ROOT / "build").mkdir(exist_ok=True)
    default, others = find_pythons()
    if not has_chromium():
        result.left_out.append(f"browser: no Chromium; {ADVICE}")
    with ThreadPoolExecutor(1) as aside, database(result) as environment:
        # tests wait for processes and browsers now and then: that time makes the next environment
        made = {minor: aside.submit(make, minor, path) for minor, path in others.items()}
        run_pytest(ROOT / ".venv", default, ["tests"], environment, result)
        for minor, is_made in made.items():
            if is_made.result():
                run_pytest(ROOT / ".venvs" / minor, minor, SOME, environment, result)
            else:
                result.broken.append(f"Python {minor}: its environment could not be made")
    for line in result.left_out:
        print(f"left out: {line}")
    for line in result.broken:
        print(f"failed: {line}")
    print_sum(result, time.monotonic() - started)
    return int(bool(result.broken) or (CI and bool(result.left_out)))


def find_pythons() -> tuple[str, dict[str, str]]:
    """Return the minor version of .venv and the paths of the other ones, and say which they are."""
    default = f"{sys.version_info.major}.{sys.version_info.minor}"
    found = subprocess.run(["tools/pythons"], cwd=ROOT, capture_output=True, text=True, check=True)
    paths = dict(line.split(maxsplit=1) for line in found.stdout.splitlines())
    paths.pop(default, None)
    print(f"Python {default}: the whole suite", end="")
    print("".join(f"; {minor}: unit and integration" for minor in paths), flush=True)
    return default, paths


def has_chromium() -> bool:
    """Tell whether a Chromium is here, after installing one where that is allowed."""
    return installed("chromium", lambda: shutil.which("chromium") is not None)


@contextmanager
def database(result: Result) -> Iterator[Mapping[str, str]]:
    """Yield the environment of the tests: with a PostgreSQL server that ends with this block."""
    if os.environ.get(postgres.VARIABLE):
        yield os.environ
    elif installed("postgresql", lambda: postgres.binaries() is not None):
        with postgres.cluster() as started:
            yield os.environ | {postgres.VARIABLE: started.url()}
    else:
        result.left_out.append(f"PostgreSQL: no server; {ADVICE}")
        yield os.environ


def installed(package: str, there: Callable[[], bool]) -> bool:
    """Tell whether a Debian package is there, after installing it where that is allowed."""
    if there() or not MAY_INSTALL or shutil.which("apt-get") is None:
        return there()
    print(f"installing {package}", flush=True)
    apt = [*([] if os.geteuid() == 0 else ["sudo", "-n"]), "apt-get", "-qq"]
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    log = ROOT / "build" / f"apt-{package}.log"
    with log.open("w") as output:
        for step in (["update"], ["install", "-y", "--no-install-recommends", package]):
            subprocess.run(
                apt + step, env=quiet, stdout=output, stderr=subprocess.STDOUT, check=False
            )
    return there()


def make(minor: str, python: str) -> bool:
    """Make or update the environment of an interpreter that is not the default; tell if it is."""
    command = [python, "tools/environment.py", f".venvs/{minor}"]
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def run_pytest(
    folder: Path, minor: str, what: list[str], environment: Mapping[str, str], result: Result
) -> None:
    """Run pytest from one environment and add its figures to the result."""
    print(f"--- Python {minor}", flush=True)
    report = ROOT / "build" / f"tests-{minor}.xml"
    report.unlink(missing_ok=True)
    command = [str(folder / "bin" / "python"), "-m", "pytest", "-q", "-n", JOBS]
    # a process that has nothing left takes half of what another one has before it
    options = ["--dist", "worksteal", f"--junitxml={report}", "-o", "junit_family=xunit2"]
    done = subprocess.run([*command, *options, *what], cwd=ROOT, env=environment, check=False)
    if done.returncode:
        result.broken.append(f"Python {minor}: pytest ended with {done.returncode}")
    if report.exists():
        count(report, result.counts)


def count(report: Path, counts: dict[str, int]) -> None:
    """Add the figures of one junit report, which pytest has just written, to `counts`."""
    for suite in ET.parse(report).getroot().iter("testsuite"):  # noqa: S314
        tests, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
        failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        figures = {"failed": failed, "passed": tests - skipped - failed, "skipped": skipped}
        for outcome, number in figures.items():
            counts[outcome] = counts.get(outcome, 0) + number


def print_sum(result: Result, seconds: float) -> None:
    """Print the closing line in pytest's own form."""
    shown = [f"{number} {outcome}" for outcome, number in result.counts.items() if number]
    print(f"====== {', '.join(shown) or 'no tests ran'} in {seconds:.2f}s ======")


if __name__ == "__main__":
    sys.exit(main())
