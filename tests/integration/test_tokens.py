from __future__ import annotations

from itertools import pairwise

import pytest

from engine import access
from engine.errors import BadInput
from engine.runtime import Engine
from engine.store import tokens


def test_a_token_stands_for_its_user_until_it_is_revoked(engine: Engine) -> None:
    token, secret = engine.create_token("bob", role="operator", by="ann")

    found = engine.authenticate(secret)

    assert found == token
    assert (token.name, token.role, token.created_by) == ("bob", "operator", "ann")
    revoked = engine.revoke_token(token.id, by="ann")
    assert revoked.revoked_at is not None
    assert engine.authenticate(secret) is None
    assert engine.revoke_token(token.id, by="bob") == revoked
    assert engine.tokens() == [revoked]


def test_the_secret_itself_is_stored_nowhere(engine: Engine) -> None:
    token, secret = engine.create_token("bob", role="viewer", by="ann")

    with engine.reading() as connection:
        stored = tokens.get(connection, token.id)

    assert stored is not None
    assert stored.hash == access.hashed(secret)
    assert secret.rsplit("_", 1)[1] not in repr(stored)


@pytest.mark.parametrize("change", [str.upper, lambda s: s[:-1], lambda s: s + "x", lambda s: ""])
def test_another_secret_is_worthless(engine: Engine, change: object) -> None:
    _, secret = engine.create_token("bob", role="viewer", by="ann")

    assert callable(change)
    assert engine.authenticate(change(secret)) is None


def test_an_unknown_role_is_refused(engine: Engine) -> None:
    with pytest.raises(BadInput, match="king"):
        engine.create_token("bob", role="king", by="ann")


def test_each_role_may_do_what_the_one_before_may() -> None:
    rights = list(access.ROLES.values())

    assert all(less < more for less, more in pairwise(rights))
