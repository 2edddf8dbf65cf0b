"""The dialects of modelers: which extensions we honour, which we refuse, and which mean nothing.

zeebe (Camunda 8) is the inner dialect. Importers (imports/) have turned those of Camunda 7 and of
SpiffWorkflow into it; what they left is refused here, and what means nothing is let through.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from lxml.etree import _Element as Element

from engine.diagrams.diagram import Diagram
from engine.diagrams.names import (
    BPMN,
    CAMUNDA,
    MODELER,
    SPIFF,
    TODO,
    XML,
    XSI,
    ZEEBE,
    attributes,
    bpmn,
    local,
    namespace,
    text_of,
)
from engine.diagrams.report import Report
from engine.diagrams.schema import is_a
from engine.sentences import phrase

#: dialects that another engine executes, by namespace
ENGINES: Mapping[str, str] = {
    ZEEBE: "zeebe",
    CAMUNDA: "camunda",
    SPIFF: "spiffworkflow",
}
#: engines whose extensions are neither read nor refused
_OTHER_ENGINES = {
    "http://activiti.org/bpmn": "Activiti",
    "http://flowable.org/bpmn": "Flowable",
    "http://www.jboss.org/drools": "jBPM",
    "http://www.bonitasoft.org/studio/connector/definition/6.0": "Bonita",
}
#: extensions of refused dialects that only the modeler reads
_HARMLESS = {
    "diagramRelationId", "modelerTemplate", "modelerTemplateVersion", "modelerTemplateIcon",
}  # fmt: skip

_JOB_OWNERS = (
    "serviceTask", "sendTask", "businessRuleTask", "scriptTask", "intermediateThrowEvent",
    "endEvent", "globalScriptTask", "globalBusinessRuleTask",
)  # fmt: skip
_PEOPLE = ("userTask", "globalUserTask")
#: extension of zeebe -> (what may carry it, its attributes); `!` needed
_ZEEBE: dict[str, tuple[tuple[str, ...], str]] = {
    "taskDefinition": (_JOB_OWNERS, "type! retries"),
    "taskHeaders": ((*_JOB_OWNERS, *_PEOPLE), ""),
    "header": ((), "key! value"),
    "ioMapping": (("activity", "anyEvent"), ""),
    "input": ((), "source! target!"),
    "output": ((), "source! target!"),
    "properties": (("baseElement",), ""),
    "property": ((), "name value"),
    "formDefinition": (
        (*_PEOPLE, "startEvent"),
        "formKey formId externalReference bindingType versionTag",
    ),
    "userTask": (_PEOPLE, ""),
    "userTaskForm": (("process",), "id!"),
    "assignmentDefinition": (_PEOPLE, "assignee candidateGroups candidateUsers"),
    "taskSchedule": (_PEOPLE, "dueDate followUpDate"),
    "priorityDefinition": (_PEOPLE, "priority!"),
    "subscription": (("message",), "correlationKey"),
    "loopCharacteristics": (
        ("multiInstanceLoopCharacteristics",),
        "inputCollection! inputElement outputCollection outputElement",
    ),
    "calledElement": (
        ("callActivity",),
        "processId propagateAllChildVariables propagateAllParentVariables bindingType versionTag",
    ),
    "calledDecision": (
        ("businessRuleTask", "globalBusinessRuleTask"),
        "decisionId! resultVariable! bindingType versionTag",
    ),
    "script": (("scriptTask", "globalScriptTask"), "expression! resultVariable!"),
    "versionTag": (("process",), "value!"),
    "adHoc": (("adHocSubProcess",), "activeElementsCollection!"),
}
#: extension of zeebe -> what to do without it
_NOT_HONOURED = {
    "executionListeners": phrase("draw the work as a service task before or behind it"),
    "taskListeners": phrase("draw the work as a service task before or behind the task"),
    "linkedResources": phrase("pass the resource's name in a task header"),
    "conditionalFilter": phrase("delete it; a condition is asked whenever a variable changes"),
    "publishMessage": phrase("use a message with a correlation key"),
}
_BINDINGS = ("latest", "deployment", "versionTag")
#: attributes that name a variable; in the targets of mappings a part of one
_VARIABLES = {
    "input": ("target",),
    "output": ("target",),
    "loopCharacteristics": ("inputElement", "outputCollection"),
    "script": ("resultVariable",),
    "calledDecision": ("resultVariable",),
}
_NAME = re.compile(r"=?\s*[^\W\d]\w*(\.[^\W\d]\w*)*")


def dialect_of(diagram: Diagram) -> str:
    """Return the dialect a file is written in: zeebe, camunda, spiffworkflow or plain."""
    for element in diagram.root.iter("{*}*"):
        for name in (str(element.tag), *attributes(element)):
            if namespace(name) in ENGINES and name.rpartition("}")[2] not in _HARMLESS:
                return ENGINES[namespace(name)]
    return "plain"


def check_dialect(diagram: Diagram, report: Report) -> None:
    """Report every extension that would not be honoured."""
    foreign: dict[str, Element] = {}
    for owner in diagram.elements:
        for name in attributes(owner):
            _attribute(owner, name, foreign, report)
        for extension in _extensions(owner):
            space = namespace(str(extension.tag))
            if space == ZEEBE:
                _zeebe(owner, extension, report)
            elif space in ENGINES:
                _refused(owner, local(extension), space, report)
            elif space == TODO:
                _undone(owner, extension, report)
            elif space != BPMN:
                foreign.setdefault(space, extension)
    for space, first in foreign.items():
        _foreign(space, first, report)


def _extensions(owner: Element) -> Iterator[Element]:
    for block in owner.iterchildren(bpmn("extensionElements")):
        yield from block.iterchildren("{*}*")


def _attribute(owner: Element, name: str, foreign: dict[str, Element], report: Report) -> None:
    space, word = namespace(name), name.rpartition("}")[2]
    if space in ("", BPMN, XSI, XML, MODELER) or word in _HARMLESS:
        return
    if space not in ENGINES:
        foreign.setdefault(space, owner)
        return
    _refused(owner, word, space, report)


def _refused(owner: Element, name: str, space: str, report: Report) -> None:
    report.unsupported(
        owner,
        "{who} carries “{name}” of the {dialect} dialect, which is not known there",
        "delete it, or write it with the elements of Camunda 8",
        who=owner,
        name=name,
        dialect=ENGINES[space],
    )


def _undone(owner: Element, note: Element, report: Report) -> None:
    report.unsupported(
        owner,
        "{who} lacks what a conversion could not carry over: {what}",
        "draw it with what is executed here, then delete the note “todo” from its extensions",
        who=owner,
        what=text_of(note),
    )


def _foreign(space: str, first: Element, report: Report) -> None:
    engine = _OTHER_ENGINES.get(space)
    if engine is not None:
        report.warning(
            first,
            "the file carries settings of {engine}, which are not read",
            "write what has to be executed with the elements of Camunda 8",
            engine=engine,
        )
    elif space != MODELER:
        report.info(first, "the file carries additions of {space}; not read", space=space or "-")


# ------------------------------------------------------------------ zeebe


def _zeebe(owner: Element, extension: Element, report: Report) -> None:
    name = local(extension)
    if name in _NOT_HONOURED:
        report.unsupported(
            extension,
            "{who} uses “{name}”, which is not executed",
            _NOT_HONOURED[name],
            who=owner,
            name=name,
        )
        return
    if name not in _ZEEBE or not _ZEEBE[name][0]:
        report.unsupported(
            extension,
            "{who} carries “{name}”, which the zeebe dialect does not know there",
            "delete it",
            who=owner,
            name=name,
        )
        return
    if not is_a(owner, *_ZEEBE[name][0]):
        report.unsupported(
            extension,
            "“{name}” has no meaning at {who}",
            "delete it, or move it",
            name=name,
            who=owner,
        )
    _without_effect(owner, extension, report)
    for element in extension.iter("{*}*"):
        _zeebe_element(owner, element, report)


def _zeebe_element(owner: Element, element: Element, report: Report) -> None:
    name = local(element)
    if namespace(str(element.tag)) != ZEEBE or name not in _ZEEBE:
        report.unsupported(
            element,
            "{who} carries “{name}”, which is not known there",
            "delete it",
            who=owner,
            name=name,
        )
        return
    words = _ZEEBE[name][1].split()
    known = {word.rstrip("!") for word in words}
    for attribute in attributes(element):
        if not namespace(attribute) and attribute not in known:
            report.unsupported(
                element,
                "“{name}” of {who} has the attribute “{attribute}”, which is not known",
                "delete it",
                name=name,
                who=owner,
                attribute=attribute,
            )
    for word in words:
        if word.endswith("!") and not (element.get(word.rstrip("!")) or "").strip():
            _lacks(owner, element, word.rstrip("!"), report)
    _values(owner, element, report)


def _lacks(owner: Element, element: Element, attribute: str, report: Report) -> None:
    if (local(element), attribute) == ("input", "source"):
        return  # an empty text is a value
    report.unsupported(
        element,
        "“{name}” of {who} has no {attribute}",
        "fill it in, or delete the whole entry",
        name=local(element),
        who=owner,
        attribute=attribute,
    )


def _values(owner: Element, element: Element, report: Report) -> None:
    binding = element.get("bindingType")
    if binding is not None and binding not in _BINDINGS:
        report.error(
            element,
            "the binding “{binding}” of {who} is not known",
            "choose one of {names}",
            binding=binding,
            who=owner,
            names=", ".join(_BINDINGS),
        )
    if binding == "versionTag" and not element.get("versionTag"):
        report.error(
            element, "{who} is bound to a version tag, but names none", "name it", who=owner
        )
    for attribute in _VARIABLES.get(local(element), ()):
        name = (element.get(attribute) or "").strip()
        if name and not _NAME.fullmatch(name):
            report.error(
                element,
                "“{name}” ({attribute} of {who}) cannot be the name of a variable",
                "begin with a letter; then letters, digits and _",
                name=name[:60],
                attribute=attribute,
                who=owner,
            )


def _embedded_form(extension: Element, report: Report) -> None:
    try:
        found = json.loads(extension.text or "")
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("components"), list):
        report.warning(
            extension,
            "the form “{name}” inside the diagram cannot be read, so it is not shown",
            "draw it again in the modeler",
            name=extension.get("id") or "",
        )


def _without_effect(owner: Element, extension: Element, report: Report) -> None:
    """Say of what is kept, but does nothing here, that it does nothing."""
    name = local(extension)
    if name == "userTaskForm":
        _embedded_form(extension, report)
    elif name == "formDefinition" and is_a(owner, "startEvent"):
        report.warning(
            extension,
            "the form of {who} is not shown when a case starts",
            "begin with a user task that shows it",
            who=owner,
        )
    elif name == "taskHeaders" and is_a(owner, "userTask"):
        report.info(extension, "the headers of {who} are kept, but nobody reads them", who=owner)
