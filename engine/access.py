"""Who may do what: roles and their rights, the secrets of the API, and the passwords of people.

The web layer asks; the verbs of the engine themselves do not.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argon2 import PasswordHasher

_READ = frozenset({"read_definitions", "read_cases", "read_tasks"})
_WORK = _READ | {"start", "work_on_tasks", "correlate", "signal"}
_LEAD = _WORK | {"oversee"}
_DRAW = _LEAD | {"check"}
_ADMIN = _DRAW | {"deploy", "activate", "cancel", "retry", "erase", "change", "manage_tokens"}

#: role -> its rights; each role may do what the one before may
ROLES: dict[str, frozenset[str]] = {
    "customer": frozenset(),  # sees what is sent to it; nothing of the API
    "viewer": _READ,  # sees definitions, cases and tasks
    "operator": _WORK,  # starts cases and works on tasks
    "lead": _LEAD,  # sees everybody's tasks, takes over
    "analyst": _DRAW,  # tries out diagrams
    "admin": _ADMIN,  # deploys, mends and cancels
}
#: roles of people who sign in; `viewer` is for programs
PEOPLE = ("customer", "operator", "lead", "analyst", "admin")
#: those of them that work here
STAFF = PEOPLE[1:]

#: shortest password that a person may choose
LEAST_PASSWORD = 10
#: longest: whoever sends more wants to keep the hash function busy
MOST_PASSWORD = 256
# what nobody mistakes for another one when reading it from a screen
_CLEAR = "abcdefghjkmnpqrstuvwxyz23456789"

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


def new_password() -> str:
    """Return a one-time password that is easily read out: 16 characters, 79 bits of chance."""
    drawn = "".join(secrets.choice(_CLEAR) for _ in range(16))
    return "-".join(drawn[at : at + 4] for at in range(0, 16, 4))


def new_session() -> str:
    """Return a fresh secret for the cookie of a session."""
    return secrets.token_urlsafe(32)


def hash_password(password: str) -> str:
    """Return the Argon2id hash of a password, with its parameters and salt."""
    return _hasher().hash(password)


def right_password(password: str, stored: str | None) -> bool:
    """Compare a password with a stored hash; without one it takes as long and is never right."""
    from argon2.exceptions import VerifyMismatchError

    try:
        _hasher().verify(stored or _nobody(), password[:MOST_PASSWORD])
    except VerifyMismatchError:
        return False
    return stored is not None


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    # OWASP's second choice for Argon2id: little memory, so that eight threads at once do not hurt
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


@cache
def _nobody() -> str:
    return hash_password(secrets.token_urlsafe(16))
