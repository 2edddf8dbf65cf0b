"""The one cookie: signed with a key made in the data folder, never read by scripts.

It carries the secret of a session, which the database can revoke, and the token against forged
forms.
"""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from flask import Flask, request, session
from flask.sessions import SecureCookieSessionInterface

from engine.errors import SettingsError

if TYPE_CHECKING:
    from engine.settings import Settings

KEY_FILE = "secret.key"
_SESSION = "session"


class Cookies(SecureCookieSessionInterface):
    """Flask's signed cookie, sent over encrypted connections only where there is one."""

    def get_cookie_secure(self, app: Flask) -> bool:
        """Tell whether the browser may send the cookie over https only."""
        return request.is_secure or bool(app.config["SESSION_COOKIE_SECURE"])


def install(app: Flask, settings: Settings) -> None:
    """Sign the cookies of an application with the key of this installation."""
    app.secret_key = secret_key(settings)
    app.session_interface = Cookies()
    app.config.update(
        SESSION_COOKIE_NAME="caseway",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.public_url.startswith("https:"),
    )


def secret_key(settings: Settings) -> bytes:
    """Return the key of this installation, made at the first call; only its owner can read it."""
    path = settings.data_dir / KEY_FILE
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _kept(settings)
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}")
    with os.fdopen(made, "wb") as file:
        file.write(secrets.token_bytes(32))
    return _kept(settings)


def _kept(settings: Settings) -> bytes:
    path = settings.data_dir / KEY_FILE
    try:
        key = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}")
    if len(key) < 32:
        raise SettingsError(f"{path}: is no key; delete it, and everybody signs in again")
    return key


def session_secret() -> str | None:
    """Return the secret of the session that the browser names, valid or not."""
    found = session.get(_SESSION)
    return found if isinstance(found, str) else None


def keep_session(secret: str) -> None:
    """Give the browser a new session; nothing of what it had before stays."""
    session.clear()
    session[_SESSION] = secret


def drop_session() -> None:
    """Take everything from the browser."""
    session.clear()
