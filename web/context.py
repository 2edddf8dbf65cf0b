"""What every page may ask for: the engine, the settings, the person, the time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flask import current_app, g

from engine.errors import EngineError

if TYPE_CHECKING:
    from engine.runtime import Engine, User
    from engine.settings import Settings

_KEY = "caseway"


class SignInFirst(EngineError):
    """The page is for people with an account. Sign in, then open it again."""

    code = "unauthorised"


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What one application works with."""

    settings: Settings
    engine: Engine


def furnish(app: object, house: House) -> None:
    """Let the pages of an application find their engine."""
    app.extensions[_KEY] = house  # type: ignore[attr-defined]


def _house() -> House:
    found: House = current_app.extensions[_KEY]
    return found


def engine() -> Engine:
    """Return the engine: one method per verb."""
    return _house().engine


def settings() -> Settings:
    """Return the settings of this installation."""
    return _house().settings


def now() -> datetime:
    """Return the present moment of the engine's clock, in UTC."""
    return engine().clock.now()


def visitor() -> User | None:
    """Return who has signed in, None on a public page without."""
    found: User | None = g.get("person")
    return found


def person() -> User:
    """Return who has signed in. Raises SignInFirst."""
    found = visitor()
    if found is None:
        raise SignInFirst("sign in first")
    return found


def may(*roles: str) -> bool:
    """Tell whether the person has one of the roles."""
    found = visitor()
    return found is not None and found.role in roles
