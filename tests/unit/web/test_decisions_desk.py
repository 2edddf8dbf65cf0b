"""Decisions in words on the pages of tasks and cases, and the tables behind them."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from engine.model import HistoryRow
from tests.browsing import Browser
from tests.unit.web.service import Service
from web.decided import plain
from web.sheets import half, sheets

PASSWORD = "correct horse battery"


def signed_in(service: Service, role: str = "operator", language: str = "en") -> Browser:
    """Return the browser of somebody with a role."""
    service.engine.create_user(
        f"{role}-{language}", role=role, by="test", password=PASSWORD, language=language,
        groups=["analyst"],
    )  # fmt: skip
    browser = service.browser(language)
    browser.sign_in(f"{role}-{language}", PASSWORD)
    return browser


def seen(browser: Browser, path: str, status: int = 200) -> str:
    """Return what a person reads on a page, each run of white space one blank."""
    answer = browser.get(path)
    assert answer.status_code == status, answer.text[:2000]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def decision(service: Service, root_id: str, decision_id: str) -> HistoryRow:
    """Return the latest event of a decision."""
    return next(row for row in service.engine.decided(root_id) if row.name == decision_id)


@pytest.fixture
def drafting(service: Service) -> str:
    """Return a case that waits for its draft: contact and needs have been decided about."""
    return service.play(stop=frozenset({"draft"}), category="fault", urgency="high")


def test_the_page_of_a_case_says_what_was_decided_and_why(service: Service, drafting: str) -> None:
    page = seen(signed_in(service), f"/cases/{drafting}")

    assert "Decided so far" in page
    assert "priority = P2, queue = Standard because impact = Medium and urgency = High" in page
    assert "(rule 8: pressing)" in page
    assert "Table “Triage”, version 1" in page
    # a rule that said no, with the cell: rule 1 wants a high impact
    assert "Rule 1 all stands still, for a VIP impact: wanted High, was Medium" in page
    assert "first response = 2 h" in page


def test_the_page_of_a_task_says_it_too(service: Service, drafting: str) -> None:
    (task,) = service.tasks(drafting)

    page = seen(signed_in(service, "analyst"), f"/tasks/{task.id}")

    assert "depth = Light" in page
    assert "Table “Depth of the analysis”, version 1" in page
    assert "Earlier decisions" in page


def test_a_reader_of_chinese_reads_chinese(service: Service, drafting: str) -> None:
    browser = signed_in(service, language="zh")
    event = decision(service, drafting, "triage")

    page = seen(browser, f"/cases/{drafting}")
    table = seen(browser, f"/decisions/triage/1?case={drafting}&event={event.seq}")

    assert "优先级 = P2 较急" in page
    assert "规则 8" in page
    assert "影响：要求 高，实际是 中" in page
    assert "唯一：恰有一条规则符合" in table
    assert "优先、普通" in table
    assert "impact" not in table


def test_the_table_shows_which_rule_fits_and_which_cell_said_no(
    service: Service, drafting: str
) -> None:
    event = decision(service, drafting, "triage")
    browser = signed_in(service)

    page = browser.get(f"/decisions/triage/1?case={drafting}&event={event.seq}").text

    rows = re.findall(r"<tr class=\"(\w*)\".*?</tr>", page, re.S)
    assert rows.count("fits") == 1
    assert rows[7] == "fits"
    assert page.count('class="no"') == 17
    assert "How it decided in this case" in page


def test_without_a_case_nothing_is_marked(service: Service) -> None:
    page = signed_in(service).get("/decisions/triage/1").text

    assert 'class="no"' not in page
    assert 'class="fits"' not in page
    assert page.count("for a VIP") == 9


def test_a_formula_is_shown_as_it_is_written(service: Service) -> None:
    browser = signed_in(service, "analyst")

    assert "list contains(written, preferred)" in seen(browser, "/decisions/usable/1")
    assert "Worked out by a formula" in seen(browser, "/decisions")


@pytest.mark.parametrize(
    "path",
    [
        "/decisions/nothing/1",
        "/decisions/triage/7",
        "/decisions/triage/1?case=nobody&event=1",
        "/decisions/triage/1?case={case}&event=1",
        "/decisions/sla_policy/1?case={case}&event={triage}",
    ],
)
def test_what_is_not_there_is_said_to_be_missing(
    service: Service, drafting: str, path: str
) -> None:
    triage = decision(service, drafting, "triage").seq

    seen(signed_in(service), path.format(case=drafting, triage=triage), 404)


@pytest.mark.parametrize("path", ["/decisions", "/decisions/triage/1"])
def test_customers_see_no_tables(service: Service, path: str) -> None:
    seen(signed_in(service, "customer"), path, 403)


def test_the_version_that_decided_is_named_when_another_one_is_active(
    service: Service, drafting: str
) -> None:
    changed = service.engine.file(
        service.engine.decisions()[0].deployment_id, "triage.dmn"
    ).replace("较急 / pressing".encode(), "比较急 / rather pressing".encode())
    service.engine.deploy({"triage.dmn": changed}, by="ann")

    page = seen(signed_in(service), f"/cases/{drafting}")

    assert "(rule 8: pressing)" in page
    assert "Table “Triage”, version 1" in page


def test_the_timeline_calls_a_table_by_its_name(service: Service, drafting: str) -> None:
    page = seen(signed_in(service), f"/cases/{drafting}")

    assert "was decided by the table Depth of the analysis" in page


@pytest.mark.parametrize(
    ("text", "zh", "en"),
    [
        ("客户等级 / tier", "客户等级", "tier"),
        ("客户等级", "客户等级", "客户等级"),
        ("and / or", "and / or", "and / or"),
        ("高 / 很高", "高 / 很高", "高 / 很高"),
        ("", "", ""),
    ],
)
def test_a_text_in_two_languages_has_two_halves(text: str, zh: str, en: str) -> None:
    assert (half(text, "zh"), half(text, "en")) == (zh, en)


@pytest.mark.parametrize("content", [b"", b"<definitions/>", b"\xff\xfe", b"<!DOCTYPE x><x/>"])
def test_a_file_that_is_no_model_has_no_sheets(content: bytes) -> None:
    assert sheets(content) == {}


def test_a_table_of_a_stranger_is_shown_with_what_it_has(service: Service) -> None:
    stranger: dict[str, Any] = {"foreign.dmn": FOREIGN}
    service.engine.deploy(stranger, by="ann")

    page = seen(signed_in(service), "/decisions/dish/1")

    assert "Unique: exactly one rule fits" in page
    assert "season" in page
    assert "Stew" in page


FOREIGN = b"""<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" id="d" name="d" namespace="urn:d">
<decision id="dish" name="Dish"><decisionTable id="t">
<input id="i"><inputExpression id="e" typeRef="string"><text>season</text></inputExpression></input>
<output id="o"/><rule id="r1"><inputEntry id="c1"><text>"winter"</text></inputEntry>
<outputEntry id="c2"><text>"Stew"</text></outputEntry></rule></decisionTable></decision>
</definitions>"""


def test_what_was_erased_is_not_told(service: Service, drafting: str) -> None:
    contact = next(
        one for one in service.engine.case_view(drafting).called
        if one.process_id == "customer_contact"
    )  # fmt: skip
    service.engine.erase(contact.id, ["urgency"], by="ann", why="asked for")
    event = decision(service, drafting, "triage")
    browser = signed_in(service)

    page = seen(browser, f"/cases/{drafting}")
    table = seen(browser, f"/decisions/triage/1?case={drafting}&event={event.seq}", 404)

    assert "The values of this decision were erased." in page
    assert "urgency = High" not in page
    assert "(rule 8: pressing)" not in page
    assert "High" not in table


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        ("(5000..50000]", "> 5000 … ≤ 50000"),
        ("[0..60)", "≥ 0 … < 60"),
        ("]0.05..0.2[", "> 0.05 … < 0.2"),
        ("[1..2], [5..6]", "≥ 1 … ≤ 2, ≥ 5 … ≤ 6"),
        (">= 3", "≥ 3"),
        ("<= 0.1", "≤ 0.1"),
        ('"a","b"', "a, b"),
        ("-", "any"),
        ("", "any"),
        ("true", "yes"),
        ("false", "no"),
    ],
)
def test_a_cell_is_read_as_people_write_it(service: Service, cell: str, read: str) -> None:
    with service.app.test_request_context("/", headers={"Accept-Language": "en"}):
        assert plain(cell, None) == read
