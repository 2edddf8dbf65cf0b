"""Gateways: can each tell where a token goes, and do event-based ones lead to events."""

from __future__ import annotations

from lxml.etree import _Element as Element

from engine.diagrams.diagram import Diagram, child, truth
from engine.diagrams.names import is_bpmn, plain, text_of
from engine.diagrams.report import Report

_MAY_CHOOSE = ("exclusiveGateway", "inclusiveGateway", "complexGateway")
_CAUGHT_BY_GATEWAY = {"message", "signal", "timer", "conditional"}


def check_gateways(diagram: Diagram, report: Report) -> None:
    """Check the gateways of all kinds."""
    for gateway in diagram.all("gateway"):
        _direction(diagram, gateway, report)
        _pointless(diagram, gateway, report)
        if is_bpmn(gateway, "complexGateway"):
            _activation(diagram, gateway, report)
        if is_bpmn(gateway, "eventBasedGateway"):
            _event_based(diagram, gateway, report)
        elif is_bpmn(gateway, *_MAY_CHOOSE):
            _choices(diagram, gateway, report)
            _no_default(gateway, diagram.outgoing(gateway), report)


def _direction(diagram: Diagram, gateway: Element, report: Report) -> None:
    direction = gateway.get("gatewayDirection")
    many_in = len(diagram.incoming(gateway)) > 1
    many_out = len(diagram.outgoing(gateway)) > 1
    if direction == "Diverging" and many_in:
        report.error(
            gateway,
            "{gateway} is marked as diverging, but several flows lead to it",
            "set its direction to Mixed or Unspecified",
            gateway=gateway,
        )
    elif direction == "Converging" and many_out:
        report.error(
            gateway,
            "{gateway} is marked as converging, but several flows leave it",
            "set its direction to Mixed or Unspecified",
            gateway=gateway,
        )
    elif direction == "Mixed" and not (many_in and many_out):
        report.error(
            gateway,
            "{gateway} is marked as mixed, but does not both join and divide",
            "set its direction to Unspecified",
            gateway=gateway,
        )


def _pointless(diagram: Diagram, gateway: Element, report: Report) -> None:
    """A gateway has to join or to divide (BPMN 2.0.2, 10.6.1)."""
    if len(diagram.incoming(gateway)) == 1 and len(diagram.outgoing(gateway)) == 1:
        report.warning(
            gateway,
            "{gateway} neither joins nor divides paths",
            "delete it, or draw the other paths",
            gateway=gateway,
        )


def _choices(diagram: Diagram, gateway: Element, report: Report) -> None:
    flows = diagram.outgoing(gateway)
    if len(flows) < 2:
        return
    for flow in flows:
        condition = child(flow, "conditionExpression")
        if flow.get("id") == plain(gateway.get("default")) or text_of(condition):
            continue
        report.unsupported(
            flow,
            "{flow} out of {gateway} has no condition, so nobody can tell when it is taken",
            "write a condition, or make it the default flow",
            flow=flow,
            gateway=gateway,
        )


def _no_default(gateway: Element, flows: list[Element], report: Report) -> None:
    """Mention a choice that may find no way: every flow has a condition, none is the default."""
    if is_bpmn(gateway, "complexGateway") or len(flows) < 2 or gateway.get("default"):
        return
    if all(text_of(child(flow, "conditionExpression")) for flow in flows):
        report.info(
            gateway,
            "{gateway} has no default flow; if no condition is true, the case stops there",
            "mark one flow as the default, unless one of the conditions is always true",
            gateway=gateway,
        )


def _activation(diagram: Diagram, gateway: Element, report: Report) -> None:
    if len(diagram.incoming(gateway)) > 1 and not text_of(child(gateway, "activationCondition")):
        report.unsupported(
            gateway,
            "{gateway} joins paths, but does not say when it goes on",
            "write an activation condition, such as =activationCount >= 2",
            gateway=gateway,
        )


def _event_based(diagram: Diagram, gateway: Element, report: Report) -> None:
    instantiates = truth(gateway, "instantiate", default=False)
    if gateway.get("eventGatewayType") == "Parallel" and not instantiates:
        report.error(
            gateway,
            "{gateway} is parallel, which only one that starts the process may be",
            "set its type to Exclusive",
            gateway=gateway,
        )
    flows = diagram.outgoing(gateway)
    if len(flows) < 2:
        report.error(
            gateway,
            "{gateway} waits for {number} event(s); it needs at least two",
            "draw the other events, or delete the gateway",
            gateway=gateway,
            number=len(flows),
        )
    targets = [
        target
        for target in (diagram.find(flow.get("targetRef"), "flowNode") for flow in flows)
        if target is not None
    ]
    for target in targets:
        _event_target(diagram, gateway, target, report)
    tasks = [target for target in targets if is_bpmn(target, "receiveTask")]
    messages = [
        target
        for target in targets
        if is_bpmn(target, "intermediateCatchEvent")
        and "message" in diagram.definition_kinds(target)
    ]
    if tasks and messages:
        report.error(
            gateway,
            "{gateway} leads to receive tasks and to message events",
            "use only one of the two behind one gateway",
            gateway=gateway,
        )


def _event_target(diagram: Diagram, gateway: Element, target: Element, report: Report) -> None:
    caught = set(diagram.definition_kinds(target))
    waits = is_bpmn(target, "receiveTask") or (
        is_bpmn(target, "intermediateCatchEvent") and bool(caught) and caught <= _CAUGHT_BY_GATEWAY
    )
    if not waits:
        report.error(
            target,
            "{gateway} leads to {target}, which does not wait for an event",
            "lead it to catch events (message, timer, signal, condition) or receive tasks",
            gateway=gateway,
            target=target,
        )
    if len(diagram.incoming(target)) > 1:
        report.error(
            target,
            "{target} stands behind {gateway}, and other flows lead to it too",
            "an event behind an event-based gateway has no other incoming flow",
            target=target,
            gateway=gateway,
        )
    if is_bpmn(target, "receiveTask") and diagram.boundary_events(target):
        report.error(
            target,
            "{target} stands behind {gateway} and has a boundary event",
            "draw the boundary event as another branch of the gateway",
            target=target,
            gateway=gateway,
        )
