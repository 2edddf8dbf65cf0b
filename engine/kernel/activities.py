"""Tasks, sub-processes and call activities (BPMN 2.0.2, 10.3 and 13.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from engine.errors import ExecutionFault
from engine.kernel.compensation import note_done, note_inside, part_done, undo_inside
from engine.kernel.node import Node, wait_at
from engine.kernel.scopes import Variables, put_path
from engine.kernel.timers import to_moment
from engine.languages import Expression, Script, VariableName
from engine.model import NewUserTask, NewWork, Value

if TYPE_CHECKING:
    from engine.kernel.definition import Flow, ScopeSpec
    from engine.kernel.events import BoundaryEvent
    from engine.kernel.repetition import MultiInstance, StandardLoop
    from engine.kernel.tokens import Scope, Token
    from engine.kernel.triggers import MessageTrigger

_LONGEST_LANE = 200
_LARGEST_PRIORITY = 1_000_000


@dataclass(frozen=True, slots=True)
class Mapped:
    """One input or output mapping."""

    target: str
    source: Expression


@dataclass(frozen=True, slots=True)
class Job:
    """What zeebe:taskDefinition and zeebe:taskHeaders say: which handler, with what."""

    topic: Expression
    retries: Expression | None
    headers: Mapping[str, str]
    #: whose turn it is: work of one lane is done in the order of its creation
    lane: Expression | None = None
    #: larger goes first
    priority: Expression | None = None


class MappedNode(Node):
    """A node with input and output mappings (zeebe:ioMapping, data associations)."""

    inputs: Sequence[Mapped] = ()
    outputs: Sequence[Mapped] = ()

    def localise(self, token: Token) -> Variables:
        """Give the token a scope of its own, if it has none yet."""
        if token.vars.owner != token.id:
            token.vars = Variables(token.id, token.vars)
        return token.vars

    def take_inputs(self, token: Token) -> None:
        """Evaluate the input mappings, in order, into the token's own scope."""
        if not self.inputs:
            return
        process = token.workflow.process
        local = self.localise(token)
        for mapping in self.inputs:
            if is_absent(mapping, token):
                continue
            value = process.evaluate(mapping.source, token)
            name, whole = put_path(mapping.target, value, local.values)
            process.set_variable(local, token, name, whole)

    def keep(self, token: Token, result: Mapping[str, Value]) -> None:
        """Keep a result for the output mappings, or write it out at once."""
        process = token.workflow.process
        declared = self._declared_outputs()
        if not self.outputs or declared is not None:
            free = {k: v for k, v in result.items() if k not in (declared or ())}
            process.store(token, free)
        if not self.outputs:
            return
        local = self.localise(token)
        for name, value in result.items():
            if declared is None or name in declared:
                process.set_variable(local, token, name, value)

    def _declared_outputs(self) -> set[str] | None:
        """Return the data outputs of plain BPMN; None where expressions decide what goes out.

        A data output belongs to the activity; what else it sets are variables like any others.
        """
        names = {m.source.text for m in self.outputs if isinstance(m.source, VariableName)}
        return names if len(names) == len(self.outputs) else None

    def give_outputs(self, token: Token) -> None:
        """Evaluate the output mappings into the scopes around the token."""
        if not self.outputs:
            return
        process = token.workflow.process
        local = self.localise(token)
        assert local.parent is not None
        for mapping in self.outputs:
            if is_absent(mapping, token):
                continue
            value = process.evaluate(mapping.source, token)
            outside = local.parent
            name, whole = put_path(mapping.target, value, outside.view())
            process.set_variable(outside.home_of(name), token, name, whole)


def is_undone(token: Token) -> bool:
    """Tell whether a token does not perform its activity, but undoes what is inside of it."""
    return token.memo is not None and "undo" in token.memo


def is_absent(mapping: Mapped, token: Token) -> bool:
    """Tell whether a data association has nothing to copy: then it does nothing (10.4.2)."""
    source = mapping.source
    return isinstance(source, VariableName) and source.text not in token.vars.view()


