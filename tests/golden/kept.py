"""A case in a file: what a program of its time has written, and what must come of it.

A file holds the drawing, the moment, the snapshot, the rows that belong to it, the acts that end
the case, and the history that those had when it was written.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.golden.scenes import Act, Scene
from tests.unit.kernel.player import Player

FOLDER = Path(__file__).parent
#: what is kept of a row: the player asks for no more
_FIELDS = {
    "works": ("token", "element_id", "kind", "due_at"),
    "people": ("token", "element_id"),
    "catches": ("token", "kind", "name", "key"),
}


class Keeper(Player):
    """A player that also keeps large values."""

    def __init__(self, drawing: bytes, large_value: int = 0) -> None:
        super().__init__(drawing)
        self.limits.large_value = large_value
        self.kept: dict[str, bytes] = {}

    def large(self, root_id: str, hashes: Sequence[str]) -> Mapping[str, bytes]:
        return {digest: self.kept[digest] for digest in hashes}

    def do(self, command: Any) -> Any:
        out = super().do(command)
        large: Mapping[str, str] = getattr(out, "large", {})
        self.kept |= {digest: text.encode() for digest, text in large.items()}
        return out

    def act(self, acts: Sequence[Act]) -> None:
        for verb, *arguments in acts:
            getattr(self, str(verb))(*arguments)


def write(scene: Scene) -> dict[str, Any]:
    """Play a scene up to its middle and on to its end; return what a file holds."""
    play = Keeper(scene.drawing, scene.large_value)
    play.start()
    play.act(scene.before)
    assert play.snapshot is not None
    file = {
        "drawing": scene.drawing.decode(),
        "now": play.now.isoformat(),
        "snapshot": base64.b64encode(play.snapshot).decode(),
        "large": {digest: value.decode() for digest, value in play.kept.items()},
        "large_value": scene.large_value,
        "rows": {
            table: [
                {name: _plain(getattr(row, name)) for name in names}
                for row in getattr(play, table).values()
            ]
            for table, names in _FIELDS.items()
        },
        "after": [list(act) for act in scene.after],
    }
    begun = len(play.events)
    play.act(scene.after)
    assert play.ended
    return {**file, "history": _told(play, begun)}


def read(path: Path) -> tuple[list[Any], list[Any]]:
    """Load a kept case and end it; return the history it has now, and what it had then."""
    file = json.loads(path.read_text(encoding="utf-8"))
    play = Keeper(file["drawing"].encode(), file["large_value"])
    play.now = datetime.fromisoformat(file["now"])
    play.snapshot = base64.b64decode(file["snapshot"])
    play.kept = {digest: text.encode() for digest, text in file["large"].items()}
    for table, rows in file["rows"].items():
        for row in rows:
            if row.get("due_at"):
                row["due_at"] = datetime.fromisoformat(row["due_at"])
            getattr(play, table)[row["token"]] = SimpleNamespace(**row)
    play.act([tuple(act) for act in file["after"]])
    assert play.ended, f"{path.name} does not end"
    return _told(play, 0), file["history"]


def _told(play: Player, begin: int) -> list[Any]:
    """Return what elements and variables did; not how it is numbered or worded."""
    kinds = ("element.completed", "variable.set", "element.cancelled")
    told = [e for e in play.events[begin:] if e.kind in kinds]
    return [
        [e.kind, e.element_id, e.name if e.kind == "variable.set" else None]
        for e in told
    ]  # fmt: skip


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
