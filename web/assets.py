"""Files of the pages: their addresses change with their content, so browsers may keep them."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from flask import Response, request

_FOLDER = Path(__file__).parent / "static"


@cache
def version(name: str) -> str:
    """Return a few letters that change when the file does."""
    return hashlib.sha256((_FOLDER / name).read_bytes()).hexdigest()[:12]


def keep(response: Response) -> Response:
    """Let browsers keep a file whose address names its content."""
    if response.status_code == 200 and "v" in request.args:
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
