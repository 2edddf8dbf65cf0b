"""Activities: tasks that lack their work, repetition, calls, and sub-processes of special kinds."""

from __future__ import annotations

import re

from lxml.etree import _Element as Element

from engine.diagrams.diagram import Diagram, child, is_compensation
from engine.diagrams.names import ZEEBE, bpmn, called, is_bpmn, local, plain, text_of, zeebe
from engine.diagrams.report import Report
from engine.diagrams.schema import is_a

_WHOLE_NUMBER = re.compile(r"[+-]?\d+")


def zeebe_of(element: Element, name: str) -> Element | None:
    """Return an extension of the zeebe dialect that an element carries."""
    block = element.find(bpmn("extensionElements"))
    return None if block is None else block.find(zeebe(name))


def check_activities(diagram: Diagram, report: Report) -> None:
    """Check every activity."""
    for activity in diagram.all("activity"):
        _quantities(activity, report)
        _work(activity, report)
        loop = child(activity, "multiInstanceLoopCharacteristics")
        if loop is not None:
            _multi_instance(activity, loop, report)
        loop = child(activity, "standardLoopCharacteristics")
        if loop is not None:
            _standard_loop(activity, loop, report)
        if is_bpmn(activity, "adHocSubProcess"):
            _ad_hoc(diagram, activity, report)
        if is_compensation(activity) and diagram.boundary_events(activity):
            report.warning(
                activity,
                f"{called(activity)} only compensates, and has a boundary event",
                "draw what can go wrong inside a sub-process",
            )


def _quantities(activity: Element, report: Report) -> None:
    for name in ("startQuantity", "completionQuantity"):
        text = (activity.get(name) or "1").strip()
        if _WHOLE_NUMBER.fullmatch(text) and int(text) < 1:
            report.error(
                activity,
                f"the {name} of {called(activity)} is {text}; it must be at least 1",
                "delete the attribute, or write a number from 1",
            )


def _work(activity: Element, report: Report) -> None:
    """Say what a task lacks to be executed."""
    tag = local(activity)
    handled = zeebe_of(activity, "taskDefinition") is not None
    if tag == "serviceTask" and not handled:
        _incomplete(activity, "handler", "choose a handler (task definition)", report)
    elif tag == "businessRuleTask" and not handled:
        if zeebe_of(activity, "calledDecision") is None:
            _incomplete(activity, "decision or handler", "choose one of them", report)
    elif tag == "sendTask" and not handled and not plain(activity.get("messageRef")):
        _incomplete(activity, "message or handler", "choose one of them", report)
    elif tag == "receiveTask" and not plain(activity.get("messageRef")):
        _incomplete(activity, "message", "choose the message it waits for", report)
    elif tag == "scriptTask" and not handled:
        if zeebe_of(activity, "script") is None and not text_of(child(activity, "script")):
            _incomplete(activity, "script", "write the script or an expression", report)
    elif tag == "callActivity" and not called_process(activity):
        _incomplete(activity, "called process", "choose the process it calls", report)


def called_process(activity: Element) -> str:
    """Return what a call activity calls: a process id, `=` with an expression, or ""."""
    element = zeebe_of(activity, "calledElement")
    if element is not None:
        return (element.get("processId") or "").strip()
    return plain(activity.get("calledElement"))


def _incomplete(activity: Element, what: str, advice: str, report: Report) -> None:
    report.unsupported(activity, f"{called(activity)} has no {what}", advice)


def _multi_instance(activity: Element, loop: Element, report: Report) -> None:
    cardinality = text_of(child(loop, "loopCardinality"))
    extension = loop.find(f"{bpmn('extensionElements')}/{{{ZEEBE}}}loopCharacteristics")
    collection = text_of(child(loop, "loopDataInputRef")) or (
        extension.get("inputCollection") if extension is not None else ""
    )
    if not cardinality and not collection:
        report.unsupported(
            activity,
            f"{called(activity)} is done several times, but it does not say how often",
            "choose a collection, or write a number",
        )
    if _WHOLE_NUMBER.fullmatch(cardinality) and int(cardinality) < 0:
        report.error(
            activity,
            f"{called(activity)} is to be done {cardinality} times",
            "write a number from 0",
        )


def _standard_loop(activity: Element, loop: Element, report: Report) -> None:
    maximum = (loop.get("loopMaximum") or "").strip()
    if _WHOLE_NUMBER.fullmatch(maximum) and int(maximum) < 0:
        report.error(
            activity,
            f"{called(activity)} is to be repeated at most {maximum} times",
            "write a number from 0",
        )
    if not maximum and not text_of(child(loop, "loopCondition")):
        report.unsupported(
            activity,
            f"{called(activity)} is repeated, but nothing says until when",
            "write a condition, or a maximum",
        )


def _ad_hoc(diagram: Diagram, activity: Element, report: Report) -> None:
    for member in diagram.nodes(activity):
        if is_bpmn(member, "startEvent", "endEvent") or is_a(member, "choreographyActivity"):
            report.error(
                member,
                f"{called(member)} cannot stand in {called(activity)}",
                "an ad-hoc sub-process has no start and no end events",
            )


def check_incoming_data(diagram: Diagram, report: Report) -> None:
    """Check that sub-processes declare no data specification; they see the data around them."""
    for scope in diagram.all("subProcess"):
        block = child(scope, "ioSpecification")
        if block is not None:
            report.error(
                scope,
                f"{called(scope)} has a data specification, which only tasks and calls may have",
                "delete it; a sub-process sees the data around it",
            )
