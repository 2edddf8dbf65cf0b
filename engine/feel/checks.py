"""What can be said of a text without running it: unknown names, wrong arguments and types."""

from __future__ import annotations

from collections.abc import Collection

from engine.errors import FeelError
from engine.feel.expression import Kind, compile
from engine.feel.library import BUILTINS


def check(
    text: str, names: Collection[str] | None = None, *, kind: Kind = "expression"
) -> list[tuple[int, str]]:
    """Return (offset, message) for everything wrong with a text; with `names` also for variables
    that are not among them (entries of the items of a filter excepted)."""
    try:
        expression = compile(text, names=names or (), kind=kind)
    except FeelError as cause:
        return [(cause.position or 0, str(cause))]
    found = list(expression.problems)
    if names is not None:
        reported = {at for at, _ in found}
        known = {*names, *BUILTINS, "?"}
        for name, at, sure in expression.reads:
            if sure and name not in known and at not in reported:
                found.append((at, f"there is no variable '{name}'"))
    return sorted(found)
