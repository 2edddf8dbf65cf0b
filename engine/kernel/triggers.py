"""What events wait for: timers, messages, signals, errors and escalations (BPMN 2.0.2, 10.5.5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from engine.errors import ExecutionFault
from engine.kernel.correlation import PropertyKey, correlation_key
from engine.kernel.cron import is_cron, parse_cron
from engine.kernel.timers import parse_duration, to_cycle, to_moment, to_span
from engine.languages import Expression
from engine.model import NewWork, StartTrigger, ThrownMessage, Value

if TYPE_CHECKING:
    from engine.kernel.tokens import Token


class Trigger:
    """What an event is about. `code` is used by errors and escalations; None catches all."""

    kind = "none"
    code: str | None = None

    def arm(self, token: Token) -> None:
        """Begin to wait."""

    def again(self, token: Token) -> None:
        """Go on listening after an event that did not interrupt; most just stay armed."""

    def received(self, token: Token, payload: Mapping[str, Value]) -> None:
        """Take note of what a message has brought, before anybody else."""


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
        return cycle.first(now), left, cycle.interval

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

    def again(self, token: Token) -> None:
        token.workflow.process.unwait(token, "completed")
        memo = token.memo or {}
        left = memo.get("left", 0)
        if left == 0 or not memo.get("every"):
            return
        due = next_due(memo["due"], memo["every"], token.workflow.process.now, left is None)
        self._set(token, due, None if left is None else left - 1, memo["every"])


def next_due(last: datetime, every: str, now: datetime, endless: bool) -> datetime:
    """Return when a cycle is due again.

    An endless one that has slept does not make up for missed turns, and keeps its phase.
    """
    if is_cron(every):
        return parse_cron(every).after(max(last, now))
    span = parse_duration(every)
    due = span.after(last)
    if not endless:
        return due
    if not span.months:
        missed = (now - due) // span.exact
        return due + span.exact * missed if missed > 0 else due
    while span.after(due) <= now:
        due = span.after(due)
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

    def throw(self, token: Token, payload: dict[str, Value]) -> None:
        """Send the message with what it carries."""
        process, scope = token.workflow.process, token.workflow
        name, key = self._name(token), self._key(token)
        if key is None and self.properties is not None:
            key = self.properties.of_message(token, payload)
        process.record("message.sent", token, name, key)
        process.out.messages.append(
            ThrownMessage(scope.instance_id, token.task_spec.bpmn_id, token.id, name, key, payload)
        )

    def _name(self, token: Token) -> str:
        return wanted_text(token.workflow.process.evaluate(self.name, token), "message name")

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
        return wanted_text(token.workflow.process.evaluate(self.name, token), "signal name")

    def arm(self, token: Token) -> None:
        token.workflow.process.await_event(token, "signal", self.signal_name(token), None)


class ConditionTrigger(Trigger):
    """A condition over the variables: fires each time it turns from false to true (10.5.5)."""

    kind = "conditional"

    def __init__(self, expression: Expression) -> None:
        self.expression = expression

    def arm(self, token: Token) -> None:
        token.memo = {**(token.memo or {}), "held": False}
        token.workflow.process.watch(token)

    def turned_true(self, token: Token) -> bool:
        """Look at the condition again; True if it has just become true."""
        value = token.workflow.process.evaluate(self.expression, token)
        held = (token.memo or {}).get("held")
        if value is not True and value is not False and value is not None:
            text = self.expression.text
            raise ExecutionFault(f"the condition {text!r} gives {value!r}, not true or false")
        token.memo = {**(token.memo or {}), "held": value is True}
        return value is True and not held


class CodeTrigger(Trigger):
    """An error or an escalation, by its code."""

    def __init__(self, kind: str, code: str | None, text: Expression | None = None) -> None:
        self.kind = kind
        self.code = code
        #: how a throw computes its code
        self.text = text

    def thrown(self, token: Token) -> str:
        """Return the code that is thrown at this moment."""
        if self.text is None:
            return self.code or ""
        value = token.workflow.process.evaluate(self.text, token)
        return wanted_text(value, f"{self.kind} code")


class CompensateTrigger(Trigger):
    """Compensation of one completed activity, or of all of a scope."""

    kind = "compensate"

    def __init__(self, activity: str | None, waits: bool) -> None:
        #: id of the activity; None: everything in the scope
        self.activity = activity
        #: the throw event waits until all handlers are done
        self.waits = waits


class CancelTrigger(Trigger):
    """The cancellation of a transaction."""

    kind = "cancel"


def start_trigger(element_id: str, trigger: Trigger | None, now: datetime) -> StartTrigger | None:
    """Return how an event begins instances by itself; None if somebody has to start them."""
    if isinstance(trigger, TimerTrigger):
        due, left, every = trigger.plan(trigger.expression.evaluate({}, now), now)
        return StartTrigger(
            kind="timer", element_id=element_id, due_at=due, repeats=left, interval=every
        )
    if isinstance(trigger, (MessageTrigger, SignalTrigger)):
        name = wanted_text(trigger.name.evaluate({}, now), f"{trigger.kind} name")
        return StartTrigger(kind=trigger.kind, element_id=element_id, name=name)
    if isinstance(trigger, ConditionTrigger):
        return StartTrigger(kind="conditional", element_id=element_id)
    return None


def wanted_text(value: Value, what: str) -> str:
    if isinstance(value, str) and value:
        return value
    raise ExecutionFault(f"the {what} is {value!r}, not a text")
