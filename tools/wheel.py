"""`make wheel-test`: the built wheel in a fresh environment, used from outside the repository."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SMOKE = """
import importlib.resources, pathlib, sys
import engine, handlers, web
for package in (engine, handlers, web):
    assert package.OWNER == "caseway", package
    assert pathlib.Path(package.__file__).is_relative_to(sys.prefix), package.__file__
drawn = [entry.name for entry in importlib.resources.files("processes").iterdir()]
print(len(drawn), "files in processes:", *sorted(drawn))
"""


def main() -> int:
    """Build, install with hashes, run; return 0 when every step did what it should."""
    with tempfile.TemporaryDirectory(prefix="caseway-wheel-") as name:
        folder = Path(name)
        wheel = build(folder / "dist")
        print(f"wheel-test: {wheel.name}, {wheel.stat().st_size // 1024} KiB")
        python = install(wheel, folder / "venv")
        outside = folder / "elsewhere"
        outside.mkdir()
        kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        caseway = [str(python.with_name("caseway")), "--data", str(outside / "data")]
        run([str(python), "-c", SMOKE], outside, kept)
        for arguments in (["--help"], ["--version"], ["cases", "--json"]):
            run([*caseway, *arguments], outside, kept)
    print("wheel-test: passed")
    return 0


def build(target: Path) -> Path:
    """Build the wheel with the locked hatchling; return its path."""
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(target)]
    subprocess.run([*command, str(ROOT)], stdout=subprocess.DEVNULL, check=True)
    return next(target.glob("caseway-*.whl"))


def install(wheel: Path, folder: Path) -> Path:
    """Make an environment with the wheel and the locked dependencies; return its Python."""
    venv.create(folder, with_pip=True, symlinks=True)
    python = folder / "bin" / "python"
    pip = [str(python), "-m", "pip", "-qq", "install"]
    locked = ["--require-hashes", "-r", str(ROOT / "requirements" / "run.txt")]
    for what in (locked, ["--no-deps", "--no-index", str(wheel)]):
        subprocess.run(pip + what, check=True)
    return python


def run(command: list[str], folder: Path, environment: Mapping[str, str]) -> None:
    """Run one command and show what it printed only if it failed."""
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"wheel-test: {command} ended with {done.returncode}\n{done.stderr}")


if __name__ == "__main__":
    sys.exit(main())
