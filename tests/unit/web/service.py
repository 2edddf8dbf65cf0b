"""The shipped service on a database of a test's own, and cases brought to a phase of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from engine.clock import VirtualClock
from engine.model import UserTask
from engine.registry import Registry
from engine.runtime import Engine
from engine.settings import Settings
from engine.worker import drain
from handlers.records import Records
from handlers.staff import Worker, employ
from tests.browsing import Browser
from tests.unit.web import kept
from web.app import create_app
from web.demo import shipped
from web.demo_cases import Player
from web.demo_stories import OWN, Story
from web.links import links_of
from web.portal_case import CustomerCase, customer_case

SKILLS = ("repair", "install", "maintenance", "software", "consulting")
STORY = Story(
    key="story", language="en", name="Lin Yu", email=OWN, text="The pump in hall 3 leaks.",
    began_h=0, pace_min=10, stop=frozenset(), need="A pump that does not leak",
    scope="Replace the seal of the pump", skill="repair",
    lines=(("Visit", 1, "100"), ("Seal", 2, "12.50")),
    times={"after_sales": "PT1H", "survey_delay": "PT10M"},
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The engine with handlers and diagrams, and what a test does with them."""

    engine: Engine
    registry: Registry
    app: Flask
    clock: VirtualClock

    def drain(self) -> None:
        """Do all work that is due now."""
        drain(self.engine, self.clock.now(), registry=self.registry)

    def play(self, **changes: Any) -> str:
        """Play a case until its story stops; return its id."""
        employ(Records.of(self.engine.settings), Worker(user="operator", skills=SKILLS))
        player = Player(self.engine, replace(STORY, **changes))
        while player.act():
            self.drain()
            self.clock.advance(60 * player.story.pace_min)
            self.drain()
        return self.engine.cases(limit=1)[0].id

    def link(self, root_id: str, purpose: str) -> str:
        """Return the path of a page about a case."""
        return f"/p/{purpose}/{links_of(self.engine).make(purpose, root_id)}"

    def case(self, root_id: str) -> CustomerCase:
        """Return a case as its customer sees it."""
        with self.app.app_context():
            return customer_case(self.engine, root_id, "en")

    def tasks(self, root_id: str) -> list[UserTask]:
        """Return the open tasks of a case."""
        return [one for one in self.engine.tasks(limit=100) if one.root_id == root_id]

    def events(self) -> int:
        """Return how much has happened in all cases together."""
        return sum(
            len(self.engine.history(case.id, limit=1000)) for case in self.engine.cases(limit=100)
        )

    def browser(self, language: str = "en") -> Browser:
        """Return a browser in which nobody has signed in."""
        return Browser(self.app, language)


def prepare(folder: Path) -> Path:
    """Return the folder with the shipped diagrams deployed into its database."""
    folder.mkdir(exist_ok=True)
    settings = Settings(data_dir=folder)
    engine = Engine(settings, registry=Registry.load(settings))
    engine.migrate()
    engine.deploy(shipped(), by="test")
    Records.of(settings)
    kept.remember(engine)
    engine.close()
    return folder


@contextmanager
def opened(data: Path, clock: VirtualClock) -> Iterator[Service]:
    """Yield the service on a prepared folder."""
    settings = Settings(data_dir=data)
    registry = Registry.load(settings)
    engine = Engine(settings, clock=clock, registry=registry)
    kept.recall(engine)
    app = kept.with_templates(create_app(settings, engine=engine))
    yield Service(engine=engine, registry=registry, clock=clock, app=app)
    engine.close()


@pytest.fixture(scope="session")
def service_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder with the shipped diagrams deployed; do not write to it."""
    return prepare(tmp_path_factory.mktemp("service"))


@pytest.fixture
def service(service_data: Path, tmp_path: Path, clock: VirtualClock) -> Iterator[Service]:
    """Return the service with no cases."""
    data = Path(shutil.copytree(service_data, tmp_path / "data"))
    with opened(data, clock) as made:
        yield made
