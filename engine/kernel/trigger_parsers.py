"""Reads what events are about: event definitions, and what a repetition throws."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lxml import etree
from SpiffWorkflow.bpmn.parser.node_parser import DEFAULT_NSMAP

from engine.errors import ExecutionFault
from engine.kernel.multiple import MultipleTrigger
from engine.kernel.triggers import (
    CancelTrigger,
    CodeTrigger,
    CompensateTrigger,
    ConditionTrigger,
    MessageTrigger,
    SignalTrigger,
    TimerTrigger,
    Trigger,
)
from engine.languages import Expression

if TYPE_CHECKING:
    from engine.kernel.parser import FileParser

BPMN = "{" + DEFAULT_NSMAP["bpmn"] + "}"
ZEEBE = "{http://camunda.org/schema/zeebe/1.0}"
#: marks that only the internal form carries
INTERNAL = "{https://caseway.dev/internal}"

Xml = Any  # lxml has no usable types for elements


def extension_of(node: Xml, tag: str) -> Xml | None:
    """Find an extension element of a node."""
    return node.find(f"{BPMN}extensionElements/{tag}")


def text_of(node: Xml | None) -> str:
    """Return the text of a node without the blanks around it."""
    return (node.text or "").strip() if node is not None else ""


class EventDefinitions:
    """What every parser of a node can read of events."""

    node: Xml
    parser: FileParser

    def trigger(self) -> Trigger | None:
        """Read the event definitions of this node; several make a multiple event."""
        found = [trigger for trigger in self.triggers_of(self.node) if trigger is not None]
        if len(found) < 2:
            return found[0] if found else None
        return MultipleTrigger(found, self.node.get("parallelMultiple") == "true")

    def triggers_of(self, event: Xml) -> Iterator[Trigger | None]:
        """Read each event definition of an event; the gate allows the kinds the kernel knows."""
        for child in event:
            name = etree.QName(child).localname if isinstance(child.tag, str) else ""
            if name.endswith("EventDefinition"):
                yield self.defined(child)
            elif name == "eventDefinitionRef":  # of a throw that is no flow node
                shared = self.parser.event_definition(text_of(child).rpartition(":")[2])
                if shared is not None:
                    yield self.defined(shared)

    def defined(self, definition: Xml) -> Trigger | None:
        """Read one event definition; None for those that no trigger stands for."""
        kind = etree.QName(definition).localname.removesuffix("EventDefinition")
        if kind == "timer":
            return self._timer(definition)
        if kind == "message":
            return self.message(definition.get("messageRef"))
        if kind == "signal":
            reference = definition.get("signalRef")
            return SignalTrigger(self._text(self.parser.signals.get(reference) or reference or ""))
        if kind == "compensate":
            waits = definition.get("waitForCompletion", "true") != "false"
            return CompensateTrigger(definition.get("activityRef"), waits)
        if kind == "cancel":
            return CancelTrigger()
        if kind == "conditional":
            return ConditionTrigger(self.parser.expression(definition.find(BPMN + "condition")))
        if kind in ("error", "escalation"):
            return self._coded(kind, definition.get(f"{kind}Ref"))
        return None

    def _coded(self, kind: str, reference: str | None) -> CodeTrigger:
        """Read an error or escalation: its code, or its name or id where it declares none."""
        known = self.parser.errors if kind == "error" else self.parser.escalations
        found = known.get(reference)
        code = None if found is None else found[f"{kind}_code"] or found["name"] or reference
        if code is not None and code.startswith("="):
            return CodeTrigger(kind, None, self._text(code))
        return CodeTrigger(kind, code)

    def _timer(self, definition: Xml) -> Trigger:
        for form in ("Date", "Duration", "Cycle"):
            node = definition.find(f"{BPMN}time{form}")
            if node is not None:
                return TimerTrigger(form.lower(), self.parser.expression(node))
        raise ExecutionFault("the timer has no date, duration or cycle")

    def message(self, reference: str | None) -> MessageTrigger | None:
        """Return the trigger for a message of the file."""
        if reference is None or reference not in self.parser.messages:
            return None
        key = self.parser.message_keys.get(reference)
        process = next(p for p in self.node.iterancestors(BPMN + "process"))
        return MessageTrigger(
            self._text(self.parser.messages[reference] or reference),
            None if key is None else self.parser.optional(key, "correlationKey"),
            self.parser.property_key(reference, process),
        )

    def _text(self, name: str) -> Expression:
        if name.startswith("="):
            return self.parser.languages.expression(name[1:].strip(), "feel")
        return self.parser.languages.expression(name, "literal")
