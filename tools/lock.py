"""`make lock`: resolves the dependencies into requirements/*.txt, with hashes, without hosts.

One lock serves Python 3.11-3.13; `--upgrade` as argument takes the newest versions.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OPTIONS = [
    "--quiet", "--no-header", "--no-annotate", "--generate-hashes", "--allow-unsafe",
    "--strip-extras", "--no-emit-index-url", "--no-emit-trusted-host", "--no-emit-find-links",
]  # fmt: skip


def main() -> int:
    """Write both files; the second one takes its versions from the first."""
    extras = [f"--extra={name}" for name in ("postgres", "cluster", "archive", "otel")]
    resolve("pyproject.toml", "run.txt", *extras)
    resolve("requirements/dev.in", "dev.txt")
    return 0


def resolve(source: str, target: str, *options: str) -> None:
    """Resolve one file of wishes into one lock."""
    compiler = [sys.executable, "-m", "piptools", "compile", *OPTIONS, *options, *sys.argv[1:]]
    path = ROOT / "requirements" / target
    subprocess.run([*compiler, "--output-file", str(path), source], cwd=ROOT, check=True)
    head = "# Written by `make lock`; for Python 3.11-3.13.\n"
    path.write_text(head + path.read_text().removeprefix(head))


if __name__ == "__main__":
    sys.exit(main())
