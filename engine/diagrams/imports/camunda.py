"""Camunda 7: its extensions, in the terms of the zeebe dialect (rules in camunda_rules.py)."""

from __future__ import annotations

from lxml.etree import _Element as Element

from engine.diagrams.diagram import child
from engine.diagrams.imports import juel_feel
from engine.diagrams.imports.camunda_data import has_outputs, read_calls, read_data, read_decision
from engine.diagrams.imports.camunda_listeners import read_listeners
from engine.diagrams.imports.camunda_people import read_people
from engine.diagrams.imports.camunda_rules import ATTRIBUTES, ELEMENTS, NOTED, REFUSED, take, taken
from engine.diagrams.imports.camunda_work import read_script, read_work
from engine.diagrams.imports.juel import Untranslated, is_juel
from engine.diagrams.imports.passage import Passage, add, drop, event_of, formal, tidy
from engine.diagrams.imports.quartz import is_quartz, spring
from engine.diagrams.names import CAMUNDA, is_bpmn, local, zeebe
from engine.diagrams.schema import is_a
from engine.sentences import phrase

#: elements whose text is a condition, and those whose text has a value
_CONDITIONS = ("conditionExpression", "condition", "completionCondition")
_VALUES = ("loopCardinality", "timeDate", "timeDuration", "timeCycle")
_NAMED = {"message": "name", "signal": "name", "escalation": "escalationCode", "error": "errorCode"}


def import_camunda(passage: Passage) -> None:
    """Turn every extension of Camunda 7 of a file into what it is here; report what cannot be."""
    for element in passage.elements():
        if is_bpmn(element, *_CONDITIONS, *_VALUES):
            _expression(passage, element)
        elif is_bpmn(element, *_NAMED):
            _name(passage, element)
        elif is_bpmn(element, "process"):
            _process(passage, element)
        elif is_a(element, "activity", "anyEvent", "gateway", "sequenceFlow"):
            _node(passage, element)
        elif is_a(element, "eventDefinition"):
            _definition(passage, element)
    for element in passage.elements():
        _rest(passage, element)
        tidy(element)


def _node(passage: Passage, node: Element) -> None:
    if is_bpmn(node, "scriptTask"):
        read_script(passage, node)
    elif is_bpmn(node, "businessRuleTask"):
        read_decision(passage, node)
    elif is_bpmn(node, "callActivity"):
        read_calls(passage, node)
    elif is_bpmn(node, "userTask", "startEvent"):
        read_people(passage, node)
    if is_bpmn(node, "serviceTask", "sendTask", "businessRuleTask"):
        read_work(passage, node, node)
    for loop in node.iterchildren():
        if is_bpmn(loop, "multiInstanceLoopCharacteristics"):
            _loop(passage, loop)
    read_data(passage, node)
    _properties(passage, node)
    read_listeners(passage, node)


# ------------------------------------------------------------------ texts of plain BPMN


def _expression(passage: Passage, element: Element) -> None:
    language = (element.get("language") or "").strip().lower()
    text = (element.text or "").strip()
    if is_bpmn(element, "timeCycle") and is_quartz(text):
        _cron(passage, element, text)
        return
    if language not in ("", "juel") or not (is_juel(text) or language):
        return
    try:
        feel = juel_feel.translate(text, condition=local(element) in _CONDITIONS)
    except Untranslated as fault:
        parent = element.getparent()
        holder = element if parent is None else event_of(parent)
        passage.untranslated(holder, local(element), text, fault)
        feel = "null"
    drop(element, "language")
    formal(element)
    element.text = f"={feel}"


def _cron(passage: Passage, element: Element, text: str) -> None:
    parent, written = element.getparent(), spring(text)
    if written is None:
        holder = element if parent is None else event_of(parent)
        passage.report.unsupported(
            holder,
            "the cron “{text}” of {who} names a year, which has no counterpart",
            "delete the year, and let a condition or a date say when it ends",
            who=holder,
            text=text[:60],
        )
        return
    drop(element, "language")
    formal(element)
    element.text = written


def _name(passage: Passage, element: Element) -> None:
    attribute = _NAMED[local(element)]
    text = element.get(attribute) or ""
    if is_juel(text):
        element.set(attribute, passage.attribute(element, attribute, text) or "=null")
    _properties(passage, element)


# ------------------------------------------------------------------ the process


def _process(passage: Passage, process: Element) -> None:
    if tag := take(process, "versionTag"):
        passage.zeebe(process, "versionTag", value=tag)
    _properties(passage, process)
    starters = [name for name in ("candidateStarterGroups", "candidateStarterUsers")
                if take(process, name) is not None]  # fmt: skip
    if starters or taken(process, "potentialStarter"):
        passage.report.warning(
            process,
            "who may start {who} is not read from the diagram",
            "give the people the role that starts cases",
            who=process,
        )
    read_listeners(passage, process)


