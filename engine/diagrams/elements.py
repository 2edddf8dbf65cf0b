"""The elements of BPMN 2.0.2: where each may stand, its attributes and what it refers to.

A row is `name: (base, attributes, children)` in a notation of words:
`x!` is required, `x*` may repeat, `x:bool` has a type (or one of the values a|b|c), `x>task`
refers to an element of that kind (`>>`: nothing is executed by it), `x~` is an expression (`~~`:
always a formal one), `x=row` has the content of another row. A name without any of them is an
element of that kind. schema.py reads the table.
"""

from __future__ import annotations

_IO = "ioSpecification property* dataInputAssociation* dataOutputAssociation*"

TABLE: dict[str, tuple[str, str, str]] = {
    "baseElement": ("", "id", "documentation* extensionElements"),
    "rootElement": ("baseElement", "", ""),
    "definitions": (
        "baseElement",
        "name targetNamespace!:uri expressionLanguage:uri typeLanguage:uri exporter"
        " exporterVersion",
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
        "itemSubjectRef>>itemDefinition dataObjectRef!>dataObject",
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
ABSTRACT = frozenset(
    {
        *("baseElement", "rootElement", "callableElement", "flowElement", "flowNode", "item"),
        *("activity", "gateway", "anyEvent", "catchEvent", "throwEvent", "eventDefinition"),
        *("loopCharacteristics", "artifact", "conversationNode", "choreographyActivity"),
        *("dataAssociation",),
    }
)
#: rows whose text is content, not noise
WITH_TEXT = frozenset({"documentation", "script", "text"})
#: what a link's `source` and `target` may name
EXTRA_KINDS = {
    "linkEventDefinition": "link",
    "intermediateCatchEvent": "link",
    "intermediateThrowEvent": "link",
}
