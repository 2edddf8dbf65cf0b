"""The escalation board: cards by level and time, taking over, more time, telling somebody."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.clock import VirtualClock
from engine.runtime import Engine
from tests.drawing import diagram, end, extension, node, path, process, start
from tests.unit.web.conftest import Login
from tests.unit.web.sample import FILES, VARIABLES
from web.board import cards

LADDER = diagram(
    process(
        "escalation", start("s"),
        node("userTask", "level_2", extension(
            '<zeebe:userTask/><zeebe:taskSchedule dueDate="=now() + duration(&quot;PT2H&quot;)"/>'
            '<zeebe:properties><zeebe:property name="escalation.level" value="2"/>'
            "</zeebe:properties>"
        ), name="主管处理"),
        end("e"), path("s", "level_2", "e"),
    )
)  # fmt: skip


@pytest.fixture
def ladder(engine: Engine) -> str:
    """Return the task of an escalation on level 2."""
    engine.deploy({"escalation.bpmn": LADDER}, by="ann")
    known = {"case_number": "K-1", "escalation_reason": "design_stuck", "escalation_subject": "CRM"}
    engine.start("escalation", known, business_key="K-1")
    return engine.tasks()[0].id


@pytest.fixture
def late(engine: Engine, clock: VirtualClock) -> str:
    """Return a task that is late, of a process that is no ladder."""
    engine.deploy(FILES, by="ann")
    due = clock.now() - timedelta(hours=1)
    engine.start("needs", {**VARIABLES, "due_at": due}, business_key="K-2")
    return engine.tasks(process_id="needs")[0].id


def test_cards_stand_on_their_level_the_most_urgent_first(
    engine: Engine, login: Login, ladder: str, late: str
) -> None:
    page = login("operator").get("/escalations").text

    assert page.index("Late or soon late") < page.index("K-2") < page.index("Level 1: team")
    assert page.index("Level 2: lead") < page.index(">K-1<") < page.index("Level 3: manager")
    assert "no draft was accepted" in page
    assert "1 h late" in page
    # who only works here sees the board and cannot act on it
    assert "take-over" not in page


def test_taking_over_tells_the_ladder(engine: Engine, login: Login, ladder: str) -> None:
    root_id = engine.task(ladder).root_id

    login("lead").post(f"/escalations/{ladder}/take-over")

    assert engine.case(root_id).state == "completed"
    known = engine.variables(root_id)
    assert (known["decision"], known["taken_over_by"]) == ("take_over", "lead")
    assert [(act.verb, act.by) for act in engine.acts_on([root_id])] == [("take_over", "lead")]


def test_late_task_changes_hands(engine: Engine, login: Login, late: str) -> None:
    engine.claim(late, by="bob")

    login("lead").post(f"/escalations/{late}/take-over", {"why": "bob is ill"})

    assert engine.task(late).assignee == "lead"
    assert engine.acts_on([engine.task(late).root_id])[0].why == "bob is ill"


def test_more_time_needs_a_reason(
    engine: Engine, login: Login, clock: VirtualClock, late: str
) -> None:
    lead = login("lead")

    assert lead.post(f"/escalations/{late}/extend", {"extension": "PT4H"}).status_code == 422
    refused = lead.post(f"/escalations/{late}/extend", {"extension": "P9Y", "why": "x"})
    assert refused.status_code == 422
    lead.post(f"/escalations/{late}/extend", {"extension": "PT4H", "why": "parts are missing"})

    assert engine.task(late).due_at == clock.now() + timedelta(hours=4)
    assert engine.acts_on([engine.task(late).root_id])[0].verb == "extend"


def test_ladder_hears_of_more_time_as_it_is_drawn(
    engine: Engine, login: Login, ladder: str
) -> None:
    root_id = engine.task(ladder).root_id

    login("lead").post(f"/escalations/{ladder}/extend", {"extension": "P1D", "why": "on holiday"})

    known = engine.variables(root_id)
    assert (known["decision"], known["extension"]) == ("extend", "P1D")
    assert engine.acts_on([root_id])[0].why == "on holiday"


def test_somebody_is_told_by_mail_and_it_stands_in_the_story(
    engine: Engine, login: Login, late: str
) -> None:
    lead = login("lead")

    lead.post(f"/escalations/{late}/notify", {"to": "lead", "why": "please look"})

    row = engine.story(engine.task(late).root_id)[0]
    assert (row.kind, row.name, row.value) == ("task.notified", "lead", "please look")
    assert len(list(engine.settings.outbox_dir.glob("*.eml"))) == 1


def test_only_who_oversees_may_act(engine: Engine, login: Login, late: str) -> None:
    operator = login("operator")

    for act in ("take-over", "extend", "notify"):
        assert operator.post(f"/escalations/{late}/{act}", {"why": "x"}).status_code == 403


def test_ladder_without_a_task_is_still_a_card(engine: Engine, login: Login) -> None:
    waits = diagram(
        process(
            "escalation", start("s"),
            node("intermediateCatchEvent", "w", node(
                "timerEventDefinition", "t",
                '<timeDuration xsi:type="tFormalExpression">PT4H</timeDuration>',
            )),
            end("e"), path("s", "w", "e"),
        )
    )  # fmt: skip
    engine.deploy({"escalation.bpmn": waits}, by="ann")
    engine.start("escalation", {"case_number": "K-3", "escalation_level": 3})

    columns = cards_on_page(login)

    assert [len(column) for column in columns] == [0, 0, 0, 1]


def cards_on_page(login: Login) -> list[list[str]]:
    """Return the cards on each level, as the page shows them."""
    page = login("operator").get("/escalations").text
    parts = page.split('class="board-column"')[1:]
    return [["card"] * part.count("board-card ") for part in parts]


def test_cards_are_sorted_by_the_time_left(engine: Engine, login: Login, ladder: str) -> None:
    client = login("operator").client
    with client.application.test_request_context("/escalations"):
        columns = cards(engine)

    due = [card.due_at for column in columns for card in column]
    assert due == sorted(due, key=lambda at: (at is None, at))
