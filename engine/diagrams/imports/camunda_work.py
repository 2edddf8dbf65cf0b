"""The work of Camunda 7's tasks: topics, classes, beans and expressions to names of handlers."""

from __future__ import annotations

import re

from lxml.etree import _Element as Element

from engine.diagrams.diagram import child
from engine.diagrams.imports import juel_feel
from engine.diagrams.imports.camunda_rules import take, taken
from engine.diagrams.imports.juel import Call, Literal, Member, Name, Node, Untranslated, is_juel
from engine.diagrams.imports.passage import Passage, add, detach, drop
from engine.diagrams.names import bpmn, local, zeebe
from engine.sentences import phrase

_WAYS = ("topic", "class", "delegateExpression", "expression")
_REPEAT = re.compile(r"R(\d+)/.+", re.IGNORECASE)
_SCRIPTS = {"feel": "feel", "juel": "juel", "python": "python", "jython": "python"}


def read_work(passage: Passage, owner: Element, holder: Element) -> None:
    """Give a task or throwing event the handler that its implementation becomes."""
    kind = take(holder, "type")
    ways = {name: text for name in _WAYS if (text := take(holder, name)) is not None}
    variable = take(holder, "resultVariable")
    if kind not in (None, "external"):
        passage.report.unsupported(
            owner, "{who} is of the type “{kind}” of Camunda 7, which is not offered",
            "choose a handler that does the work", who=owner, kind=kind,
        )  # fmt: skip
        return
    topic = None
    if "topic" in ways:
        topic = passage.attribute(owner, "topic", ways["topic"])
    elif "class" in ways:
        topic = handler_of_class(ways["class"])
    elif "delegateExpression" in ways:
        topic = _bean(passage, owner, ways["delegateExpression"])
    elif "expression" in ways:
        topic = _called(passage, owner, ways["expression"], variable)
    if topic:
        passage.zeebe(owner, "taskDefinition", type=topic)
    read_fields(passage, owner, holder)
    read_retries(passage, owner)


def handler_of_class(name: str) -> str:
    """Return the name of the handler for a Java class: its last part, as Spring names a bean."""
    last = re.split(r"[.$]", name.strip())[-1]
    return last[:1].lower() + last[1:]


def _path(node: Node | None) -> str:
    """Return `a.b` for a name or the member of one, else ""."""
    if isinstance(node, Name):
        return node.text
    if isinstance(node, Member):
        before = _path(node.base)
        return f"{before}.{node.name}" if before else ""
    return ""


def _bean(passage: Passage, owner: Element, text: str) -> str | None:
    if not is_juel(text):
        return text.strip()
    try:
        path = _path(juel_feel.node_of(text))
    except Untranslated as fault:
        passage.untranslated(owner, "delegateExpression", text, fault)
        return None
    if not path:
        passage.report.unsupported(
            owner,
            "{who} computes which object does the work (“{text}”)",
            "name the bean itself, or compute the handler in FEEL",
            who=owner,
            text=text[:120],
        )
    return path or None


# ------------------------------------------------------------------ expressions


def _called(passage: Passage, owner: Element, text: str, variable: str | None) -> str | None:
    """Return the handler for `${bean.method(...)}`; any other expression becomes a script task."""
    try:
        node = juel_feel.node_of(text)
    except Untranslated as fault:
        passage.untranslated(owner, "expression", text, fault)
        return None
    if isinstance(node, Call) and node.base is not None:
        if _path(node.base) == "execution" and node.name == "setVariable":
            _set_variable(passage, owner, text, node)
            return None
        bean = _path(node.base)
        known = (node.name, len(node.arguments)) in juel_feel.METHODS
        if bean and not known and bean not in juel_feel.ENGINE_OBJECTS:
            _arguments(passage, owner, text, node)
            if variable:
                passage.mapping(owner, "output", "=result", variable)
            return f"{bean}.{node.name}"
    _value(passage, owner, text, variable)
    return None


def _arguments(passage: Passage, owner: Element, text: str, node: Call) -> None:
    number = 0
    for argument in node.arguments:
        if isinstance(argument, Name) and argument.text in ("execution", "task"):
            continue  # a handler sees the variables of the case
        number += 1
        try:
            source = juel_feel.write(argument)
        except Untranslated as fault:
            passage.untranslated(owner, "expression", text, fault)
            continue
        name = argument.text if isinstance(argument, Name) else f"argument{number}"
        if source != name:
            passage.mapping(owner, "input", f"={source}", name)


