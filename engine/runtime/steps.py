"""From a command to rows: runs a step of the kernel on a locked case and gathers what it led to."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from engine import kernel, trail, watch
from engine.clock import new_id
from engine.model import Command, Event, InstanceState, NewUserTask, Start, Step
from engine.runtime import delivery
from engine.store import data_stores, incidents, instances, lanes, subscriptions, tasks, work
from engine.store.instances import CALLED, INCIDENTS, LANES, LARGE, SUBSCRIPTIONS, TASKS, WORK, Case

if TYPE_CHECKING:
    from engine.model import Definition
    from engine.runtime.transaction import Transaction


def begin(
    tx: Transaction,
    definition: Definition,
    command: Start,
    *,
    start_key: str | None = None,
    by: str | None = None,
) -> Case:
    """Start a root instance and run it to its first wait."""
    about = trail.span("step", command.instance_id, definition=definition.id)
    with about, watch.timing("step_seconds"):
        step = kernel.step(tx.world, None, command, tx.now)
    fresh = Case(
        id=command.instance_id, definition_id=definition.id, process_id=definition.process_id,
        version=definition.version, business_key=command.business_key, state="running",
        started_at=tx.now, ended_at=None, revision=0, history_seq=0, owns=0, snapshot=None,
    )  # fmt: skip
    case = _keep(tx, fresh, step, by, ())
    tx.pending.instances.insert(
        0,
        {**case._asdict(), "root_id": case.id, "parent_id": None, "start_key": start_key},
    )
    return case


def advance(
    tx: Transaction,
    case: Case,
    command: Command,
    *,
    by: str | None = None,
    before: Sequence[Event] = (),
    consumed: str | None = None,
) -> Case:
    """Apply a command to a locked case.

    `before` are events that belong ahead of those of the step; `consumed` is the message that the
    command delivers. Raises Conflict, with nothing gathered, if its token waits for something else.
    """
    if case.id in tx.saves:
        # an earlier step of this batch: its rows must be there before this one may close them
        tx.flush()
    about = trail.span("step", case.id, definition=case.definition_id)
    with about, watch.timing("step_seconds"):
        step = kernel.step(tx.world, case.snapshot, command, tx.now)
    offered: list[str] = []
    if step.state is not InstanceState.RUNNING:
        offered = _end(tx, case, step, by)
    elif step.closed or step.resolved:
        offered = _close(tx, case, step, by, command, consumed)
    moved = _keep(tx, case, step, by, before)
    tx.saves[case.id] = {
        "b_id": case.id, "was": case.state, "state": moved.state, "ended_at": moved.ended_at,
        "revision": moved.revision, "history_seq": moved.history_seq, "owns": moved.owns,
        "snapshot": moved.snapshot,
    }  # fmt: skip
    for message_id in offered:
        if message_id != consumed:
            delivery.offer_again(tx, message_id)
    if consumed is not None and consumed not in offered and step.snapshot is not None:
        _wait_on(tx, case, command, step, consumed)
    return moved


def _keep(tx: Transaction, case: Case, step: Step, by: str | None, before: Sequence[Event]) -> Case:
    """Gather the rows of a step; return the case as it will be stored."""
    events = chain(before, step.events) if before else step.events
    seq = tx.history.add(case.id, case.history_seq, by, events)
    over = step.state is not InstanceState.RUNNING
    moved = case._replace(
        state=step.state.value, ended_at=tx.now if over else None, revision=case.revision + 1,
        history_seq=seq, owns=case.owns | _owns(step), snapshot=step.snapshot,
    )  # fmt: skip
    for digest, text in step.large.items():
        tx.keep_large(case.id, digest, text)
    if step.called or step.returned:
        _called(tx, case, step)
    if step.stores:
        data_stores.write(tx.connection, step.stores, case.id, tx.now)
    for item in step.works:
        tx.add_work(
            id=new_id(), root_id=case.id, instance_id=item.instance_id, token=item.token,
            element_id=item.element_id, kind=item.kind, topic=item.topic, due_at=item.due_at,
            retries=item.retries, inputs=item.inputs, headers=item.headers, priority=item.priority,
            lane=item.lane,
        )  # fmt: skip
    for task in step.user_tasks:
        tx.pending.tasks.append(_task(tx, case, task))
    for incident in step.incidents:
        tx.pending.incidents.append(
            incidents.row(
                tx.connection, id=new_id(), root_id=case.id, process_id=case.process_id,
                created_at=tx.now, **incident._asdict(),
            )
        )  # fmt: skip
    if step.subscriptions:
        delivery.subscribe(tx, case.id, step.subscriptions)
    if step.messages or step.signals:
        delivery.send(tx, case.id, step)
    return moved


def _wait_on(tx: Transaction, case: Case, command: Command, step: Step, consumed: str) -> None:
    """Make a catch that listens on free for its next message, unless an incident stopped it."""
    token: int = getattr(command, "token", 0)
    if all(incident.token != token for incident in step.incidents):
        delivery.next_for(tx, case.id, token, consumed)


def _owns(step: Step) -> int:
    return (
        (WORK if step.works else 0)
        | (LANES if any(item.lane is not None for item in step.works) else 0)
        | (TASKS if step.user_tasks else 0)
        | (SUBSCRIPTIONS if step.subscriptions else 0)
        | (INCIDENTS if step.incidents else 0)
        | (LARGE if step.large else 0)
        | (CALLED if step.called else 0)
    )


def _task(tx: Transaction, case: Case, task: NewUserTask) -> dict[str, Any]:
    return {
        **task._asdict(), "id": new_id(), "root_id": case.id,
        "business_key": case.business_key, "state": "open", "created_at": tx.now,
        "claimed_at": tx.now if task.assignee else None, "ended_at": None, "ended_by": None,
    }  # fmt: skip


def _called(tx: Transaction, case: Case, step: Step) -> None:
    """Add rows for called instances; those that ended within this step have their end already."""
    ended = dict(step.returned)
    for call in step.called:
        definition = tx.library.known(tx.connection, call.definition_id)
        state = ended.pop(call.instance_id, None)
        tx.pending.instances.append({
            "id": call.instance_id, "root_id": case.id, "parent_id": call.parent_id,
            "definition_id": definition.id, "process_id": definition.process_id,
            "version": definition.version, "business_key": case.business_key, "start_key": None,
            "state": (state or InstanceState.RUNNING).value, "started_at": tx.now,
            "ended_at": tx.now if state else None, "revision": 0, "history_seq": 0, "owns": 0,
            "snapshot": None,
        })  # fmt: skip
    if ended:
        returned = [(instance_id, state.value) for instance_id, state in ended.items()]
        instances.end_called(tx.connection, returned, tx.now)


def _close(
    tx: Transaction,
    case: Case,
    step: Step,
    by: str | None,
    command: Command,
    consumed: str | None,
) -> list[str]:
    """Delete the rows of tokens that are over; return messages that were on their way to them."""
    # the row that brought the command is dealt with by its verb
    own = getattr(command, "token", None)
    tokens: dict[str, list[int]] = {"work": [], "task": [], "subscription": []}
    for closed in step.closed:
        if closed.token != own or closed.kind == "subscription":
            tokens[closed.kind].append(closed.token)
    connection = tx.connection
    # the incident of a dead row stands under its token too, which the kernel does not know of
    over = [*step.resolved, *(tokens["work"] if case.owns & INCIDENTS else ())]
    if over:
        incidents.resolve_tokens(connection, case.id, over, by, tx.now)
    if tokens["task"]:
        tasks.cancel(connection, case.id, tokens["task"], tx.now)
    # undelivered rows go with their catch; a catch has one message at a time, so not the consumed
    undelivered = [t for t in tokens["subscription"] if consumed is None or t != own]
    rows = tokens["work"] + undelivered
    if rows:
        left = _lock_lanes(tx, case, rows)
        work.close(connection, case.id, rows)
        tx.leave_lanes(left)
    if tokens["subscription"]:
        return subscriptions.close(connection, case.id, tokens["subscription"])
    return []


def _lock_lanes(tx: Transaction, case: Case, tokens: Sequence[int] | None) -> list[str]:
    """Return the lanes that will lose a row of the case, locked."""
    if not case.owns & LANES:
        return []
    found = lanes.of_case(tx.connection, case.id, tokens)
    lanes.lock(tx.connection, found)
    return found


def _end(tx: Transaction, case: Case, step: Step, by: str | None) -> list[str]:
    """Delete whatever rows the case still has; return messages that were on their way to it."""
    connection, owns = tx.connection, case.owns
    if owns & LARGE:
        tx.over.append(case.id)
    if owns & INCIDENTS:
        incidents.resolve_all(connection, case.id, by, tx.now)
    if owns & TASKS:
        tasks.cancel(connection, case.id, None, tx.now)
    if owns & CALLED:
        state = InstanceState.CANCELLED.value
        instances.end_all_called(connection, case.id, state, tx.now)
    if owns & (WORK | SUBSCRIPTIONS):
        left = _lock_lanes(tx, case, None)
        work.clear(connection, case.id)
        tx.leave_lanes(left)
    if owns & SUBSCRIPTIONS:
        return subscriptions.clear(connection, case.id)
    return []
