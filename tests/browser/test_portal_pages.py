"""The customer's pages in a real browser: for everybody, on every size, and without scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from engine.clock import VirtualClock
from tests.browser.conftest import PASSWORD, OpenPage, Site, address, listener, serving
from tests.unit.web.service import Service, opened, prepare
from web.demo_stories import OWN, STORIES

pytestmark = pytest.mark.browser

Ask = Callable[[Page], list[str]]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return the shipped service with a case in each phase that shows another page."""
    clock = VirtualClock(datetime.now(UTC) - timedelta(days=9))
    with opened(prepare(tmp_path_factory.mktemp("portal")), clock) as made:
        for story in STORIES[:1] + STORIES[2:4] + STORIES[7:9]:
            made.play(**{name: getattr(story, name) for name in story.__slots__})
        made.engine.create_user(
            "customer", role="customer", by="test", password=PASSWORD, email=OWN, display="林小雨"
        )
        yield made


@pytest.fixture(scope="module")
def site(service: Service) -> Iterator[Site]:
    """Return that service as a running installation."""
    with listener() as heard, serving(service.app, heard):
        yield Site(url=address(heard), engine=service.engine)


def paths(service: Service) -> list[str]:
    """Return a page of each kind, by its link."""
    turns = {service.case(case.id).turn: case.id for case in service.engine.cases()}
    over = turns[None]
    return [
        "/p/new",
        "/p/thanks",
        "/p/follow/nothing",
        service.link(over, "follow"),
        service.link(over, "answer"),
        service.link(over, "rate"),
        service.link(turns["reply"], "follow"),
        service.link(turns["answer"], "answer"),
        service.link(turns["answer"], "follow") + "/withdraw",
        service.link(turns["confirm"], "confirm"),
        service.link(turns["rate"], "rate"),
    ]


@pytest.mark.parametrize(
    ("language", "scheme", "size"),
    [("zh", "light", "narrow"), ("en", "dark", "wide")],
)
def test_everybody_can_use_the_pages(
    open_page: OpenPage, service: Service, site: Site, violations: Ask,
    language: str, scheme: str, size: str,
) -> None:  # fmt: skip
    page = open_page("/my", role="customer", language=language, scheme=scheme, size=size)
    found = []
    for path in ("/my", *paths(service)):
        page.goto(site.url + path)
        found += [f"{path} {line}" for line in violations(page)]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{path} is wider than the window")
    assert found == []


def test_a_request_is_sent_and_followed_without_scripts(open_page: OpenPage) -> None:
    page = open_page("/p/new", language="zh", size="narrow", scripts=False)

    page.get_by_label("您需要什么帮助？").fill("三楼的空调不制冷。")
    page.get_by_label("怎样联系您？").fill("lin@example.com")
    page.get_by_role("button", name="提交请求").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("三楼的空调不制冷")
    expect(page.get_by_text("我们正在处理。")).to_be_visible()


def test_mistakes_are_read_first_and_lead_to_their_fields(
    open_page: OpenPage, violations: Ask
) -> None:
    page = open_page("/p/new", size="narrow")
    page.get_by_label("What is it about?").fill("The tap drips.")
    page.get_by_label("How can we reach you?").fill("nowhere")

    page.get_by_role("button", name="Send the request").click()

    expect(page.locator("#errors")).to_be_focused()
    page.locator("#errors a").click()
    expect(page.locator("#reach")).to_be_focused()
    expect(page.get_by_label("What is it about?")).to_have_value("The tap drips.")
    assert violations(page) == []


def test_an_offer_is_negotiated_line_by_line_with_the_keyboard(
    open_page: OpenPage, service: Service
) -> None:
    root_id = next(
        case.id for case in service.engine.cases() if service.case(case.id).turn == "answer"
    )
    page = open_page(service.link(root_id, "answer"))

    page.locator("details.ask-line summary").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("Two cameras less, please.")
    page.locator("input[name=choice]").first.focus()
    page.keyboard.press("ArrowDown")
    page.get_by_label("Your name").press("Enter")

    expect(page.get_by_role("heading", name="You have asked for changes")).to_be_visible()
    expect(page.get_by_text("Two cameras less, please.").first).to_be_visible()
