"""The elements of BPMN 2.0.2 as one table: where each may stand, its attributes and references.

A row is `name: (base, attributes, children)` in a notation of words:
`x!` is required, `x*` may repeat, `x:bool` has a type (or one of the values a|b|c), `x>task`
refers to an element of that kind (`>>`: nothing is executed by it), `x~` is an expression (`~~`:
always a formal one), `x=row` has the content of another row. A name without any of them is an
element of that kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lxml.etree import _Element as Element

from engine.diagrams.names import is_bpmn, local

_IO = "ioSpecification property* dataInputAssociation* dataOutputAssociation*"

_ROWS: dict[str, tuple[str, str, str]] = {
    "baseElement": ("", "id", "documentation* extensionElements"),
    "rootElement": ("baseElement", "", ""),
    "definitions": (
        "baseElement",
        "name targetNamespace:uri expressionLanguage:uri typeLanguage:uri exporter exporterVersion",
        "import* extension* rootElement* relationship*",
    ),
    "import": ("", "namespace! location! importType!", ""),
    "extension": ("", "definition mustUnderstand:bool", "documentation*"),
    "relationship": (
        "baseElement",
        "type! direction:None|Forward|Backward|Both",
        "source* target*",
    ),
    "documentation": ("", "id textFormat:mime", ""),
    # ---- what stands at the top
    "callableElement": (
        "rootElement",
        "name",
        "supportedInterfaceRef*>interface ioSpecification ioBinding*",
    ),
    "process": (
        "callableElement",
        "processType:None|Public|Private isClosed:bool isExecutable:bool"
        " definitionalCollaborationRef>>collaboration",
        "auditing monitoring property* laneSet* flowElement* artifact* resourceRole*"
        " correlationSubscription* supports*>>process",
    ),
    "globalTask": ("callableElement", "", "resourceRole*"),
    "globalManualTask": ("globalTask", "", ""),
    "globalUserTask": ("globalTask", "implementation", "rendering*"),
    "globalScriptTask": ("globalTask", "scriptLanguage:uri", "script"),
    "globalBusinessRuleTask": ("globalTask", "implementation", ""),
    "interface": ("rootElement", "name! implementationRef", "operation!*"),
    "operation": (
        "baseElement",
        "name! implementationRef",
        "inMessageRef!>message outMessageRef>message errorRef*>error",
    ),
    "message": ("rootElement", "name itemRef>>itemDefinition", ""),
    "signal": ("rootElement", "name structureRef", ""),
    "error": ("rootElement", "name errorCode structureRef", ""),
    "escalation": ("rootElement", "name escalationCode structureRef", ""),
    "itemDefinition": (
        "rootElement",
        "structureRef isCollection:bool itemKind:Information|Physical",
        "",
    ),
    "category": ("rootElement", "name", "categoryValue*"),
    "categoryValue": ("baseElement", "value", ""),
    "endPoint": ("rootElement", "", ""),
    "resource": ("rootElement", "name!", "resourceParameter*"),
    "resourceParameter": ("baseElement", "name type isRequired:bool", ""),
    "partnerEntity": ("rootElement", "name", "participantRef*>>participant"),
    "partnerRole": ("rootElement", "name", "participantRef*>>participant"),
    "dataStore": (
        "rootElement",
        "name capacity:int isUnlimited:bool itemSubjectRef>>itemDefinition",
        "dataState",
    ),
    "correlationProperty": ("rootElement", "name type", "correlationPropertyRetrievalExpression!*"),
    "correlationPropertyRetrievalExpression": (
        "baseElement",
        "messageRef!>message",
        "messagePath!~~",
    ),
    "correlationSubscription": (
        "baseElement",
        "correlationKeyRef!>correlationKey",
        "correlationPropertyBinding*",
    ),
    "correlationPropertyBinding": (
        "baseElement",
        "correlationPropertyRef!>correlationProperty",
        "dataPath!~~",
    ),
    "correlationKey": ("baseElement", "name", "correlationPropertyRef*>correlationProperty"),
    # ---- flow
    "flowElement": ("baseElement", "name", "auditing monitoring categoryValueRef*>>categoryValue"),
    "auditing": ("baseElement", "", ""),
    "monitoring": ("baseElement", "", ""),
    "flowNode": ("flowElement", "", "incoming*>>sequenceFlow outgoing*>>sequenceFlow"),
    "sequenceFlow": (
        "flowElement",
        "sourceRef!>flowNode targetRef!>flowNode isImmediate:bool",
        "conditionExpression~",
    ),
    "activity": (
        "flowNode",
        "isForCompensation:bool startQuantity:int completionQuantity:int default>sequenceFlow",
        f"{_IO} resourceRole* loopCharacteristics",
    ),
    "task": ("activity", "", ""),
    "manualTask": ("task", "", ""),
    "userTask": ("task", "implementation", "rendering*"),
    "serviceTask": ("task", "implementation operationRef>>operation", ""),
    "sendTask": ("task", "implementation messageRef>message operationRef>>operation", ""),
    "receiveTask": (
        "task",
        "implementation instantiate:bool messageRef>message operationRef>>operation",
        "",
    ),
    "businessRuleTask": ("task", "implementation", ""),
    "scriptTask": ("task", "scriptFormat", "script"),
    "script": ("", "", ""),
    "callActivity": ("activity", "calledElement", ""),
    "subProcess": ("activity", "triggeredByEvent:bool", "laneSet* flowElement* artifact*"),
    "transaction": ("subProcess", "method:uri", ""),
    "adHocSubProcess": (
        "subProcess",
        "cancelRemainingInstances:bool ordering:Parallel|Sequential",
        "completionCondition~",
    ),
    "rendering": ("baseElement", "", ""),
    "gateway": (
        "flowNode",
        "gatewayDirection:Unspecified|Converging|Diverging|Mixed",
        "",
    ),
    "exclusiveGateway": ("gateway", "default>sequenceFlow", ""),
    "inclusiveGateway": ("gateway", "default>sequenceFlow", ""),
    "parallelGateway": ("gateway", "", ""),
    "complexGateway": ("gateway", "default>sequenceFlow", "activationCondition~"),
    "eventBasedGateway": (
        "gateway",
        "instantiate:bool eventGatewayType:Exclusive|Parallel",
        "",
    ),
    # ---- repetition
    "loopCharacteristics": ("baseElement", "", ""),
    "standardLoopCharacteristics": (
        "loopCharacteristics",
        "testBefore:bool loopMaximum:int",
        "loopCondition~",
    ),
    "multiInstanceLoopCharacteristics": (
        "loopCharacteristics",
        "isSequential:bool behavior:None|One|All|Complex oneBehaviorEventRef>eventDefinition"
        " noneBehaviorEventRef>eventDefinition",
        "loopCardinality~ loopDataInputRef>item loopDataOutputRef>item inputDataItem=dataInput"
        " outputDataItem=dataOutput complexBehaviorDefinition* completionCondition~",
    ),
    "complexBehaviorDefinition": ("baseElement", "", "condition!~~ event=implicitThrowEvent"),
    # ---- events
    "anyEvent": ("flowNode", "", "property*"),
    "catchEvent": (
        "anyEvent",
        "parallelMultiple:bool",
        "dataOutput* dataOutputAssociation* outputSet eventDefinition*"
        " eventDefinitionRef*>eventDefinition",
    ),
    "throwEvent": (
        "anyEvent",
        "",
        "dataInput* dataInputAssociation* inputSet eventDefinition*"
        " eventDefinitionRef*>eventDefinition",
    ),
    "startEvent": ("catchEvent", "isInterrupting:bool", ""),
    "intermediateCatchEvent": ("catchEvent", "", ""),
    "boundaryEvent": ("catchEvent", "cancelActivity:bool attachedToRef!>activity", ""),
    "intermediateThrowEvent": ("throwEvent", "", ""),
    "implicitThrowEvent": (
        "baseElement",
        "name",
        "property* dataInput* dataInputAssociation* inputSet eventDefinition*"
        " eventDefinitionRef*>eventDefinition",
    ),
    "endEvent": ("throwEvent", "", ""),
    "eventDefinition": ("rootElement", "", ""),
    "messageEventDefinition": (
        "eventDefinition",
        "messageRef>message",
        "operationRef>>operation",
    ),
    "signalEventDefinition": ("eventDefinition", "signalRef>signal", ""),
    "errorEventDefinition": ("eventDefinition", "errorRef>error", ""),
    "escalationEventDefinition": ("eventDefinition", "escalationRef>escalation", ""),
    "compensateEventDefinition": (
        "eventDefinition",
        "waitForCompletion:bool activityRef>activity",
        "",
    ),
    "conditionalEventDefinition": ("eventDefinition", "", "condition!~"),
    "timerEventDefinition": ("eventDefinition", "", "timeDate~ timeDuration~ timeCycle~"),
    "linkEventDefinition": ("eventDefinition", "name!", "source*>link target>link"),
    "cancelEventDefinition": ("eventDefinition", "", ""),
    "terminateEventDefinition": ("eventDefinition", "", ""),
    # ---- data
    "item": ("baseElement", "", ""),
    "dataInput": (
        "item",
        "name itemSubjectRef>>itemDefinition isCollection:bool",
        "dataState",
    ),
    "dataOutput": (
        "item",
        "name itemSubjectRef>>itemDefinition isCollection:bool",
        "dataState",
    ),
    "property": ("item", "name itemSubjectRef>>itemDefinition", "dataState"),
    "dataObject": (
        "flowElement item",
        "itemSubjectRef>>itemDefinition isCollection:bool",
        "dataState",
    ),
    "dataObjectReference": (
        "flowElement item",
        "itemSubjectRef>>itemDefinition dataObjectRef>dataObject",
        "dataState",
    ),
    "dataStoreReference": (
        "flowElement item",
        "itemSubjectRef>>itemDefinition dataStoreRef>dataStore",
        "dataState",
    ),
    "dataState": ("baseElement", "name", ""),
    "ioSpecification": ("baseElement", "", "dataInput* dataOutput* inputSet!* outputSet!*"),
    "inputSet": (
        "baseElement",
        "name",
        "dataInputRefs*>dataInput optionalInputRefs*>dataInput"
        " whileExecutingInputRefs*>dataInput outputSetRefs*>outputSet",
    ),
    "outputSet": (
        "baseElement",
        "name",
        "dataOutputRefs*>dataOutput optionalOutputRefs*>dataOutput"
        " whileExecutingOutputRefs*>dataOutput inputSetRefs*>inputSet",
    ),
    "ioBinding": (
        "baseElement",
        "operationRef!>operation inputDataRef!>dataInput|inputSet"
        " outputDataRef!>dataOutput|outputSet",
        "",
    ),
    "dataAssociation": (
        "baseElement",
        "",
        "sourceRef*>item targetRef!>item transformation~~ assignment*",
    ),
    "dataInputAssociation": ("dataAssociation", "", ""),
    "dataOutputAssociation": ("dataAssociation", "", ""),
    "assignment": ("baseElement", "", "from!~ to!~"),
    # ---- people
    "resourceRole": (
        "baseElement",
        "name",
        "resourceRef>>resource resourceParameterBinding* resourceAssignmentExpression",
    ),
    "performer": ("resourceRole", "", ""),
    "humanPerformer": ("performer", "", ""),
    "potentialOwner": ("humanPerformer", "", ""),
    "resourceParameterBinding": (
        "baseElement",
        "parameterRef!>>resourceParameter",
        "formalExpression~~ expression~",
    ),
    "resourceAssignmentExpression": ("baseElement", "", "formalExpression~~ expression~"),
    # ---- lanes and artifacts
    "laneSet": ("baseElement", "name", "lane*"),
    "lane": (
        "baseElement",
        "name partitionElementRef",
        "partitionElement=baseElement flowNodeRef*>flowNode childLaneSet=laneSet",
    ),
    "artifact": ("baseElement", "", ""),
    "association": (
        "artifact",
        "sourceRef!>baseElement targetRef!>baseElement associationDirection:None|One|Both",
        "",
    ),
    "group": ("artifact", "categoryValueRef>>categoryValue", ""),
    "textAnnotation": ("artifact", "textFormat:mime", "text"),
    "text": ("", "", ""),
    # ---- collaboration and choreography
    "collaboration": (
        "rootElement",
        "name isClosed:bool",
        "participant* messageFlow* artifact* conversationNode* conversationAssociation*"
        " participantAssociation* messageFlowAssociation* correlationKey*"
        " choreographyRef*>choreography conversationLink*",
    ),
    "participant": (
        "baseElement",
        "name processRef>process",
        "interfaceRef*>>interface endPointRef*>>endPoint participantMultiplicity",
    ),
    "participantMultiplicity": ("baseElement", "minimum:int maximum:int", ""),
    "participantAssociation": (
        "baseElement",
        "",
        "innerParticipantRef!>>participant outerParticipantRef!>>participant",
    ),
    "messageFlow": (
        "baseElement",
        "name sourceRef!>baseElement targetRef!>baseElement messageRef>>message",
        "",
    ),
    "messageFlowAssociation": (
        "baseElement",
        "innerMessageFlowRef!>>messageFlow outerMessageFlowRef!>>messageFlow",
        "",
    ),
    "conversationNode": (
        "baseElement",
        "name",
        "participantRef*>>participant messageFlowRef*>>messageFlow correlationKey*",
    ),
    "conversation": ("conversationNode", "", ""),
    "subConversation": ("conversationNode", "", "conversationNode*"),
    "callConversation": (
        "conversationNode",
        "calledCollaborationRef>>collaboration",
        "participantAssociation*",
    ),
    "conversationLink": ("baseElement", "name sourceRef!>baseElement targetRef!>baseElement", ""),
    "conversationAssociation": (
        "baseElement",
        "innerConversationNodeRef!>>conversationNode outerConversationNodeRef!>>conversationNode",
        "",
    ),
    "globalConversation": ("collaboration", "", ""),
    "choreography": ("collaboration", "", "flowElement*"),
    "globalChoreographyTask": ("choreography", "initiatingParticipantRef>>participant", ""),
    "choreographyActivity": (
        "flowNode",
        "initiatingParticipantRef!>>participant"
        " loopType:None|Standard|MultiInstanceSequential|MultiInstanceParallel",
        "participantRef!*>>participant correlationKey*",
    ),
    "choreographyTask": ("choreographyActivity", "", "messageFlowRef!*>>messageFlow"),
    "callChoreography": (
        "choreographyActivity",
        "calledChoreographyRef>>choreography",
        "participantAssociation*",
    ),
    "subChoreography": ("choreographyActivity", "", "flowElement* artifact*"),
}

#: kinds that no element has as its tag
_ABSTRACT = frozenset(
    {
        *("baseElement", "rootElement", "callableElement", "flowElement", "flowNode", "item"),
        *("activity", "gateway", "anyEvent", "catchEvent", "throwEvent", "eventDefinition"),
        *("loopCharacteristics", "artifact", "conversationNode", "choreographyActivity"),
        *("dataAssociation",),
    }
)
#: rows whose text is content, not noise
_WITH_TEXT = frozenset({"documentation", "script", "text"})
#: what a link's `source` and `target` may name
_EXTRA_KINDS = {
    "linkEventDefinition": "link",
    "intermediateCatchEvent": "link",
    "intermediateThrowEvent": "link",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """An attribute or a child of an element."""

    name: str
    required: bool
    #: may stand more than once
    repeats: bool
    #: type or values of an attribute, "" for any text
    type: str
    #: kinds of elements it may refer to; empty if it is no reference
    targets: tuple[str, ...]
    #: nothing is executed by the reference
    loose: bool
    #: "" | natural | formal: an expression, and whether it is always formal
    expression: str
    #: row of the content, where it is not that of its own name
    row: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One kind of element."""

    name: str
    #: its own name and those of its bases
    kinds: frozenset[str]
    attributes: Mapping[str, Slot]
    #: by tag
    children: Mapping[str, Slot]
    #: text inside is content
    text: bool


