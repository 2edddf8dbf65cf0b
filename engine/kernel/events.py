"""Events: what they wait for (triggers), and start, catch, boundary, throw and end events
(BPMN 2.0.2, 10.5 and 13.5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from engine.errors import ExecutionFault
from engine.kernel.activities import Job, MappedNode, call_handler
from engine.kernel.correlation import PropertyKey, correlation_key
from engine.kernel.timers import parse_duration, to_cycle, to_moment, to_span
from engine.languages import Expression
from engine.model import NewWork, StartTrigger, ThrownMessage, Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.kernel.definition import Flow
    from engine.kernel.tokens import Token


# ------------------------------------------------------------------ triggers


class Trigger:
    """What an event is about. `code` is used by errors and escalations; None catches all."""

    kind = "none"
    code: str | None = None

    def arm(self, token: Token) -> None:
        """Begin to wait."""

    def fired(self, token: Token) -> None:
        """Go on waiting after a non-interrupting event, or stop."""


class TimerTrigger(Trigger):
    """A date, a duration or a cycle."""

    kind = "timer"

    def __init__(self, form: str, expression: Expression) -> None:
        #: date | duration | cycle
        self.form = form
        self.expression = expression

    def plan(self, value: Value, now: datetime) -> tuple[datetime, int | None, str]:
        """Return first due moment, further firings (None: for ever) and the interval."""
        if self.form == "date":
            return to_moment(value), 0, ""
        if self.form == "duration":
            return to_span(value).after(now), 0, ""
        cycle = to_cycle(value)
        left = None if cycle.times is None else cycle.times - 1
        return cycle.first(now), left, str(value).rsplit("/", 1)[-1]

    def arm(self, token: Token) -> None:
        process = token.workflow.process
        due, left, every = self.plan(process.evaluate(self.expression, token), process.now)
        self._set(token, due, left, every)

    def _set(self, token: Token, due: datetime, left: int | None, every: str) -> None:
        token.memo = {"due": due, "left": left, "every": every}
        node, scope = token.task_spec, token.workflow
        scope.process.await_work(
            token,
            NewWork("timer", scope.instance_id, node.bpmn_id, token.id, "", due, None, {}, {}),
        )

    def fired(self, token: Token) -> None:
        memo = token.memo or {}
        left = memo.get("left", 0)
        if left == 0 or not memo.get("every"):
            return
        due = next_due(memo["due"], memo["every"], token.workflow.process.now, left is None)
        self._set(token, due, None if left is None else left - 1, memo["every"])


def next_due(last: datetime, every: str, now: datetime, endless: bool) -> datetime:
    """Return when a cycle is due again; an endless one does not make up for missed turns."""
    span = parse_duration(every) if every.startswith("P") else to_span(every)
    due = span.after(last)
    if endless and span.after(due) <= now:
        return span.after(now)
    return due


class MessageTrigger(Trigger):
    """A message by name, with a correlation key where one is drawn."""

    kind = "message"

    def __init__(
        self, name: Expression, key: Expression | None, properties: PropertyKey | None = None
    ) -> None:
        self.name = name
        self.key = key
        #: the key of plain BPMN, where the file declares one for this message
        self.properties = properties

    def arm(self, token: Token) -> None:
        key = self._key(token)
        if key is None and self.properties is not None:
            key = self.properties.of_catch(token)
        token.workflow.process.await_event(token, "message", self._name(token), key)

    def received(self, token: Token, payload: Mapping[str, Value]) -> None:
        """Let the first message set the key of the instance."""
        if self.properties is not None:
            self.properties.of_message(token, payload)

    def fired(self, token: Token) -> None:
        """A subscription stays as it is until its host ends."""

    def throw(self, token: Token, mapped: bool) -> None:
        """Send the message with the sender's variables (only the mapped ones if it maps any)."""
        process, scope = token.workflow.process, token.workflow
        payload = dict(token.vars.values if mapped else token.vars.view())
        name, key = self._name(token), self._key(token)
        if key is None and self.properties is not None:
            key = self.properties.of_message(token, payload)
        process.record("message.sent", token, name, key)
        process.out.messages.append(
            ThrownMessage(scope.instance_id, token.task_spec.bpmn_id, token.id, name, key, payload)
        )

    def _name(self, token: Token) -> str:
        return _wanted_text(token.workflow.process.evaluate(self.name, token), "message name")

    def _key(self, token: Token) -> str | None:
        if self.key is None:
            return None
        value = token.workflow.process.evaluate(self.key, token)
        return correlation_key(value, self.key.text)


class SignalTrigger(Trigger):
    """A signal by name."""

    kind = "signal"

    def __init__(self, name: Expression) -> None:
        self.name = name

    def signal_name(self, token: Token) -> str:
        """Return the name of the signal at this moment."""
        return _wanted_text(token.workflow.process.evaluate(self.name, token), "signal name")

    def arm(self, token: Token) -> None:
        token.workflow.process.await_event(token, "signal", self.signal_name(token), None)


