"""How the processes of Caseway log: to standard error, one line an event, without chatter."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

from engine import trail

#: libraries that tell of their own inner life, and from which level on they are heard
_HEARD_FROM = {
    "alembic": logging.WARNING,
    "apscheduler": logging.WARNING,
    # of each announcement
    "procrastinate": logging.WARNING,
    # at WARNING it counts waiting requests, one line for each
    "waitress.queue": logging.ERROR,
}


class JsonLines(logging.Formatter):
    """One JSON object a line: the event, and the ids of what its thread works for."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; `trace` holds the stack of an exception."""
        said = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": self._process,
            "pid": record.process,
            "message": record.getMessage(),
            **trail.names(),
        }
        if record.exc_info:
            said["trace"] = self.formatException(record.exc_info)
        return json.dumps({name: value for name, value in said.items() if value not in (None, "")},
                          ensure_ascii=False)  # fmt: skip


def configure(level: str, process: str = "", form: str = "text") -> None:
    """Log from this level on; `process` begins each line where several write to one stream.

    `form` is `text` or `json`.
    """
    parts = [process, "%(levelname)s", "%(name)s:", "%(message)s"]
    logging.basicConfig(level=level.upper(), format=" ".join(part for part in parts if part))
    if form == "json":
        for handler in logging.getLogger().handlers:
            handler.setFormatter(JsonLines(process))
    for name, heard_from in _HEARD_FROM.items():
        logging.getLogger(name).setLevel(heard_from)
