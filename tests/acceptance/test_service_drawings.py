"""The shipped files: they deploy as one bundle, speak two languages, and decide as they say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from lxml.etree import _Element as Element

from engine import dmn
from engine.registry import Registry
from engine.runtime import Engine
from engine.settings import Settings
from web.bundles import read_bundle

PROCESSES = Path(__file__).resolve().parent.parent.parent / "processes"
SERVICE = (
    "service_lifecycle", "customer_contact", "needs_analysis", "solution_design", "negotiation",
    "execution", "work_order", "after_sales", "follow_up_survey", "escalation",
)  # fmt: skip
GROUPS = {"frontdesk", "analyst", "delivery", "quality", "lead", "experts", "admin"}
BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
ZEEBE = "{http://camunda.org/schema/zeebe/1.0}"
NO_NAMES = {"laneSet", "message", "error", "escalation", "signal"}


def drawing(name: str) -> Element:
    return etree.parse(str(PROCESSES / f"{name}.bpmn")).getroot()


def properties(element: Element) -> dict[str, str]:
    path = f"{BPMN}extensionElements/{ZEEBE}properties/{ZEEBE}property"
    return {str(p.get("name")): str(p.get("value")) for p in element.iterfind(path)}


def elements(name: str) -> Iterator[Element]:
    for element in drawing(name).iter("{*}*"):
        if str(element.tag).startswith(BPMN):
            yield element


def local(element: Element) -> str:
    return str(element.tag).removeprefix(BPMN)


def test_everything_deploys_as_one_bundle(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    engine = Engine(settings, registry=Registry.load(settings))
    engine.migrate()
    bundle = read_bundle([PROCESSES], limit=settings.upload_limit)

    wrong = [f"{p.file} {p.element}: {p.message}" for p in engine.check(bundle) if not _old(p.file)]
    deployed = {d.process_id for d in engine.deploy(bundle, by="admin").definitions}
    engine.close()

    assert wrong == []
    assert deployed >= set(SERVICE)


def _old(file: str) -> bool:
    return file in ("request_desk.bpmn", "first_steps.bpmn", "price_approval.bpmn")


@pytest.mark.parametrize("name", SERVICE)
def test_every_name_is_chinese_and_has_an_english_one(name: str) -> None:
    silent = [
        f"{local(e)} {e.get('id')}"
        for e in elements(name)
        if e.get("name") and local(e) not in NO_NAMES and "name.en" not in properties(e)
    ]
    english = [
        str(e.get("name"))
        for e in elements(name)
        if local(e) not in NO_NAMES and e.get("name") and str(e.get("name")).isascii()
    ]

    assert (silent, english) == ([], [])


@pytest.mark.parametrize("name", SERVICE)
def test_every_step_that_customers_see_is_told_in_both_languages(name: str) -> None:
    told = [properties(e) for e in elements(name)]

    assert [p for p in told if ("customer.step" in p) != ("customer.step.en" in p)] == []


@pytest.mark.parametrize("name", SERVICE)
def test_every_user_task_has_a_form_and_somebody_who_does_it(name: str) -> None:
    for task in (e for e in elements(name) if local(e) == "userTask"):
        form = task.find(f"{BPMN}extensionElements/{ZEEBE}formDefinition")
        assigned = task.find(f"{BPMN}extensionElements/{ZEEBE}assignmentDefinition")
        assert form is not None, task.get("id")
        assert (PROCESSES / "forms" / f"{form.get('formId')}.form").exists()
        assert assigned is not None
        groups = str(assigned.get("candidateGroups") or "")
        assert groups.startswith("=") or set(groups.split(",")) <= GROUPS, task.get("id")


@pytest.mark.parametrize("name", SERVICE)
def test_every_element_is_drawn(name: str) -> None:
    root = drawing(name)
    drawn = {e.get("bpmnElement") for e in root.iter("{*}BPMNShape", "{*}BPMNEdge")}
    nodes = {
        str(e.get("id"))
        for e in elements(name)
        if local(e).endswith(("Task", "Event", "Gateway", "Activity", "ubProcess", "Flow"))
    }

    assert nodes - drawn == set()


@pytest.mark.parametrize("name", SERVICE)
def test_every_line_runs_straight_across_or_down(name: str) -> None:
    for edge in drawing(name).iter("{*}BPMNEdge"):
        points = [(p.get("x"), p.get("y")) for p in edge.iterfind("{*}waypoint")]
        for (x1, y1), (x2, y2) in pairwise(points):
            assert x1 == x2 or y1 == y2, edge.get("bpmnElement")


@pytest.mark.parametrize("form", sorted(PROCESSES.glob("forms/*.form")), ids=lambda p: p.stem)
def test_every_field_of_a_form_is_labelled_in_both_languages(form: Path) -> None:
    content = json.loads(form.read_text(encoding="utf-8"))

    assert content["id"] == form.stem
    assert content["properties"]["name.en"]
    for field in _fields(content["components"]):
        assert field["label"], field["id"]
        assert field["properties"]["label.en"], field["id"]
        values = field.get("values", ())
        assert [v for v in values if f"value.{v['value']}.en" not in field["properties"]] == []


def _fields(components: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for one in components:
        yield one
        yield from _fields(one.get("components", []))


# ------------------------------------------------------------------ decisions


def decide(decision: str, **inputs: Any) -> Any:
    model = dmn.load((PROCESSES / f"{decision}.dmn").read_bytes())
    return model.evaluate(decision, inputs).value


TRIAGE = {
    "high": {"high": ("P1", "P1"), "medium": ("P2", "P1"), "low": ("P3", "P2")},
    "medium": {"high": ("P2", "P1"), "medium": ("P3", "P2"), "low": ("P4", "P3")},
    "low": {"high": ("P3", "P2"), "medium": ("P4", "P3"), "low": ("P4", "P4")},
}


@pytest.mark.parametrize("impact", TRIAGE)
@pytest.mark.parametrize("urgency", ["low", "medium", "high"])
def test_triage_has_one_answer_for_everything(impact: str, urgency: str) -> None:
    standard, vip = TRIAGE[impact][urgency]

    assert decide("triage", impact=impact, urgency=urgency, tier="standard")["priority"] == standard
    found = decide("triage", impact=impact, urgency=urgency, tier="vip")
    assert (found["priority"], found["queue"]) == (vip, "vip")


@pytest.mark.parametrize(
    ("tier", "channel", "first"),
    [
        ("vip", "email", "PT1H"),
        ("standard", "phone", "PT30M"),
        ("standard", "wechat", "PT2H"),
        ("standard", "email", "PT4H"),
        (None, None, "PT4H"),
    ],
)
def test_first_rule_that_fits_sets_the_clock(tier: Any, channel: Any, first: str) -> None:
    assert decide("sla_policy", tier=tier, channel=channel)["first_response"] == first


@pytest.mark.parametrize(
    ("skill", "priority", "teams"),
    [
        ("repair", "P3", ["field"]),
        ("repair", "P1", ["field", "standby"]),
        ("software", "P2", ["remote"]),
        ("something else", "P3", []),
    ],
)
def test_every_rule_that_fits_names_a_team(skill: str, priority: str, teams: list[str]) -> None:
    assert (decide("routing", skill=skill, priority=priority) or []) == teams


@pytest.mark.parametrize(
    ("total", "rate", "approver", "experts"),
    [
        ("5000", "0.1", "analyst", False),
        ("5000.01", "0.1", "analyst", True),
        ("500", "0.11", "lead", False),
        ("50000", "0.2", "lead", True),
        ("50000", "0", "analyst", True),
        ("50000.01", "0", "lead", True),
    ],
)
def test_authority_ends_at_the_limit(total: str, rate: str, approver: str, experts: bool) -> None:
    found = decide("authority_limit", total=Decimal(total), discount_rate=Decimal(rate))

    assert (found["approver"], found["experts"]) == (approver, experts)
