"""The list of cases and the page of a case: filters, steps in words, the record, who may cancel."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from engine.clock import VirtualClock
from engine.runtime import Engine
from tests.drawing import (
    call,
    diagram,
    end,
    extension,
    flow,
    gateway,
    node,
    path,
    process,
    start,
    task,
    user,
)
from tests.unit.web.conftest import Login
from tests.unit.web.sample import FILES, VARIABLES
from web.attachments import keep
from web.links import LinkRefused, links_of
from web.story import SENTENCES

ROOT = Path(__file__).resolve().parents[3]
ENGLISH = extension(
    '<zeebe:properties><zeebe:property name="name.en" value="Ask back"/></zeebe:properties>'
)
CALLER = diagram(process("p", start("s"), call("c", "q"), end("e"), path("s", "c", "e")))
CALLED = diagram(
    process(
        "q", start("s"), task("t"), node("userTask", "ask", ENGLISH, name="反问"), end("e"),
        path("s", "t", "ask", "e"),
    )
)  # fmt: skip
STUCK = diagram(
    process(
        "stuck", start("s"), gateway("exclusive", "g"), end("e"), end("f"), path("s", "g"),
        flow("g", "e", "a > 1"), flow("g", "f", "a < 1"),
    )
)  # fmt: skip


@pytest.fixture
def case_id(engine: Engine) -> str:
    """Return a case that has called a process, in which a person is asked."""
    engine.deploy({"p.bpmn": CALLER, "q.bpmn": CALLED}, by="ann")
    return engine.start("p", {"subject": "打印机"}, business_key="K-1", by="ann").id


def picture(page: str) -> dict[str, Any]:
    """Return what the page tells the viewer."""
    found = re.search(r'<script type="application/json" id="picture">(.*?)</script>', page)
    assert found is not None
    told: dict[str, Any] = json.loads(found[1])
    return told


def test_list_is_filtered_by_the_address(engine: Engine, login: Login) -> None:
    engine.deploy(FILES, by="ann")
    for number in range(27):
        engine.start("needs", VARIABLES, business_key=f"K-{number}")
    staff = login("operator")

    first = staff.get("/cases?process=needs&state=running")

    assert first.text.count("<tr>") == 26
    following = re.search(r'href="(/cases\?[^"]*after=[^"]*)" rel="next"', first.text)
    assert following is not None
    second = staff.get(following[1].replace("&amp;", "&"))
    assert ">K-1</a>" in second.text
    assert ">K-0</a>" in second.text
    assert ">K-26</a>" not in second.text
    assert ">K-7</a>" in staff.get("/cases?key=K-7").text
    assert "No case fits" in staff.get("/cases?state=failed").text


def test_steps_are_told_in_words_without_any_script(
    engine: Engine, login: Login, case_id: str
) -> None:
    page = login("operator").get(f"/cases/{case_id}").text

    steps = page[page.index("The steps in words") :]
    assert steps.index('data-element="s"') < steps.index('data-element="c"')
    assert steps.index('data-element="c"') < steps.index('data-element="e"')
    assert "here now" in steps
    assert "not reached" in steps
    # and the way into the called process
    (called,) = engine.case_view(case_id).called
    assert f"/cases/{called.id}" in steps


def test_names_are_in_the_language_of_the_reader(
    engine: Engine, login: Login, case_id: str
) -> None:
    (called,) = engine.case_view(case_id).called

    assert "Ask back" in login("operator").get(f"/cases/{called.id}").text
    assert "反问" in login("lead", language="zh").get(f"/cases/{called.id}").text


def test_story_tells_who_did_what(engine: Engine, login: Login, case_id: str) -> None:
    (open_task,) = engine.tasks()
    engine.claim(open_task.id, by="bob")
    engine.complete(open_task.id, {"answer": "no"}, by="bob")

    page = login("operator").get(f"/cases/{case_id}").text

    assert "bob completed “Ask back”" in page
    assert "The case came to its end" in page
    assert "answer = no" not in page
    assert "answer = no" in login("lead").get(f"/cases/{case_id}?all=1").text


def test_incident_is_red_and_linked(engine: Engine, login: Login) -> None:
    engine.deploy({"stuck.bpmn": with_layout(STUCK)}, by="ann")
    case = engine.start("stuck", by="ann")

    page = login("operator").get(f"/cases/{case.id}").text

    assert picture(page)["marks"]["g"] == ["wrong"]
    assert f"/incidents/{engine.incidents()[0].id}" in page


def with_layout(drawn: bytes) -> bytes:
    """Return a diagram that says where something is drawn; the page asks no more."""
    layout = (
        b'<di:BPMNDiagram xmlns:di="http://www.omg.org/spec/BPMN/20100524/DI" id="d">'
        b'<di:BPMNPlane id="pl" bpmnElement="stuck"/></di:BPMNDiagram>'
    )
    return drawn.replace(b"</definitions>", layout + b"</definitions>")


def test_case_is_cancelled_with_a_reason_by_who_may(
    engine: Engine, login: Login, case_id: str
) -> None:
    admin = login("admin")
    assert login("operator").post(f"/cases/{case_id}/cancel", {"why": "x"}).status_code == 403

    admin.post(f"/cases/{case_id}/cancel", {"why": " "})
    assert engine.case(case_id).state == "running"

    admin.post(f"/cases/{case_id}/cancel", {"why": "the customer gave up"})
    assert engine.case(case_id).state == "cancelled"
    assert "the customer gave up" in admin.get(f"/cases/{case_id}").text


def test_export_has_every_event_as_a_line(engine: Engine, login: Login, case_id: str) -> None:
    answer = login("operator").get(f"/cases/{case_id}/history.jsonl")

    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert [row["seq"] for row in rows] == [row.seq for row in engine.history(case_id)]
    assert "attachment" in answer.headers["Content-Disposition"]


def test_variables_of_inner_scopes_stand_apart(engine: Engine, login: Login) -> None:
    inner = user(
        "ask", extension('<zeebe:ioMapping><zeebe:input source="=a + 1" target="b"/>'
                         "</zeebe:ioMapping>"),
    )  # fmt: skip
    drawn = diagram(process("m", start("s"), inner, end("e"), path("s", "ask", "e")))
    engine.deploy({"m.bpmn": drawn}, by="ann")
    case = engine.start("m", {"a": 1})

    page = login("operator").get(f"/cases/{case.id}").text

    assert "Only inside “ask”" in page


def test_file_is_handed_out_only_by_the_case_that_names_it(
    engine: Engine, login: Login, case_id: str
) -> None:
    (kept,) = keep(engine.settings.data_dir / "attachments", [("报价.pdf", b"%PDF-1.7 offer")])
    with_file = engine.start("p", {"attachments": [kept.value()]}).id
    staff = login("operator")

    assert "报价.pdf" in staff.get(f"/cases/{with_file}").text
    answer = staff.get(f"/cases/{with_file}/files/{kept.sha256}")
    assert answer.data == b"%PDF-1.7 offer"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert staff.get(f"/cases/{case_id}/files/{kept.sha256}").status_code == 404


def test_what_is_not_there_is_said(login: Login) -> None:
    assert login("operator").get("/cases/nothing").status_code == 404


def test_every_kind_of_event_that_is_documented_is_told_in_words() -> None:
    reference = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    events = reference.partition("## History events")[2].partition("\n## ")[0]
    documented = set(re.findall(r"`([a-z_]+\.[a-z_]+)`", events))
    said = set(SENTENCES) | {kind.replace("case.", "instance.") for kind in SENTENCES}

    assert len(documented) > 20
    assert sorted(documented - said) == []


def test_links_of_a_case_are_ended_by_who_may_and_it_is_recorded(
    engine: Engine, login: Login, case_id: str, clock: VirtualClock
) -> None:
    # given
    links = links_of(engine)
    old = links.make("follow", case_id)
    path = f"/cases/{case_id}/end-links"
    operator, lead = login("operator"), login("lead")
    assert operator.post(path, {"why": "x"}).status_code == 403
    assert path not in operator.get(f"/cases/{case_id}").text
    assert path in lead.get(f"/cases/{case_id}").text
    # when there is no reason
    lead.post(path, {"why": " "})
    assert links.read(old, "follow").subject == case_id
    # when there is one
    answer = lead.post(path, {"why": "the mail went to a stranger"}, follow_redirects=True)
    # then
    assert "Every link that was sent in this case is worthless now" in answer.text
    with pytest.raises(LinkRefused, match="revoked"):
        links.read(old, "follow")
    assert "ended the links of the customer" in answer.text
    assert "the mail went to a stranger" in answer.text
    clock.advance(1)
    assert links.read(links.make("follow", case_id), "follow").subject == case_id


def test_links_belong_to_the_case_not_to_a_process_it_calls(engine: Engine, login: Login) -> None:
    # given
    inner = diagram(process("inner", start("s"), user("ask"), end("e"), path("s", "ask", "e")))
    outer = diagram(process("outer", start("s"), call("c", "inner"), end("e"), path("s", "c", "e")))
    engine.deploy({"inner.bpmn": inner, "outer.bpmn": outer}, by="ann")
    case = engine.start("outer")
    called = engine.case_view(case.id).called[0]
    old = links_of(engine).make("follow", case.id)
    lead = login("lead")
    # when
    lead.post(f"/cases/{called.id}/end-links", {"why": "lost"})
    # then
    with pytest.raises(LinkRefused, match="revoked"):
        links_of(engine).read(old, "follow")
