"""The pages that change running cases: plans with their problems, acts with reasons, the story."""

from __future__ import annotations

import re

import pytest

from engine.runtime import Engine
from tests.drawing import diagram, end, node, path, process, start
from tests.unit.web.conftest import Login
from web import moving
from web.portal_steps import marks, steps

NAMES = {"a": ("Look", "查看"), "b": ("Check", "检查"), "c": ("Sign", "签字")}


def line(*ids: str) -> bytes:
    """Draw a process of tasks with names in both languages."""
    parts = [
        node(
            "userTask", id,
            "<extensionElements><zeebe:properties>"
            f'<zeebe:property name="name.zh" value="{NAMES[id][1]}"/>'
            "</zeebe:properties></extensionElements>",
            name=NAMES[id][0],
        )
        for id in ids
    ]  # fmt: skip
    return diagram(process("p", start("s"), *parts, end("e"), path("s", *ids, "e")))


def deploy(engine: Engine, *ids: str) -> None:
    engine.deploy({"p.bpmn": line(*ids)}, by="ann")


def test_the_versions_say_how_many_run_and_lead_to_the_plan(engine: Engine, login: Login) -> None:
    deploy(engine, "a")
    engine.start("p", business_key="K-1")
    deploy(engine, "b")
    page = login("admin").get("/deployments/processes/p").text
    assert re.search(r'class="num">1 <a[^>]*migration\?source=1">move them', page)
    assert "move them" not in login("analyst").get("/deployments/processes/p").text
    (made,) = (one for one in engine.definitions() if one.active)
    new = login("admin", name="another").get(f"/deployments/{made.deployment_id}").text
    assert re.search(r"1 case runs in version 1\. <a[^>]*migration\?source=1", new)


def test_a_plan_for_many_names_the_problem_its_cases_and_where_they_could_go(
    engine: Engine, login: Login
) -> None:
    # given
    deploy(engine, "a", "c")
    stuck, free = engine.start("p", business_key="K-1"), engine.start("p", business_key="K-2")
    engine.complete(engine.tasks(instance_id=free.id)[0].id, {}, by="bob")
    deploy(engine, "b", "c")
    admin = login("admin")
    place = "/deployments/processes/p/migration"
    # when
    page = admin.get(f"{place}?source=1").text
    chosen = admin.get(f"{place}?source=1&target=2&to.a=b").text
    chinese = login("admin", name="zhang", language="zh").get(f"{place}?source=1").text
    # then
    assert "1 case can go" in page
    assert "1 case cannot go" in page
    assert "The user task “Look” is active, and the new version does not have it" in page
    assert f'href="/cases/{stuck.id}">K-1</a>' in page
    assert '<option value="b">Check</option>' in page
    assert "2 cases can go" in chosen
    assert "Look → Check" in chosen
    assert "1 case cannot go" not in chosen
    assert engine.case(free.id).version == 1
    assert "<strong>查看</strong>" in chinese
    assert "正在执行，而新版本中没有它" in chinese


def test_many_are_moved_with_a_reason_and_those_that_cannot_go_stay(
    engine: Engine, login: Login
) -> None:
    # given
    deploy(engine, "a", "c")
    stuck, free = engine.start("p"), engine.start("p")
    engine.complete(engine.tasks(instance_id=free.id)[0].id, {}, by="bob")
    deploy(engine, "b", "c")
    admin = login("admin")
    place = "/deployments/processes/p/migration"
    # when
    without = admin.post(place, {"source": "1", "target": "2"})
    assert "Cases are moved with a reason" in admin.get(without.location).text
    answer = admin.post(place, {"source": "1", "target": "2", "why": "a new rule"})
    # then
    assert [engine.case(one.id).version for one in (stuck, free)] == [1, 2]
    assert "1 case runs in version 2 now." in admin.get(answer.location).text
    assert engine.acts_on([free.id])[0].why == "a new rule"


