"""What a check found, as pages show it: file by file, on the drawing and in a list."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from flask import request

from engine.diagrams.outline import outline
from engine.errors import BadInput
from engine.model import Problem
from web.bundles import KINDS, add, unpack
from web.drawings import words
from web.language import _, current, ngettext


def uploaded_bundle(limit: int) -> dict[str, bytes]:
    """Return the uploaded files; archives are unpacked within the limits. Raises BadInput."""
    bundle: dict[str, bytes] = {}
    left = limit
    for file in request.files.getlist("file"):
        name, data = file.filename or "", file.read()
        if not name:
            continue
        files = unpack(name, data, limit=left) if name.lower().endswith(".zip") else [(name, data)]
        for member, content in files:
            left -= len(content)
            add(bundle, member, content)
    if not bundle:
        raise BadInput(_("Choose files that end in %(ends)s.", ends=", ".join((*KINDS, ".zip"))))
    return bundle


def checked(bundle: dict[str, bytes], problems: list[Problem]) -> dict[str, Any]:
    """Return what `deployments/checked.html` shows: the files, each with its problems."""
    by_file: dict[str, list[Problem]] = defaultdict(list)
    for one in problems:
        by_file[one.file].append(one.told(current()))
    stopping = sum(one.stops for one in problems)
    summary = ngettext(
        "%(num)s problem stops the deployment.", "%(num)s problems stop the deployment.", stopping
    )
    return {
        "files": [_file(name, bundle[name], by_file[name]) for name in sorted(bundle)],
        "general": by_file.get("", []),
        "stopping": stopping,
        "summary": summary,
    }


def _file(name: str, content: bytes, problems: list[Problem]) -> dict[str, Any]:
    """Return a file with its problems: what the viewer draws, and where each problem is shown."""
    drawn = outline(content)
    places = drawn.places if drawn is not None and drawn.has_layout else {}
    marks: dict[str, list[str]] = {}
    for one in sorted(problems, key=lambda one: one.stops):
        if place := places.get(one.element or ""):
            marks[place] = ["wrong" if one.stops else "warned"]
    picture = {"xml": content.decode("utf-8", "replace"), "words": words(), "marks": marks,
               "attention": list(marks)}  # fmt: skip
    return {"name": name, "problems": problems, "places": places,
            "picture": picture if places else None}  # fmt: skip