def _slot(word: str) -> Slot:
    head, _, values = word.partition(":")
    head, arrow, targets = head.partition(">")
    head, _, row = head.partition("=")
    name = head.rstrip("!*~")
    marks = head[len(name) :]
    return Slot(
        name=name,
        required="!" in marks,
        repeats="*" in marks,
        type=values,
        targets=tuple(targets.lstrip(">").split("|")) if arrow else (),
        loose=targets.startswith(">"),
        expression={0: "", 1: "natural", 2: "formal"}[marks.count("~")],
        row=row or name,
    )


def _lineage(name: str) -> tuple[str, ...]:
    """Return the row's own name and all its bases, nearest first."""
    found = [name]
    for known in found:
        found += [base for base in _ROWS[known][0].split() if base not in found]
    return tuple(found)


_KINDS = {
    name: frozenset(_lineage(name))
    | ({_EXTRA_KINDS[name]} if name in _EXTRA_KINDS else frozenset())
    for name in _ROWS
}


def _row(name: str) -> Row:
    lineage = _lineage(name)
    attributes = [_slot(word) for base in lineage for word in _ROWS[base][1].split()]
    children: dict[str, Slot] = {}
    for slot in (_slot(word) for base in lineage for word in _ROWS[base][2].split()):
        tags = [slot.name] if slot.name not in _ABSTRACT else []
        if slot.name in _ROWS and slot.row == slot.name:
            tags = [tag for tag, kinds in _KINDS.items() if slot.name in kinds]
        for tag in tags:
            if tag not in _ABSTRACT:
                children.setdefault(tag, slot)
    return Row(
        name=name,
        kinds=_KINDS[name],
        attributes={slot.name: slot for slot in attributes},
        children=children,
        text=name in _WITH_TEXT,
    )


