"""How the processes of Caseway log: to standard error, one line an event, without chatter."""

from __future__ import annotations

import logging

#: libraries that tell of their own inner life, and from which level on they are heard
_HEARD_FROM = {
    "alembic": logging.WARNING,
    "apscheduler": logging.WARNING,
    # of each announcement
    "procrastinate": logging.WARNING,
    # at WARNING it counts waiting requests, one line for each
    "waitress.queue": logging.ERROR,
}


def configure(level: str, process: str = "") -> None:
    """Log from this level on; `process` begins each line where several write to one stream."""
    parts = [process, "%(levelname)s", "%(name)s:", "%(message)s"]
    logging.basicConfig(level=level.upper(), format=" ".join(part for part in parts if part))
    for name, heard_from in _HEARD_FROM.items():
        logging.getLogger(name).setLevel(heard_from)
