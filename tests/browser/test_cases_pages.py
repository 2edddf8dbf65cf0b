"""The diagrams in a real browser: marks, badges, selection, both colour schemes, and without it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from engine.model import Instance
from tests.browser.conftest import OpenPage, Site

pytestmark = pytest.mark.browser

PROCESSES = Path(__file__).resolve().parents[2] / "processes"
DRAWN = (PROCESSES / "request_desk.bpmn").read_bytes()
CHANGED = DRAWN.replace(b'name="Lead answers"', b'name="Team lead answers"')
BROKEN = DRAWN.replace(b'default="is_normal"', b"")
REQUEST = {
    "request_id": "R-1",
    "text": "It does not print.",
    "language": "en",
    "from": "a@b.example",
}


@pytest.fixture(scope="module")
def case(site: Site) -> Instance:
    """Return a case of a diagram with a layout, of a version that is no longer the newest."""
    site.engine.deploy({"request_desk.bpmn": DRAWN}, by="test")
    made = site.engine.start("request_desk", REQUEST, business_key="SR-2026-9001", by="test")
    site.engine.deploy({"request_desk.bpmn": CHANGED}, by="test", comment="Another name")
    return made


def element(element_id: str) -> str:
    """Return the selector of an element on the canvas."""
    return f'.djs-element[data-element-id="{element_id}"]'


def test_diagram_shows_where_the_case_stands(open_page: OpenPage, case: Instance) -> None:
    page = open_page(f"/cases/{case.id}", role="operator")

    for done in ("request_in", "triage", "is_normal"):
        expect(page.locator(f"{element(done)}.mark-done")).to_be_attached()
    expect(page.locator(f"{element('work')}.mark-active")).to_be_attached()
    expect(page.locator(".badge-active")).to_have_text("1")
    expect(page.locator(".bjs-powered-by")).to_be_visible()


def test_list_and_diagram_select_each_other(open_page: OpenPage, case: Instance) -> None:
    page = open_page(f"/cases/{case.id}", role="operator")
    words = page.locator("details.words")
    expect(words).not_to_have_attribute("open", "")

    words.locator("summary").click()
    words.get_by_role("link", name="Send the answer").click()
    expect(page.locator(f"{element('send_answer')}.mark-chosen")).to_be_attached()

    page.locator(f"{element('triage')} .djs-hit").first.click(force=True)
    expect(page.locator('tr[data-element="triage"]')).to_have_class("depth-0 is-chosen")


def test_diagram_is_moved_by_keyboard(open_page: OpenPage, case: Instance) -> None:
    page = open_page(f"/cases/{case.id}", role="operator")
    viewport = page.locator(".diagram-canvas g.viewport")
    before = viewport.get_attribute("transform")

    page.get_by_role("button", name="Larger").focus()
    page.keyboard.press("Enter")

    expect(viewport).not_to_have_attribute("transform", before or "")


def test_page_says_the_same_without_scripts(open_page: OpenPage, case: Instance) -> None:
    page = open_page(f"/cases/{case.id}", role="operator", scripts=False)

    expect(page.locator('tr[data-element="work"]')).to_contain_text("here now")
    expect(page.locator(".diagram-canvas")).to_be_empty()


def test_changes_are_coloured_on_the_diagram(
    open_page: OpenPage, site: Site, case: Instance
) -> None:
    latest = site.engine.deployments(limit=1)[0]
    page = open_page(f"/deployments/{latest.id}", role="admin")

    expect(page.locator(f"{element('lead_answers')}.mark-changed")).to_be_attached()


def test_problem_is_shown_at_its_element(
    open_page: OpenPage, tmp_path: Path, violations: Callable[[Page], list[str]]
) -> None:
    (tmp_path / "broken.bpmn").write_bytes(BROKEN)
    page = open_page("/deployments/new", role="admin")

    page.set_input_files("#file", tmp_path / "broken.bpmn")
    page.get_by_role("button", name="Check and deploy").click()

    expect(page.locator(f"{element('is_normal')}.mark-wrong")).to_be_attached()
    page.get_by_role("link", name="is_normal").first.click()
    expect(page.locator(f"{element('is_normal')}.mark-chosen")).to_be_attached()
    assert violations(page) == []


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(("size", "scheme"), [("wide", "light"), ("narrow", "dark")])
def test_pages_are_for_everybody(
    open_page: OpenPage, site: Site, case: Instance, violations: Callable[[Page], list[str]],
    language: str, size: str, scheme: str,
) -> None:  # fmt: skip
    paths = ["/cases", f"/cases/{case.id}", "/escalations", "/incidents", "/deployments",
             "/deployments/new", "/deployments/processes/request_desk", "/handlers"]  # fmt: skip
    page = open_page(paths[0], role="admin", language=language, size=size, scheme=scheme)
    for path in paths:
        page.goto(site.url + path)
        if path.startswith("/cases/"):
            expect(page.locator(".bjs-powered-by")).to_be_visible()
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= page.viewport_size["width"], path  # type: ignore[index]
        assert violations(page) == [], path
