"""Watches a maildir: what a mail server puts into new/ is taken and moved to cur/.

A mail that cannot be taken just now stays in new/ for the next look; one that never can be is moved
too, flagged (F), and the log says why. Two watchers of one folder do no harm.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import BadInput, EngineError
from engine.store.connect import Disconnected
from web.mail import take

if TYPE_CHECKING:
    from engine.runtime import Engine

log = logging.getLogger("caseway.mail")

#: seconds between two looks
LOOK_S = 2.0
_TAKEN, _REFUSED = ":2,S", ":2,FS"


def watch(engine: Engine, folder: Path, stop: threading.Event) -> None:
    """Look into a maildir until `stop` is set."""
    while not stop.is_set():
        sweep(engine, folder)
        stop.wait(LOOK_S)


def start(engine: Engine) -> threading.Event:
    """Watch the maildir of the settings in a thread; without one do nothing. Returns its stop."""
    stop = threading.Event()
    folder = engine.settings.maildir
    if folder is not None:
        thread = threading.Thread(
            target=watch, args=(engine, folder, stop), name="maildir", daemon=True
        )
        thread.start()
    return stop


def sweep(engine: Engine, folder: Path) -> int:
    """Take every mail in new/, oldest first; return how many were moved."""
    try:
        for part in ("new", "cur", "tmp"):
            (folder / part).mkdir(parents=True, exist_ok=True, mode=0o700)
        waiting = sorted((folder / "new").iterdir(), key=lambda path: path.name)
    except OSError as error:
        log.warning("maildir %s: %s", folder, error.strerror)
        return 0
    return sum(_take(engine, folder, path) for path in waiting if path.is_file())


def _take(engine: Engine, folder: Path, path: Path) -> bool:
    flags = _TAKEN
    try:
        taken = take(engine, path.read_bytes())
        log.info("mail %s: %s %s", taken.message_id, taken.outcome, taken.case_number or "")
    except FileNotFoundError:
        return False  # another watcher was faster
    except BadInput as error:
        log.error("mail %s can never be taken: %s", path.name, error)
        flags = _REFUSED
    except (EngineError, Disconnected, OSError) as error:
        log.warning("mail %s stays in new/: %s", path.name, error)
        return False
    try:
        path.rename(folder / "cur" / (path.name.partition(":")[0] + flags))
    except OSError as error:
        log.warning("mail %s: %s", path.name, error.strerror)
        return False
    return True
