"""Events with several definitions: any one of them, or all of them (BPMN 2.0.2, 10.5.5 Multiple).

Each definition listens as a token of its own, whose host is the event.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.kernel.node import Node
from engine.kernel.triggers import Trigger

if TYPE_CHECKING:
    from engine.kernel.definition import ScopeSpec
    from engine.kernel.tokens import Token
    from engine.model import Value


class PartEvent(Node):
    """One definition of a multiple event; it stands in no diagram of its own."""

    type = "eventDefinition"

    def triggered(self, token: Token, payload: dict[str, Value]) -> None:
        host, trigger = token.host, self.trigger
        assert host is not None
        whole = host.task_spec.trigger
        assert isinstance(whole, MultipleTrigger)
        if whole.parallel:
            whole.note(token, host, payload)
            return
        if trigger is not None:
            trigger.again(token)
        host.task_spec.triggered(host, payload)


class MultipleTrigger(Trigger):
    """Several triggers of one event."""

    kind = "multiple"

    def __init__(self, triggers: Sequence[Trigger], parallel: bool) -> None:
        self.triggers = triggers
        #: all of them are needed, in any order
        self.parallel = parallel
        self._parts: list[PartEvent] = []

    def register(self, scope: ScopeSpec, owner: Node) -> None:
        """Create the nodes on which the parts listen; while the definition is built."""
        for number, trigger in enumerate(self.triggers, 1):
            part = PartEvent(scope, f"{owner.bpmn_id}/{number}", name=owner.bpmn_name)
            part.bpmn_id = owner.bpmn_id
            part.trigger = trigger
            self._parts.append(part)

    def arm(self, token: Token) -> None:
        self._listen(token, self._parts, {})

    def arm_rest(self, token: Token, part: int, payload: dict[str, Value]) -> None:
        """Begin to wait for all parts but the one that has begun the instance."""
        self._listen(token, [p for n, p in enumerate(self._parts) if n != part], payload)

    def _listen(self, token: Token, parts: list[PartEvent], brought: dict[str, Value]) -> None:
        process = token.workflow.process
        token.memo = {**(token.memo or {}), "missing": len(parts), "brought": brought}
        for part in parts:
            listener = process.spawn(token.workflow, part, host=token, listens=True)
            listener.vars = token.vars
            token.arms.append(listener)
            assert part.trigger is not None
            part.trigger.arm(listener)

    def again(self, token: Token) -> None:
        if self.parallel:
            self.arm(token)

    def note(self, part: Token, host: Token, payload: dict[str, Value]) -> None:
        """Count one of several events; the last one triggers."""
        process = part.workflow.process
        process.unwait(part, "completed")
        host.arms.remove(part)
        process.drop(part)
        memo = host.memo or {}
        brought = {**memo["brought"], **payload}
        host.memo = {**memo, "missing": memo["missing"] - 1, "brought": brought}
        if host.memo["missing"] == 0:
            host.task_spec.triggered(host, brought)


def each(trigger: Trigger | None) -> Sequence[Trigger | None]:
    """Return the triggers of an event, one or several."""
    return trigger.triggers if isinstance(trigger, MultipleTrigger) else (trigger,)