def test_more_cases_than_one_look_is_about_stand_on_further_pages(
    engine: Engine, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given the first page full of cases that cannot go
    monkeypatch.setattr(moving, "_PAGE", 2)
    deploy(engine, "a", "c")
    cases = [engine.start("p") for _ in range(3)]
    engine.complete(engine.tasks(instance_id=cases[2].id)[0].id, {}, by="bob")
    deploy(engine, "b", "c")
    admin = login("admin")
    place = "/deployments/processes/p/migration"
    # when
    first = admin.get(f"{place}?source=1").text
    after = re.search(r"after=([0-9a-f-]+)", first)
    assert after is not None
    second = admin.get(f"{place}?source=1&after={after[1]}").text
    admin.post(place, {"source": "1", "target": "2", "why": "rule", "after": after[1]})
    # then
    assert "0 cases can go" in first
    assert "1 case can go" in second
    assert [engine.case(one.id).version for one in cases] == [1, 1, 2]


def test_one_case_is_moved_where_the_admin_says_and_its_story_tells(
    engine: Engine, login: Login
) -> None:
    # given
    deploy(engine, "a")
    case = engine.start("p", business_key="K-1")
    deploy(engine, "b", "c")
    admin = login("admin")
    # when
    assert "Move to version 2" in admin.get(f"/cases/{case.id}").text
    refused = admin.get(f"/cases/{case.id}/migration").text
    plan = admin.get(f"/cases/{case.id}/migration?to.a=b").text
    answer = admin.post(f"/cases/{case.id}/migration", {"to.a": "b", "target": "2", "why": "rule"})
    # then
    assert "The case cannot go yet" in refused
    assert "Let it go on" not in refused
    assert "goes on at “Check”" in plan
    assert answer.status_code == 303
    page = admin.get(answer.location).text
    assert "admin moved “p” from version 1 to version 2: rule" in page
    assert "moved it to another version" in page
    assert "Reached “Look”" in page
    assert "Move to version" not in page
    told = login("operator", language="zh").get(f"/cases/{case.id}").text
    assert "从第 1 版移到第 2 版：rule" in told


def test_a_case_that_went_on_meanwhile_is_shown_anew(engine: Engine, login: Login) -> None:
    # given
    deploy(engine, "a", "c")
    case = engine.start("p")
    deploy(engine, "a")
    engine.complete(engine.tasks()[0].id, {}, by="bob")
    # when
    admin = login("admin")
    answer = admin.post(f"/cases/{case.id}/migration", {"target": "2", "why": "rule"})
    # then
    page = admin.get(answer.location).text
    assert "The case has changed meanwhile." in page
    assert "The case cannot go yet" in page


def test_a_case_is_repaired_and_a_refusal_keeps_the_form(engine: Engine, login: Login) -> None:
    # given
    deploy(engine, "a", "b")
    case = engine.start("p")
    admin = login("admin")
    place = f"/cases/{case.id}/modification"
    assert re.search(r'name="cancel" value="a">\s*Look', admin.get(place).text)
    # when
    refused = admin.post(place, {"cancel": "a", "why": "by phone"})
    changed = admin.post(place, {"cancel": "a", "before": "b", "why": "by phone"})
    # then
    assert refused.status_code == 409
    assert "Nothing would be left of the case" in refused.text
    assert 'value="by phone"' in refused.text
    assert admin.post(place, {"cancel": "a"}).status_code == 422
    assert changed.status_code == 303
    assert [task.element_id for task in engine.tasks()] == ["b"]
    page = admin.get(changed.location).text
    assert "“Look” taken away, begun at “Check”" in page


def test_the_customer_sees_the_case_where_it_stands_in_the_new_version(engine: Engine) -> None:
    # given
    deploy(engine, "a")
    case = engine.start("p")
    marked = line("b").replace(
        b'<zeebe:property name="name.zh" value="\xe6\xa3\x80\xe6\x9f\xa5"/>',
        b'<zeebe:property name="customer.step" value="We check"/>',
    )
    engine.deploy({"p.bpmn": marked}, by="ann")
    engine.migrate_case(case.id, mapping={"a": "b"}, by="ann")
    # when
    here = steps(engine.case_view(case.id), marks(marked, "p"), "en")
    engine.complete(engine.tasks()[0].id, {}, by="bob")
    done = steps(engine.case_view(case.id), marks(marked, "p"), "en")
    # then
    assert [(step.text, step.state) for step in here] == [("We check", "here")]
    assert [(step.text, step.state) for step in done] == [("We check", "done")]


@pytest.mark.parametrize(
    "place", ["/cases/x/migration", "/cases/x/modification", "/deployments/processes/p/migration"]
)
def test_only_admins_see_these_pages(login: Login, place: str) -> None:
    assert login("analyst").get(place).status_code == 403
    assert login("admin").get(place).status_code == 404


def test_there_is_nothing_to_move_where_a_case_has_ended(engine: Engine, login: Login) -> None:
    deploy(engine, "a")
    case = engine.start("p")
    engine.cancel(case.id, by="ann")
    admin = login("admin")
    assert admin.get(f"/cases/{case.id}/migration").status_code == 409
    assert admin.get(f"/cases/{case.id}/modification").status_code == 409
    assert "Change where it stands" not in admin.get(f"/cases/{case.id}").text
