"""The shipped files: they deploy as one bundle, speak two languages, and decide as they say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from lxml.etree import _Element as Element

from engine.diagrams.words import words
from engine.registry import Registry
from engine.runtime import Engine
from engine.settings import Settings
from web.bundles import read_bundle

PROCESSES = Path(__file__).resolve().parent.parent.parent / "processes"
SERVICE = (
    "service_lifecycle", "customer_contact", "needs_analysis", "solution_design", "negotiation",
    "execution", "work_order", "after_sales", "follow_up_survey", "escalation",
)  # fmt: skip
#: small ones for the first minutes
EXAMPLES = ("first_steps", "price_approval", "request_desk")
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

    wrong = [f"{p.file} {p.element}: {p.message}" for p in engine.check(bundle)]
    deployed = {d.process_id for d in engine.deploy(bundle, by="admin").definitions}
    engine.close()

    assert wrong == []
    assert deployed >= set(SERVICE)


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


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_english_name_of_an_example_has_a_chinese_one(name: str) -> None:
    silent = [
        f"{local(e)} {e.get('id')}"
        for e in elements(name)
        if e.get("name") and local(e) not in NO_NAMES
        and properties(e).get("name.zh", "").isascii()
    ]  # fmt: skip

    assert silent == []


@pytest.mark.parametrize("name", [*SERVICE, *EXAMPLES])
def test_what_an_element_says_to_people_is_said_in_chinese_too(name: str) -> None:
    written = words((PROCESSES / f"{name}.bpmn").read_bytes())

    silent = [
        element_id for element_id, one in written.items() if one.texts and one.text("zh").isascii()
    ]
    silent_notes = [local(e) for e in elements(name) if local(e) == "text"]

    assert (silent, silent_notes) == ([], [])


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