#: every element kind by tag
ROWS: Mapping[str, Row] = {name: _row(name) for name in _ROWS}

#: content of expressions
EXPRESSION = Row(
    name="expression",
    kinds=frozenset({"expression"}),
    attributes={
        slot.name: slot for slot in map(_slot, ("id", "language:uri", "evaluatesToTypeRef"))
    },
    children={},
    text=True,
)
#: content of a reference: an id
_REFERENCE = Row(name="reference", kinds=frozenset(), attributes={}, children={}, text=True)
_ALIASES = {
    slot.name: slot.row
    for row in ROWS.values()
    for slot in row.children.values()
    if slot.row != slot.name
}
_NOTHING: frozenset[str] = frozenset()


def kinds(element: Element) -> frozenset[str]:
    """Return all kinds of an element, most of all its own tag; empty for what is not of BPMN."""
    if not is_bpmn(element):
        return _NOTHING
    tag = local(element)
    return _KINDS.get(_ALIASES.get(tag, tag), _NOTHING)


def row_of(element: Element) -> Row:
    """Return what an element of BPMN may hold; an unknown one is taken for a reference."""
    tag = local(element)
    return ROWS.get(_ALIASES.get(tag, tag), _REFERENCE)


def is_a(element: Element, *names: str) -> bool:
    """Tell whether an element is of one of these kinds."""
    return not kinds(element).isdisjoint(names)
