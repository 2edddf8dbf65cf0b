"""`caseway users`, and the door that stays shut while demonstration users exist."""

from __future__ import annotations

import pytest

from tests.acceptance.command import Caseway


def test_users_are_added_listed_and_shut_out(caseway: Caseway) -> None:
    added = caseway.run("users", "add", "ann", "--role", "lead", "--group", "frontdesk")
    given = caseway.run("users", "add", "bob", "--role", "admin", "--password-stdin",
                        stdin="my own words\n")  # fmt: skip
    caseway.run("users", "change", "ann", "--role", "operator", "--zone", "Asia/Shanghai")
    shut = caseway.run("users", "disable", "bob")
    listed = caseway.run("users", "list", "--json").json

    assert len(added.out.strip()) == 19
    assert "my own words" not in given.out + given.err
    assert shut.status == 0
    assert [(u["name"], u["role"], u["groups"], u["must_change"]) for u in listed] == [
        ("ann", "operator", ["frontdesk"], True),
        ("bob", "admin", [], False),
    ]
    assert listed[1]["disabled_at"]
    assert "password" not in listed[0]


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("users", "add", "a b", "--role", "lead"), 1),
        (("users", "add", "ann", "--role", "viewer"), 2),
        (("users", "change", "nobody", "--role", "lead"), 1),
        (("users", "change", "nobody"), 2),
        (("users", "password", "nobody"), 1),
    ],
)
def test_wrong_use_is_named(caseway: Caseway, arguments: tuple[str, ...], status: int) -> None:
    done = caseway.run(*arguments)

    assert done.status == status
    assert "Traceback" not in done.err


def test_demonstration_users_keep_other_machines_out(caseway: Caseway) -> None:
    caseway.run("users", "add", "guest", "--role", "admin", "--demo")

    for verb in ("serve", "web"):
        refused = caseway.run(verb, "--host", "0.0.0.0", "--port", "0")
        assert refused.status == 2
        assert "guest" in refused.err
        assert refused.out == ""