def _set_variable(passage: Passage, owner: Element, text: str, node: Call) -> None:
    name = node.arguments[0] if len(node.arguments) == 2 else None
    if isinstance(name, Literal) and isinstance(name.value, str):
        try:
            _script(passage, owner, juel_feel.write(node.arguments[1]), name.value)
        except Untranslated as fault:
            passage.untranslated(owner, "expression", text, fault)
        return
    passage.untranslated(
        owner, "expression", text, Untranslated(phrase("the name of the variable is computed"))
    )


def _value(passage: Passage, owner: Element, text: str, variable: str | None) -> None:
    try:
        feel = juel_feel.translate(text)
    except Untranslated as fault:
        passage.untranslated(owner, "expression", text, fault)
        return
    if variable:
        _script(passage, owner, feel, variable)
        return
    passage.report.warning(
        owner,
        "{who} computes a value that nobody keeps; it does nothing here",
        "name a result variable, or choose a handler",
        who=owner,
    )
    if local(owner).endswith("Task"):
        owner.tag = bpmn("task")


def _script(passage: Passage, owner: Element, feel: str, variable: str) -> None:
    if not local(owner).endswith("Task"):
        passage.report.unsupported(
            owner,
            "{who} computes a value instead of sending a message",
            "compute it in a script task before the event",
            who=owner,
        )
        return
    owner.tag = bpmn("scriptTask")
    drop(owner, "implementation", "operationRef", "messageRef")
    passage.zeebe(owner, "script", expression=f"={feel}", resultVariable=variable)


def read_script(passage: Passage, task: Element) -> None:
    """Read a script task: FEEL and JUEL become FEEL, Python stays; others are refused."""
    language = (task.get("scriptFormat") or "").strip().lower()
    variable, body = take(task, "resultVariable"), child(task, "script")
    text = "" if body is None else (body.text or "").strip()
    kind = _SCRIPTS.get(language)
    if kind == "python" and variable:
        passage.report.unsupported(
            task,
            "{who} keeps the value of its last line in “{name}”, which Python scripts here do not",
            "assign the value in the script: {name} = ...",
            who=task,
            name=variable,
        )
    elif kind in ("feel", "juel") and variable and body is not None:
        try:
            feel = juel_feel.translate(text) if kind == "juel" else text.removeprefix("=").strip()
        except Untranslated as fault:
            passage.untranslated(task, "script", text, fault)
            return
        passage.zeebe(task, "script", expression=f"={feel}", resultVariable=variable)
        detach(body)
        drop(task, "scriptFormat")
    elif kind == "juel" and body is not None:
        drop(task, "scriptFormat")
        _statement(passage, task, text, body)


def _statement(passage: Passage, task: Element, text: str, body: Element) -> None:
    """A script in JUEL without a result variable can only set a variable."""
    try:
        node = juel_feel.node_of(text)
    except Untranslated as fault:
        passage.untranslated(task, "script", text, fault)
        return
    if isinstance(node, Call) and node.base is not None and node.name == "setVariable":
        detach(body)
        _set_variable(passage, task, text, node)
    else:
        _value(passage, task, text, None)
        detach(body)


# ------------------------------------------------------------------ fields and retries


def read_fields(passage: Passage, owner: Element, holder: Element) -> None:
    """Field injection: a text becomes a header of the task, an expression an input."""
    for one in taken(holder, "field"):
        name = one.get("name") or ""
        inside = {local(part): (part.text or "").strip() for part in one.iterchildren("{*}*")}
        text = one.get("expression") or inside.get("expression")
        plain = one.get("stringValue") or inside.get("string") or ""
        if text is not None and is_juel(text):
            written = passage.attribute(owner, "field", text)
            passage.mapping(owner, "input", written or "=null", name)
            continue
        header = add(passage.zeebe(owner, "taskHeaders"), zeebe("header"), owner)
        header.set("key", name)
        header.set("value", text or plain)


def read_retries(passage: Passage, owner: Element) -> None:
    """`R3/PT10M` is three attempts, so two retries; how long to wait is the handler's to say."""
    for one in taken(owner, "failedJobRetryTimeCycle"):
        text = (one.text or "").strip()
        found = _REPEAT.fullmatch(text)
        attempts = int(found[1]) if found else len([p for p in text.split(",") if p.strip()]) + 1
        job = owner.find(f"{bpmn('extensionElements')}/{zeebe('taskDefinition')}")
        if job is None or is_juel(text):
            passage.report.info(
                owner, "the retries of {who} (“{text}”) have no effect: no handler is called",
                who=owner, text=text,
            )  # fmt: skip
            continue
        job.set("retries", str(max(attempts - 1, 0)))
        passage.report.info(
            owner,
            "{who} is tried {count} times; the pauses of “{text}” are those of its handler",
            "set backoff_s of the handler",
            who=owner,
            count=max(attempts, 1),
            text=text,
        )
