"""Where handlers come from: the shipped package, installed add-ons, and the admin's folder."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from engine.errors import HandlerSetupError
from engine.registry.entry import HandlerEntry, entry_of
from engine.registry.marks import mark_of
from engine.settings import Settings

_SHIPPED = "handlers"
_OWNER = "caseway"
_GROUP = "caseway.handlers"


class Registry:
    """All handlers of this installation by name; never changes after it was built."""

    def __init__(self, entries: Iterable[HandlerEntry], settings: Settings) -> None:
        self.settings = settings
        self._entries = _by_name(entries)

    @classmethod
    def load(cls, settings: Settings) -> Registry:
        """Gather the handlers of all three sources.

        Raises HandlerSetupError for a duplicate name, a bad signature or a failing import, naming
        the places; nothing global has changed then but Python's table of imported modules.
        """
        modules = [*_shipped(), *_installed(), *_in_folder(settings.handlers_dir)]
        functions = {id(found): found for module in modules for found in _marked(module)}
        return cls.of(*functions.values(), settings=settings)

    @classmethod
    def of(cls, *functions: Callable[..., Any], settings: Settings | None = None) -> Registry:
        """Return a registry of just these marked functions; for tests and adapters."""
        settings = settings or Settings()
        entries = []
        for function in functions:
            mark = mark_of(function)
            if mark is None:
                raise HandlerSetupError(f"{function!r} is not marked with @handler")
            entries.append(entry_of(function, mark, settings))
        return cls(entries, settings)

    def get(self, name: str) -> HandlerEntry | None:
        """Return the handler of this name, None if there is none."""
        return self._entries.get(name)

    def names(self) -> tuple[str, ...]:
        """Return the names of all handlers, sorted."""
        return tuple(sorted(self._entries))

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[HandlerEntry]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)


def _by_name(entries: Iterable[HandlerEntry]) -> dict[str, HandlerEntry]:
    found: dict[str, HandlerEntry] = {}
    for entry in entries:
        if (other := found.get(entry.name)) is not None:
            raise HandlerSetupError(
                f"two handlers are named {entry.name!r}: {other.source} and {entry.source}"
            )
        found[entry.name] = entry
    return found


def _marked(module: ModuleType) -> Iterator[Callable[..., Any]]:
    """Yield the handlers written in a module, not those it merely imports."""
    for value in vars(module).values():
        if mark_of(value) is not None and value.__module__ == module.__name__:
            yield value


def _shipped() -> Iterator[ModuleType]:
    package = _imported(_SHIPPED, "the shipped handlers")
    if getattr(package, "OWNER", None) != _OWNER:
        raise HandlerSetupError(
            f"another package named {_SHIPPED!r} hides the shipped one: {package.__file__}"
        )
    yield from _with_submodules(package)


def _installed() -> Iterator[ModuleType]:
    for point in sorted(entry_points(group=_GROUP), key=lambda point: (point.name, point.value)):
        origin = f"entry point {point.name!r} of {point.dist.name if point.dist else 'unknown'}"
        yield from _with_submodules(_imported(point.module, origin))


def _in_folder(folder: Path | None) -> Iterator[ModuleType]:
    if folder is None:
        return
    if not folder.is_dir():
        raise HandlerSetupError(f"handlers_dir is not a folder: {folder}")
    for file in sorted(folder.glob("*.py")):
        yield _from_file(file)


def _with_submodules(module: ModuleType) -> Iterator[ModuleType]:
    yield module
    for found in pkgutil.walk_packages(getattr(module, "__path__", ()), f"{module.__name__}."):
        yield _imported(found.name, "handler module")


def _imported(name: str, origin: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise HandlerSetupError(f"{origin}: importing {name} failed: {_said(error)}") from error


def _from_file(file: Path) -> ModuleType:
    # a name of its own, so that mail.py in the folder does not become the `mail` of somebody else
    name = f"caseway_handlers_dir.{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise HandlerSetupError(f"{file} cannot be loaded as a Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise HandlerSetupError(f"{file}: loading failed: {_said(error)}") from error
    return module


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