class CodeTrigger(Trigger):
    """An error or an escalation, by its code."""

    def __init__(self, kind: str, code: str | None) -> None:
        self.kind = kind
        self.code = code


def _wanted_text(value: Value, what: str) -> str:
    if isinstance(value, str) and value:
        return value
    raise ExecutionFault(f"the {what} is {value!r}, not a text")


# ------------------------------------------------------------------ start and catch


class Event(MappedNode):
    """Base of all events."""

    trigger: Trigger | None = None

    def take(self, token: Token, payload: Mapping[str, Value]) -> None:
        """Write what an event has brought."""
        clean = {k: v for k, v in payload.items() if not k.startswith("#")}
        self.keep(token, clean)
        self.give_outputs(token)


class StartEvent(Event):
    """The begin of a process or sub-process."""

    type = "startEvent"
    rank = 0
    interrupting = True

    def _run_hook(self, token: Token) -> bool | None:
        payload = (token.memo or {}).get("payload")
        if isinstance(self.trigger, MessageTrigger):
            self.trigger.received(token, token.vars.view() if payload is None else payload)
        if payload is not None:
            self.take(token, payload)
        else:
            self.give_outputs(token)
        return True

    def start_trigger(self, now: datetime) -> StartTrigger | None:
        """Return how this start event begins instances by itself; None for a none start event."""
        trigger = self.trigger
        if isinstance(trigger, TimerTrigger):
            due, left, every = trigger.plan(trigger.expression.evaluate({}, now), now)
            return StartTrigger(
                kind="timer", element_id=self.bpmn_id, due_at=due, repeats=left, interval=every
            )
        if isinstance(trigger, (MessageTrigger, SignalTrigger)):
            name = _wanted_text(trigger.name.evaluate({}, now), f"{trigger.kind} name")
            return StartTrigger(kind=trigger.kind, element_id=self.bpmn_id, name=name)
        return None


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

    def finish_again(self, token: Token) -> None:
        """Complete; also the second try after an incident at the output mappings."""
        self.give_outputs(token)
        token.complete()


class BoundaryEvent(Event):
    """An event at the border of an activity; listens as long as the activity is active."""

    type = "boundaryEvent"
    rank = 0
    cancels = True

    def arm(self, host: Token) -> None:
        """Begin to listen."""
        token = host.workflow.process.spawn(host.workflow, self, host=host)
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
        elif isinstance(self.trigger, TimerTrigger):
            process.unwait(arm, "completed")
            self.trigger.fired(arm)
        token = process.spawn(scope, self)
        token.memo = {"payload": payload}

    def _run_hook(self, token: Token) -> bool | None:
        self.take(token, (token.memo or {}).get("payload") or {})
        return True


# ------------------------------------------------------------------ throw and end


class ThrowEvent(Event):
    """An intermediate event that throws and goes on."""

    type = "intermediateThrowEvent"
    #: a handler that sends the message instead of the engine
    job: Job | None = None

    def _run_hook(self, token: Token) -> bool | None:
        self.take_inputs(token)
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
        """Do what the trigger says."""
        trigger, process = self.trigger, token.workflow.process
        if isinstance(trigger, MessageTrigger):
            trigger.throw(token, mapped=bool(self.inputs))
        elif isinstance(trigger, SignalTrigger):
            payload = dict(token.vars.values) if self.inputs else {}
            process.broadcast(token, trigger.signal_name(token), payload)
        elif isinstance(trigger, CodeTrigger) and trigger.kind == "escalation":
            process.throw_escalation(token, trigger.code or "")

    def finished_outside(self, token: Token, result: Mapping[str, Value]) -> None:
        token.workflow.process.unwait(token, "completed")
        self.keep(token, result)
        self.finish_again(token)

    def finish_again(self, token: Token) -> None:
        """Complete with what is kept."""
        self.give_outputs(token)
        token.complete()


class LinkThrow(ThrowEvent):
    """The source of a link pair; its one flow jumps to the target (10.5.5)."""


class EndEvent(ThrowEvent):
    """The end of a path: throws what is drawn and consumes the token."""

    type = "endEvent"
    terminates = False

    def _on_complete(self, token: Token) -> None:
        if self.terminates:
            process, scope = token.workflow.process, token.workflow
            process.finish(token)
            process.terminate_scope(scope)
            return
        trigger = self.trigger
        if isinstance(trigger, CodeTrigger) and trigger.kind == "error":
            token.workflow.process.finish(token)
            token.workflow.process.throw_error(token, trigger.code or "")
            return
        super()._on_complete(token)

    def choose(self, token: Token) -> Sequence[Flow]:
        return ()