class Activity(MappedNode):
    """What tasks, sub-processes and calls have in common."""

    boundaries: Sequence[BoundaryEvent] = ()
    repetition: MultiInstance | StandardLoop | None = None
    #: of a sub-process: what is inside, and the event sub-process inside that undoes it
    inner: ScopeSpec
    undone_inside: Node | None = None
    #: tokens that start it, and tokens it puts on each outgoing flow (Table 10.3)
    start_quantity = 1
    completion_quantity = 1

    def arrive(self, scope: Scope, flow: Flow) -> None:
        if self.start_quantity == 1:
            super().arrive(scope, flow)
            return
        waiting = wait_at(self, scope, flow)
        if sum(waiting.values()) >= self.start_quantity:
            self._begin_with(scope, waiting, flow)

    def _begin_with(self, scope: Scope, waiting: dict[str, int], flow: Flow) -> None:
        need = self.start_quantity
        for name in list(waiting):
            taken = min(need, waiting[name])
            need -= taken
            waiting[name] -= taken
            if not waiting[name]:
                del waiting[name]
        if not waiting:
            del scope.arrivals[self.name]
        scope.live -= self.start_quantity
        scope.process.spawn(scope, self, via=flow.id)

    def choose(self, token: Token) -> Sequence[Flow]:
        flows = super().choose(token)
        return flows if self.completion_quantity == 1 else [*flows] * self.completion_quantity

    def _run_hook(self, token: Token) -> bool | None:
        if is_undone(token):
            return undo_inside(self, token)
        repeated = token.root_body is not token
        if self.repetition is not None and not repeated:
            self.arm_boundaries(token)
            return self.repetition.begin(token)
        self.take_inputs(token)
        if not repeated:
            self.arm_boundaries(token)
        return self.perform(token)

    def perform(self, token: Token) -> bool | None:
        """Do what this kind of activity does; True when done, None to wait."""
        self.give_outputs(token)
        return True

    def arm_boundaries(self, token: Token) -> None:
        """Let the boundary events listen while the activity is active."""
        if not token.arms:
            for event in self.boundaries:
                event.arm(token)

    def finished_outside(self, token: Token, result: Mapping[str, Value]) -> None:
        """Take the result of a form or a handler and complete."""
        token.workflow.process.unwait(token, "completed")
        self.keep(token, result)
        self.finish_again(token)

    def finish_again(self, token: Token) -> None:
        """Complete with what is kept; also the second try after an incident at the outputs."""
        if not is_undone(token):
            self.give_outputs(token)
        token.complete()

    def _on_complete(self, token: Token) -> None:
        body = token.body
        repeats = self.repetition is not None and token.root_body is token
        if not repeats:
            note_done(self, token)
        if body is None:
            super()._on_complete(token)
            return
        body.task_spec.prepare_part(body, token)
        token.workflow.process.finish(token)
        body.task_spec.part_done(body, token)

    def prepare_part(self, token: Token, part: Token) -> None:
        if part.task_spec is self and self.repetition is not None:
            self.repetition.prepare(part)

    def part_done(self, token: Token, part: Token) -> None:
        if part.task_spec is self and self.repetition is not None:
            self.repetition.child_done(token, part)
        elif part_done(token) is True:
            assert token.inner is not None
            token.workflow.process.end_scope(token.inner)

    def open_inside(self, token: Token) -> Scope:
        """Open the scope of an embedded sub-process; its variables are the token's own."""
        outer = token.workflow
        local = self.localise(token)
        return outer.process.open_scope(
            token, self.inner, local, outer.instance_id, outer.definition_id
        )

    def open_again(self, token: Token) -> Scope:
        """Open the scope of what has completed before, so that it is undone there."""
        return self.open_inside(token)

    def scope_ended(self, token: Token, scope: Scope) -> None:
        """Go on when what runs inside has ended."""
        raise NotImplementedError(self.type)


