"""Signing in and out: passwords, sessions that can be revoked, attempts that are counted."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from flask import Flask

from engine.clock import VirtualClock
from engine.errors import SettingsError
from engine.runtime import Engine
from engine.settings import Settings
from tests.browsing import Browser
from tests.unit.web.conftest import PASSWORD, Login
from web.app import create_app
from web.cookies import secret_key


def test_who_signs_in_begins_at_the_work_list(login: Login) -> None:
    operator = login("operator")

    assert operator.get("/").location == "/tasks"
    assert operator.get("/tasks").status_code == 200


def test_a_page_asks_to_sign_in_and_comes_back(browser: Browser, engine: Engine) -> None:
    engine.create_user("ann", role="operator", by="test", password=PASSWORD)

    asked = browser.get("/tasks?view=groups")
    back = browser.post("/login?next=/tasks?view%3Dgroups", {"name": "Ann ", "password": PASSWORD})

    assert asked.location == "/login?next=/tasks?view%3Dgroups"
    assert back.location == "/tasks?view=groups"


def test_nobody_is_led_to_another_site(browser: Browser, engine: Engine) -> None:
    engine.create_user("ann", role="operator", by="test", password=PASSWORD)

    back = browser.post("/login", {"name": "ann", "password": PASSWORD,
                                   "next": "https://evil.example/"})  # fmt: skip

    assert back.location == "/tasks"


@pytest.mark.parametrize(("name", "password"), [("ann", "wrong"), ("nobody", PASSWORD), ("", ""),
                                                ("ann", "x" * 100_000)])  # fmt: skip
def test_a_wrong_name_and_a_wrong_password_look_the_same(
    browser: Browser, engine: Engine, name: str, password: str
) -> None:
    engine.create_user("ann", role="operator", by="test", password=PASSWORD)

    answer = browser.sign_in(name, password)

    assert answer.status_code == 422
    assert "Name or password is wrong." in answer.text
    assert browser.get("/tasks").status_code == 303


def test_attempts_are_counted_and_time_forgives(
    browser: Browser, engine: Engine, clock: VirtualClock
) -> None:
    engine.create_user("ann", role="operator", by="test", password=PASSWORD)
    for _attempt in range(8):
        assert browser.sign_in("ann", "wrong").status_code == 422

    # then even the right password has to wait
    assert browser.sign_in("ANN", PASSWORD).status_code == 429
    clock.advance(80)
    assert browser.sign_in("ann", PASSWORD).status_code == 303


def test_who_knows_the_password_may_sign_in_as_often_as_needed(
    browser: Browser, engine: Engine, app: Flask
) -> None:
    engine.create_user("ann", role="operator", by="test", password=PASSWORD)

    answers = [Browser(app).sign_in("ann", PASSWORD).status_code for _time in range(12)]

    assert answers == [303] * 12


def test_one_address_cannot_try_many_names(browser: Browser) -> None:
    answers = [browser.sign_in(f"user{n}", "guess").status_code for n in range(41)]

    assert answers[:40] == [422] * 40
    assert answers[40] == 429


def test_a_one_time_password_must_be_changed_first(browser: Browser, engine: Engine) -> None:
    _, secret = engine.create_user("ann", role="lead", by="test")

    assert browser.sign_in("ann", secret).location == "/password"
    assert browser.get("/tasks").location == "/password"

    new = {"old": secret, "new": "a better one, this", "again": "a better one, this"}
    assert browser.post("/password", new).status_code == 303
    assert browser.get("/tasks").status_code == 200


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"old": "wrong", "new": "long enough word", "again": "long enough word"}, "is wrong"),
        ({"old": PASSWORD, "new": "short", "again": "short"}, "At least 10"),
        ({"old": PASSWORD, "new": PASSWORD, "again": PASSWORD}, "At least 10"),
        ({"old": PASSWORD, "new": "long enough word", "again": "another word"}, "differ"),
        ({}, "At least 10"),
    ],
)
def test_a_bad_new_password_is_refused_beside_its_field(
    login: Login, form: dict[str, str], said: str
) -> None:
    operator = login("operator")

    answer = operator.post("/password", form)

    assert answer.status_code == 422
    assert said in answer.text or "is wrong" in answer.text


def test_a_new_password_ends_all_other_sessions(login: Login, app: Flask) -> None:
    here, there = login("operator"), Browser(app)
    there.sign_in("operator", PASSWORD)

    here.post("/password", {"old": PASSWORD, "new": "long enough word",
                            "again": "long enough word"})  # fmt: skip

    assert here.get("/tasks").status_code == 200
    assert there.get("/tasks").status_code == 303


def test_a_copied_cookie_is_worthless_after_signing_out(login: Login, app: Flask) -> None:
    operator = login("operator")
    cookie = operator.client.get_cookie("caseway")
    assert cookie is not None

    operator.post("/logout")

    thief = Browser(app)
    thief.client.set_cookie("caseway", cookie.value)
    assert thief.get("/tasks").status_code == 303


def test_a_disabled_account_is_out_at_once(login: Login, engine: Engine) -> None:
    operator = login("operator")

    engine.disable_user("operator", by="test")

    assert operator.get("/tasks").status_code == 303
    assert operator.sign_in("operator", PASSWORD).status_code == 422


def test_a_session_ends_with_the_working_day(login: Login, clock: VirtualClock) -> None:
    operator = login("operator")

    clock.advance(14 * 3600 + 1)

    assert operator.get("/tasks").status_code == 303


def test_a_new_role_counts_from_the_next_page_on(login: Login, engine: Engine) -> None:
    someone = login("operator")
    assert someone.get("/tasks").status_code == 200

    engine.change_user("operator", role="customer", by="test")

    assert someone.get("/tasks").status_code == 403


def test_the_cookie_is_closed_to_scripts_and_other_sites(app: Flask, engine: Engine) -> None:
    plain = Browser(app).get("/login").headers["Set-Cookie"]
    behind_https = app.test_client().get("/login", base_url="https://localhost")

    assert "HttpOnly" in plain
    assert "SameSite=Lax" in plain
    assert "Secure" not in plain
    assert "Secure" in behind_https.headers["Set-Cookie"]


def test_a_public_address_with_https_makes_every_cookie_secure(
    engine: Engine, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path, public_url="https://desk.example")

    app = create_app(settings, engine=engine)

    assert "Secure" in Browser(app).get("/login").headers["Set-Cookie"]


def test_pages_carry_the_headers_that_protect_them(browser: Browser) -> None:
    headers = browser.get("/login").headers

    policy = headers["Content-Security-Policy"]
    assert "'unsafe-inline'" not in policy
    assert "'unsafe-eval'" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    # and each answer has a word of its own for scripts
    assert policy != browser.get("/login").headers["Content-Security-Policy"]


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")

    first = secret_key(settings)

    path = tmp_path / "data" / "secret.key"
    assert secret_key(settings) == first
    assert len(first) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_damaged_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_bytes(b"short")

    with pytest.raises(SettingsError, match=r"secret\.key"):
        secret_key(Settings(data_dir=tmp_path))


def test_preferences_are_kept_and_nonsense_is_refused(login: Login, engine: Engine) -> None:
    operator = login("operator")

    operator.post("/preferences", {"language": "zh", "zone": "Asia/Shanghai", "theme": "dark"})
    refused = operator.post("/preferences", {"zone": "Moon/Base"})

    kept = engine.user("operator")
    assert (kept.language, kept.zone, kept.theme) == ("zh", "Asia/Shanghai", "dark")
    assert refused.status_code == 422
