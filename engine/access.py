"""Who may do what: roles and their rights, and the secrets that stand for a user of the API.

The web layer asks; the verbs of the engine themselves do not.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

_READ = frozenset({"read_definitions", "read_cases", "read_tasks"})
_WORK = _READ | {"start", "work_on_tasks", "correlate", "signal"}
_DRAW = _WORK | {"check"}
_ADMIN = _DRAW | {"deploy", "activate", "cancel", "retry", "erase", "manage_tokens"}

#: role -> its rights; each role may do what the one before may
ROLES: dict[str, frozenset[str]] = {
    "viewer": _READ,  # sees definitions, cases and tasks
    "operator": _WORK,  # starts cases and works on tasks
    "analyst": _DRAW,  # tries out diagrams
    "admin": _ADMIN,  # deploys, mends and cancels
}

_FORM = re.compile(r"cw_([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})_[\w-]{40,}")


def new_secret(token_id: str) -> str:
    """Return a fresh secret: names its token, so that it is found by key and not by comparing."""
    return f"cw_{token_id}_{secrets.token_urlsafe(32)}"


def token_of(secret: str) -> str | None:
    """Return the id of the token that a secret claims to be of; None if it has another form."""
    found = _FORM.fullmatch(secret)
    return None if found is None else found[1]


def hashed(secret: str) -> str:
    """Return what is stored. A plain hash is enough: the secret has 256 bits of chance in it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def same(secret: str, stored: str) -> bool:
    """Compare a secret with a stored hash in a time that tells nothing."""
    return hmac.compare_digest(hashed(secret), stored)
