"""SpiffWorkflow's tasks: operators, scripts, forms, instructions, decisions."""

from __future__ import annotations

import re

from lxml import etree
from lxml.etree import _Element as Element

from engine.diagrams.imports import python_feel
from engine.diagrams.imports.forms import Form, embed
from engine.diagrams.imports.inserted import can_follow, can_precede, follow, precede
from engine.diagrams.imports.json_schema import read_schema
from engine.diagrams.imports.juel import Untranslated
from engine.diagrams.imports.juel_feel import quoted
from engine.diagrams.imports.passage import Passage, add
from engine.diagrams.imports.spiff_rules import taken
from engine.diagrams.names import SPIFF, bpmn, cw, is_bpmn, plain, zeebe
from engine.diagrams.report import Report
from engine.diagrams.xml import read_xml

_NAMESPACE = "{" + SPIFF + "}"
_SCHEMA, _LOOK = "formJsonSchemaFilename", "formUiSchemaFilename"
_PLACE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


# ------------------------------------------------------------------ operators


def read_operator(passage: Passage, task: Element) -> None:
    """Read serviceTaskOperator: the handler, its inputs, its result, its retries."""
    for operator in taken(task, "serviceTaskOperator"):
        if not is_bpmn(task, "serviceTask", "sendTask", "scriptTask"):
            continue  # a modeler leaves it behind when the kind of a task is changed
        retry = operator.find(f"{_NAMESPACE}retry")
        passage.zeebe(
            task,
            "taskDefinition",
            type=handler_of(operator.get("id") or ""),
            retries=None if retry is None else retry.get("retries"),
        )
        for one in operator.iter(f"{_NAMESPACE}parameter"):
            _input(passage, task, one.get("id") or one.get("name") or "", one.get("value"))
        if result := operator.get("resultVariable"):
            passage.mapping(task, "output", "=result", result)


def handler_of(operator: str) -> str:
    """Return the name of the handler for an operator: `http/GetRequest` is `http.GetRequest`."""
    return operator.strip().replace("/", ".")


def _input(passage: Passage, task: Element, name: str, text: str | None) -> None:
    if not (text or "").strip():
        passage.mapping(task, "input", "=null", name)
    elif passage.python:
        passage.mapping(task, "input", text or "", name)
        block = task.find(f"{bpmn('extensionElements')}/{zeebe('ioMapping')}")
        assert block is not None
        block[-1].set(cw("language"), "python")
    else:
        try:
            passage.mapping(task, "input", f"={python_feel.translate(text or '')}", name)
        except Untranslated as fault:
            passage.untranslated(task, f"parameter {name}", text or "", fault)


# ------------------------------------------------------------------ scripts


def write_script(passage: Passage, task: Element, text: str) -> None:
    """Let a script task run a script: as Python where that runs, else as FEEL."""
    if passage.python:
        task.set("scriptFormat", "python")
        body = etree.SubElement(task, bpmn("script"))
        body.sourceline = task.sourceline
        body.text = text
        return
    try:
        found = python_feel.assignments(text)
    except Untranslated as fault:
        passage.untranslated(task, "script", text, fault)
        found = []
    if len(found) == 1:
        name, feel = found[0]
        passage.zeebe(task, "script", expression=f"={feel}", resultVariable=name)
        return
    entries = ", ".join(f"{name}: {feel}" for name, feel in found)
    passage.zeebe(task, "script", expression=f"={{{entries}}}", resultVariable="scriptResult")
    for name in dict.fromkeys(name for name, _feel in found):
        passage.mapping(task, "output", f"=scriptResult.{name}", name)


def read_scripts(passage: Passage, node: Element) -> None:
    """Put the scripts before and behind an element into script tasks of their own."""
    for name, fits, put in (
        ("preScript", can_precede, precede),
        ("postScript", can_follow, follow),
    ):
        for one in taken(node, name):
            text = one.text or ""
            if not text.strip():
                continue
            if not fits(node):
                passage.report.unsupported(
                    node,
                    "“{name}” of {who} cannot be put into a script task there",
                    "draw a script task",
                    who=node,
                    name=name,
                )
                continue
            made = put(passage, node, "scriptTask", name)
            made.set("name", f"{node.get('name') or node.get('id')}: {name}")
            write_script(passage, made, text)


