"""Who calls the API: from the header `Authorization: Bearer SECRET` to a user and its rights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import Forbidden
from web.problems import Unauthorised

if TYPE_CHECKING:
    from engine.runtime import Engine

#: a secret is shorter; what is longer is not looked up
MAX_SECRET = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The user a token acts as."""

    name: str
    role: str


def caller_of(engine: Engine, header: str | None) -> Caller:
    """Return who sends this header. Raises Unauthorised, without saying what was wrong with it."""
    scheme, _, secret = (header or "").partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not 0 < len(secret) <= MAX_SECRET:
        raise Unauthorised("send a token: `Authorization: Bearer TOKEN`")
    token = engine.authenticate(secret)
    if token is None:
        raise Unauthorised("the token is unknown or revoked")
    return Caller(name=token.name, role=token.role)


def require(caller: Caller, right: str) -> None:
    """Raise Forbidden if the caller's role lacks the right, naming the roles that have it."""
    from engine.access import ROLES

    if right not in ROLES[caller.role]:
        having = ", ".join(sorted(role for role, rights in ROLES.items() if right in rights))
        raise Forbidden(f"the role {caller.role!r} may not {right.replace('_', ' ')}; {having} may")
