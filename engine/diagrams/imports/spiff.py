"""SpiffWorkflow: its extensions, and Python as the language of the file, in the zeebe dialect.

Where Python runs, Python stays; elsewhere simple Python becomes FEEL (python_feel.py).
"""

from __future__ import annotations

import ast

from lxml.etree import _Element as Element

from engine.diagrams.diagram import child
from engine.diagrams.imports import python_feel
from engine.diagrams.imports.juel import Untranslated
from engine.diagrams.imports.juel_feel import quoted
from engine.diagrams.imports.passage import Passage, detach, event_of, formal, tidy
from engine.diagrams.imports.spiff_rules import NOTED, REFUSED, take, taken
from engine.diagrams.imports.spiff_tasks import (
    read_decision,
    read_operator,
    read_person,
    read_scripts,
    write_script,
)
from engine.diagrams.names import bpmn, is_bpmn, local, plain
from engine.diagrams.schema import is_a

_CONDITIONS = ("conditionExpression", "condition", "completionCondition", "loopCondition")
_TIMES = ("timeDate", "timeDuration", "timeCycle")


def import_spiff(passage: Passage) -> None:
    """Turn every extension of SpiffWorkflow into what it is here; report what cannot be."""
    payloads = _payloads(passage)
    for path in list(passage.root.iter(bpmn("formalExpression"))):
        retrieval = path.getparent()
        if retrieval is not None and is_bpmn(retrieval, "correlationPropertyRetrievalExpression"):
            path.tag = bpmn("messagePath")  # as its modeler writes it
    for element in passage.elements():
        if is_bpmn(element, *_CONDITIONS, *_TIMES, "loopCardinality", "messagePath"):
            _expression(passage, element)
        elif is_a(element, "activity"):
            _activity(passage, element, payloads)
        elif is_bpmn(element, "messageEventDefinition"):
            _message(passage, event_of(element), element, payloads)
        elif is_bpmn(element, "startEvent"):
            read_person(passage, element)
    for element in passage.elements():
        if is_a(element, "activity") or is_bpmn(element, "startEvent", "endEvent"):
            read_scripts(passage, element)
        _rest(passage, element)
        tidy(element)


def _activity(passage: Passage, task: Element, payloads: dict[str, str]) -> None:
    read_operator(passage, task)
    if is_bpmn(task, "scriptTask"):
        body = child(task, "script")
        text = "" if body is None else body.text or ""
        if body is not None and not task.get("scriptFormat"):
            detach(body)
            write_script(passage, task, text)
    elif is_bpmn(task, "businessRuleTask"):
        read_decision(passage, task)
    elif is_bpmn(task, "userTask", "manualTask"):
        read_person(passage, task)
    elif is_bpmn(task, "sendTask", "receiveTask"):
        _message(passage, task, task, payloads)
    for loop in task.iterchildren():
        if is_bpmn(loop, "multiInstanceLoopCharacteristics"):
            _loop(passage, task, loop)


# ------------------------------------------------------------------ expressions


def _expression(passage: Passage, element: Element) -> None:
    text = (element.text or "").strip()
    if not text or text.startswith("=") or element.get("language"):
        return
    formal(element)
    time = local(element) in _TIMES
    said = python_feel.literal(text)
    if time and isinstance(said, str):
        element.text = said
    elif passage.python and not time:
        element.set("language", "python")
    elif time and text[0] in "PR":
        return
    else:
        try:
            element.text = f"={python_feel.translate(text)}"
        except Untranslated as fault:
            parent = element.getparent()
            holder = element if parent is None else event_of(parent)
            passage.untranslated(holder, local(element), text, fault)
            element.text = "=null"


