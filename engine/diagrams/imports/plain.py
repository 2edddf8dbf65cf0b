"""Plain BPMN of any tool: who does a task (BPMN 2.0.2, 10.3).

Data of plain BPMN (ioSpecification, associations, properties) is read by rewrite_data.py.
"""

from __future__ import annotations

import re

from lxml.etree import _Element as Element

from engine.diagrams.diagram import child, children
from engine.diagrams.imports import juel_feel
from engine.diagrams.imports.juel import Untranslated, is_juel
from engine.diagrams.imports.passage import Passage, detach, zeebe_block
from engine.diagrams.names import bpmn, is_bpmn, plain, text_of

_NAMED = re.compile(r"(user|group)\s*\(([^()]*)\)")
#: kind of a role -> what a name without a word before it is
_ROLES = {"potentialOwner": "candidateGroups", "humanPerformer": "assignee",
          "performer": "candidateGroups"}  # fmt: skip


def import_plain(passage: Passage) -> None:
    """Let roles decide who gets a user task; what names nobody stays, and the gate says so."""
    for task in list(passage.root.iter(bpmn("userTask"), bpmn("globalUserTask"))):
        for role in children(task, *_ROLES):
            _role(passage, task, role)


def _role(passage: Passage, task: Element, role: Element) -> None:
    if is_said_twice(role):
        return  # the gate refuses it
    text = _said(passage, role)
    usual = next(name for tag, name in _ROLES.items() if is_bpmn(role, tag))
    if not text:
        return
    try:
        found = _people(text, usual)
    except Untranslated as fault:
        passage.untranslated(task, "resourceAssignmentExpression", text, fault)
        found = {}
    known = zeebe_block(task, "assignmentDefinition")
    for name, value in found.items():
        if known is None or known.get(name) is None:
            passage.zeebe(task, "assignmentDefinition", **{name: value})
    detach(role)


def is_said_twice(role: Element) -> bool:
    """Tell whether a role names a resource and has an expression too (BPMN 2.0.2, table 10.5)."""
    return None not in (child(role, "resourceRef"), child(role, "resourceAssignmentExpression"))


def _said(passage: Passage, role: Element) -> str:
    """Return the expression of a role, else the name of the resource it refers to."""
    block = child(role, "resourceAssignmentExpression")
    expression = None if block is None else child(block, "formalExpression", "expression")
    if expression is not None:
        return text_of(expression)
    wanted = plain(text_of(child(role, "resourceRef")))
    for resource in passage.root.iterchildren(bpmn("resource")):
        if wanted and resource.get("id") == wanted:
            name = " ".join((resource.get("name") or "").split())
            return f"group({name})" if name and not set("()") & set(name) else ""
    return ""


def _people(text: str, usual: str) -> dict[str, str]:
    """Read `user(ann), group(sales), desk` or an expression. Raises Untranslated."""
    if text.startswith("="):
        return {usual: text}
    named: dict[str, list[str]] = {}
    for kind, name in _NAMED.findall(text):
        key = "candidateGroups" if kind == "group" else "candidateUsers"
        named.setdefault(key, []).append(name.strip())
    rest = [part.strip() for part in _NAMED.sub("", text).split(",") if part.strip()]
    if is_juel(text) and not named:
        return {usual: f"={juel_feel.translate(text)}"}
    if usual == "assignee" and len(rest) == 1:
        named["assignee"] = rest
    else:
        named.setdefault("candidateGroups", []).extend(rest)
    return {key: ", ".join(names) for key, names in named.items() if names}
