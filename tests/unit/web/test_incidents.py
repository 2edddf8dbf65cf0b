"""The desk of incidents: one line for each error, its trace, trying one or many again."""

from __future__ import annotations

import re

import pytest

from engine.runtime import Engine
from tests.drawing import diagram, end, path, process, service, start
from tests.unit.web.conftest import Login

ORDER = diagram(
    process("order", start("s"), service("buy", "parts.order"), end("e"), path("s", "buy", "e"))
)


@pytest.fixture
def stopped(engine: Engine) -> list[str]:
    """Return three incidents: two of the same error with other numbers, one of another."""
    engine.deploy({"order.bpmn": ORDER}, by="ann")
    errors = ["no answer for order 17", "no answer for order 4711", "out of memory"]
    for number, error in enumerate(errors):
        engine.start("order", business_key=f"K-{number}")
        (work,) = engine.claim_work(owner="w", limit=1, lease_s=30)
        engine.fail(work, error, "Traceback: the last line", retry_at=None)
    return [one.id for one in engine.incidents()]


def test_same_error_is_one_line(login: Login, stopped: list[str]) -> None:
    page = login("operator").get("/incidents").text

    assert page.count('class="title"') == 2
    assert [int(n) for n in re.findall(r'class="num">(\d+)<', page)] == [1, 2]


def test_trace_and_case_are_one_click_away(login: Login, stopped: list[str]) -> None:
    page = login("operator").get(f"/incidents/{stopped[0]}").text

    assert "Traceback: the last line" in page
    assert "?element=buy" in page
    assert "Try again" not in page


def test_many_are_tried_again_with_a_result_for_each(
    engine: Engine, login: Login, stopped: list[str]
) -> None:
    engine.retry(stopped[0], by="somebody else")

    answer = login("admin").post("/incidents/retry", {"id": stopped})

    assert "2 are tried again." in answer.text
    assert answer.text.count(">refused<") == 1
    assert engine.incidents() == []
    assert engine.next_due() is not None


def test_one_tried_again_shows_what_became_of_it(
    engine: Engine, login: Login, stopped: list[str]
) -> None:
    admin = login("admin")
    answer = admin.post("/incidents/retry", {"id": stopped[0]})
    assert answer.status_code == 303

    assert "has not failed again" in admin.get(answer.location).text
    (work,) = engine.claim_work(owner="w", limit=1, lease_s=30)
    engine.fail(work, "no answer for order 17", "again", retry_at=None)
    assert "it failed again" in admin.get(answer.location).text


def test_group_lists_its_members_until_they_are_gone(
    engine: Engine, login: Login, stopped: list[str]
) -> None:
    admin = login("admin")
    link = re.findall(r'href="(/incidents/group/[0-9a-f]+)"', admin.get("/incidents").text)[1]

    page = admin.get(link).text
    assert page.count('name="id"') == 2
    for one in stopped:
        engine.retry(one, by="ann")
    assert admin.get(link).status_code == 303


def test_only_who_may_tries_again(login: Login, stopped: list[str]) -> None:
    assert login("operator").post("/incidents/retry", {"id": stopped[0]}).status_code == 403
    assert login("admin").post("/incidents/retry", {}).status_code == 303
