"""The operator's desk: lists by address, claiming, forms, drafts, and somebody who was faster."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from engine.clock import VirtualClock
from engine.model import UserTask
from engine.runtime import Engine
from tests.browsing import Browser
from tests.unit.web.conftest import Login
from tests.unit.web.sample import FILES, VARIABLES

FILLED = {
    "shown": ["v.contact.name", "v.kind", "v.channel", "v.items.0.what", "v.summary"],
    "rows.v.items": "1",
    "v.contact.name": "王小明",
    "v.kind": "repair",
    "v.channel": "phone",
    "v.items.0.what": "Pump",
    "v.summary": "Friday is fine",
}


@pytest.fixture
def desk(engine: Engine, login: Login) -> Browser:
    """Return the browser of an operator of the front desk; the process is deployed."""
    engine.deploy(FILES, by="test")
    return login("operator", groups=["front_desk"], zone="Asia/Shanghai")


def case(engine: Engine, key: str, **variables: Any) -> UserTask:
    """Start a case and return its task."""
    instance = engine.start("needs", {**VARIABLES, **variables}, business_key=key, by="test")
    return engine.tasks(instance_id=instance.id)[0]


def mine(engine: Engine, key: str = "SR-1", **variables: Any) -> UserTask:
    """Start a case whose task the operator has."""
    return engine.claim(case(engine, key, **variables).id, by="operator")


def keys(text: str) -> list[str]:
    """Return the case numbers on a page, in their order."""
    return re.findall(r"<div>(SR-\d+)<", text)


# ------------------------------------------------------------------ lists


def test_lists_show_what_is_mine_and_what_my_groups_may_take(
    desk: Browser, engine: Engine, login: Login
) -> None:
    mine(engine, "SR-1")
    case(engine, "SR-2")
    engine.claim(case(engine, "SR-3").id, by="somebody")

    assert keys(desk.get("/tasks").text) == ["SR-1"]
    assert keys(desk.get("/tasks?view=groups").text) == ["SR-2"]
    # everybody's tasks are for leads; for others the address means their own
    assert keys(desk.get("/tasks?view=all").text) == ["SR-1"]
    assert keys(login("lead").get("/tasks?view=all").text) == ["SR-1", "SR-2", "SR-3"]


def test_the_most_pressing_task_comes_first(
    desk: Browser, engine: Engine, clock: VirtualClock
) -> None:
    for key, hours in (("SR-1", None), ("SR-2", 30), ("SR-3", -3), ("SR-4", 2)):
        due = None if hours is None else clock.now() + timedelta(hours=hours)
        case(engine, key, due_at=due)

    page = desk.get("/tasks?view=groups").text

    assert keys(page) == ["SR-3", "SR-4", "SR-2", "SR-1"]
    # in words, with the moment in the zone of the person
    for words in ("3 h late", "in 2 h", "in 30 h", "no due time", "2026-03-02 14:00"):
        assert words in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=sr-2", ["SR-2"]),
        ("q=100%25", []),
        ("q=_R", []),
        ("due=late", ["SR-1"]),
        ("due=today", ["SR-1", "SR-2"]),
        ("due=week", ["SR-1", "SR-2", "SR-3"]),
        ("due=nonsense", ["SR-1", "SR-2", "SR-3"]),
        ("process=needs", ["SR-1", "SR-2", "SR-3"]),
        ("process=other", []),
        ("group=front_desk", ["SR-1", "SR-2", "SR-3"]),
        ("group=front", []),
        ("q=SR&due=late&group=analysts", ["SR-1"]),
    ],
)
def test_filters_stand_in_the_address(
    desk: Browser, engine: Engine, clock: VirtualClock, query: str, found: list[str]
) -> None:
    for key, hours in (("SR-1", -1), ("SR-2", 3), ("SR-3", 48)):
        case(engine, key, due_at=clock.now() + timedelta(hours=hours))

    assert keys(desk.get(f"/tasks?view=groups&{query}").text) == found


def test_pages_follow_each_other_without_gap(
    desk: Browser, engine: Engine, clock: VirtualClock
) -> None:
    wanted = []
    for number in range(60):
        due = clock.now() + timedelta(hours=number // 3) if number < 40 else None
        case(engine, f"SR-{number}", due_at=due)
        wanted.append(f"SR-{number}")

    seen, address = [], "/tasks?view=groups"
    while address:
        page = desk.get(address).text
        seen += keys(page)
        following = re.search(r'href="([^"]+)" rel="next"', page)
        address = following[1].replace("&amp;", "&") if following else ""

    assert seen == wanted


@pytest.mark.parametrize("after", ["x", "~", "2026-01-01~x", "0001-01-01T00:00:00+00:00~", "~~~"])
def test_a_broken_address_shows_a_list_all_the_same(desk: Browser, after: str) -> None:
    assert desk.get("/tasks", query_string={"after": after}).status_code == 200


def test_names_are_those_of_the_language(desk: Browser, engine: Engine) -> None:
    task = mine(engine)

    english = desk.get(f"/tasks/{task.id}").text
    desk.post("/language", {"language": "zh"})
    chinese = desk.get(f"/tasks/{task.id}").text

    assert "Clarify the customer&#39;s needs" in english
    assert "Needs analysis" in english
    assert "<strong>today</strong>" in english
    assert "澄清客户需求" in chinese
    assert "今天给客户打电话" in chinese


# ------------------------------------------------------------------ claiming


def test_a_task_is_claimed_from_the_list_and_given_back(desk: Browser, engine: Engine) -> None:
    task = case(engine, "SR-1")

    assert desk.post(f"/tasks/{task.id}/claim").location == f"/tasks/{task.id}"
    assert engine.task(task.id).assignee == "operator"

    assert desk.post(f"/tasks/{task.id}/unclaim").location == "/tasks"
    assert engine.task(task.id).assignee is None


def test_a_task_of_other_groups_cannot_be_claimed(
    desk: Browser, engine: Engine, login: Login
) -> None:
    task = case(engine, "SR-1")
    stranger = login("operator", name="stranger", groups=["delivery"])

    assert stranger.post(f"/tasks/{task.id}/claim").status_code == 403
    assert engine.task(task.id).assignee is None


def test_who_comes_second_is_told_so(desk: Browser, engine: Engine) -> None:
    task = case(engine, "SR-1")
    engine.claim(task.id, by="somebody")

    answer = desk.post(f"/tasks/{task.id}/claim")

    assert answer.status_code == 403 or "faster" in desk.get(answer.location).text
    assert engine.task(task.id).assignee == "somebody"


def test_only_who_has_a_task_or_a_lead_gives_it_back(
    desk: Browser, engine: Engine, login: Login
) -> None:
    task = engine.claim(case(engine, "SR-1").id, by="somebody")

    assert desk.post(f"/tasks/{task.id}/unclaim").status_code == 403
    assert login("lead").post(f"/tasks/{task.id}/unclaim").status_code == 303


# ------------------------------------------------------------------ the form


def test_a_form_is_completed_with_typed_values(desk: Browser, engine: Engine) -> None:
    task = mine(engine)

    answer = desk.post(f"/tasks/{task.id}", {**FILLED, "act": "complete"})

    assert answer.location == "/tasks"
    assert engine.task(task.id).state == "completed"
    known = engine.variables(task.instance_id)
    assert known["kind"] == "repair"
    assert known["items"] == [{"what": "Pump", "qty": None}]
    assert known["contact"] == {"name": "王小明", "email": "", "phone": "+86 10 5555 0100"}
    assert "Done" in desk.get("/tasks").text


def test_mistakes_come_back_with_what_was_typed(desk: Browser, engine: Engine) -> None:
    task = mine(engine)

    typed = {**FILLED, "v.kind": "", "act": "complete"}
    answer = desk.post(f"/tasks/{task.id}", typed)

    assert answer.status_code == 422
    assert 'href="#f-kind"' in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert "Friday is fine" in answer.text
    assert engine.task(task.id).state == "open"


def test_complete_and_next_opens_the_most_pressing_task(desk: Browser, engine: Engine) -> None:
    first, second = mine(engine), mine(engine, "SR-2")

    answer = desk.post(f"/tasks/{first.id}", {**FILLED, "act": "next"})

    assert answer.location == f"/tasks/{second.id}"


def test_a_task_without_a_form_takes_a_note(desk: Browser, engine: Engine) -> None:
    first = mine(engine)
    desk.post(f"/tasks/{first.id}", {**FILLED, "act": "complete"})
    second = engine.claim(engine.tasks(instance_id=first.instance_id)[0].id, by="operator")

    page = desk.get(f"/tasks/{second.id}").text
    desk.post(f"/tasks/{second.id}", {"note": " filed ", "act": "complete"})

    assert "This task has no form" in page
    assert engine.variables(first.instance_id)["note"] == "filed"


def test_a_draft_is_there_when_the_task_is_opened_again(
    desk: Browser, engine: Engine, login: Login
) -> None:
    task = mine(engine)

    # mistakes do not matter in a draft
    desk.post(f"/tasks/{task.id}", {**FILLED, "v.kind": "", "act": "draft"})

    page = desk.get(f"/tasks/{task.id}").text
    assert "This is your draft of" in page
    assert "Friday is fine" in page
    # and it is nobody else's
    assert "Friday is fine" not in login("lead").get(f"/tasks/{task.id}").text


def test_rows_are_added_without_completing(desk: Browser, engine: Engine) -> None:
    task = mine(engine)

    page = desk.post(f"/tasks/{task.id}", {**FILLED, "act": "add v.items"}).text

    assert 'name="v.items.1.what"' in page
    assert "Friday is fine" in page
    assert engine.task(task.id).state == "open"


def test_a_form_may_be_larger_than_usual_forms(desk: Browser, engine: Engine) -> None:
    task = mine(engine)

    answer = desk.post(f"/tasks/{task.id}", {**FILLED, "v.summary": "长" * 60_000, "act": "draft"})

    assert answer.status_code == 303


def test_a_form_that_is_far_too_large_is_refused(desk: Browser, engine: Engine) -> None:
    task = mine(engine)

    answer = desk.post(f"/tasks/{task.id}", {**FILLED, "v.summary": "x" * 3_000_000})

    assert answer.status_code == 413
    assert "too large" in answer.text


# ------------------------------------------------------------------ somebody was faster


def test_a_task_that_somebody_took_over_keeps_what_was_typed(desk: Browser, engine: Engine) -> None:
    task = mine(engine)
    engine.create_user("chen", role="lead", by="test", display="陈静")
    engine.take_over(task.id, by="chen", why="late")

    answer = desk.post(f"/tasks/{task.id}", {**FILLED, "act": "complete"})

    assert answer.status_code == 409
    assert "陈静 has had this task since" in answer.text
    assert "Friday is fine" in answer.text
    assert "Repair" in answer.text
    draft = engine.draft(task.id, by="operator")
    assert draft is not None
    assert draft.fields["v.summary"] == ["Friday is fine"]


def test_a_task_that_was_completed_says_by_whom_and_when(desk: Browser, engine: Engine) -> None:
    task = mine(engine)
    engine.complete(task.id, {"kind": "repair"}, by="chen")

    answer = desk.post(f"/tasks/{task.id}", {**FILLED, "act": "complete"})

    assert answer.status_code == 409
    assert "chen completed this task at" in answer.text
    assert "2026-03-02 17:00" in answer.text
    assert "Friday is fine" in answer.text


def test_a_task_of_somebody_else_can_be_seen_but_not_filled_in(
    desk: Browser, engine: Engine
) -> None:
    task = engine.claim(case(engine, "SR-1").id, by="somebody")

    page = desk.get(f"/tasks/{task.id}").text

    assert '<fieldset class="bare stack" id="fields" disabled' in page
    assert 'value="complete"' not in page


def test_a_task_that_does_not_exist_is_a_page_of_its_own(desk: Browser) -> None:
    answer = desk.get("/tasks/nothing")

    assert answer.status_code == 404
    assert "There is nothing here" in answer.text


def test_a_damaged_form_is_named_and_nothing_is_lost(engine: Engine, login: Login) -> None:
    engine.deploy({**FILES, "clarify_needs.form": b'{"id": "clarify_needs"}'}, by="test")
    operator = login("operator", groups=["front_desk"])
    task = mine(engine)

    page = operator.get(f"/tasks/{task.id}")

    assert page.status_code == 200
    assert "cannot be read" in page.text
    assert operator.post(f"/tasks/{task.id}", {"act": "complete"}).status_code == 422
    assert engine.task(task.id).state == "open"


# ------------------------------------------------------------------ what is known of the case


def test_facts_are_told_as_a_person_reads_them(desk: Browser, engine: Engine) -> None:
    more: dict[str, Any] = {
        "channel": "visit", "customer_id": "0af3-77", "sla": {"first_response": "PT4H"},
        "promised_on": "2026-03-05", "lines": [{"title": "Pump", "count": 2, "line_id": "x9"}],
        "odd_one": 7, "empty": "", "accepted": True,
    }  # fmt: skip
    page = desk.get(f"/tasks/{mine(engine, **more).id}").text

    facts = page[page.index("What is known") :]
    # a choice by its label, a day as a day, a span in words, a table with heads
    said = ["Visit</span>", 'datetime="2026-03-05"', "4 h", 'col">Title</th>', "yes</span>"]
    for words in said:
        assert words in facts
    # what is for programs stays away, what has no name is folded
    assert "0af3-77" not in facts
    assert "x9" not in facts
    assert facts.index("odd one") > facts.index("More details")


def test_hostile_values_of_a_case_stay_text(desk: Browser, engine: Engine) -> None:
    evil = "<script>alert(1)</script>"
    task = mine(engine, request=evil, customer_name=evil, orders=[{"no": evil, "sum": 1}],
                known_tags=[evil])  # fmt: skip

    assert "<script>alert" not in desk.get(f"/tasks/{task.id}").text
