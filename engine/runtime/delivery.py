"""Messages and signals between cases: each delivery is a work row, so no verb locks two cases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from engine import kernel
from engine.clock import new_id
from engine.errors import BadInput, ExecutionFault
from engine.model import NewSubscription, Step
from engine.store import definitions, messages, signals, subscriptions
from engine.store.messages import Message

if TYPE_CHECKING:
    from engine.runtime.transaction import Transaction
    from engine.store.subscriptions import Waiting


def subscribe(tx: Transaction, root_id: str, catches: Sequence[NewSubscription]) -> None:
    """Add catches; one that a buffered message fits is reserved for the oldest of them at once."""
    for catch in catches:
        row: dict[str, Any] = {
            **catch._asdict(), "id": new_id(), "root_id": root_id, "created_at": tx.now,
            "message_id": None,
        }  # fmt: skip
        if catch.kind == "message":
            found = messages.oldest(tx.connection, catch.name, catch.key, tx.now)
            if found is not None:
                messages.reserved(tx.connection, found.id)
                row["message_id"] = found.id
                _deliver(tx, root_id, catch, found.id)
        tx.pending.subscriptions.append(row)


def send(tx: Transaction, root_id: str, step: Step) -> None:
    """Hand on what a step has thrown: a message to one catch anywhere, a signal to all others."""
    # a catch of this very step may be the one that has to get it
    tx.flush_subscriptions()
    for thrown in step.messages:
        ttl_s = tx.settings.message_ttl_s if thrown.ttl_s is None else thrown.ttl_s
        offer(tx, new_message(tx, thrown.name, thrown.key, dict(thrown.payload), ttl_s=ttl_s))
    for signal in step.signals:
        broadcast(tx, signal.name, dict(signal.payload), root_id)


def broadcast(tx: Transaction, name: str, payload: dict[str, Any], root_id: str) -> int:
    """Write one delivery per receiver of a signal; return how many there are."""
    count = signals.broadcast(tx.connection, name, payload, root_id, tx.now, new_id())
    if count:
        # which of both it was is not worth a question
        for kind in ("deliver", "start"):
            tx.tell(kind, "", tx.now)
    return count


def new_message(
    tx: Transaction,
    name: str,
    key: str | None,
    payload: dict[str, Any],
    *,
    ttl_s: float,
    keys: dict[str, Any] | None = None,
    message_id: str | None = None,
) -> Message:
    """Return a message that is not stored yet; property values make its key if it has none.

    Raises BadInput if a value cannot be part of a key.
    """
    if key is None and keys:
        try:
            key = kernel.correlation_key(keys)
        except ExecutionFault as fault:
            raise BadInput(str(fault)) from fault
    return Message(
        id=message_id or new_id(), name=name, key=key, payload=payload, keys=keys or {},
        state="buffered", named=message_id is not None, instance_id=None, created_at=tx.now,
        expires_at=tx.now + timedelta(seconds=ttl_s),
    )  # fmt: skip


def offer(tx: Transaction, message: Message) -> str:
    """Store a new message with a receiver, or in the buffer; return its state.

    The longest waiting catch gets it, else it begins a case, else it is kept until its time is up.
    """
    found = subscriptions.reserve(tx.connection, message.name, message.key, message.id)
    if found is not None:
        _deliver(tx, found.root_id, found, message.id)
        state = "reserved"
    elif _begin(tx, message):
        state = "delivered"
    else:
        state = "buffered" if message.expires_at > tx.now else "expired"
    if state in ("reserved", "buffered") or message.named:
        messages.add(tx.connection, {**message._asdict(), "state": state})
    return state


def offer_again(tx: Transaction, message_id: str) -> None:
    """Offer a stored message whose catch is gone, with the time to live it has left."""
    message = messages.get(tx.connection, message_id)
    if message is None or message.state not in ("reserved", "buffered"):
        return
    tx.flush_subscriptions()
    found = subscriptions.reserve(tx.connection, message.name, message.key, message.id)
    if found is not None:
        messages.reserved(tx.connection, message.id)
        _deliver(tx, found.root_id, found, message.id)
    elif _begin(tx, message):
        messages.delivered(tx.connection, message, "")
    else:
        messages.buffered(tx.connection, message.id)


def next_for(tx: Transaction, root_id: str, token: int, message_id: str) -> None:
    """Let a catch that goes on waiting after a delivery take the oldest buffered message."""
    catch = subscriptions.free(tx.connection, root_id, token, message_id)
    if catch is None:
        return
    found = messages.oldest(tx.connection, catch.name, catch.key, tx.now)
    if found is not None:
        messages.reserved(tx.connection, found.id)
        subscriptions.reserve_this(tx.connection, catch.id, found.id)
        _deliver(tx, root_id, catch, found.id)


def _begin(tx: Transaction, message: Message) -> bool:
    """Write down that a message begins a case; False if no active start event waits for it."""
    found = definitions.triggered(tx.connection, "message", message.name)
    if found is None:
        return False
    tx.add_work(
        id=new_id(), root_id=new_id(), instance_id="", element_id=found.element_id, kind="start",
        topic=found.definition_id, inputs={"name": message.name, "payload": message.payload},
    )  # fmt: skip
    return True


def _deliver(
    tx: Transaction, root_id: str, catch: NewSubscription | Waiting, message_id: str
) -> None:  # fmt: skip
    tx.add_work(
        id=new_id(), root_id=root_id, instance_id=catch.instance_id, element_id=catch.element_id,
        token=catch.token, kind="deliver", topic=catch.name, message_id=message_id,
    )  # fmt: skip
