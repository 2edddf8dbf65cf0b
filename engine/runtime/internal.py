"""What a claimed row leads to: the step of a result, and the engine's own timers and deliveries."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine import kernel, trail
from engine.clock import new_id
from engine.errors import Conflict
from engine.model import (
    Command,
    Complete,
    Deliver,
    Event,
    Fire,
    InstanceState,
    Resume,
    Start,
    Variables,
    Work,
)
from engine.runtime import steps
from engine.runtime.delivery import offer_again
from engine.store import definitions, instances, lanes, messages, subscriptions, work

if TYPE_CHECKING:
    from engine.runtime.transaction import Transaction
    from engine.store.instances import Case
    from engine.store.work import Gone

__all__ = ["offer_again", "run", "settle_batch", "settled", "step"]

log = logging.getLogger("caseway.runtime")

#: for the fault test only, which must notice: results, single ones and batches, are taken without a
#: look at the fence
IGNORE_FENCE = os.environ.get("CASEWAY_MUTANT") == "ignore_fence"


def settled(item: Work, attempts: int) -> Event:
    """Return the event of a result: which attempt it is of, and how many were begun."""
    value = {"attempt": item.attempt, "attempts": attempts}
    return Event(
        "work.settled", item.instance_id, item.element_id, item.token, item.topic, value
    )  # fmt: skip


def step(tx: Transaction, case: Case, command: Command, *before: Event) -> Case | None:
    """Apply the command of a row that was just deleted; None if its token is over.

    That cannot happen to a row in order: the row goes, so that it is not tried for ever.
    """
    if case.state != InstanceState.RUNNING:
        log.warning("work for case %s, which has ended (%s), was dropped", case.id, case.state)
        return None
    try:
        return steps.advance(tx, case, command, before=before)
    except Conflict as stale:
        log.warning("work for case %s was dropped: %s", case.id, stale)
        return None


def settle_batch(tx: Transaction, batch: Sequence[tuple[Work, Variables]]) -> list[bool]:
    """Apply several results; those with a stale fence are left out."""
    connection = tx.connection
    cases = instances.lock_many(connection, sorted({item.root_id for item, _ in batch}))
    laned = {item.id: item.lane for item, _ in batch if item.lane is not None}
    lanes.lock(connection, sorted(set(laned.values())))
    fences = work.fences(connection, [item.id for item, _ in batch])
    good = [
        item.id
        for item, _ in batch
        if fences.get(item.id) == item.fence or (IGNORE_FENCE and item.id in fences)
    ]
    if not good:
        tx.abandon()
        return [False] * len(batch)
    work.delete(connection, good)
    tx.leave_lanes([lane for work_id, lane in laned.items() if work_id in good])
    taken = []
    for item, result in batch:
        moved = None
        case = cases.get(item.root_id)
        if case is not None and item.id in good:
            command = Complete(token=item.token, result=result)
            with trail.of(item):
                moved = step(tx, case, command, settled(item, item.attempt))
            if moved is not None:
                cases[case.id] = moved
        taken.append(moved is not None)
    return taken


def run(tx: Transaction, item: Work) -> bool:
    """Do one row of the engine's own."""
    case = None
    if item.kind != "start":
        case = instances.lock(tx.connection, item.root_id)
    gone = work.done(tx.connection, item.id, item.fence)
    if gone is None:
        tx.abandon()
        return False
    if item.kind == "start":
        _start(tx, item, gone)
        return True
    if item.kind == "deliver":
        return _deliver(tx, case, item, gone)
    command: Command = Fire(token=item.token) if item.kind == "timer" else Resume()
    return case is not None and step(tx, case, command) is not None


def _start(tx: Transaction, item: Work, gone: Gone) -> None:
    """Begin the case that a timer, message or signal start event stands for."""
    definition = tx.library.known(tx.connection, item.topic)
    command = Start(
        instance_id=item.root_id, definition_id=item.topic, element_id=item.element_id,
        variables=item.inputs.get("payload") or {},
    )  # fmt: skip
    steps.begin(tx, definition, command)
    if gone.trigger_id is not None:
        _repeat(tx, item, gone.trigger_id)


def _repeat(tx: Transaction, item: Work, trigger_id: str) -> None:
    """Add the next firing of a timer cycle, counted from when this one was due."""
    left = item.inputs["repeats"]
    if left == 0 or not definitions.still_triggers(tx.connection, trigger_id):
        return
    due = kernel.next_due(item.inputs["due"], item.inputs["interval"], tx.now, left is None)
    left = None if left is None else left - 1
    tx.add_work(
        id=new_id(), root_id=new_id(), instance_id="", element_id=item.element_id, kind="start",
        topic=item.topic, due_at=due, trigger_id=trigger_id,
        inputs={**item.inputs, "repeats": left, "due": due},
    )  # fmt: skip


def _deliver(tx: Transaction, case: Case | None, item: Work, gone: Gone) -> bool:
    """Deliver a message or signal, if the catch still waits for just this one."""
    if gone.message_id is None:
        catch = subscriptions.at(tx.connection, item.root_id, item.token)
        command = _command(item, item.inputs["payload"])
        return case is not None and catch is not None and step(tx, case, command) is not None
    found = messages.arriving(tx.connection, gone.message_id, item.root_id, item.token)
    if found is None:
        return False
    message, waits = found
    command = _command(item, message.payload, message.keys)
    if not waits or not _taken(tx, case, command, message.id):
        offer_again(tx, message.id)
        return False
    messages.delivered(tx.connection, message, item.instance_id)
    return True


def _taken(tx: Transaction, case: Case | None, command: Deliver, message_id: str) -> bool:
    if case is None or case.state != InstanceState.RUNNING:
        return False
    try:
        steps.advance(tx, case, command, consumed=message_id)
    except Conflict as stale:
        log.warning("message %s is offered again: %s", message_id, stale)
        return False
    return True


def _command(item: Work, payload: Variables, keys: Variables | None = None) -> Deliver:
    return Deliver(token=item.token, name=item.topic, payload=payload, keys=keys or {})
