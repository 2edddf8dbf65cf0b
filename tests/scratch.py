"""Where the throw-away files of the tests lie: in memory where there is room, for speed.

What a test kills is a process, never the machine: a file in memory outlives it just as well.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")
#: containers often have 64 MB there
_ENOUGH = 4 * 1024**3


def folder() -> Path:
    """Return the folder for temporary files: what TMPDIR names, memory, or the system's own."""
    if "TMPDIR" not in os.environ and has_room(_MEMORY):
        return _MEMORY
    return Path(tempfile.gettempdir())


def has_room(place: Path) -> bool:
    """Tell whether a folder can be written to and holds all that tests have at one moment."""
    return os.access(place, os.W_OK | os.X_OK) and shutil.disk_usage(place).free >= _ENOUGH


def use() -> None:
    """Let this process and those that it starts keep their temporary files there."""
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder())