def _properties(passage: Passage, owner: Element) -> None:
    for block in taken(owner, "properties"):
        kept = passage.zeebe(owner, "properties")
        for one in block.iterchildren(f"{{{CAMUNDA}}}property"):
            entry = add(kept, zeebe("property"), owner)
            entry.set("name", one.get("name") or one.get("id") or "")
            entry.set("value", one.get("value") or "")


# ------------------------------------------------------------------ repetition


def _loop(passage: Passage, loop: Element) -> None:
    node = loop.getparent()
    assert node is not None
    collection, element = take(loop, "collection"), take(loop, "elementVariable")
    if collection is None:
        if element is not None and child(loop, "loopCardinality") is None:
            passage.report.unsupported(
                node, "{who} names an element variable, but no collection", "choose a collection",
                who=node,
            )  # fmt: skip
        return
    source = collection.strip() if is_juel(collection) else f"${{{collection.strip()}}}"
    written = passage.attribute(node, "collection", source)
    passage.zeebe(loop, "loopCharacteristics", inputCollection=written or "=null",
                  inputElement=element)  # fmt: skip


# ------------------------------------------------------------------ events


def _definition(passage: Passage, definition: Element) -> None:
    event = event_of(definition)
    kind = local(definition)
    if kind == "messageEventDefinition":
        read_work(passage, event, definition)
    elif kind == "errorEventDefinition":
        _caught(passage, event, definition, "errorCodeVariable", "caught.code")
        _caught(passage, event, definition, "errorMessageVariable", "caught.message")
    elif kind == "escalationEventDefinition":
        _caught(passage, event, definition, "escalationCodeVariable", "caught.code")
    elif kind == "conditionalEventDefinition":
        _filter(passage, event, definition)
    elif kind == "signalEventDefinition":
        for one in taken(definition, "in"):
            _payload(passage, event, one)


def _payload(passage: Passage, event: Element, one: Element) -> None:
    """A signal carries the local variables of the event that throws it."""
    target, source = one.get("target"), one.get("sourceExpression")
    if target and (source or one.get("source")):
        written = passage.attribute(event, "in", source or f"${{{one.get('source')}}}")
        passage.mapping(event, "input", written or "=null", target)
        return
    passage.report.unsupported(
        event,
        "{who} sends along all variables of the case, which a signal does not",
        "name the variables one by one",
        who=event,
    )


def _caught(
    passage: Passage, event: Element, definition: Element, attribute: str, name: str
) -> None:
    """A variable gets the code or the message that was caught, besides what the error brings."""
    variable = take(definition, attribute)
    if variable is None:
        return
    entry = add(passage.zeebe(event, "properties"), zeebe("property"), event)
    entry.set("name", name)
    entry.set("value", variable)
    if has_outputs(event):  # nothing else would leave the event
        passage.mapping(event, "output", f"={variable}", variable)


def _filter(passage: Passage, event: Element, definition: Element) -> None:
    """A condition is asked at every change; a filter that asks for the same can be left out."""
    variable, events = take(definition, "variableName"), take(definition, "variableEvents")
    kinds = {part.strip() for part in (events or "create, update").split(",")}
    condition = child(definition, "condition")
    text = (condition.text or "") if condition is not None else ""
    other = variable is not None and juel_feel.names_in(text) - {variable}
    if other or not {"create", "update"} <= kinds:
        passage.report.unsupported(
            event,
            "{who} looks at its condition only when certain changes happen",
            "write the condition so that it asks for nothing but “{name}”",
            who=event,
            name=variable or phrase("the variable"),
        )


# ------------------------------------------------------------------ what is left


def _rest(passage: Passage, element: Element) -> None:
    """Note what has no effect, refuse what cannot be done, warn of the rest."""
    if (starter := take(element, "initiator")) is not None:
        passage.report.warning(
            element,
            "{who} wants the name of who starts the case in the variable “{name}”",
            "give the variable when the case starts",
            who=element,
            name=starter,
        )
    for name in NOTED:
        if name in ATTRIBUTES and take(element, name) is not None:
            passage.note(name, element)
    for name, advice in REFUSED.items():
        found = name in ATTRIBUTES and take(element, name) is not None
        if found or (name in ELEMENTS and taken(element, name)):
            passage.report.unsupported(
                element,
                "{who} carries “{name}” of Camunda 7, which has no counterpart",
                advice,
                who=element,
                name=name,
            )
    for block in element.iterchildren():
        if is_bpmn(block, "extensionElements") and not len(block):
            element.remove(block)
