"""Pools, message flows, lanes and choreographies: drawn around processes, and not executed."""

from __future__ import annotations

from lxml.etree import _Element as Element

from engine.diagrams.diagram import Diagram, children, references, truth
from engine.diagrams.names import is_bpmn
from engine.diagrams.report import Report
from engine.diagrams.schema import is_a

_MESSAGE_ENDS = ("participant", "activity", "anyEvent", "choreographyActivity", "conversationNode")

#: events without outgoing, and without incoming message flows (BPMN 2.0.2, table 7.4)
_NEVER_SEND = ("startEvent", "intermediateCatchEvent", "boundaryEvent")
_NEVER_RECEIVE = ("endEvent", "intermediateThrowEvent")


def check_collaborations(diagram: Diagram, report: Report) -> None:
    """Check what is drawn around the processes."""
    for flow in diagram.all("messageFlow"):
        _message_flow(diagram, flow, report)
    for link in diagram.all("conversationLink"):
        _conversation_link(diagram, link, report)
    for multiplicity in diagram.all("participantMultiplicity"):
        _multiplicity(multiplicity, report)
    for collaboration in diagram.all("collaboration"):
        _choreography_of(diagram, collaboration, report)
        _pools(diagram, collaboration, report)
    for element in diagram.all("activity", "item"):
        _no_choreography(diagram, element, report)
    for process in diagram.processes:
        if process.get("processType") == "Public" and diagram.is_executable(process):
            report.error(
                process,
                "{process} is public, and a public process cannot be executable",
                "set its type to Private or None",
                process=process,
            )
    _lanes(diagram, report)


def _message_flow(diagram: Diagram, flow: Element, report: Report) -> None:
    source = diagram.find(flow.get("sourceRef"))
    target = diagram.find(flow.get("targetRef"))
    for end in (source, target):
        if end is not None and not is_a(end, *_MESSAGE_ENDS):
            report.error(
                flow,
                "{flow} is tied to {end}, which neither sends nor receives",
                "tie it to a pool, a task, a sub-process or an event",
                flow=flow,
                end=end,
            )
    is_start = target is not None and is_bpmn(target, "startEvent")
    if target is not None and is_start and "message" not in diagram.definition_kinds(target):
        report.error(
            target,
            "{flow} leads to {target}, which does not wait for a message",
            "make it a message start event",
            flow=flow,
            target=target,
        )
    if source is not None and is_bpmn(source, *_NEVER_SEND):
        report.error(
            flow,
            "{flow} begins at {source}, which sends nothing",
            "begin it at a pool, an activity, a throwing or an end event",
            flow=flow,
            source=source,
        )
    if target is not None and is_bpmn(target, *_NEVER_RECEIVE):
        report.error(
            flow,
            "{flow} leads to {target}, which receives nothing",
            "lead it to a pool, an activity, a start event or a catching event",
            flow=flow,
            target=target,
        )
    _messages_at(diagram, flow, source, target, report)
    if source is None or target is None:
        return
    own, other = _pool(diagram, source), _pool(diagram, target)
    if source is target or (own is not None and own is other):
        report.error(
            flow,
            "{flow} stays inside one pool",
            "use a sequence flow inside a pool; message flows connect two pools",
            flow=flow,
        )


def _pool(diagram: Diagram, end: Element) -> Element | None:
    """Return the process that an end of a message flow belongs to, be it drawn as its pool."""
    if is_bpmn(end, "participant"):
        return diagram.find(end.get("processRef"), "process")
    return diagram.process_of(end) if is_a(end, "flowNode") else None


def _pools(diagram: Diagram, collaboration: Element, report: Report) -> None:
    """A process that two pools of one collaboration name is still one: nobody sees whose it is."""
    first: dict[Element, Element] = {}
    for pool in children(collaboration, "participant"):
        process = diagram.find(pool.get("processRef"), "process")
        if process is not None and process in first:
            report.warning(
                pool,
                "{pool} and {other} name the same process “{process}”",
                "give each pool a process of its own, or leave it empty",
                pool=pool,
                other=first[process],
                process=process.get("id") or "",
            )
        elif process is not None:
            first[process] = pool


