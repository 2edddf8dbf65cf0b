"""Event sub-processes: armed while their scope lives (BPMN 2.0.2, 13.5.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.kernel.activities import SubProcess
from engine.kernel.multiple import MultipleTrigger
from engine.kernel.triggers import CompensateTrigger

if TYPE_CHECKING:
    from engine.kernel.definition import Flow
    from engine.kernel.events import StartEvent
    from engine.kernel.tokens import Scope, Token
    from engine.model import Value


class EventSubProcess(SubProcess):
    """A sub-process outside the flow; its start event says what starts it."""

    #: the one start event inside
    start: StartEvent

    def derive(self) -> None:
        """Take over the trigger of the start event; called once everything inside is built."""
        self.start = self.inner.bpmn_start_events[0]
        self.trigger = self.start.trigger
        if isinstance(self.trigger, MultipleTrigger):
            self.trigger.register(self.scope, self)

    def arm_guard(self, scope: Scope) -> None:
        """Begin to listen, as long as the scope is active."""
        if isinstance(self.trigger, CompensateTrigger):
            return  # started only when the sub-process is undone, after its end
        token = scope.process.spawn(scope, self, listens=True)
        scope.arms.append(token)
        if self.trigger is not None:
            self.trigger.arm(token)

    def triggered(self, arm: Token, payload: dict[str, Value]) -> None:
        scope = arm.workflow
        process = scope.process
        if self.start.interrupting:
            process.unwait(arm, "completed")
            process.clear_scope(scope)
        elif self.trigger is not None:
            self.trigger.again(arm)
        token = process.spawn(scope, self)
        token.memo = {"payload": payload}

    def perform(self, token: Token) -> bool | None:
        scope = self.open_inside(token)
        scope.process.enter_scope(scope, (self.start,))
        first = next(t for t in scope.tasks.values() if not t.listens)
        first.memo = {"payload": (token.memo or {}).get("payload", {})}
        return None

    def choose(self, token: Token) -> tuple[Flow, ...]:
        return ()
