"""Activities: tasks that lack their work, repetition, calls, and sub-processes of special kinds."""

from __future__ import annotations

import re

from lxml.etree import _Element as Element

from engine.diagrams.diagram import Diagram, child, is_compensation, is_event_sub_process
from engine.diagrams.names import ZEEBE, bpmn, is_bpmn, local, plain, text_of, zeebe
from engine.diagrams.report import Report
from engine.diagrams.schema import is_a

#: a list of FEEL with nothing but texts, and the texts in it
_LISTED = re.compile(r'=\s*\[\s*("[^"\\]*"\s*(,\s*"[^"\\]*"\s*)*)?\]')
_QUOTED = re.compile(r'"([^"]*)"')
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
                "{activity} only compensates, and has a boundary event",
                "draw what can go wrong inside a sub-process",
                activity=activity,
            )


def _quantities(activity: Element, report: Report) -> None:
    for name in ("startQuantity", "completionQuantity"):
        text = (activity.get(name) or "1").strip()
        if _WHOLE_NUMBER.fullmatch(text) and int(text) < 1:
            report.error(
                activity,
                "the {attribute} of {activity} is {text}; it must be at least 1",
                "delete the attribute, or write a number from 1",
                attribute=name,
                activity=activity,
                text=text,
            )


def _work(activity: Element, report: Report) -> None:
    """Say what a task lacks to be executed."""
    tag = local(activity)
    handled = zeebe_of(activity, "taskDefinition") is not None
    if tag in ("sendTask", "receiveTask"):
        _message(activity, handled, report)
    elif tag == "serviceTask" and not handled:
        report.unsupported(
            activity,
            "{activity} has no handler",
            "choose a handler (task definition)",
            activity=activity,
        )
    elif tag == "businessRuleTask" and not handled:
        if zeebe_of(activity, "calledDecision") is None:
            report.unsupported(
                activity,
                "{activity} has no decision or handler",
                "choose one of them",
                activity=activity,
            )
    elif tag == "scriptTask" and not handled:
        if zeebe_of(activity, "script") is None and not text_of(child(activity, "script")):
            report.unsupported(
                activity,
                "{activity} has no script",
                "write the script or an expression",
                activity=activity,
            )
    elif tag == "callActivity" and not called_process(activity):
        report.unsupported(
            activity,
            "{activity} has no called process",
            "choose the process it calls",
            activity=activity,
        )


def _message(activity: Element, handled: bool, report: Report) -> None:
    if plain(activity.get("messageRef")):
        return
    if local(activity) == "receiveTask":
        report.unsupported(
            activity,
            "{activity} has no message",
            "choose the message it waits for",
            activity=activity,
        )
    elif not handled:
        report.unsupported(
            activity,
            "{activity} has no message or handler",
            "choose one of them",
            activity=activity,
        )


def called_process(activity: Element) -> str:
    """Return what a call activity calls: a process id, `=` with an expression, or ""."""
    element = zeebe_of(activity, "calledElement")
    if element is not None:
        return (element.get("processId") or "").strip()
    return plain(activity.get("calledElement"))


def _multi_instance(activity: Element, loop: Element, report: Report) -> None:
    cardinality = text_of(child(loop, "loopCardinality"))
    extension = loop.find(f"{bpmn('extensionElements')}/{{{ZEEBE}}}loopCharacteristics")
    collection = text_of(child(loop, "loopDataInputRef")) or (
        extension.get("inputCollection") if extension is not None else ""
    )
    if not cardinality and not collection:
        report.unsupported(
            activity,
            "{activity} is done several times, but it does not say how often",
            "choose a collection, or write a number",
            activity=activity,
        )
    if _WHOLE_NUMBER.fullmatch(cardinality) and int(cardinality) < 0:
        report.error(
            activity,
            "{activity} is to be done {cardinality} times",
            "write a number from 0",
            activity=activity,
            cardinality=cardinality,
        )


def _standard_loop(activity: Element, loop: Element, report: Report) -> None:
    maximum = (loop.get("loopMaximum") or "").strip()
    if _WHOLE_NUMBER.fullmatch(maximum) and int(maximum) < 1:
        report.error(
            activity,
            "{activity} is to be repeated at most {maximum} times",
            "write a number from 1",
            activity=activity,
            maximum=maximum,
        )
    if not maximum and not text_of(child(loop, "loopCondition")):
        report.unsupported(
            activity,
            "{activity} is repeated, but nothing says until when",
            "write a condition, or a maximum",
            activity=activity,
        )


def _ad_hoc(diagram: Diagram, activity: Element, report: Report) -> None:
    members = diagram.nodes(activity)
    _chosen(diagram, activity, report)
    if not any(is_a(member, "activity") and not _stands_aside(member) for member in members):
        report.error(
            activity,
            "{activity} holds no activity that could be chosen",
            "draw its activities, or delete it",
            activity=activity,
        )
    for member in members:
        if is_bpmn(member, "startEvent", "endEvent") or is_a(member, "choreographyActivity"):
            report.error(
                member,
                "{member} cannot stand in {activity}",
                "an ad-hoc sub-process has no start and no end events",
                member=member,
                activity=activity,
            )


def _chosen(diagram: Diagram, activity: Element, report: Report) -> None:
    """Compare the ids of a list that is written out with what may begin inside."""
    chosen = zeebe_of(activity, "adHoc")
    text = "" if chosen is None else (chosen.get("activeElementsCollection") or "")
    if not _LISTED.fullmatch(text.strip()):
        return
    begin = {
        member.get("id")
        for member in diagram.nodes(activity)
        if not diagram.incoming(member) and not _stands_aside(member)
    }
    for name in _QUOTED.findall(text):
        if name not in begin:
            report.error(
                activity,
                "{activity} lets “{name}” begin, and no activity inside begins by this id",
                "name activities inside it to which no flow leads",
                activity=activity,
                name=name,
            )


def _stands_aside(member: Element) -> bool:
    return is_compensation(member) or is_event_sub_process(member)


def check_incoming_data(diagram: Diagram, report: Report) -> None:
    """Check that sub-processes declare no data specification; they see the data around them."""
    for scope in diagram.all("subProcess"):
        block = child(scope, "ioSpecification")
        if block is not None:
            report.error(
                scope,
                "{scope} has a data specification, which only tasks and calls may have",
                "delete it; a sub-process sees the data around it",
                scope=scope,
            )
