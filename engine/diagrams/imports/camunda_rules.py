"""What becomes of each extension of Camunda 7: the table that docs/importing.md prints.

An importer reads an extension only by `take` and `taken`, which refuse names that are not here.
"""

from __future__ import annotations

from collections.abc import Mapping

from lxml.etree import _Element as Element

from engine.diagrams.names import CAMUNDA, bpmn
from engine.sentences import Phrase, phrase

#: attribute -> what becomes of it
ATTRIBUTES: Mapping[str, str] = {
    # ---- work
    "type": "`external`: see `topic`; any other is refused",
    "topic": "`zeebe:taskDefinition type`",
    "class": "`zeebe:taskDefinition type`: the last part of the class, first letter small",
    "delegateExpression": "`zeebe:taskDefinition type`: the name of the bean",
    "expression": "a call of a bean is the handler `bean.method`; others become a script task",
    "resultVariable": "of a script or decision as it is; of a call, an output of `result`",
    "taskPriority": "noted",
    "resource": "refused: put the script into the diagram, in FEEL",
    # ---- people
    "assignee": "`zeebe:assignmentDefinition assignee`",
    "candidateUsers": "`zeebe:assignmentDefinition candidateUsers`",
    "candidateGroups": "`zeebe:assignmentDefinition candidateGroups`",
    "dueDate": "`zeebe:taskSchedule dueDate`; a duration counts from now",
    "followUpDate": "`zeebe:taskSchedule followUpDate`; a duration counts from now",
    "priority": "`zeebe:priorityDefinition priority`",
    "formKey": "`zeebe:formDefinition formKey`; an embedded HTML form is a warning",
    "formRef": "`zeebe:formDefinition formId`",
    "formRefBinding": "`bindingType`; a number of a version is refused",
    "formRefVersion": "refused: bind to a version tag",
    "formHandlerClass": "refused: the form is checked here",
    # ---- calls and decisions
    "calledElementBinding": "`zeebe:calledElement bindingType`; `version` is refused",
    "calledElementVersion": "refused: bind to a version tag",
    "calledElementVersionTag": "`zeebe:calledElement versionTag`",
    "calledElementTenantId": "noted",
    "caseRef": "refused: cases (CMMN) are not executed",
    "caseBinding": "refused: cases (CMMN) are not executed",
    "caseVersion": "refused: cases (CMMN) are not executed",
    "caseTenantId": "refused: cases (CMMN) are not executed",
    "variableMappingClass": "refused: draw the mappings",
    "variableMappingDelegateExpression": "refused: draw the mappings",
    "decisionRef": "`zeebe:calledDecision decisionId`",
    "decisionRefBinding": "`zeebe:calledDecision bindingType`; `version` is refused",
    "decisionRefVersion": "refused: bind to a version tag",
    "decisionRefVersionTag": "`zeebe:calledDecision versionTag`",
    "decisionRefTenantId": "noted",
    "mapDecisionResult": "`singleEntry` and `collectEntries` as they are; see below for the others",
    # ---- repetition and events
    "collection": "`zeebe:loopCharacteristics inputCollection`",
    "elementVariable": "`zeebe:loopCharacteristics inputElement`",
    "errorCodeVariable": "the property `caught.code` of the event",
    "errorMessageVariable": "the property `caught.message` of the event",
    "errorMessage": "noted",
    "escalationCodeVariable": "the property `caught.code` of the event",
    "variableName": "left out where the condition asks nothing else; else refused",
    "variableEvents": "left out if it names create and update; else refused",
    # ---- the process
    "versionTag": "`zeebe:versionTag`",
    "initiator": "a warning: the variable has to be given when the case starts",
    "candidateStarterGroups": "a warning: roles decide who may start a case",
    "candidateStarterUsers": "a warning: roles decide who may start a case",
    "isStartableInTasklist": "noted",
    "historyTimeToLive": "noted",
    "async": "noted",
    "asyncBefore": "noted",
    "asyncAfter": "noted",
    "exclusive": "noted",
    "jobPriority": "noted",
}
#: element -> what becomes of it
ELEMENTS: Mapping[str, str] = {
    "properties": "`zeebe:properties`",
    "inputOutput": "`zeebe:ioMapping`: text, list, map, and scripts in FEEL or JUEL",
    "in": "an input of the call or of the thrown signal; `variables=\"all\"`: all of the caller's",
    "out": "an output of the call; `variables=\"all\"`: all of the called process",
    "formData": "a form inside the file (`zeebe:userTaskForm`): fields, choices, validation",
    "formProperty": "a form inside the file, as formData",
    "field": "a header of the task; an expression becomes an input",
    "failedJobRetryTimeCycle": "`zeebe:taskDefinition retries`: one less than the attempts",
    "executionListener": "a task of its own before or behind the element; else refused",
    "taskListener": "`create` and `complete` as a task before or behind; others are refused",
    "connector": "refused: choose a handler",
    "errorEventDefinition": "refused: let the handler raise BpmnError",
    "caseExecutionListener": "refused: cases (CMMN) are not executed",
    "potentialStarter": "a warning: roles decide who may start a case",
}  # fmt: skip
#: noted once for each file: why it has no effect
NOTED: Mapping[str, Phrase] = {
    "taskPriority": phrase("work is done in the order in which it becomes due"),
    "calledElementTenantId": phrase("there is one tenant"),
    "decisionRefTenantId": phrase("there is one tenant"),
    "errorMessage": phrase("the message of an error comes from where it is thrown"),
    "isStartableInTasklist": phrase("roles decide who may start a case"),
    "historyTimeToLive": phrase("history is kept"),
    "async": phrase("every step is stored, and every handler runs on its own"),
    "asyncBefore": phrase("every step is stored, and every handler runs on its own"),
    "asyncAfter": phrase("every step is stored, and every handler runs on its own"),
    "exclusive": phrase("steps of one case never run at the same time"),
    "jobPriority": phrase("work is done in the order in which it becomes due"),
}
#: refused with this advice, wherever they stand
REFUSED: Mapping[str, Phrase] = {
    "resource": phrase("put the script into the diagram, in FEEL"),
    "formRefVersion": phrase("bind the form to its deployment or to a version tag"),
    "formHandlerClass": phrase("choose a form; it is checked here"),
    "calledElementVersion": phrase("bind the call to a version tag"),
    "caseRef": phrase("cases (CMMN) are not executed; draw a process"),
    "caseBinding": phrase("cases (CMMN) are not executed; draw a process"),
    "caseVersion": phrase("cases (CMMN) are not executed; draw a process"),
    "caseTenantId": phrase("cases (CMMN) are not executed; draw a process"),
    "variableMappingClass": phrase("draw the mappings of the call"),
    "variableMappingDelegateExpression": phrase("draw the mappings of the call"),
    "decisionRefVersion": phrase("bind the decision to a version tag"),
    "connector": phrase("choose a handler that does the work"),
    "errorEventDefinition": phrase("let the handler raise BpmnError with the code"),
    "caseExecutionListener": phrase("cases (CMMN) are not executed; draw a process"),
}


def take(element: Element, name: str) -> str | None:
    """Return an attribute of Camunda 7 and take it off the element; None if it is not there."""
    assert name in ATTRIBUTES, name
    full = f"{{{CAMUNDA}}}{name}"
    return str(element.attrib.pop(full)) if full in element.attrib else None


def taken(owner: Element, name: str) -> list[Element]:
    """Return the extension elements of Camunda 7 of one name, detached from their owner."""
    assert name in ELEMENTS, name
    block = owner.find(bpmn("extensionElements"))
    found = [] if block is None else list(block.iterchildren(f"{{{CAMUNDA}}}{name}"))
    for one in found:
        assert block is not None
        block.remove(one)
    return found
