"""API tokens: made once, shown once, stored as a hash."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine import access
from engine.clock import new_id
from engine.errors import BadInput, NotFound
from engine.runtime.base import Base, plain_text, verb
from engine.store import tokens
from engine.store.tokens import Act


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """An API token without its secret."""

    id: str
    #: the user it acts as
    name: str
    #: one of access.ROLES
    role: str
    created_at: datetime
    created_by: str
    revoked_at: datetime | None


class Tokens(Base):
    """The verbs about API tokens."""

    @verb
    def create_token(self, name: str, *, role: str, by: str) -> tuple[ApiToken, str]:
        """Return a new token and its secret, which is shown this once only."""
        plain_text(name, "name", longest=200)
        plain_text(by, "by")
        if role not in access.ROLES:
            raise BadInput(f"role is one of {', '.join(access.ROLES)}, not {role!r}")
        token_id = new_id()
        secret = access.new_secret(token_id)
        with self.transaction() as tx:
            tokens.insert(
                tx.connection, id=token_id, name=name, role=role, hash=access.hashed(secret),
                created_at=tx.now, created_by=by,
            )  # fmt: skip
            made = ApiToken(
                id=token_id, name=name, role=role, created_at=tx.now, created_by=by,
                revoked_at=None,
            )  # fmt: skip
        return made, secret

    def authenticate(self, secret: str) -> ApiToken | None:
        """Return the token with this secret; None if it is unknown or revoked."""
        token_id = access.token_of(secret)
        if token_id is None:
            return None
        with self.reading() as connection:
            found = tokens.get(connection, token_id)
        if found is None or found.revoked_at is not None or not access.same(secret, found.hash):
            return None
        return _token(found)

    @verb
    def revoke_token(self, token_id: str, *, by: str) -> ApiToken:
        """Make a token worthless at once; twice does no harm. Raises NotFound."""
        plain_text(by, "by")
        with self.transaction() as tx:
            tokens.revoke(tx.connection, token_id, by, tx.now)
            found = tokens.get(tx.connection, token_id)
            if found is None:
                raise NotFound(f"there is no token {token_id!r}")
            return _token(found)

    def tokens(self) -> list[ApiToken]:
        """Return all tokens, revoked ones too."""
        with self.reading() as connection:
            return [_token(found) for found in tokens.all_tokens(connection)]

    def acts(self, *, after: str | None = None, limit: int = 50) -> list[Act]:
        """Return what admins have done to definitions and cases, newest first."""
        with self.reading() as connection:
            return tokens.acts(connection, after, limit)


def _token(found: tokens.Token) -> ApiToken:
    return ApiToken(
        id=found.id, name=found.name, role=found.role, created_at=found.created_at,
        created_by=found.created_by, revoked_at=found.revoked_at,
    )  # fmt: skip
