"""Everything the shipped files work out is FEEL: conditions, mappings, timers, keys, forms."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from lxml import etree
from lxml.etree import _Element as Element

from engine import feel

PROCESSES = Path(__file__).resolve().parent.parent.parent / "processes"
DIAGRAMS = sorted(PROCESSES.glob("*.bpmn"))
FORMS = sorted(PROCESSES.glob("forms/*.form"))
ZEEBE = "{http://camunda.org/schema/zeebe/1.0}"
#: elements whose text is worked out
TEXTS = ("conditionExpression", "condition", "completionCondition", "loopCondition",
         "timeDuration", "timeDate", "timeCycle")  # fmt: skip
#: attributes that are worked out
ATTRIBUTES = {
    "input": ("source",), "output": ("source",), "subscription": ("correlationKey",),
    "loopCharacteristics": ("inputCollection", "outputElement"), "script": ("expression",),
    "taskSchedule": ("dueDate", "followUpDate"),
}  # fmt: skip
#: attributes that are a constant, or worked out where they begin with =
EITHER = {
    "assignmentDefinition": ("assignee", "candidateGroups", "candidateUsers"),
    "priorityDefinition": ("priority",), "calledDecision": ("decisionId",),
    "calledElement": ("processId",), "taskDefinition": ("type", "retries"),
}  # fmt: skip
#: languages that nothing here may need
FOREIGN = ("scriptFormat", "expressionLanguage", "${", "#{")


class Found(NamedTuple):
    """A text that is worked out."""

    #: element and attribute
    at: str
    text: str


def local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def owner(element: Element) -> str:
    """Return the id of an element or of the nearest one around it that has one."""
    while element.get("id") is None and (around := element.getparent()) is not None:
        element = around
    return str(element.get("id"))


def worked_out(path: Path) -> Iterator[Found]:
    for element in etree.parse(str(path)).getroot().iter("{*}*"):
        name = local(element)
        if name in TEXTS and (element.text or "").strip():
            yield Found(f"{owner(element)} {name}", str(element.text).strip())
        if not str(element.tag).startswith(ZEEBE):
            continue
        for attribute in ATTRIBUTES.get(name, ()):
            if element.get(attribute) is not None:
                yield Found(f"{owner(element)} {name} {attribute}", str(element.get(attribute)))
        for attribute in EITHER.get(name, ()):
            if str(element.get(attribute, "")).startswith("="):
                yield Found(f"{owner(element)} {name} {attribute}", str(element.get(attribute)))


def conditions(part: Any) -> Iterator[Found]:
    """Yield what decides whether the fields of a form are shown, and every other expression."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "hide" or (isinstance(value, str) and value.startswith("=")):
                yield Found(f"{part.get('id')} {key}", str(value))
            else:
                yield from conditions(value)
    elif isinstance(part, list):
        for one in part:
            yield from conditions(one)


def wrong(found: Found) -> str | None:
    """Return why a text is no FEEL expression, None if it is one."""
    if not found.text.startswith("="):
        return f"{found.at}: {found.text} is no expression"
    try:
        feel.compile(found.text.removeprefix("="))
    except feel.FeelError as error:
        return f"{found.at}: {found.text}: {error}"
    return None


@pytest.mark.parametrize("path", DIAGRAMS, ids=lambda path: path.stem)
def test_everything_a_diagram_works_out_is_feel(path: Path) -> None:
    assert [said for found in worked_out(path) if (said := wrong(found)) is not None] == []


@pytest.mark.parametrize("path", DIAGRAMS, ids=lambda path: path.stem)
def test_no_diagram_names_another_language(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert [sign for sign in FOREIGN if sign in text] == []


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_what_shows_and_hides_fields_is_feel(path: Path) -> None:
    form = json.loads(path.read_text(encoding="utf-8"))

    assert [said for one in conditions(form) if (said := wrong(one)) is not None] == []


def test_the_shipped_diagrams_use_every_kind_of_expression() -> None:
    kinds = {
        found.at.split(" ", 1)[1] for path in DIAGRAMS for found in worked_out(path)
    }  # fmt: skip

    assert kinds >= {
        "conditionExpression", "timeDuration", "input source", "output source",
        "subscription correlationKey", "loopCharacteristics inputCollection",
        "loopCharacteristics outputElement", "script expression", "taskSchedule dueDate",
        "assignmentDefinition candidateGroups", "priorityDefinition priority",
    }  # fmt: skip
    assert any(True for path in FORMS for _ in conditions(json.loads(path.read_text("utf-8"))))


def test_a_text_that_is_no_feel_is_found() -> None:
    assert wrong(Found("x", "P1D")) == "x: P1D is no expression"
    assert "x: =1 + (" in str(wrong(Found("x", "=1 + (")))
    assert wrong(Found("x", '=duration("P1D")')) is None
