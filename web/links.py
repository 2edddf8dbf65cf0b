"""The signed links of customers as pages use them: read with the engine's ends and clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.links import PURPOSES, Link, LinkRefused, Links, secret

if TYPE_CHECKING:
    from engine.runtime import Engine

__all__ = ["PURPOSES", "Link", "LinkRefused", "Links", "links_of"]


def links_of(engine: Engine) -> Links:
    """Return what makes, reads and ends the links of an installation."""
    return Links(secret(engine.settings.data_dir), engine, engine.clock.now)
