"""The shipped service on a real server whose clock only the test moves, and people at browsers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, expect

from engine.clock import VirtualClock
from engine.registry import Registry
from engine.runtime import Engine
from engine.settings import Settings
from engine.worker import drain
from handlers.records import Records
from handlers.staff import Worker, employ
from tests.browser.conftest import listener, serving
from web.app import create_app
from web.demo import PEOPLE, shipped

PASSWORD = "correct horse battery"
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


class Service:
    """A running installation: its address, its engine, its clock, and who sits in front of it."""

    def __init__(self, folder: Path, port: int, chromium: Browser) -> None:
        self.url = f"http://127.0.0.1:{port}"
        settings = Settings(data_dir=folder, port=port, public_url=self.url)
        self.clock = VirtualClock(START)
        self.registry = Registry.load(settings)
        self.engine = Engine(settings, clock=self.clock, registry=self.registry)
        self.engine.migrate()
        self.engine.deploy(shipped(), by="test", comment="as shipped")
        for person in PEOPLE:
            self.engine.create_user(
                person.name, role=person.name, by="test", password=PASSWORD, language="zh",
                display=person.display, groups=person.groups, zone="Asia/Shanghai",
            )  # fmt: skip
        employ(Records.of(settings), Worker(user="operator", skills=["repair"], teams=["field"]))
        self._chromium = chromium
        self._contexts: list[BrowserContext] = []
        #: what pages complained about: scripts that failed, what the policy forbids
        self.complaints: list[str] = []

    def work(self, **span: float) -> None:
        """Let the worker do what is due now, or after a while."""
        drain(self.engine, self.clock.now() + timedelta(**span), registry=self.registry)
        assert [one.message for one in self.engine.incidents()] == []

    def sit_down(self, role: str | None = None) -> Page:
        """Return the page of somebody who reads Chinese; with a role, signed in."""
        context = self._chromium.new_context(
            viewport={"width": 1280, "height": 900}, locale="zh-CN", timezone_id="Asia/Shanghai"
        )
        self._contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url} {error}"))
        page.on("console", lambda line: self._hear(page, line.text))
        if role is not None:
            page.goto(f"{self.url}/login")
            page.get_by_label("用户名").fill(role)
            page.get_by_label("密码").fill(PASSWORD)
            page.locator("main").get_by_role("button", name="登录").click()
            expect(page.locator("main h1")).not_to_have_text("登录")
        return page

    def _hear(self, page: Page, text: str) -> None:
        if "Content Security Policy" in text:
            self.complaints.append(f"{page.url} {text}")

    def letter(self, purpose: str) -> str:
        """Return the newest link for a purpose in the mails that have left."""
        found: list[tuple[datetime, str]] = []
        for path in self.engine.settings.outbox_dir.glob("*.eml"):
            mail = message_from_bytes(path.read_bytes(), policy=policy.default)
            body = mail.get_body(("plain",))
            text = "" if body is None else str(body.get_content())
            moment = mail["Date"].datetime if mail["Date"] else START
            found += [
                (moment, link)
                for link in re.findall(rf"{re.escape(self.url)}/p/{purpose}/\S+", text)
            ]
        assert found, f"no mail has a link to {purpose}"
        return max(found)[1]

    def close(self) -> None:
        """Let everybody go home."""
        for context in self._contexts:
            context.close()


@contextmanager
def running(folder: Path, chromium: Browser) -> Iterator[Service]:
    """Run the shipped service for a test."""
    with listener() as heard:
        service = Service(folder, heard.getsockname()[1], chromium)
        try:
            with serving(create_app(service.engine.settings, engine=service.engine), heard):
                try:
                    yield service
                finally:
                    service.close()
        finally:
            service.engine.close()


def fill_in(page: Page, answers: Mapping[str, str]) -> None:
    """Type and choose what belongs into a form of a task; names are paths like `items.0.title`."""
    for path, text in answers.items():
        field = page.locator(f'[name="v.{path}"]')
        kind = field.first.evaluate("one => one.type")
        if kind in ("radio", "checkbox"):
            page.locator(f'[name="v.{path}"][value="{text}"]').check()
        elif kind == "select-one":
            field.select_option(text)
        else:
            field.fill(text)
