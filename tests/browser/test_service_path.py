"""A whole case in a real browser: what the customer, the desks and the lead see and click."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from engine.model import HistoryRow
from tests import story
from tests.browser.service import Service, fill_in, running

pytestmark = pytest.mark.browser

FORMS: dict[str, Mapping[str, str]] = {
    "了解诉求": {
        "verbatim": "热水器漏水", "need": "修好热水器", "read_back": "true", "category": "fault",
        "impact": "medium", "urgency": "high", "contact_result": "need",
    },
    "选择调研方法": {"methods": "interview"},
    "收集需求": {"findings": "接口老化"},
    "整理需求": {
        "why": "漏水", "what": "更换接口", "who": "住户", "when_needed": "本周",
        "where_used": "家里", "how": "上门", "expected_result": "不再漏水",
        "items.0.title": "接口", "items.0.priority": "high", "items.0.criterion": "24 小时不漏",
    },
    "起草方案": {
        "scope": "更换接口并检查", "method": "上门维修", "days": "2", "skill": "repair",
        "fit": "full", "effort": "low", "risk": "low",
        "lines.0.title": "人工", "lines.0.count": "2", "lines.0.price": "150.50", "discount": "0",
    },
    "调整方案": {"discount": "5", "offer_message": "已为您优惠 5%。"},
    "制定交付计划": {
        "promised_on": "2026-03-06", "work_orders.0.title": "上门维修",
        "work_orders.0.skill": "repair", "work_orders.0.hours": "3",
    },
    "接单": {"accepted": "true"},
    "主管完成作业": {"hours": "4", "report": "主管已更换接口"},
    "质量检查": {"passed": "true", "quality_score": "5"},
    "交接与指导": {"explained": "使用与保养", "received_by": "李雷"},
}  # fmt: skip


@pytest.fixture
def service(tmp_path: Path, chromium: Browser) -> Iterator[Service]:
    with running(tmp_path, chromium) as made:
        yield made


def do(service: Service, page: Page, task: str) -> None:
    """Find a task in the work list, claim it, fill in its form, complete it."""
    page.goto(f"{service.url}/tasks?view=groups")
    link = page.get_by_role("link", name=task, exact=True)
    if link.count() == 0:
        page.goto(f"{service.url}/tasks?view=mine")
    link.first.click()
    claim = page.get_by_role("button", name="领取此任务")
    if claim.count():
        claim.click()
    fill_in(page, FORMS[task])
    page.get_by_role("button", name="完成", exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text(task)
    service.work()


def ask(service: Service) -> Page:
    """Let a customer ask in Chinese; return the page on which the case can be followed."""
    page = service.sit_down()
    page.goto(service.url)
    page.get_by_label("您需要什么帮助？").fill("热水器从昨天开始漏水，请尽快派人来修。")
    page.get_by_label("怎样联系您？").fill("li@example.com")
    page.get_by_label("您的姓名").fill("李雷")
    page.get_by_role("button", name="提交请求").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("热水器")
    service.work()
    return page


def answer_offer(page: Page, link: str, choice: str, words: str = "") -> None:
    """Answer the offer behind a link as a customer."""
    page.goto(link)
    page.get_by_role("radio", name=choice).check()
    page.get_by_label("补充说明").fill(words)
    if choice == "接受":
        page.get_by_role("checkbox").check()
    page.get_by_role("button", name="提交答复").click()
    expect(page.get_by_role("status").first).to_be_visible()


def history(service: Service, root_id: str) -> list[dict[str, object]]:
    """Return everything that has happened in a case."""
    rows: list[HistoryRow] = []
    while more := service.engine.history(root_id, after=rows[-1].seq if rows else 0, limit=500):
        rows += more
    names = ("seq", "at", "kind", "element_id", "token")
    return [{name: getattr(row, name) for name in names} for row in rows]


def test_a_case_goes_from_the_request_to_the_rating(service: Service) -> None:
    customer = ask(service)
    follow = customer.url
    operator, analyst = service.sit_down("operator"), service.sit_down("analyst")

    # the desks hear, find out and draft; the customer confirms what was understood
    do(service, operator, "了解诉求")
    for task in ("选择调研方法", "收集需求", "整理需求"):
        do(service, analyst, task)
    customer.goto(service.letter("confirm"))
    expect(customer.locator("main")).to_contain_text("更换接口")
    customer.get_by_role("button", name="对，就是这样").click()
    service.work()
    do(service, analyst, "起草方案")

    # the customer negotiates once and accepts what comes of it
    first = service.letter("answer")
    answer_offer(customer, first, "协商", "便宜一点")
    service.work()
    service.clock.advance(60)
    do(service, operator, "调整方案")
    customer.goto(service.letter("answer"))
    expect(customer.locator(".totals")).to_contain_text(re.compile("折扣.*−15.05", re.DOTALL))
    answer_offer(customer, service.letter("answer"), "接受")
    expect(customer.locator("main")).to_contain_text("您已接受")
    service.work()

    # delivery begins and is late: the lead takes it over on the board
    do(service, operator, "制定交付计划")
    do(service, operator, "接单")
    service.work(days=1, minutes=1)
    lead = service.sit_down("lead")
    lead.goto(f"{service.url}/escalations")
    level = lead.locator("section").filter(has=lead.get_by_role("heading", name="1 级：团队"))
    level.get_by_role("button", name="接手").click()
    expect(lead.get_by_role("status").first).to_contain_text("2026-000001")
    service.work()
    do(service, lead, "主管完成作业")
    do(service, lead, "质量检查")
    operator = service.sit_down("operator")
    do(service, operator, "交接与指导")

    # after-sales passes, the survey is answered
    service.work(days=3, hours=2)
    customer.goto(service.letter("rate"))
    customer.get_by_role("radio", name="非常满意").check(force=True)
    customer.get_by_role("button", name="提交评价").click()
    expect(customer.get_by_role("status").first).to_be_visible()
    service.work()

    # then the customer sees that it is closed, and the record says how it went
    customer.goto(follow)
    expect(customer.locator(".page-head .badge")).to_have_text("已结案")
    (case,) = [one for one in service.engine.cases() if one.process_id == "service_lifecycle"]
    assert case.state == "completed"
    known = service.engine.variables(case.id)
    assert (known["outcome"], known["score"]) == ("done", 5)
    assert known["requirements"]["what"] == "更换接口"
    assert [offer["round"] for offer in known["offers"]] == [1, 2]
    events = history(service, case.id)
    assert story.phases(events) == story.PHASES
    assert story.idle(events) == []
    assert story.gaps(events) == []
    assert service.complaints == []