def _messages_at(
    diagram: Diagram, flow: Element, source: Element | None, target: Element | None, report: Report
) -> None:
    """An event, and a task for one direction, has to be about messages (BPMN 10.3.3, 10.5)."""
    if source is not None and _lacks_message(diagram, source, "throwEvent"):
        report.error(
            source,
            "{flow} begins at {source}, which sends no message",
            "make it a message event",
            flow=flow,
            source=source,
        )
    if target is not None and _lacks_message(diagram, target, "catchEvent"):
        report.error(
            target,
            "{flow} leads to {target}, which does not wait for a message",
            "make it a message event",
            flow=flow,
            target=target,
        )
    for end, tag in ((source, "receiveTask"), (target, "sendTask")):
        if end is not None and is_bpmn(end, tag):
            report.warning(
                flow,
                "{flow} is drawn against the direction of {end}",
                "turn the message flow round",
                flow=flow,
                end=end,
            )


def _lacks_message(diagram: Diagram, end: Element, kind: str) -> bool:
    return (
        is_a(end, kind)
        and not is_bpmn(end, "startEvent")
        and "message" not in diagram.definition_kinds(end)
    )


def _multiplicity(multiplicity: Element, report: Report) -> None:
    participant = multiplicity.getparent()
    if participant is None:
        return
    least = _number(multiplicity.get("minimum"), 0)
    most = _number(multiplicity.get("maximum"), 1)
    if least < 0:
        report.error(
            participant,
            "{participant} takes part at least {least} times",
            "write a number from 0",
            participant=participant,
            least=least,
        )
    if most < 1 or most < least:
        report.error(
            participant,
            "{participant} takes part at most {most} times, at least {least}",
            "the maximum is at least 1, and not below the minimum",
            participant=participant,
            most=most,
            least=least,
        )


def _conversation_link(diagram: Diagram, link: Element, report: Report) -> None:
    """A conversation link ties a conversation to one who takes part in it (BPMN 2.0.2, 9.5.6)."""
    ends = [diagram.find(link.get(name)) for name in ("sourceRef", "targetRef")]
    drawn = [end for end in ends if end is not None]
    if len(drawn) == 2 and sum(is_a(end, "conversationNode") for end in drawn) != 1:
        report.error(
            link,
            "{link} does not lead from a conversation to one who takes part in it",
            "tie one end to a conversation, the other one to a pool, an activity or an event",
            link=link,
        )


def _number(text: str | None, default: int) -> int:
    try:
        return int(text) if text is not None else default
    except ValueError:
        return default


def _choreography_of(diagram: Diagram, collaboration: Element, report: Report) -> None:
    for name in references(collaboration, "choreographyRef"):
        if is_bpmn(collaboration, "choreography", "globalConversation", "globalChoreographyTask"):
            report.error(
                collaboration,
                "{collaboration} refers to a choreography, which only a collaboration may",
                "delete the reference",
                collaboration=collaboration,
            )
            continue
        found = diagram.find(name, "choreography")
        if found is None:
            continue
        if truth(found, "isClosed", default=False) != truth(
            collaboration, "isClosed", default=False
        ):
            report.error(
                collaboration,
                "{collaboration} and {found} do not agree on being closed",
                "set isClosed of both to the same value",
                collaboration=collaboration,
                found=found,
            )


def _no_choreography(diagram: Diagram, element: Element, report: Report) -> None:
    """A choreography holds its own activities, events and gateways, and no data (BPMN 11)."""
    scope = diagram.scope_of(element)
    if is_a(scope, "choreography", "subChoreography") and element.getparent() is scope:
        report.error(
            element,
            "{element} cannot stand in {scope}",
            "a choreography has choreography activities, events and gateways, and no data",
            element=element,
            scope=scope,
        )


def _lanes(diagram: Diagram, report: Report) -> None:
    for lane_set in diagram.all("laneSet"):
        seen: dict[str, Element] = {}
        for lane in children(lane_set, "lane"):
            for name in references(lane, "flowNodeRef"):
                node = diagram.find(name, "flowNode")
                if node is not None and name in seen and seen[name] is not lane:
                    report.warning(
                        node,
                        "{node} stands in {first} and in {lane}",
                        "keep it in one lane; the first is taken",
                        node=node,
                        first=seen[name],
                        lane=lane,
                    )
                seen.setdefault(name, lane)