# ------------------------------------------------------------------ people


def read_person(passage: Passage, task: Element) -> None:
    """Read form and instructions of a task or start event.

    A manual task is one that a person confirms there, so a user task here.
    """
    names: dict[str, str] = {}
    for block in taken(task, "properties"):
        for one in block.iterchildren(f"{_NAMESPACE}property"):
            name, value = one.get("name") or "", one.get("value") or ""
            if name in (_SCHEMA, _LOOK):
                names[name] = value.strip()
            elif name:
                entry = add(passage.zeebe(task, "properties"), zeebe("property"), task)
                entry.set("name", name)
                entry.set("value", value)
    if not is_bpmn(task, "startEvent"):
        task.tag = bpmn("userTask")
    components = list(_instructions(passage, task))
    if names.get(_SCHEMA):
        components += read_schema(passage, task, names[_SCHEMA], names.get(_LOOK, ""))
    embed(passage, task, components)
    lane = _lane(passage, task)
    if lane and is_bpmn(task, "userTask"):
        passage.zeebe(task, "assignmentDefinition", candidateGroups=lane)


def _instructions(passage: Passage, task: Element) -> list[Form]:
    found: list[Form] = []
    for one in taken(task, "instructionsForEndUser"):
        text = "\n".join(line.strip() for line in (one.text or "").strip().splitlines())
        if text:
            found.append({"type": "text", "id": "instructions", "text": _said(passage, task, text)})
    return found


def _said(passage: Passage, task: Element, text: str) -> str:
    """Turn the places of a Jinja text into those of a form: `{{ name }}` holds FEEL."""
    if "{%" in text or "{#" in text:
        passage.report.warning(
            task,
            "the instructions of {who} hold rules of a template, which are shown as they are",
            "write them with the conditions of a form",
            who=task,
        )
    strange: list[str] = []

    def place(found: re.Match[str]) -> str:
        try:
            return f"{{{{{python_feel.translate(found[1])}}}}}"
        except Untranslated:
            strange.append(found[1].strip())
            return found[0].replace("{{", "{ {").replace("}}", "} }")

    said = _PLACE.sub(place, text)
    if strange:
        passage.report.warning(
            task,
            "the instructions of {who} ask for “{text}”, which is shown as it is",
            "write it in FEEL",
            who=task,
            text=", ".join(strange)[:120],
        )
    return said


def _lane(passage: Passage, task: Element) -> str:
    """Return the name of the lane a task stands in: people of that group do it."""
    for reference in passage.root.iter(bpmn("flowNodeRef")):
        lane = reference.getparent()
        if plain(reference.text) == task.get("id") and lane is not None:
            name = " ".join((lane.get("name") or "").split())
            return f"={quoted(name)}" if "," in name or name.startswith("=") else name
    return ""


# ------------------------------------------------------------------ decisions


def read_decision(passage: Passage, task: Element) -> None:
    """Read calledDecisionId; there each output of the table is a variable of its own."""
    for one in taken(task, "calledDecisionId"):
        decision = (one.text or "").strip()
        outputs = _outputs(passage, decision)
        if not outputs:
            passage.report.unsupported(
                task,
                "{who} takes the outputs of the decision “{name}”, which is not in this bundle",
                "add the file of the decision",
                who=task,
                name=decision,
            )
            continue
        passage.zeebe(task, "calledDecision", decisionId=decision, resultVariable="decisionResult")
        for name in outputs:
            source = "decisionResult" if len(outputs) == 1 else f"decisionResult.{name}"
            passage.mapping(task, "output", f"={source}", name)


def _outputs(passage: Passage, decision: str) -> list[str]:
    """Return the names of the outputs of a decision table of the bundle."""
    for name, content in passage.files.items():
        if not name.lower().endswith(".dmn"):
            continue
        root = read_xml(content, Report(name), max_bytes=len(content) + 1)
        for element in () if root is None else root.iter("{*}decision"):
            if element.get("id") == decision:
                table = element.find("{*}decisionTable")
                outputs = () if table is None else table.iterchildren("{*}output")
                return [str(one.get("name") or one.get("label") or "") for one in outputs]
    return []
