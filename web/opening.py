"""How the outermost layer opens the engine: registry, dispatcher and schema put together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from engine.errors import SettingsError
from web.problems import NoDatabase

if TYPE_CHECKING:
    from engine.registry import Registry
    from engine.runtime import Engine
    from engine.settings import Settings


def open_engine(
    settings: Settings, *, announce: Callable[[datetime | None], None] | None = None
) -> Engine:
    """Return the engine on the database of the settings, its schema brought up to date.

    `announce` is told after a commit that there is work. Raises SchemaTooNew, HandlerSetupError,
    NoDatabase.
    """
    from engine.runtime import Engine

    prepare(settings)
    engine = Engine(settings, registry=load_registry(settings), announce=announce)
    try:
        engine.migrate()
        if settings.dispatcher == "cluster":
            engine.join()
    except engine.database.faults as error:
        raise NoDatabase(f"the database cannot be opened: {_first_line(error)}") from error
    return engine


def prepare(settings: Settings) -> None:
    """Make the folder of all data; nobody else may look into it. Raises SettingsError."""
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise SettingsError(f"data_dir {settings.data_dir}: {error.strerror}")


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def load_registry(settings: Settings) -> Registry:
    """Return the handlers of this installation. Raises HandlerSetupError."""
    from engine.registry import Registry

    return Registry.load(settings)
