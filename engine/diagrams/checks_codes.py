"""Throwers and catchers of a bundle: does each find the other (BPMN 2.0.2, 10.5.1 and 10.5.6)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lxml.etree import _Element as Element

from engine.diagrams.checks_activities import called_process, zeebe_of
from engine.diagrams.diagram import Diagram, is_event_sub_process
from engine.diagrams.names import is_bpmn, quoted
from engine.diagrams.report import Report
from engine.diagrams.schema import is_a

Files = Sequence[tuple[Diagram, Report]]

#: what may throw a code that no drawing shows
_OPAQUE = ("callActivity", "businessRuleTask", "scriptTask", "userTask")


def check_codes(files: Files) -> None:
    """Check errors, escalations, messages and signals across the files of a bundle."""
    bundle = _Bundle(files)
    for diagram, report in files:
        for kind in ("error", "escalation"):
            for event, code in _thrown(diagram, kind):
                if not bundle.caught(diagram, diagram.scope_of(event), kind, code, set()):
                    _uncaught(event, kind, code, report)
        for event, code in _awaited(diagram, "error"):
            host = diagram.find(event.get("attachedToRef"), "activity")
            if host is not None and not bundle.may_throw(diagram, host, code):
                report.info(
                    event,
                    "nothing drawn in {host} throws the error “{code}” that {event} waits for",
                    "correct the code, or delete the event",
                    event=event,
                    host=host,
                    code=code,
                )
    _unheard(files)


def _uncaught(event: Element, kind: str, code: str, report: Report) -> None:
    if kind == "error":
        report.warning(
            event,
            "nothing drawn catches the error “{code}” that {event} throws, so the case fails there",
            "attach an error boundary event around it, or draw an event sub-process",
            event=event,
            code=code,
        )
    else:
        report.info(
            event,
            "nothing drawn catches the escalation “{code}” that {event} throws",
            "attach an escalation boundary event around it, or draw an event sub-process",
            event=event,
            code=code,
        )


def _thrown(diagram: Diagram, kind: str) -> Iterator[tuple[Element, str]]:
    for event in diagram.all("throwEvent"):
        if diagram.is_executable(event):
            for code in _codes(diagram, event, kind):
                if code and not code.startswith("="):
                    yield event, code


def _awaited(diagram: Diagram, kind: str) -> Iterator[tuple[Element, str]]:
    for event in diagram.all("boundaryEvent"):
        if diagram.is_executable(event):
            for code in _codes(diagram, event, kind):
                if code:
                    yield event, code


def _codes(diagram: Diagram, event: Element, kind: str) -> Iterator[str]:
    """Yield the codes of an event's definitions of one kind; "" for one that means any."""
    for definition in diagram.definitions_of(event):
        if is_bpmn(definition, f"{kind}EventDefinition"):
            meant = diagram.find(definition.get(f"{kind}Ref"), kind)
            yield "" if meant is None else (meant.get(f"{kind}Code") or "").strip()


