"""The operator's desk in a real browser: usable by everybody, with and without scripts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, Site

pytestmark = pytest.mark.browser

#: every answer that a script asks for comes late
_SLOW = """const real = window.fetch;
window.fetch = async (...call) => {
  const answer = await real(...call);
  await new Promise((done) => setTimeout(done, 700));
  return answer;
};"""
Ask = Callable[[Page], list[str]]


def task_of(site: Site, key: str) -> str:
    """Return the id of the open task of a case, claimed by the operator."""
    found = next(task for task in site.engine.tasks() if task.business_key == key)
    if found.assignee is None:
        site.engine.claim(found.id, by="operator")
    return found.id


@pytest.mark.parametrize(
    ("language", "scheme", "size"),
    [("en", "light", "wide"), ("zh", "dark", "wide"), ("zh", "light", "narrow"),
     ("en", "dark", "narrow")],
)  # fmt: skip
def test_everybody_can_use_the_pages(
    open_page: OpenPage, site: Site, violations: Ask, language: str, scheme: str, size: str
) -> None:
    options = {"language": language, "scheme": scheme, "size": size}
    found = violations(open_page("/login", **options))
    task = task_of(site, "SR-2026-0001")
    page = open_page("/tasks?view=groups", role="operator", **options)
    for path in ("/tasks?view=groups", "/tasks", f"/tasks/{task}", "/preferences", "/password",
                 "/tasks/nothing"):  # fmt: skip
        page.goto(site.url + path)
        found += [f"{path} {line}" for line in violations(page)]
        # nothing sticks out to the right
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{path} is wider than the window")
    assert found == []


def test_a_form_with_mistakes_can_be_used_by_everybody(
    open_page: OpenPage, site: Site, violations: Ask
) -> None:
    page = open_page(f"/tasks/{task_of(site, 'SR-2026-0002')}", role="operator")

    page.get_by_role("button", name="Complete", exact=True).click()

    # then what is wrong is read first, and each line leads to its field
    expect(page.locator("#errors")).to_be_focused()
    page.locator("#errors a").first.click()
    expect(page.locator("#f-kind")).to_be_focused()
    assert violations(page) == []


def test_a_field_appears_when_its_condition_holds(open_page: OpenPage, site: Site) -> None:
    page = open_page(f"/tasks/{task_of(site, 'SR-2026-0003')}", role="operator")
    expect(page.get_by_label("Address of the visit")).to_have_count(0)

    page.get_by_label("Visit").first.check()

    expect(page.get_by_label("Address of the visit")).to_be_visible()
    # what was typed elsewhere is still there
    expect(page.locator("#f-contact-name")).to_have_value("王小明")


def test_the_form_works_without_scripts(open_page: OpenPage, site: Site) -> None:
    page = open_page(f"/tasks/{task_of(site, 'SR-2026-0004')}", role="operator", scripts=False)

    page.select_option("#f-kind", "repair")
    page.get_by_label("Visit").first.check()
    page.fill("#f-items-0-what", "Drum")
    page.get_by_role("button", name="Add a line").click()
    page.fill("#f-items-1-what", "Belt")
    page.get_by_role("button", name="Complete", exact=True).click()
    # the address was not on the page yet: it is now, and named
    page.fill("#f-address", "Harbour Road 1")
    page.get_by_role("button", name="Complete", exact=True).click()

    expect(page.get_by_role("status").first).to_contain_text("Done")


def test_the_keyboard_reaches_the_content_at_once(open_page: OpenPage) -> None:
    page = open_page("/tasks", role="operator")

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.locator("#main")).to_be_focused()


def test_what_is_typed_while_the_form_is_refreshed_stays(open_page: OpenPage, site: Site) -> None:
    page = open_page(f"/tasks/{task_of(site, 'SR-2026-0003')}", role="operator")
    page.add_init_script(_SLOW)
    page.reload()

    # the first field is left, which asks the server; meanwhile the person goes on
    page.fill("#f-contact-email", "li@example.com")
    page.locator("#f-contact-email").press("Tab")
    page.locator("#f-summary").press_sequentially("called, all is well", delay=60)
    page.wait_for_timeout(1200)

    expect(page.locator("#f-summary")).to_have_value("called, all is well")
    expect(page.locator("#f-contact-email")).to_have_value("li@example.com")


def test_a_draft_is_kept_while_somebody_types(open_page: OpenPage, site: Site) -> None:
    task = task_of(site, "SR-2026-0005")
    page = open_page(f"/tasks/{task}", role="operator")

    page.locator("#f-summary").press_sequentially("half a sentence")

    expect(page.locator("#draft-state")).to_contain_text("Draft kept")
    page.reload()
    expect(page.locator("#f-summary")).to_have_value("half a sentence")
