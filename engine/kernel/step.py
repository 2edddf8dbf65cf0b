"""One command in, one step out: the only way in from outside (design: D2).

step() is pure: it reads snapshot, definitions and the given moment, and returns plain values.
"""

from __future__ import annotations

from datetime import datetime

from engine.errors import BadInput, Conflict
from engine.kernel import snapshot as snapshots
from engine.kernel.definition import Definition, Starter
from engine.kernel.migration import Migration, migrate, plan
from engine.kernel.modification import modify
from engine.kernel.node import Node
from engine.kernel.process import Process
from engine.kernel.scopes import Variables
from engine.kernel.tokens import READY, Token, World
from engine.model import (
    Cancel,
    Command,
    Complete,
    Deliver,
    Fire,
    InstanceState,
    Migrate,
    Modify,
    Resume,
    Retry,
    Start,
    Step,
    Throw,
    Value,
)


def step(world: World, snapshot: bytes | None, command: Command, now: datetime) -> Step:
    """Apply a command and run to the next wait.

    `now` is aware UTC. Raises Conflict if the command's token does not exist or waits for something
    else (a stale result), BadInput if a start event does not exist, ChangeRefused if a case cannot
    be changed as asked; then nothing has happened.
    """
    if isinstance(command, Start):
        process = _start(world, command, now)
    else:
        if snapshot is None:
            raise Conflict("the instance has ended")
        process = snapshots.load(world, snapshot, now)
        _apply(process, command)
    process.settle()
    process.run()
    out = process.result()
    if out.state is InstanceState.RUNNING:
        out.snapshot = snapshots.save(process)
        out.large = process.large.fresh
        if process.large:
            outside = process.large.outside
            out.works = [item._replace(inputs=outside(item.inputs)) for item in out.works]
    return out


def plan_migration(world: World, snapshot: bytes, command: Migrate, now: datetime) -> Migration:
    """Return what a migration would do and what stands against it; nothing else comes of it.

    Raises Conflict if the instance has ended.
    """
    return plan(snapshots.load(world, snapshot, now), command)


def _start(world: World, command: Start, now: datetime) -> Process:
    definition = world.definition(command.definition_id)
    process = Process(world, now, definition)
    values: dict[str, Value] = {}
    root = process.open_scope(
        None,
        definition.root,
        Variables(0, process.stores_of(definition), values),
        command.instance_id,
        command.definition_id,
    )
    process.note(command.instance_id, "instance.started", name=command.business_key)
    starter = _starter(definition, command.element_id)
    for name, value in command.variables.items():
        values[name] = value
        process.note(command.instance_id, "variable.set", None, 0, name, value)
    if starter is None:
        process.enter_scope(root, plain_entries(definition))
        return process
    process.enter_scope(root, (starter.node,))
    # what the event has brought are the instance's first variables
    first = next(t for t in root.tasks.values() if not t.listens)
    first.memo = {"payload": {}} if starter.part is None else {"payload": {}, "part": starter.part}
    if starter.trigger is not None:
        starter.trigger.received(first, values)
    for node in starter.beside:
        process.spawn(root, node)
    return process


def _starter(definition: Definition, element_id: str | None) -> Starter | None:
    if element_id is None:
        plain_entries(definition)
        return None
    found = definition.starter(element_id)
    if found is None:
        known = ", ".join(start.id for start in definition.root.starters) or "none"
        raise BadInput(
            f"process {definition.process_id} has no start event {element_id!r}; it has: {known}"
        )
    return found


def plain_entries(definition: Definition) -> tuple[Node, ...]:
    """Return where an instance begins that no event has started.

    Raises BadInput if it begins by events only, or if there are several places to choose from.
    """
    spec = definition.root
    if not spec.entries:
        raise BadInput(
            f"process {definition.process_id} has no none start event:"
            " it begins by an event only: a message, a signal, a timer or a condition"
        )
    if spec.bpmn_start_events and len(spec.entries) > 1:
        known = ", ".join(node.bpmn_id for node in spec.entries)
        raise BadInput(
            f"process {definition.process_id} has several none start events:"
            f" say at which one it begins ({known})"
        )
    return spec.entries


def _apply(process: Process, command: Command) -> None:
    if isinstance(command, Cancel):
        process.cancel_all(command.reason)
    elif isinstance(command, Resume):
        return
    elif isinstance(command, Migrate):
        migrate(process, command)
    elif isinstance(command, Modify):
        modify(process, command)
    elif isinstance(command, Retry):
        _retry(process, _token(process, command.token))
    elif isinstance(command, Complete):
        _complete(process, command)
    elif isinstance(command, Throw):
        token = _waiting(process, command.token, ("work",))
        process.unwait(token, "completed")
        process.throw_error(token, command.code, command.message, command.variables)
    elif isinstance(command, Fire):
        _fire(process, _waiting(process, command.token, ("work",)))
    elif isinstance(command, Deliver):
        token = _waiting(process, command.token, ("subscription",))
        kind = "signal" if (token.memo or {}).get("signal") else "message"
        process.deliver(token, kind, command.name, command.payload)


def _complete(process: Process, command: Complete) -> None:
    token = _waiting(process, command.token, ("work", "task"))
    if (token.memo or {}).get("due"):
        raise Conflict(f"token {command.token} waits for a timer, not for a result")
    result = dict(command.result)
    process.attempt(token, lambda: token.task_spec.finished_outside(token, result), "finish")


def _fire(process: Process, token: Token) -> None:
    if not (token.memo or {}).get("due"):
        raise Conflict(f"token {token.id} waits for a handler, not for a timer")
    process.fire(token)


def _retry(process: Process, token: Token) -> None:
    phase = token.stopped
    if phase is None:
        raise Conflict(f"token {token.id} is not stopped by an incident")
    token.stopped = None
    process.out.resolved.append(token.id)
    process.record("incident.resolved", token)
    node = token.task_spec
    if phase == "pause":
        token._state = READY
        process.push(token)
    elif phase == "run":
        token._state = READY
        process.attempt(token, token.run, "run")
    elif phase == "leave":
        process.attempt(token, token.complete, "leave")
    else:
        again = node.repetition if getattr(node, "repetition", None) and not token.body else node
        process.attempt(token, lambda: again.finish_again(token), "finish")


def _token(process: Process, number: int) -> Token:
    token = process.get_task_from_id(number)
    if token is None:
        raise Conflict(f"token {number} is over: it was completed or cancelled before")
    return token


def _waiting(process: Process, number: int, kinds: tuple[str, ...]) -> Token:
    token = _token(process, number)
    if token.waits not in kinds:
        raise Conflict(f"token {number} at {token.task_spec.bpmn_id} does not wait for this")
    return token
