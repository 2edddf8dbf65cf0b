"""Sequence flows: where a token may come from, where it may go, and whether it can."""

from __future__ import annotations

from lxml.etree import _Element as Element

from engine.diagrams.diagram import (
    Diagram,
    child,
    is_compensation,
    is_event_sub_process,
    truth,
)
from engine.diagrams.names import is_bpmn, kind_words, plain, quoted, text_of
from engine.diagrams.report import Report
from engine.diagrams.schema import is_a


def check_flows(diagram: Diagram, report: Report) -> None:
    """Check every sequence flow."""
    for flow in diagram.flows:
        source = diagram.find(flow.get("sourceRef"), "flowNode")
        target = diagram.find(flow.get("targetRef"), "flowNode")
        if source is not None:
            _leaves(flow, source, report)
            _condition(diagram, flow, source, report)
        if target is not None:
            _reaches(flow, target, report)
        if source is not None and target is not None:
            _border(diagram, flow, source, target, report)
        if source is not None and source is target:
            _itself(flow, source, report)
    for node in diagram.all("flowNode"):
        _begins(diagram, node, report)
        _default(diagram, node, report)
        _listed(diagram, node, report)


def _leaves(flow: Element, source: Element, report: Report) -> None:
    if is_bpmn(source, "endEvent"):
        report.error(
            flow,
            "{flow} leaves {source}",
            "nothing can follow an end event",
            flow=flow,
            source=source,
        )
    elif is_event_sub_process(source):
        report.error(
            source,
            "{flow} leaves the event sub-process {source}",
            "an event sub-process stands alone; its event starts it",
            flow=flow,
            source=quoted(source),
        )
    elif is_compensation(source):
        report.error(
            flow,
            "{flow} leaves {source}, which only compensates",
            "tie it to its boundary event by an association, without sequence flows",
            flow=flow,
            source=source,
        )


def _reaches(flow: Element, target: Element, report: Report) -> None:
    if is_bpmn(target, "startEvent", "boundaryEvent"):
        report.error(
            flow,
            "{flow} leads to {target}",
            "start events and boundary events have no incoming sequence flows",
            flow=flow,
            target=target,
        )
    elif _instantiates(target):
        report.error(
            flow,
            "{flow} leads to {target}, which starts the process",
            "what starts a process has no incoming flow; or delete its instantiate mark",
            flow=flow,
            target=target,
        )
    elif is_event_sub_process(target):
        report.error(
            target,
            "{flow} leads to the event sub-process {target}",
            "an event sub-process stands alone; its event starts it",
            flow=flow,
            target=quoted(target),
        )
    elif is_compensation(target):
        report.error(
            flow,
            "{flow} leads to {target}, which only compensates",
            "tie it to its boundary event by an association, without sequence flows",
            flow=flow,
            target=target,
        )


def _border(
    diagram: Diagram, flow: Element, source: Element, target: Element, report: Report
) -> None:
    if diagram.scope_of(source) is not diagram.scope_of(target):
        report.error(
            flow,
            "{flow} crosses the border of a sub-process or pool, from {source} to {target}",
            "sequence flows stay inside; use an event, a message or a signal to cross",
            flow=flow,
            source=source,
            target=target,
        )
    elif diagram.scope_of(flow) is not diagram.scope_of(source):
        report.error(
            flow,
            "{flow} is written in {scope}, but its ends stand in {home}",
            "delete the flow, and draw it again between its ends",
            flow=flow,
            scope=diagram.scope_of(flow),
            home=diagram.scope_of(source),
        )


def _itself(flow: Element, node: Element, report: Report) -> None:
    """A node may follow itself, which the standard forbids nowhere; it needs a reason to stop."""
    decides = is_bpmn(node, "exclusiveGateway", "inclusiveGateway", "complexGateway")
    asked = child(flow, "conditionExpression") is not None
    default = plain(node.get("default")) == flow.get("id")
    if is_a(node, "activity", "anyEvent") and not (decides or asked or default):
        report.warning(
            flow,
            "{flow} leads from {node} to itself without a condition, so it begins again for ever",
            "write a condition, or lead it over an exclusive gateway",
            flow=flow,
            node=node,
        )


def _condition(diagram: Diagram, flow: Element, source: Element, report: Report) -> None:
    condition = child(flow, "conditionExpression")
    if condition is None:
        return
    if is_bpmn(source, "eventBasedGateway"):
        report.error(
            flow,
            "{flow} has a condition, but it leaves an event-based gateway",
            "the first event decides there; delete the condition",
            flow=flow,
        )
    elif is_a(source, "anyEvent"):
        report.error(
            flow,
            "{flow} has a condition, but it leaves {source}",
            "put an exclusive gateway behind the event",
            flow=flow,
            source=source,
        )
    elif is_bpmn(source, "parallelGateway"):
        report.warning(
            flow,
            "the condition of {flow} is ignored: a parallel gateway takes every path",
            "delete the condition, or use an inclusive gateway",
            flow=flow,
        )
    elif is_a(source, "activity") and len(diagram.outgoing(source)) == 1:
        report.error(
            flow,
            "{flow} is the only way out of {source}, yet it has a condition",
            "delete the condition, or draw what happens when it is false",
            flow=flow,
            source=source,
        )


