"""Start, catch, boundary, throw and end events (BPMN 2.0.2, 10.5 and 13.5)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from engine.kernel.activities import Job, MappedNode, call_handler
from engine.kernel.compensation import compensate, drive, part_done, records_of
from engine.model import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.kernel.definition import Flow
    from engine.kernel.tokens import Scope, Token
from engine.kernel.multiple import MultipleTrigger, each
from engine.kernel.triggers import (
    CancelTrigger,
    CodeTrigger,
    CompensateTrigger,
    MessageTrigger,
    SignalTrigger,
    Trigger,
)


class Event(MappedNode):
    """Base of all events."""

    trigger: Trigger | None = None
    #: what is told of an error or escalation, such as its code -> the variable that gets it
    told: Mapping[str, str] = MappingProxyType({})

    def take(self, token: Token, payload: Mapping[str, Value]) -> None:
        """Write what an event has brought."""
        clean = {k: v for k, v in payload.items() if not k.startswith("#")}
        clean |= {name: payload.get(what) or None for what, name in self.told.items()}
        self.keep(token, clean)
        self.give_outputs(token)

    def finish_again(self, token: Token) -> None:
        """Complete with what is kept; also the second try after an incident at the outputs."""
        self.give_outputs(token)
        token.complete()


class StartEvent(Event):
    """The begin of a process or sub-process."""

    type = "startEvent"
    rank = 0
    interrupting = True

    def _run_hook(self, token: Token) -> bool | None:
        memo = token.memo or {}
        payload = memo.get("payload")
        if "part" in memo:
            assert isinstance(self.trigger, MultipleTrigger)
            self.trigger.arm_rest(token, memo["part"], payload or {})
            return None
        if payload is not None:
            self.take(token, payload)
        else:
            self.give_outputs(token)
        return True

    def triggered(self, token: Token, payload: dict[str, Value]) -> None:
        """Begin, now that all of the events that are needed have happened."""
        self.keep(token, payload)
        self.finish_again(token)


class CatchEvent(Event):
    """An intermediate event that waits; a catching link passes its token on."""

    type = "intermediateCatchEvent"
    rank = 0

    def _run_hook(self, token: Token) -> bool | None:
        payload = (token.memo or {}).get("payload")
        if payload is not None:  # it came through an event gateway
            self.take(token, payload)
            return True
        if self.trigger is None:
            return True
        self.take_inputs(token)
        self.trigger.arm(token)
        return None

    def triggered(self, token: Token, payload: dict[str, Value]) -> None:
        if token.host is not None:
            token.host.task_spec.chosen(token, payload)
            return
        token.workflow.process.unwait(token, "completed")
        self.keep(token, payload)
        self.finish_again(token)


class BoundaryEvent(Event):
    """An event at the border of an activity; listens as long as the activity is active."""

    type = "boundaryEvent"
    rank = 0
    cancels = True

    def arm(self, host: Token) -> None:
        """Begin to listen."""
        token = host.workflow.process.spawn(host.workflow, self, host=host, listens=True)
        token.vars = host.vars
        host.arms.append(token)
        if self.trigger is not None:
            self.trigger.arm(token)

    def triggered(self, arm: Token, payload: dict[str, Value]) -> None:
        scope, host = arm.workflow, arm.host
        process = scope.process
        assert host is not None
        if self.cancels:
            process.unwait(arm, "completed")
            process.interrupt(host)
        elif self.trigger is not None:
            self.trigger.again(arm)
        token = process.spawn(scope, self)
        token.memo = {"payload": payload}

    def _run_hook(self, token: Token) -> bool | None:
        self.take(token, (token.memo or {}).get("payload") or {})
        return True


# ------------------------------------------------------------------ throw and end


def throw(token: Token, trigger: Trigger | None, given: dict[str, Value] | None) -> None:
    """Throw one event at a token; it carries what is given, a message else all that is seen."""
    process = token.workflow.process
    if isinstance(trigger, MessageTrigger):
        trigger.throw(token, dict(token.vars.own_view()) if given is None else given)
    elif isinstance(trigger, SignalTrigger):
        process.broadcast(token, trigger.signal_name(token), given or {})
    elif isinstance(trigger, CodeTrigger) and trigger.kind == "escalation":
        process.throw_escalation(token, trigger.thrown(token))
    elif isinstance(trigger, CodeTrigger):
        process.throw_error(token, trigger.thrown(token))


class ThrowEvent(Event):
    """An intermediate event that throws and goes on."""

    type = "intermediateThrowEvent"
    #: a handler that sends the message instead of the engine
    job: Job | None = None

    def _run_hook(self, token: Token) -> bool | None:
        self.take_inputs(token)
        if isinstance(self.trigger, CompensateTrigger):
            return compensate(token, self.trigger)
        if self.job is not None:
            result = call_handler(self, self.job, token)
            if result is None:
                return None
            self.keep(token, result)
        else:
            self.throw(token)
        self.give_outputs(token)
        return True

    def throw(self, token: Token) -> None:
        """Do what the trigger says; several are thrown in the order they are drawn."""
        for trigger in each(self.trigger):
            if not (isinstance(trigger, CodeTrigger) and trigger.kind == "error"):
                throw(token, trigger, dict(token.vars.values) if self.inputs else None)

    def part_done(self, token: Token, part: Token) -> None:
        if part_done(token) is True:
            self.finish_again(token)

    def finished_outside(self, token: Token, result: Mapping[str, Value]) -> None:
        token.workflow.process.unwait(token, "completed")
        self.keep(token, result)
        self.finish_again(token)


class LinkThrow(ThrowEvent):
    """The source of a link pair; its one flow jumps to the target (10.5.5)."""


class EndEvent(ThrowEvent):
    """The end of a path: throws what is drawn and consumes the token."""

    type = "endEvent"
    terminates = False

    def _run_hook(self, token: Token) -> bool | None:
        if not isinstance(self.trigger, CancelTrigger):
            return super()._run_hook(token)
        scope = token.workflow
        for other in list(scope.tasks.values()):
            if other is not token and other.id in scope.tasks:
                other.cancel()
        scope.process.clear_joins(scope)
        scope.live = 1
        self._close_border(scope)
        return drive(token, scope, records_of(scope))

    def _close_border(self, scope: Scope) -> None:
        """Let only the cancellation, or an error of the undoing, lead out of a transaction."""
        owner = scope.owner
        assert owner is not None
        for arm in list(owner.root_body.arms):
            trigger = arm.task_spec.trigger
            if trigger is None or trigger.kind not in ("cancel", "error"):
                arm.cancel()
                owner.root_body.arms.remove(arm)

    def _on_complete(self, token: Token) -> None:
        if isinstance(self.trigger, CancelTrigger):
            self._cancelled(token)
            return
        if self.terminates:
            process, scope = token.workflow.process, token.workflow
            process.finish(token)
            process.terminate_scope(scope)
            return
        error = self._error()
        if error is not None:
            code = error.thrown(token)
            token.workflow.process.finish(token)
            token.workflow.process.throw_error(token, code)
            return
        super()._on_complete(token)

    def _error(self) -> CodeTrigger | None:
        for trigger in each(self.trigger):
            if isinstance(trigger, CodeTrigger) and trigger.kind == "error":
                return trigger
        return None

    def _cancelled(self, token: Token) -> None:
        """Leave a transaction, after all of it was undone, by its cancel boundary event."""
        process, owner = token.workflow.process, token.workflow.owner
        assert owner is not None
        process.finish(token)
        for arm in owner.root_body.arms:
            if isinstance(arm.task_spec.trigger, CancelTrigger):
                arm.task_spec.triggered(arm, {})
                return
        # nothing is drawn behind the cancellation: the transaction is left all the same
        outer = owner.workflow
        process.interrupt(owner.root_body)
        process.look_at_end(outer)

    def choose(self, token: Token) -> Sequence[Flow]:
        return ()
