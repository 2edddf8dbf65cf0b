"""Makes or updates one virtual environment from the lock: hashes enforced, nothing done twice.

Run by the interpreter the environment is for, before anything is installed: standard library only.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements" / "dev.txt"


def main() -> int:
    """Bring the environment named by the first argument up to date; return the exit status."""
    folder = ROOT / (sys.argv[1] if len(sys.argv) > 1 else ".venv")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_name(folder.name + ".lock"), "w") as only_one:
        fcntl.flock(only_one, fcntl.LOCK_EX)
        return update(folder)


def update(folder: Path) -> int:
    """Install what the stamp in `folder` says is not there yet."""
    stamp, wanted = folder / ".stamp", fingerprint()
    if stamp.exists() and stamp.read_text() == wanted:
        return 0
    if minor_of(folder) != sys.version_info[:2]:
        venv.EnvBuilder(clear=True, symlinks=True, with_pip=True).create(folder)
    stamp.unlink(missing_ok=True)
    packages = sum("==" in line for line in LOCK.read_text().splitlines())
    print(f"setup: {packages} packages for Python {sys.version.split()[0]} into {folder.name}")
    # pip's own warnings are about the machine's settings; its errors still show
    pip = [str(folder / "bin" / "python"), "-m", "pip", "-qq", "install"]
    for what in (
        ["--require-hashes", "-r", str(LOCK)],
        ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)],
    ):
        done = subprocess.run(pip + what, check=False)
        if done.returncode:
            print(f"setup: pip failed for {' '.join(what)}", file=sys.stderr)
            return done.returncode
    stamp.write_text(wanted)
    return 0


def fingerprint() -> str:
    """Return a digest of all that the environment is made from; other settings do not count."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    made_from = [
        LOCK.read_text(),
        json.dumps([project["project"], project["build-system"], project["tool"]["hatch"]]),
        sys.version,
        os.fspath(ROOT),
    ]
    return hashlib.sha256("\0".join(made_from).encode()).hexdigest()


def minor_of(folder: Path) -> tuple[int, int] | None:
    """Return the Python version of an environment, None where there is none that runs."""
    ask = "import sys; print(*sys.version_info[:2])"
    try:
        told = subprocess.run(
            [str(folder / "bin" / "python"), "-c", ask], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    major, minor = told.stdout.split()
    return int(major), int(minor)


if __name__ == "__main__":
    sys.exit(main())
