"""A real browser on a real server, both on this machine: `site`, `open_page`, `axe`.

Chromium is the system's own (`chromium` on the path); without one these tests are skipped, but not
where CI runs.
"""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from werkzeug.serving import make_server

from engine.runtime import Engine
from engine.settings import Settings
from tests.unit.web.sample import FILES, VARIABLES
from web.app import create_app

PASSWORD = "correct horse battery"
SIZES = {"wide": {"width": 1280, "height": 900}, "narrow": {"width": 360, "height": 740}}
OpenPage = Callable[..., Page]
# a page that is slow on a busy machine is not wrong; what never comes still fails
expect.set_options(timeout=30_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A running installation."""

    url: str
    engine: Engine


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Return the system's Chromium, started once."""
    path = shutil.which("chromium")
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail("there is no Chromium, and CI leaves nothing out")
        pytest.skip("there is no Chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield started
        started.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Return an installation with one user of each role and a few open tasks."""
    folder: Path = tmp_path_factory.mktemp("site")
    engine = Engine(Settings(data_dir=folder))
    engine.migrate()
    people(engine)
    tasks(engine)
    app = create_app(engine.settings, engine=engine)
    with listener() as heard, serving(app, heard):
        yield Site(url=address(heard), engine=engine)
    engine.close()


@contextmanager
def listener() -> Iterator[socket.socket]:
    """Yield a socket on a free port, which stays taken from the first moment on."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def address(heard: socket.socket) -> str:
    """Return the URL of what listens there."""
    return f"http://127.0.0.1:{heard.getsockname()[1]}"


@contextmanager
def serving(app: Flask, heard: socket.socket) -> Iterator[None]:
    """Answer the calls that come in at a socket."""
    port = heard.getsockname()[1]
    server = make_server("127.0.0.1", port, app, threaded=True, fd=heard.fileno())
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def people(engine: Engine) -> None:
    """Make one user of each role, named like it."""
    names = {"customer": "王小明", "operator": "李文", "lead": "陈静", "analyst": "赵磊",
             "admin": "Admin"}  # fmt: skip
    for role, display in names.items():
        groups = ["front_desk", "analysts"] if role in ("operator", "lead") else []
        engine.create_user(role, role=role, by="test", password=PASSWORD, display=display,
                           groups=groups, zone="Asia/Shanghai")  # fmt: skip


def tasks(engine: Engine) -> None:
    """Start cases: one late, one soon due, one later, the rest without a due time."""
    engine.deploy(FILES, by="test")
    now = datetime.now(UTC)
    hours = [-3, 2, 30, None, None]
    for number, offset in enumerate(hours, start=1):
        due = None if offset is None else now + timedelta(hours=offset)
        engine.start("needs", {**VARIABLES, "due_at": due, "urgent": number == 1},
                     business_key=f"SR-2026-{number:04}", by="test")  # fmt: skip


@pytest.fixture
def open_page(chromium: Browser, site: Site) -> Iterator[OpenPage]:
    """Return a way to open a page: `open_page("/tasks", role="operator", language="zh")`.

    Also size= wide | narrow, scheme= light | dark, scripts=False. What the page's policy forbids or
    a script throws fails the test.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_it(
        path: str, *, role: str | None = None, language: str = "en", size: str = "wide",
        scheme: Any = "light", scripts: bool = True,
    ) -> Page:  # fmt: skip
        context = chromium.new_context(
            viewport=SIZES[size], color_scheme=scheme, java_script_enabled=scripts,  # type: ignore[arg-type]
            locale={"zh": "zh-CN"}.get(language, "en-GB"), timezone_id="Asia/Shanghai",
        )  # fmt: skip
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: _heard(line.text, complaints))
        if role is not None:
            page.goto(f"{site.url}/login")
            page.fill("#name", role)
            page.fill("#password", PASSWORD)
            page.click("main button")
        page.goto(site.url + path)
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert complaints == []


def _heard(text: str, complaints: list[str]) -> None:
    if "Content Security Policy" in text:
        complaints.append(text)


def wait_until_drawn(page: Page) -> None:
    """Wait until every diagram of a page is drawn, or has said that it cannot be."""
    expect(page.locator(_UNDRAWN)).to_have_count(0)


#: diagrams that are being drawn; what is folded away is drawn when it is opened
_UNDRAWN = (
    "[data-diagram]:not(:has(.diagram-controls), :has(.diagram-failed:not([hidden])), "
    "details:not([open]) *)"
)


@pytest.fixture(scope="session")
def axe() -> str:
    """Return the script of axe."""
    return str(Axe().axe_script)


@pytest.fixture
def violations(axe: str) -> Callable[[Page], list[str]]:
    """Return a way to ask axe what people with impairments cannot use on a page."""

    def ask(page: Page) -> list[str]:
        if not page.evaluate("'axe' in window"):
            page.evaluate(axe)
        found: list[dict[str, Any]] = page.evaluate(_ASK, _RULES)
        return [
            f"{one['id']}: {node['target']} {node.get('failureSummary', '')[:200]}"
            for one in found
            for node in one["nodes"]
        ]

    return ask


_ASK = "rules => axe.run(document, rules).then(told => told.violations)"
_RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    # all rules are asked; of what is in order no list is made
    "resultTypes": ["violations"],
}
