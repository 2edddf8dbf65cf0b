"""How the outermost layer opens the engine: registry, dispatcher and schema put together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.runtime import Engine
    from engine.settings import Settings


def open_engine(
    settings: Settings, *, announce: Callable[[datetime | None], None] | None = None
) -> Engine:
    """Return the engine on the database of the settings, its schema brought up to date.

    `announce` is told after a commit that there is work. Raises SchemaTooNew, HandlerSetupError.
    """
    from engine.registry import Registry
    from engine.runtime import Engine

    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = Engine(settings, registry=Registry.load(settings), announce=announce)
    engine.migrate()
    return engine