class ManualTask(Activity):
    """A task outside any system: completes at once, like an abstract task (13.3.3)."""

    type = "manualTask"


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who shall do a user task and until when; every text may be an expression."""

    assignee: Expression | None = None
    candidate_groups: Expression | None = None
    candidate_users: Expression | None = None
    due_date: Expression | None = None
    follow_up_date: Expression | None = None
    priority: Expression | None = None
    form_key: Expression | None = None


class UserTask(Activity):
    """A task for people; waits until one of them completes it."""

    type = "userTask"
    assignment = Assignment()

    def perform(self, token: Token) -> bool | None:
        process = token.workflow.process
        plan = self.assignment

        def value(expression: Expression | None) -> Value:
            return None if expression is None else process.evaluate(expression, token)

        process.await_people(
            token,
            NewUserTask(
                token.workflow.instance_id,
                process.world.definition(token.workflow.definition_id).process_id,
                self.bpmn_id,
                token.id,
                self.bpmn_name,
                _text(value(plan.assignee)),
                _names(value(plan.candidate_groups)),
                _names(value(plan.candidate_users)),
                _moment(value(plan.due_date)),
                _moment(value(plan.follow_up_date)),
                _priority(value(plan.priority)),
                form_of(self, token),
            ),
        )
        return None


def form_of(task: UserTask, token: Token) -> str | None:
    """Return the key of the form that a person fills in."""
    key = task.assignment.form_key
    return None if key is None else _text(token.workflow.process.evaluate(key, token))


def _text(value: Value) -> str | None:
    return None if value is None or value == "" else str(value)


def _names(value: Value) -> tuple[str, ...]:
    """Read `a, b` or a list of texts."""
    if value is None:
        return ()
    parts = value if isinstance(value, (list, tuple)) else str(value).split(",")
    return tuple(str(p).strip() for p in parts if str(p).strip())


def _moment(value: Value) -> datetime | None:
    return None if value is None or value == "" else to_moment(value)


def _priority(value: Value) -> int:
    if value is None or value == "":
        return 50
    try:
        return min(100, max(0, int(value)))
    except (TypeError, ValueError):
        raise ExecutionFault(f"the priority {value!r} is no number from 0 to 100") from None


class ScriptTask(Activity):
    """A FEEL expression with a result variable, or a script of a language that is switched on."""

    type = "scriptTask"
    expression: Expression | None = None
    result_variable = ""
    script: Script | None = None

    def perform(self, token: Token) -> bool | None:
        process = token.workflow.process
        if self.expression is not None:
            value = process.evaluate(self.expression, token)
            self.keep(token, {self.result_variable: value} if self.result_variable else {})
        elif self.script is not None:
            result = self.script.execute(token.vars.view(), process.now)
            process.catch_up()
            if not process.has(token):
                return None
            self.keep(token, result)
        self.give_outputs(token)
        return True


class ServiceTask(Activity):
    """Calls a handler: as a durable work item, or at once if the handler is inline."""

    type = "serviceTask"
    job: Job | None = None

    def perform(self, token: Token) -> bool | None:
        if self.job is None:
            self.give_outputs(token)
            return True
        result = call_handler(self, self.job, token)
        if result is None:
            return None
        self.keep(token, result)
        self.give_outputs(token)
        return True


def call_handler(node: Node, job: Job, token: Token) -> dict[str, Value] | None:
    """Ask for a handler: the result of an inline one, or None if a work item is awaited."""
    process = token.workflow.process
    topic = process.evaluate(job.topic, token)
    if not isinstance(topic, str) or not topic:
        raise ExecutionFault(f"the handler name {job.topic.text!r} gives {topic!r}, not a text")
    seen = token.vars.view()
    wanted = process.world.inputs_of(topic)
    names = list(seen) if wanted is None else [n for n in wanted if n in seen]
    inputs = {name: seen[name] for name in names}
    inline = process.world.inline(topic)
    if inline is not None:
        return inline(inputs, job.headers)
    retries = None if job.retries is None else process.evaluate(job.retries, token)
    work = NewWork(
        "service",
        token.workflow.instance_id,
        node.bpmn_id,
        token.id,
        topic,
        None,
        _retries(retries),
        inputs,
        job.headers,
        0 if job.priority is None else _whole(process.evaluate(job.priority, token), "priority"),
        _lane(job, topic, inputs, token),
    )
    process.await_work(token, work)
    return None


def _lane(job: Job, topic: str, inputs: Mapping[str, Value], token: Token) -> str | None:
    """Return the lane that the diagram names, else the handler; None for work without an order."""
    process = token.workflow.process
    if job.lane is not None:
        value = process.evaluate(job.lane, token)
    else:
        name = process.world.lane_of(topic)
        value = None if name is None else inputs.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise ExecutionFault(f"the lane {value!r} is no text and no number")
    text = str(value)
    if len(text) > _LONGEST_LANE:
        raise ExecutionFault(f"the lane has {len(text)} characters, at most {_LONGEST_LANE} may be")
    return text


def _whole(value: Value, what: str) -> int:
    if value is None or value == "":
        return 0
    try:
        number = int(value)
    except (TypeError, ValueError, ArithmeticError):
        number = None
    if number is None or abs(number) > _LARGEST_PRIORITY:
        raise ExecutionFault(f"the {what} {value!r} is no whole number up to {_LARGEST_PRIORITY}")
    return number


def _retries(value: Value) -> int | None:
    if value is None or value == "":
        return None
    try:
        return max(0, int(value))
    except (TypeError, ValueError):
        raise ExecutionFault(f"the number of retries {value!r} is no whole number") from None


class SendTask(ServiceTask):
    """Sends a message, by a handler or to whoever waits for it."""

    type = "sendTask"
    message: MessageTrigger | None = None

    def perform(self, token: Token) -> bool | None:
        if self.job is None and self.message is not None:
            sent = token.vars.values if self.inputs else token.vars.own_view()
            self.message.throw(token, dict(sent))
        return super().perform(token)


class ReceiveTask(Activity):
    """Waits for a message."""

    type = "receiveTask"
    rank = 0
    trigger: MessageTrigger | None = None
    #: its message begins an instance
    instantiates = False

    def perform(self, token: Token) -> bool | None:
        if token.memo is not None and "payload" in token.memo:  # came through an event gateway
            self.keep(token, token.memo["payload"])
            self.give_outputs(token)
            return True
        if self.trigger is None:
            self.give_outputs(token)
            return True
        self.trigger.arm(token)
        return None

    def triggered(self, token: Token, payload: dict[str, Value]) -> None:
        if token.host is not None:
            token.host.task_spec.chosen(token, payload)
            return
        self.finished_outside(token, payload)


class SubProcess(Activity):
    """An embedded sub-process: a scope of its own inside the same instance."""

    type = "subProcess"

    def perform(self, token: Token) -> bool | None:
        scope = self.open_inside(token)
        scope.process.enter_scope(scope, self.inner.entries)
        return None

    def scope_ended(self, token: Token, scope: Scope) -> None:
        note_inside(token, scope)
        self.finish_again(token)
