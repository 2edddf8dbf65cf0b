"""The variables of a random process: what its blocks count and collect, and where it is local."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.laws import blocks as b


def localised(block: b.Block) -> list[str]:
    """Return the names that each instance of a repeated activity has for itself."""
    assert isinstance(block, b.Activity)
    inside = [inner for inner in b.walk(block) if inner is not block]
    own = [f"n_{block.id}"] if block.kind == "script" else []
    outside = {id(part) for listener in block.listeners for part in b.walk(listener)}
    return own + [n for part in inside if id(part) not in outside for n in counters(part)]


def counters(block: b.Block) -> list[str]:
    """Return the names that a block writes and that count or collect."""
    names = []
    if isinstance(block, b.Loop) or (isinstance(block, b.Activity) and block.kind == "script"):
        names.append(f"n_{block.id}")
    if isinstance(block, b.Activity) and block.undoable:
        names.append(f"n_undo_{block.id}")
    if isinstance(block, b.Activity) and block.repeat is not None:
        names.append(f"out_{block.id}")
    return names


def fresh(names: Sequence[str]) -> dict[str, Any]:
    """Return names with the values they begin with."""
    return {name: [] if name.startswith("out_") else 0 for name in names}