def _loop(passage: Passage, task: Element, loop: Element) -> None:
    """Lists are variables there, no data of the drawing; the names say which."""
    names: dict[str, str | None] = {}
    for tag in ("loopDataInputRef", "loopDataOutputRef"):
        reference = child(loop, tag)
        if reference is None or _drawn(passage, plain(reference.text)):
            continue
        names[tag] = plain(reference.text)
    for tag in ("inputDataItem", "outputDataItem"):
        item = child(loop, tag)
        names[tag] = None if item is None else item.get("name") or item.get("id")
    if not names.get("loopDataInputRef"):
        return
    result = names.get("loopDataOutputRef")
    passage.zeebe(
        loop,
        "loopCharacteristics",
        inputCollection=f"={names['loopDataInputRef']}",
        inputElement=names.get("inputDataItem"),
        outputCollection=result,
        outputElement=f"={names['outputDataItem']}" if result and names["outputDataItem"] else None,
    )
    for one in list(loop.iterchildren()):
        if is_bpmn(one, "loopDataInputRef", "loopDataOutputRef", "inputDataItem", "outputDataItem"):
            loop.remove(one)
    if (take(loop, "scriptsOnInstances") or "false").lower() == "true":
        passage.report.unsupported(
            task,
            "the scripts of {who} run in each of its instances",
            "put them into the sub-process that is repeated",
            who=task,
        )


def _drawn(passage: Passage, identifier: str) -> bool:
    return any(element.get("id") == identifier for element in passage.elements())


# ------------------------------------------------------------------ messages


def _payloads(passage: Passage) -> dict[str, str]:
    """Return what each message carries, as Python, by the id of the message."""
    found: dict[str, str] = {}
    for message in passage.root.iterchildren(bpmn("message")):
        for one in taken(message, "messagePayload"):
            found[f"payload {message.get('id')}"] = (one.text or "").strip()
        for one in taken(message, "messageVariable"):
            found[f"variable {message.get('id')}"] = (one.text or "").strip()
    return found


def _message(passage: Passage, node: Element, holder: Element, known: dict[str, str]) -> None:
    reference = plain(holder.get("messageRef"))
    payload, variable = (
        known.get(f"payload {reference}", ""),
        known.get(f"variable {reference}", ""),
    )
    for one in taken(holder, "messagePayload"):
        payload = (one.text or "").strip() or payload
    for one in taken(holder, "messageVariable"):
        variable = (one.text or "").strip() or variable
    throws = is_bpmn(node, "sendTask", "intermediateThrowEvent", "endEvent")
    members = _members(payload)
    if throws and payload:
        if members is None:
            _cannot_send(passage, node, payload)
        for name, value in (members or {}).items():
            passage.mapping(node, "input", f"={value}", name)
    elif not throws and variable:
        if members is None:
            passage.report.warning(
                node,
                "{who} keeps the whole message in “{name}”; here it has to bring that variable",
                "send the message with the variable “{name}”",
                who=node,
                name=variable,
            )
            return
        whole = ", ".join(f"{quoted(name)}: {name}" for name in members)
        passage.mapping(node, "output", f"={{{whole}}}", variable)


def _members(payload: str) -> dict[str, str] | None:
    """Return the FEEL of each member of a payload that is written as a dict, else None."""
    try:
        tree = ast.parse(payload.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return None
    if not isinstance(tree, ast.Dict):
        return None
    found: dict[str, str] = {}
    for key, value in zip(tree.keys, tree.values, strict=True):
        if not (isinstance(key, ast.Constant) and isinstance(key.value, str)):
            return None
        try:
            found[key.value] = python_feel.translate(ast.unparse(value))
        except Untranslated:
            return None
    return found


def _cannot_send(passage: Passage, node: Element, payload: str) -> None:
    passage.report.unsupported(
        node,
        "{who} sends “{text}”; a message here carries variables by their names",
        "write the payload as a dict with names, or draw input mappings",
        who=node,
        text=payload[:120],
    )


# ------------------------------------------------------------------ what is left


def _rest(passage: Passage, element: Element) -> None:
    for name in NOTED:
        if take(element, name) is not None or taken(element, name):
            passage.note(name, element)
    if any((one.text or "").strip().lower() == "true" for one in taken(element, "allowGuest")):
        passage.report.warning(
            element,
            "{who} may be done by guests; here people sign in, customers answer by their link",
            "ask the customer by a message, or let somebody of the house do it",
            who=element,
        )
    synced = take(element, "isOutputSynced")
    if synced is not None and synced.lower() == "false":
        passage.report.unsupported(
            element,
            "{who} keeps its variables to itself",
            "name what leaves it by output mappings",
            who=element,
        )
    for name, advice in REFUSED.items():
        if take(element, name) is not None or taken(element, name):
            passage.report.unsupported(
                element,
                "{who} carries “{name}” of SpiffWorkflow, which has no counterpart",
                advice,
                who=element,
                name=name,
            )
