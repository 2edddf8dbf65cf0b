"""An admin changes a diagram while cases run: they keep their version, new ones have the new."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import pytest

from engine import worker
from engine.clock import VirtualClock
from engine.registry import Registry
from engine.runtime import Engine
from engine.settings import Settings
from tests.browsing import Browser
from web import intake
from web.app import create_app
from web.demo import shipped

PASSWORD = "correct horse battery"
FILE, OLD, NEW = "customer_contact.bpmn", "了解诉求", "倾听客户的诉求"


class House:
    """An installation with the shipped service, its admin at the pages, and customers who ask."""

    def __init__(self, folder: Path) -> None:
        settings = Settings(data_dir=folder)
        self.clock = VirtualClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
        self.registry = Registry.load(settings)
        self.engine = Engine(settings, clock=self.clock, registry=self.registry)
        self.engine.migrate()
        self.engine.deploy(shipped(), by="admin", comment="as shipped")
        self.engine.create_user("admin", role="admin", by="test", password=PASSWORD, language="zh")
        self.admin = Browser(create_app(settings, engine=self.engine), "zh")
        assert self.admin.sign_in("admin", PASSWORD).status_code == 303

    def ask(self, name: str) -> str:
        """Let a customer ask; return the id of the case."""
        request = intake.Request(
            channel="web", text=f"{name}：空调不制冷", subject="空调", language="zh",
            email=f"{name}@example.com",
        )  # fmt: skip
        root_id = intake.begin(self.engine, request, key=f"test:{name}")
        worker.drain(self.engine, self.clock.now(), registry=self.registry)
        assert self.engine.incidents() == []
        return root_id

    def listening(self, root_id: str) -> tuple[int, str, str]:
        """Return version, name and page of the task at which a customer is heard."""
        (task,) = self.engine.tasks(instance_id=root_id)
        version = self.engine.case(task.instance_id).version
        return version, task.name, unescape(self.admin.get(f"/tasks/{task.id}").text)

    def versions(self) -> dict[int, bool]:
        """Return the versions of the changed process: number -> whether new cases use it."""
        found = [one for one in self.engine.definitions() if one.process_id == "customer_contact"]
        return {one.version: one.active for one in found}


@pytest.fixture
def house(data_folder: Path) -> Iterator[House]:
    made = House(data_folder)
    yield made
    made.engine.close()


def changed(house: House) -> str:
    """Download a diagram, change one text, upload it; return the page of the deployment."""
    (first,) = house.engine.deployments(limit=2)
    content = house.admin.get(f"/deployments/{first.id}/files/{FILE}").data.decode()
    assert OLD in content
    upload = (io.BytesIO(content.replace(OLD, NEW).encode()), FILE)
    given = {"file": upload, "comment": "客户的话", "activate": "1", "act": "deploy"}
    answer = house.admin.post("/deployments", given)
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def test_running_cases_keep_their_version_through_a_change_and_its_roll_back(
    house: House,
) -> None:
    running = [house.ask(f"old{n}") for n in range(10)]

    page = changed(house)

    # then the page says what has changed, the ten have what they began with, a new case the new
    shown = unescape(house.admin.get(page).text)
    assert re.search(f"<del>.*{OLD}</del> *<ins>.*{NEW}</ins>", shown)
    assert house.versions() == {1: False, 2: True}
    assert {house.listening(one)[:2] for one in running} == {(1, OLD)}
    newer = house.ask("newer")
    version, name, task_page = house.listening(newer)
    assert (version, name) == (2, NEW)
    assert NEW in task_page

    # when it is rolled back
    answer = house.admin.post(f"{page}/roll-back")

    # then nothing that runs has moved, and the next case has the old version again
    assert answer.status_code == 303
    assert house.versions() == {1: True, 2: False}
    assert {house.listening(one)[:2] for one in running} == {(1, OLD)}
    assert house.listening(newer)[:2] == (2, NEW)
    assert house.listening(house.ask("latest"))[:2] == (1, OLD)
    acts = house.engine.acts_on(["customer_contact version 1"])
    assert [act.why for act in acts] == ["回滚", "as shipped"]


def test_a_diagram_uploaded_alone_still_finds_its_forms(house: House) -> None:
    changed(house)

    _version, _name, task_page = house.listening(house.ask("li"))

    assert "客户原话" in task_page


def test_cases_of_both_versions_go_on(house: House) -> None:
    older = house.ask("older")
    changed(house)
    newer = house.ask("newer")
    given = {"verbatim": "不制冷", "need": "修好", "read_back": True, "category": "fault",
             "impact": "low", "urgency": "low", "contact_result": "need"}  # fmt: skip

    for root_id in (older, newer):
        (task,) = house.engine.tasks(instance_id=root_id)
        house.engine.complete(task.id, given, by="admin")
    worker.drain(house.engine, house.clock.now(), registry=house.registry)

    for root_id in (older, newer):
        (task,) = house.engine.tasks(instance_id=root_id)
        assert task.element_id == "choose_methods"
