"""Which people hold a right of engine/access.py: for `roles=` of a page, and for its buttons."""

from __future__ import annotations

from engine.access import PEOPLE, ROLES
from web.context import may


def holders(right: str) -> frozenset[str]:
    """Return the roles of people who hold a right."""
    return frozenset(role for role in PEOPLE if right in ROLES[role])


def holds(right: str) -> bool:
    """Tell whether the person who asks for this page holds a right."""
    return may(*holders(right))