class _Bundle:
    """Who calls whom in all files."""

    def __init__(self, files: Files) -> None:
        self._homes = {
            str(process.get("id")): (diagram, process)
            for diagram, _ in files
            for process in diagram.processes
        }
        self._callers: dict[str, list[tuple[Diagram, Element]]] = {}
        for diagram, _ in files:
            for activity in diagram.all("callActivity"):
                self._callers.setdefault(called_process(activity), []).append((diagram, activity))

    def caught(
        self, diagram: Diagram, scope: Element, kind: str, code: str, seen: set[Element]
    ) -> bool:
        """Tell whether what is thrown in a scope is caught there or around it."""
        if scope in seen:
            return False
        seen.add(scope)
        if any(self._takes(diagram, event, kind, code) for event in _listeners(diagram, scope)):
            return True
        if is_bpmn(scope, "process"):
            callers = self._callers.get(str(scope.get("id")), [])
            return any(self._around(home, call, kind, code, seen) for home, call in callers)
        return self._around(diagram, scope, kind, code, seen)

    def _around(
        self, diagram: Diagram, host: Element, kind: str, code: str, seen: set[Element]
    ) -> bool:
        border = diagram.boundary_events(host)
        if any(self._takes(diagram, event, kind, code) for event in border):
            return True
        outer = diagram.scope_of(host)
        if is_event_sub_process(host):
            # what is thrown in it is not caught by its siblings, but around their scope
            seen.add(outer)
            if is_bpmn(outer, "process"):
                callers = self._callers.get(str(outer.get("id")), [])
                return any(self._around(home, call, kind, code, seen) for home, call in callers)
            return self._around(diagram, outer, kind, code, seen)
        return self.caught(diagram, outer, kind, code, seen)

    def _takes(self, diagram: Diagram, event: Element, kind: str, code: str) -> bool:
        return any(one in ("", code) for one in _codes(diagram, event, kind))

    def may_throw(self, diagram: Diagram, host: Element, code: str) -> bool:
        """Tell whether an activity may throw an error: drawn in it, or by what it calls."""
        inside = [host, *(e for e in host.iter() if isinstance(e.tag, str))]
        for element in inside:
            if zeebe_of(element, "taskDefinition") is not None or is_bpmn(element, *_OPAQUE):
                return True
            if is_a(element, "throwEvent") and code in _codes(diagram, element, "error"):
                return True
        return False


def _listeners(diagram: Diagram, scope: Element) -> Iterator[Element]:
    for node in diagram.nodes(scope):
        if is_event_sub_process(node):
            yield from (start for start in diagram.nodes(node) if is_bpmn(start, "startEvent"))


# ------------------------------------------------------------------ messages and signals


def _unheard(files: Files) -> None:
    """Mention what is sent by a name that nothing in the bundle waits for."""
    for kind in ("message", "signal"):
        heard = {name for diagram, _ in files for _, name in _named(diagram, kind, throws=False)}
        for diagram, report in files:
            for sender, name in _named(diagram, kind, throws=True):
                if name not in heard and kind == "message":
                    report.info(
                        sender,
                        "no process of this bundle waits for the message “{name}” of {sender}",
                        "correct the name if it is not meant for somebody else",
                        sender=sender,
                        name=name,
                    )
                elif name not in heard:
                    report.info(
                        sender,
                        "no process of this bundle waits for the signal “{name}” of {sender}",
                        "correct the name if it is not meant for somebody else",
                        sender=sender,
                        name=name,
                    )
    _two_of_one_name(files)


def _named(diagram: Diagram, kind: str, *, throws: bool) -> Iterator[tuple[Element, str]]:
    for node in diagram.all("sendTask" if throws else "receiveTask", "anyEvent"):
        if is_a(node, "anyEvent") and is_a(node, "throwEvent") != throws:
            continue
        if throws and zeebe_of(node, "taskDefinition") is not None:
            continue
        holders = diagram.definitions_of(node) if is_a(node, "anyEvent") else [node]
        for holder in holders:
            meant = diagram.find(holder.get(f"{kind}Ref"), kind)
            name = "" if meant is None else (meant.get("name") or "").strip()
            if name and not name.startswith("="):
                yield node, name


def _two_of_one_name(files: Files) -> None:
    """Two messages of one name and other keys: which key a sender means nobody can tell."""
    seen: dict[str, tuple[Element, str]] = {}
    for diagram, report in files:
        for message in diagram.all("message"):
            name = (message.get("name") or "").strip()
            subscription = zeebe_of(message, "subscription")
            key = "" if subscription is None else (subscription.get("correlationKey") or "").strip()
            if not name or not key:
                continue
            first, wanted = seen.setdefault(name, (message, key))
            if wanted != key:
                report.warning(
                    message,
                    "two messages have the name {name}, and different correlation keys:"
                    " {first} and {second}",
                    "give them different names, or the same key",
                    name=quoted(first),
                    first=wanted,
                    second=key,
                )
