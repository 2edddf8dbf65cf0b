"""One command in, one step out: the only way in from outside (design: D2).

step() is pure: it reads snapshot, definitions and the given moment, and returns plain values.
"""

from __future__ import annotations

from datetime import datetime

from engine.errors import BadInput, Conflict
from engine.kernel import snapshot as snapshots
from engine.kernel.definition import Definition
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
    else (a stale result), BadInput if a start event does not exist; then nothing has happened.
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
    return out


def _start(world: World, command: Start, now: datetime) -> Process:
    definition = world.definition(command.definition_id)
    process = Process(world, now, definition)
    values: dict[str, Value] = {}
    root = process.open_scope(
        None,
        definition.root,
        Variables(0, None, values),
        command.instance_id,
        command.definition_id,
    )
    process.note(command.instance_id, "instance.started", name=command.business_key)
    entries = _entries(definition, command.element_id)
    for name, value in command.variables.items():
        values[name] = value
        process.note(command.instance_id, "variable.set", None, 0, name, value)
    process.enter_scope(root, entries)
    if command.element_id is not None:
        # what the event has brought are the instance's first variables
        next(t for t in root.tasks.values() if not t.listens).memo = {"payload": {}}
    return process


def _entries(definition: Definition, element_id: str | None) -> tuple[Node, ...]:
    if element_id is None:
        if not definition.root.entries:
            raise BadInput(
                f"process {definition.process_id} has no none start event:"
                " it begins by a message, a signal or a timer only"
            )
        return definition.root.entries
    for start in definition.root.starters:
        if start.bpmn_id == element_id:
            return (start,)
    raise BadInput(f"process {definition.process_id} has no start event {element_id!r}")


def _apply(process: Process, command: Command) -> None:
    if isinstance(command, Cancel):
        process.cancel_all(command.reason)
    elif isinstance(command, Resume):
        return
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
