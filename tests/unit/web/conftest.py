"""Pages on a database of the test's own: `app`, `browser` (nobody), `login(role)` (somebody)."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from engine.clock import VirtualClock
from engine.runtime import Engine
from engine.settings import Settings
from tests.browsing import Browser
from tests.unit.web import kept
from tests.unit.web.service import service, service_data  # noqa: F401 - fixtures
from web.app import create_app

PASSWORD = "correct horse battery"
Login = Callable[..., Browser]


@pytest.fixture
def clock() -> VirtualClock:
    """Return a clock that stands at nine on a Monday."""
    return VirtualClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))


@pytest.fixture
def engine(migrated_sqlite: Path, tmp_path: Path, clock: VirtualClock) -> Iterator[Engine]:
    """Return an engine on an empty database."""
    shutil.copy(migrated_sqlite, tmp_path)
    made = Engine(Settings(data_dir=tmp_path), clock=clock)
    yield made
    made.close()


@pytest.fixture
def app(engine: Engine) -> Flask:
    """Return the web application on that engine."""
    return kept.with_templates(create_app(engine.settings, engine=engine))


@pytest.fixture
def browser(app: Flask) -> Browser:
    """Return a browser in which nobody has signed in."""
    return Browser(app)


@pytest.fixture
def login(app: Flask, engine: Engine) -> Login:
    """Return a way to sign in: `login("lead", groups=["sales"])`; the name is that of the role."""

    def sign_in(role: str, *, name: str | None = None, **details: Any) -> Browser:
        name = name or role
        details = {"language": "en", **details}
        engine.create_user(name, role=role, by="test", password=PASSWORD, **details)
        browser = Browser(app, details["language"] or "en")
        assert browser.sign_in(name, PASSWORD).status_code == 303
        return browser

    return sign_in
