"""The page of lanes that stand still: which, since when, what stopped them, and the two ways on."""

from __future__ import annotations

import re

import pytest

from engine.clock import VirtualClock
from engine.runtime import Engine
from tests.drawing import diagram, end, extension, node, path, process, start
from tests.unit.web.conftest import Login

ORDERED = extension(
    '<zeebe:taskDefinition type="parts.pack"/>'
    '<zeebe:properties><zeebe:property name="lane" value="=customer"/></zeebe:properties>'
)
PACKING = diagram(
    process("packing", start("s"), node("serviceTask", "pack", ORDERED), end("e"),
            path("s", "pack", "e"))
)  # fmt: skip


@pytest.fixture
def stopped(engine: Engine, clock: VirtualClock) -> dict[str, str]:
    """Stop the lanes of ann, behind which two wait, and of bo; return lane -> incident."""
    engine.deploy({"packing.bpmn": PACKING}, by="eve")
    for number, customer in enumerate(("ann", "bo", "ann", "ann")):
        engine.start("packing", {"customer": customer}, business_key=f"K-{number}")
    for work in engine.claim_work(owner="w", limit=9, lease_s=30):
        engine.fail(work, "no box fits", "Traceback: the last line", retry_at=None)
        clock.advance(1800)
    return {one.lane: one.incident_id for one in engine.blocked_lanes()}


def test_a_lane_says_what_stops_it_since_when_and_who_waits(
    login: Login, stopped: dict[str, str]
) -> None:
    page = login("operator").get("/incidents/lanes").text
    row = re.search(r"<tr>(?:(?!</tr>).)*>ann<.*?</tr>", page, re.DOTALL)

    assert row is not None
    assert "no box fits" in row[0]
    assert "K-0" in row[0]
    assert f"/incidents/{stopped['ann']}" in row[0]
    assert 'class="num">2<' in row[0]
    assert re.search(r'<time datetime="2026-03-02T09:00:00', row[0])
    # who may not change anything is offered nothing
    assert "<button class" not in page.partition("<main")[2].partition("</main>")[0]


def test_the_page_of_incidents_leads_to_the_lanes_that_stand_still(
    login: Login, stopped: dict[str, str]
) -> None:
    page = login("operator").get("/incidents").text

    assert "2 lanes stand still" in page
    assert 'href="/incidents/lanes"' in page


def test_without_a_stopped_lane_the_pages_say_so(login: Login) -> None:
    operator = login("operator")

    assert "Every lane moves" in operator.get("/incidents/lanes").text
    assert 'href="/incidents/lanes"' in operator.get("/incidents").text


def test_lanes_go_on_without_what_stopped_them(
    engine: Engine, login: Login, stopped: dict[str, str]
) -> None:
    admin = login("admin")

    answer = admin.post(
        "/incidents/lanes/pass", {"id": [stopped["ann"]], "why": "she waits"}, follow_redirects=True
    )

    assert "1 lane goes on." in answer.text
    assert [one.lane for one in engine.blocked_lanes()] == ["bo"]
    (work,) = engine.claim_work(owner="w", limit=9, lease_s=30)
    story = [row for row in engine.story(_of(engine, stopped["ann"])) if row.kind == "lane.left"]
    assert [(row.actor, row.value) for row in story] == [("admin", "she waits")]
    assert work.topic == "parts.pack"
    page = admin.get(f"/cases/{_of(engine, stopped['ann'])}").text
    assert "The lane of “pack” went on without it: she waits" in page


def test_what_somebody_else_has_let_go_on_is_told(
    engine: Engine, login: Login, stopped: dict[str, str]
) -> None:
    engine.step_aside(stopped["ann"], by="eve")

    answer = login("admin").post(
        "/incidents/lanes/pass", {"id": list(stopped.values()), "why": ""}, follow_redirects=True
    )

    assert "1 lane goes on." in answer.text
    assert "1 had gone on already." in answer.text


def test_a_lane_is_chosen_first_and_by_who_may(login: Login, stopped: dict[str, str]) -> None:
    ann = {"id": stopped["ann"]}
    assert login("lead").post("/incidents/lanes/pass", ann).status_code == 403
    page = login("admin").post("/incidents/lanes/pass", {}, follow_redirects=True).text
    assert "Choose at least one lane." in page


def test_the_head_of_a_lane_is_tried_again_in_its_order(
    engine: Engine, login: Login, stopped: dict[str, str]
) -> None:
    login("admin").post("/incidents/retry", {"id": stopped["ann"]})

    (work,) = engine.claim_work(owner="w", limit=9, lease_s=30)
    assert [one.lane for one in engine.blocked_lanes()] == ["bo"]
    assert engine.case(work.root_id).business_key == "K-0"


def test_many_lanes_come_in_pages(engine: Engine, login: Login) -> None:
    engine.deploy({"packing.bpmn": PACKING}, by="eve")
    for number in range(60):
        engine.start("packing", {"customer": f"c{number:02}"})
    for work in engine.claim_work(owner="w", limit=90, lease_s=30):
        engine.fail(work, "no box fits", "", retry_at=None)
    operator = login("operator")

    first = operator.get("/incidents/lanes").text
    following = re.search(r'href="(/incidents/lanes\?after=[^"]+)"[^>]* rel="next"', first)
    assert following is not None
    second = operator.get(following[1]).text

    assert [text.count("no box fits") for text in (first, second)] == [50, 10]


def _of(engine: Engine, incident_id: str) -> str:
    return engine.incident(incident_id).root_id
