"""Camunda 7's user tasks: who does them, until when, and the form they show."""

from __future__ import annotations

import json
import re
from pathlib import PurePosixPath

from lxml.etree import _Element as Element

from engine.diagrams.imports import juel_feel
from engine.diagrams.imports.camunda_rules import take, taken
from engine.diagrams.imports.form_fields import form_of_fields
from engine.diagrams.imports.forms import embed
from engine.diagrams.imports.juel import Untranslated, is_juel
from engine.diagrams.imports.passage import Passage
from engine.diagrams.names import is_bpmn

_EXPRESSION = re.compile(r"[$#]\{(?:[^{}\"']|\"[^\"]*\"|'[^']*')*\}")
_SPAN = re.compile(r"P(?:\d|T\d)[\dYMWDTHS.]*")
_HTML = ("embedded:app:", "embedded:deployment:", "app:", "engine:")


def read_people(passage: Passage, task: Element) -> None:
    """Read assignment, dates, priority and form of a user task; of a start event its form."""
    if is_bpmn(task, "userTask"):
        _assignment(passage, task)
        _dates(passage, task)
        if (urgency := take(task, "priority")) is not None:
            passage.zeebe(
                task, "priorityDefinition", priority=passage.attribute(task, "priority", urgency)
            )
    _form(passage, task)


# ------------------------------------------------------------------ who and when


def _assignment(passage: Passage, task: Element) -> None:
    assignee = take(task, "assignee")
    if assignee is not None:
        passage.zeebe(
            task,
            "assignmentDefinition",
            assignee=passage.attribute(task, "assignee", assignee),
        )
    for name in ("candidateUsers", "candidateGroups"):
        text = take(task, name)
        if text is None:
            continue
        try:
            passage.zeebe(task, "assignmentDefinition", **{name: candidates(text)})
        except Untranslated as fault:
            passage.untranslated(task, name, text, fault)


def candidates(text: str) -> str:
    """Return a list of names in which some may be expressions, each of one name or several."""
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        kept.append(found[0])
        return f"\0{len(kept) - 1}\0"

    parts = [part.strip() for part in _EXPRESSION.sub(keep, text).split(",") if part.strip()]
    whole = [re.sub("\0(\\d+)\0", lambda found: kept[int(found[1])], part) for part in parts]
    if not any(is_juel(part) for part in whole):
        return ", ".join(whole)
    if len(whole) == 1:
        return f"={juel_feel.translate(whole[0])}"
    return f"=flatten([{', '.join(juel_feel.translate(part) for part in whole)}])"


def _dates(passage: Passage, task: Element) -> None:
    for name in ("dueDate", "followUpDate"):
        text = take(task, name)
        if text is None:
            continue
        if _SPAN.fullmatch(text.strip()):
            written: str | None = f'=now() + duration("{text.strip()}")'
        else:
            written = passage.attribute(task, name, text)
        passage.zeebe(task, "taskSchedule", **{name: written})


# ------------------------------------------------------------------ forms


def _form(passage: Passage, task: Element) -> None:
    key, reference = take(task, "formKey"), take(task, "formRef")
    binding = take(task, "formRefBinding")
    fields = [*taken(task, "formData"), *taken(task, "formProperty")]
    if reference is not None:
        passage.zeebe(
            task,
            "formDefinition",
            formId=passage.attribute(task, "formRef", reference),
            bindingType=binding if binding in ("latest", "deployment") else None,
        )
        if binding not in (None, "latest", "deployment"):
            passage.report.unsupported(
                task,
                "the form of {who} is bound to a number of a version; numbers differ here",
                "bind the form to its deployment or to a version tag",
                who=task,
            )
    elif key is not None:
        _keyed(passage, task, key.strip())
    elif fields:
        embed(passage, task, form_of_fields(passage, task, fields))


def _keyed(passage: Passage, task: Element, key: str) -> None:
    if key.startswith(_HTML) or key.endswith((".html", ".jsf", ".xhtml")):
        passage.report.warning(
            task,
            "{who} shows the page “{key}”, which is not a form of this product",
            "draw a form; without one people see all variables",
            who=task,
            key=key,
        )
        return
    if key.startswith("camunda-forms:bpmn:") or is_juel(key):
        passage.zeebe(task, "formDefinition", formKey=passage.attribute(task, "formKey", key))
        return
    file = key.rpartition(":")[2].lstrip("/")
    identifier = _id_inside(passage, file)
    if identifier:
        passage.zeebe(task, "formDefinition", formId=identifier)
    else:
        passage.zeebe(task, "formDefinition", formKey=file)


def _id_inside(passage: Passage, file: str) -> str:
    """Return the id of a form that lies beside the diagram."""
    for name in (file, PurePosixPath(file).name, f"{file}.form"):
        content = passage.files.get(name)
        if content is None:
            continue
        try:
            found = json.loads(content)
        except ValueError:
            return ""  # the gate reports the file itself
        return str(found.get("id") or "") if isinstance(found, dict) else ""
    return ""
