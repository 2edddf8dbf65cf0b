"""How the outermost layer opens the engine: registry, dispatcher and schema put together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.registry import Registry
    from engine.runtime import Engine
    from engine.settings import Settings


def open_engine(
    settings: Settings, *, announce: Callable[[datetime | None], None] | None = None
) -> Engine:
    """Return the engine on the database of the settings, its schema brought up to date.

    `announce` is told after a commit that there is work. Raises SchemaTooNew, HandlerSetupError.
    """
    from engine.runtime import Engine

    engine = Engine(settings, registry=load_registry(settings), announce=announce)
    engine.migrate()
    return engine


def load_registry(settings: Settings) -> Registry:
    """Return the handlers of this installation. Raises HandlerSetupError."""
    from engine.registry import Registry

    return Registry.load(settings)
