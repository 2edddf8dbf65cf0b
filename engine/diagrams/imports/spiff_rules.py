"""What becomes of each extension of SpiffWorkflow: the table that docs/importing.md prints."""

from __future__ import annotations

from collections.abc import Mapping

from lxml.etree import _Element as Element

from engine.diagrams.names import SPIFF, bpmn
from engine.sentences import Phrase, phrase

#: extension, as an attribute or an element -> what becomes of it
EXTENSIONS: Mapping[str, str] = {
    "serviceTaskOperator": "`zeebe:taskDefinition type`: the id, with a point for each slash;"
    " parameters are inputs, `resultVariable` is an output of `result`, `retry` the retries",
    "preScript": "a script task before the element",
    "postScript": "a script task behind the element",
    "instructionsForEndUser": "a text above the form of the task; elsewhere noted",
    "properties": "`formJsonSchemaFilename` and `formUiSchemaFilename`: a form inside the file;"
    " others are kept as `zeebe:properties`",
    "calledDecisionId": "`zeebe:calledDecision`; each output of the table is an output",
    "messagePayload": "inputs of the throwing event, one for each member of the dict",
    "messageVariable": "an output of the catching event",
    "allowGuest": "a warning: people sign in",
    "guestConfirmation": "noted",
    "signalButtonLabel": "noted",
    "unitTests": "noted",
    "taskMetadataValues": "noted",
    "category": "noted",
    "isMatchingCorrelation": "noted",
    "isOutputSynced": "refused if false: name what leaves by outputs",
    "scriptsOnInstances": "refused if true",
    "processVariableCorrelation": "refused: give the message a correlation key",
    "payloadExpression": "refused: name what is sent by inputs",
    "variableName": "refused: name what is kept by outputs",
    "calledDecision": "refused: use `calledDecisionId`",
}
NOTED: Mapping[str, Phrase] = {
    "guestConfirmation": phrase("people sign in"),
    "signalButtonLabel": phrase("a signal is sent by the API or by a process"),
    "unitTests": phrase("they are not run"),
    "taskMetadataValues": phrase("facts about a case are its variables"),
    "category": phrase("data objects are variables"),
    "isMatchingCorrelation": phrase("the correlation key of the message decides"),
    "properties": phrase("only tasks of people have a form"),
    "serviceTaskOperator": phrase("only a service task calls an operator"),
    "instructionsForEndUser": phrase("only the page of a task shows instructions"),
}
REFUSED: Mapping[str, Phrase] = {
    "processVariableCorrelation": phrase("give the message a correlation key"),
    "payloadExpression": phrase("name what is sent by input mappings"),
    "variableName": phrase("name what is kept by output mappings"),
    "calledDecision": phrase("use calledDecisionId"),
}


def take(element: Element, name: str) -> str | None:
    """Return an attribute of SpiffWorkflow and take it off the element; None if it is not there."""
    assert name in EXTENSIONS, name
    full = f"{{{SPIFF}}}{name}"
    return str(element.attrib.pop(full)) if full in element.attrib else None


def taken(owner: Element, name: str) -> list[Element]:
    """Return the extension elements of one name, detached from their owner."""
    assert name in EXTENSIONS, name
    block = owner.find(bpmn("extensionElements"))
    found = [] if block is None else list(block.iterchildren(f"{{{SPIFF}}}{name}"))
    for one in found:
        assert block is not None
        block.remove(one)
    return found
