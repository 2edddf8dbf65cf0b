"""Default deny: every route of the pages against every role, and nobody."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule

from engine.access import PEOPLE
from tests.browsing import Browser
from tests.unit.web.conftest import Login
from web.pages import EVERYBODY, PUBLIC, Desk, Pages, local

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}


def page_rules(app: Flask) -> list[Rule]:
    """Return the routes that people use."""
    machines = ("api.", "health.", "metrics.", "assets.")
    return [rule for rule in app.url_map.iter_rules() if not rule.endpoint.startswith(machines)]


def declared(app: Flask, endpoint: str) -> frozenset[str] | None:
    pages: Pages = app.extensions["caseway.pages"]
    return pages.roles(endpoint)


def address(app: Flask, rule: Rule) -> str:
    """Return an address of a route; nothing is stored under its ids."""
    values: dict[str, Any] = {}
    for name, converter in rule._converters.items():
        choices = sorted(getattr(converter, "items", ()))
        is_number = type(converter).__name__ == "IntegerConverter"
        values[name] = choices[0] if choices else 1 if is_number else "x"
    with app.test_request_context():
        return str(app.url_map.bind("localhost").build(rule.endpoint, values, force_external=False))


def test_every_page_declares_who_may_use_it(app: Flask) -> None:
    rules = page_rules(app)

    assert len(rules) > 5
    assert [rule.rule for rule in rules if not declared(app, rule.endpoint)] == []


@pytest.mark.parametrize("role", [*PEOPLE, None])
def test_door_lets_through_whom_the_page_names(app: Flask, login: Login, role: str | None) -> None:
    browser = login(role) if role else Browser(app)
    token = browser.token()
    wrong = []
    for rule in page_rules(app):
        wanted = declared(app, rule.endpoint)
        assert wanted is not None
        for method in sorted((rule.methods or set()) & {"GET", *UNSAFE}):
            if rule.endpoint == "login.sign_out":
                continue  # the session is needed for the rest
            answer = browser.client.open(
                address(app, rule), method=method, data={"csrf": token}, headers={"Accept": "*/*"}
            )
            refused = answer.status_code in (401, 403) or "/login?next=" in (answer.location or "")
            if refused != (wanted != PUBLIC and role not in wanted):
                wrong.append((method, rule.rule, answer.status_code))
    assert wrong == []


def test_unsafe_request_without_the_token_is_refused(app: Flask, login: Login) -> None:
    admin, wrong = login("admin"), []
    for rule in page_rules(app):
        for method in (rule.methods or set()) & UNSAFE:
            answer = admin.client.open(address(app, rule), method=method)
            if answer.status_code != 403 and "admin" in EVERYBODY & (
                declared(app, rule.endpoint) or frozenset()
            ):
                wrong.append((method, rule.rule, answer.status_code))
    assert wrong == []


def test_a_route_that_no_desk_declared_is_closed(app: Flask, login: Login) -> None:
    app.add_url_rule("/forgotten", "forgotten", lambda: "open to all")

    assert login("admin").get("/forgotten").status_code == 403


def test_a_page_without_roles_cannot_be_registered() -> None:
    desk = Desk("nobody")

    with pytest.raises(ValueError, match="no roles"):
        desk.page("/x", roles=())
    with pytest.raises(ValueError, match="no roles"):
        desk.page("/x", roles=["boss"])


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("/tasks?view=all", "/tasks?view=all"),
        ("//evil.example", None),
        ("/\\evil.example", None),
        ("https://evil.example", None),
        ("/a\r\nSet-Cookie: x", None),
        ("", None),
        (None, None),
    ],
)
def test_only_addresses_of_our_own_are_followed(given: str | None, kept: str | None) -> None:
    assert local(given) == kept
