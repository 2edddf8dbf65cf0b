"""The dialects of modelers: which extensions we honour, which we refuse, and which mean nothing.

zeebe (Camunda 8) is the inner dialect. The extensions of other engines are refused one by one until
they are imported; what carries no execution semantics is let through.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from lxml.etree import _Element as Element

from engine.diagrams.diagram import Diagram
from engine.diagrams.names import (
    BPMN,
    CAMUNDA,
    MODELER,
    SPIFF,
    XML,
    XSI,
    ZEEBE,
    attributes,
    bpmn,
    called,
    local,
    namespace,
)
from engine.diagrams.report import Report
from engine.diagrams.schema import is_a

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
}
#: extension of zeebe -> what to do without it
_NOT_HONOURED = {
    "executionListeners": "draw the work as a service task",
    "taskListeners": "draw the work as a service task before or after the task",
    "linkedResources": "pass the resource's name in a task header",
    "adHoc": "draw the order of the tasks",
    "conditionalFilter": "delete it; a condition is asked whenever a variable changes",
    "publishMessage": "use a message with a correlation key",
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
                _refused(owner, extension, report)
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
    report.unsupported(
        owner,
        f"{called(owner)} carries “{word}” of the {ENGINES[space]} dialect, which is not read",
        _instead(space),
    )


def _refused(owner: Element, extension: Element, report: Report) -> None:
    space = namespace(str(extension.tag))
    report.unsupported(
        owner,
        f"{called(owner)} carries “{local(extension)}” of the {ENGINES[space]} dialect,"
        " which is not read",
        _instead(space),
    )


def _instead(space: str) -> str:
    return (
        "delete it, or write it with the elements of Camunda 8"
        if space == ZEEBE
        else "convert the diagram to Camunda 8 in the modeler"
    )


def _foreign(space: str, first: Element, report: Report) -> None:
    engine = _OTHER_ENGINES.get(space)
    if engine is not None:
        report.warning(
            first,
            f"the file carries settings of {engine}, which are not read",
            "write what has to be executed with the elements of Camunda 8",
        )
    elif space != MODELER:
        report.info(first, f"the file carries additions of {space or 'no namespace'}; not read")


# ------------------------------------------------------------------ zeebe


def _zeebe(owner: Element, extension: Element, report: Report) -> None:
    name = local(extension)
    if name in _NOT_HONOURED:
        report.unsupported(
            extension, f"{called(owner)} uses “{name}”, which is not executed", _NOT_HONOURED[name]
        )
        return
    if name not in _ZEEBE or not _ZEEBE[name][0]:
        report.unsupported(
            extension,
            f"{called(owner)} carries “{name}”, which the zeebe dialect does not know there",
            "delete it",
        )
        return
    if not is_a(owner, *_ZEEBE[name][0]):
        report.unsupported(
            extension, f"“{name}” has no meaning at {called(owner)}", "delete it, or move it"
        )
    _without_effect(owner, extension, report)
    for element in extension.iter("{*}*"):
        _zeebe_element(owner, element, report)


def _zeebe_element(owner: Element, element: Element, report: Report) -> None:
    name = local(element)
    if namespace(str(element.tag)) != ZEEBE or name not in _ZEEBE:
        report.unsupported(
            element, f"{called(owner)} carries “{name}”, which is not known there", "delete it"
        )
        return
    words = _ZEEBE[name][1].split()
    known = {word.rstrip("!") for word in words}
    for attribute in attributes(element):
        if not namespace(attribute) and attribute not in known:
            report.unsupported(
                element,
                f"“{name}” of {called(owner)} has the attribute “{attribute}”, which is not known",
                "delete it",
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
        f"“{local(element)}” of {called(owner)} has no {attribute}",
        "fill it in, or delete the whole entry",
    )


def _values(owner: Element, element: Element, report: Report) -> None:
    binding = element.get("bindingType")
    if binding is not None and binding not in _BINDINGS:
        report.error(
            element,
            f"the binding “{binding}” of {called(owner)} is not known",
            f"choose one of {', '.join(_BINDINGS)}",
        )
    if binding == "versionTag" and not element.get("versionTag"):
        report.error(
            element, f"{called(owner)} is bound to a version tag, but names none", "name it"
        )
    for attribute in _VARIABLES.get(local(element), ()):
        name = (element.get(attribute) or "").strip()
        if name and not _NAME.fullmatch(name):
            report.error(
                element,
                f"“{name[:60]}” ({attribute} of {called(owner)}) cannot be the name of a variable",
                "begin with a letter; then letters, digits and _",
            )


def _without_effect(owner: Element, extension: Element, report: Report) -> None:
    """Say of what is kept, but does nothing here, that it does nothing."""
    name = local(extension)
    if name == "userTaskForm":
        report.warning(
            extension,
            f"the form “{extension.get('id')}” inside {called(owner)} is not shown",
            "put the form into a file of its own beside the diagram",
        )
    elif name == "formDefinition" and is_a(owner, "startEvent"):
        report.warning(
            extension,
            f"the form of {called(owner)} is not shown when a case starts",
            "begin with a user task that shows it",
        )
    elif name == "taskHeaders" and is_a(owner, "userTask"):
        report.info(extension, f"the headers of {called(owner)} are kept, but nobody reads them")