def _default(diagram: Diagram, node: Element, report: Report) -> None:
    name = node.get("default")
    flow = diagram.find(name, "sequenceFlow")
    if name is None or flow is None:
        return
    if plain(flow.get("sourceRef")) != node.get("id"):
        report.error(
            node,
            "the default flow of {node} leaves another element",
            "choose one of its own outgoing flows as the default",
            node=node,
        )
    condition = child(flow, "conditionExpression")
    if condition is not None and text_of(condition):
        report.warning(
            flow,
            "the condition of {flow} is ignored, since it is the default flow",
            "delete the condition",
            flow=flow,
        )


def _listed(diagram: Diagram, node: Element, report: Report) -> None:
    """Compare the flows a node lists with those that really touch it; the flows are right."""
    for tag, flows in (("incoming", diagram.incoming(node)), ("outgoing", diagram.outgoing(node))):
        real = {flow.get("id") for flow in flows}
        for entry in node.iterchildren():
            name = plain(entry.text) if is_bpmn(entry, tag) else ""
            if name and name not in real and diagram.find(name, "sequenceFlow") is not None:
                report.warning(
                    node,
                    "{node} lists “{name}” as {tag}, but that flow does not touch it",
                    "what the sequence flow says is taken",
                    node=node,
                    name=name,
                    tag=kind_words(tag),
                )


# ------------------------------------------------------------------ connections


def check_connections(diagram: Diagram, report: Report) -> None:
    """Check, scope by scope, that every node can be reached and left (BPMN 10.5.2, 10.5.3)."""
    for scope in diagram.scopes:
        if is_bpmn(scope, "adHocSubProcess"):
            continue
        nodes = diagram.nodes(scope)
        starts = [node for node in nodes if is_a(node, "startEvent") or _instantiates(node)]
        ends = [node for node in nodes if is_bpmn(node, "endEvent")]
        if ends and not starts:
            report.error(
                scope,
                "{scope} has an end event, but no start event",
                "draw a start event, or delete the end event",
                scope=scope,
            )
        if starts and not ends and any(is_a(node, "startEvent") for node in starts):
            report.error(
                scope,
                "{scope} has a start event, but no end event",
                "draw an end event",
                scope=scope,
            )
        for node in nodes:
            _connected(diagram, node, bool(starts), bool(ends), report)
        if starts:
            _reachable(diagram, nodes, starts, report)


def _instantiates(node: Element) -> bool:
    return is_a(node, "receiveTask", "eventBasedGateway") and truth(
        node, "instantiate", default=False
    )


def _begins(diagram: Diagram, node: Element, report: Report) -> None:
    """Only a process is begun by a receive task or an event-based gateway (BPMN 10.3.3, 10.6.6)."""
    scope = diagram.scope_of(node)
    if _instantiates(node) and is_a(scope, "subProcess"):
        report.error(
            node,
            "{node} is to start the process, but stands in {scope}",
            "delete its instantiate mark, and draw a start event before it",
            node=node,
            scope=scope,
        )


def _stands_alone(node: Element) -> bool:
    return is_event_sub_process(node) or is_compensation(node)


def _is_entry(diagram: Diagram, node: Element) -> bool:
    """Tell whether a token may appear at a node without a flow."""
    return (
        is_bpmn(node, "startEvent", "boundaryEvent")
        or _stands_alone(node)
        or _instantiates(node)
        or (is_bpmn(node, "intermediateCatchEvent") and "link" in diagram.definition_kinds(node))
    )


def _is_exit(diagram: Diagram, node: Element) -> bool:
    """Tell whether a token may vanish at a node that no flow leaves."""
    if is_bpmn(node, "endEvent") or _stands_alone(node):
        return True
    caught = diagram.definition_kinds(node) if is_a(node, "anyEvent") else []
    if is_bpmn(node, "boundaryEvent"):
        return "compensate" in caught
    return is_bpmn(node, "intermediateThrowEvent") and "link" in caught


def _connected(diagram: Diagram, node: Element, starts: bool, ends: bool, report: Report) -> None:
    if starts and not diagram.incoming(node) and not _is_entry(diagram, node):
        report.error(
            node,
            "no sequence flow leads to {node}, so it is never reached",
            "draw a flow to it, or delete it",
            node=node,
        )
    if ends and not diagram.outgoing(node) and not _is_exit(diagram, node):
        report.error(
            node,
            "no sequence flow leaves {node}, so the work ends there unseen",
            "lead it on to an end event",
            node=node,
        )


def _waits_at_border(diagram: Diagram, node: Element) -> bool:
    """Tell whether a node can only be reached through the activity it is attached to."""
    host = diagram.find(node.get("attachedToRef"), "activity")
    return host is not None and diagram.scope_of(host) is diagram.scope_of(node)


def _reachable(
    diagram: Diagram, nodes: list[Element], starts: list[Element], report: Report
) -> None:
    begun = (node for node in nodes if node in starts or _is_entry(diagram, node))
    waiting = [node for node in begun if not _waits_at_border(diagram, node)]
    seen = set(waiting)
    while waiting:
        node = waiting.pop()
        targets = (diagram.find(flow.get("targetRef")) for flow in diagram.outgoing(node))
        for target in (*targets, *diagram.boundary_events(node)):
            if target is not None and target not in seen:
                seen.add(target)
                waiting.append(target)
    for node in nodes:
        if node not in seen and diagram.incoming(node):
            report.warning(
                node,
                "no path from a start leads to {node}",
                "draw a flow to it from where it belongs",
                node=node,
            )
