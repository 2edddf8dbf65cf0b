"""Messages, signals and facts from outside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.clock import new_id
from engine.errors import BadInput, NotFound
from engine.model import Correlation, Deliver, Instance, InstanceState, Start
from engine.runtime import delivery, steps
from engine.runtime.base import Base, admitted, optional_text, plain_text, verb
from engine.runtime.transaction import Transaction
from engine.store import definitions, instances, messages, subscriptions
from engine.store.connect import Duplicate
from engine.store.messages import Message

#: how often a delivery looks again when the catch it has found is taken before it is locked
_LOOKS = 5


class _Taken(Exception):
    """The catch that was found is gone or reserved by now."""


class Messages(Base):
    """The verbs that bring something in from outside to whoever waits for it."""

    @verb
    def correlate(
        self,
        name: str,
        *,
        key: str | None = None,
        keys: Mapping[str, Any] | None = None,
        payload: Mapping[str, Any] | None = None,
        message_id: str | None = None,
        ttl_s: float | None = None,
        by: str | None = None,
    ) -> Correlation:
        """Deliver a message to exactly one receiver, or keep it for `ttl_s` seconds.

        The longest waiting catch with this name and an equal key (or none) gets it, else it begins
        a case at a message start event, else it is buffered. The same `message_id` is delivered
        once only: a repetition has the outcome `duplicate`.
        """
        plain_text(name, "name")
        for value, what in ((key, "key"), (message_id, "message_id"), (by, "by")):
            optional_text(value, what)
        limit = self.settings.input_limit
        given = admitted(payload, limit)
        properties = admitted(keys, limit)
        ttl = self.settings.message_ttl_s if ttl_s is None else _seconds(ttl_s)
        for _ in range(_LOOKS):
            try:
                with self.transaction() as tx:
                    message = delivery.new_message(
                        tx, name, key, given, keys=properties, message_id=message_id, ttl_s=ttl
                    )
                    return _correlate(tx, message, by)
            except (_Taken, Duplicate):
                continue
        with self.transaction() as tx:
            # everybody is faster: let the next who waits have it
            message = delivery.new_message(
                tx, name, key, given, keys=properties, message_id=message_id, ttl_s=ttl
            )
            known = _known(tx, message_id)
            if known is not None:
                return _repeated(tx, known)
            delivery.offer(tx, message)
            return Correlation(outcome="buffered", message_id=message.id, instance_id=None)

    @verb
    def signal(
        self, name: str, *, payload: Mapping[str, Any] | None = None, by: str | None = None
    ) -> int:
        """Send a signal to all who wait for it; return how many there are.

        Each gets it in a transaction of its own, soon after this one.
        """
        plain_text(name, "name")
        optional_text(by, "by")
        given = admitted(payload, self.settings.input_limit)
        with self.transaction() as tx:
            return delivery.broadcast(tx, name, given, "")

    @verb
    def evaluate_conditions(
        self,
        variables: Mapping[str, Any],
        *,
        process_id: str | None = None,
        business_key: str | None = None,
        by: str | None = None,
    ) -> list[Instance]:
        """Start a case at each conditional start event whose condition holds of the variables.

        All active processes are asked, or the one that is named (10.5.2, Conditional). A condition
        that is null does not hold. Raises NotFound and BadInput for a name that can begin nothing.
        """
        values = admitted(variables, self.settings.input_limit)
        for value, what in (
            (process_id, "process_id"),
            (business_key, "business_key"),
            (by, "by"),
        ):
            optional_text(value, what)
        with self.transaction() as tx:
            begun = [
                _begin_at(tx, trigger, values, business_key, by)
                for trigger in definitions.conditional(tx.connection, process_id)
                if _holds(tx, trigger, values)
            ]
            if not begun:
                _refuse_unasked(tx, process_id)
                tx.abandon()
            return begun


def _holds(tx: Transaction, trigger: definitions.Trigger, values: dict[str, Any]) -> bool:
    definition = tx.library.parsed(tx.connection, trigger.definition_id)
    return trigger.element_id in definition.conditions(values, tx.now)


def _refuse_unasked(tx: Transaction, process_id: str | None) -> None:
    """Raise what is wrong with the name of a process of which no condition was asked."""
    if process_id is None:
        return
    asked = {trigger.process_id for trigger in definitions.conditional(tx.connection, None)}
    if process_id in asked:
        return
    others = f"processes that conditions begin: {', '.join(sorted(asked))}"
    active = definitions.processes(tx.connection)
    known = others if asked else "no active process has one"
    if process_id in active:
        raise BadInput(f"process {process_id!r} has no conditional start event; {known}")
    if not asked:
        known = f"active are: {', '.join(sorted(active))}" if active else "nothing is deployed"
    raise NotFound(f"there is no active version of process {process_id!r}; {known}")


def _begin_at(
    tx: Transaction,
    trigger: definitions.Trigger,
    values: dict[str, Any],
    business_key: str | None,
    by: str | None,
) -> Instance:
    command = Start(
        instance_id=new_id(), definition_id=trigger.definition_id, variables=values,
        element_id=trigger.element_id, business_key=business_key,
    )  # fmt: skip
    definition = tx.library.known(tx.connection, trigger.definition_id)
    return steps.begin(tx, definition, command, by=by).value()


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1e9:
        raise BadInput(f"ttl_s is a number of seconds from 0, not {value!r}")
    return float(value)


def _known(tx: Transaction, message_id: str | None) -> Message | None:
    return None if message_id is None else messages.get(tx.connection, message_id)


def _correlate(tx: Transaction, message: Message, by: str | None) -> Correlation:
    known = _known(tx, message.id if message.named else None)
    if known is not None:
        return _repeated(tx, known)
    instance_id = _deliver(tx, message, by)
    outcome = "delivered"
    if instance_id is None:
        instance_id, outcome = _begin(tx, message, by), "started"
    if instance_id is not None:
        _mark(tx, message, "delivered", instance_id)
        return Correlation(outcome=outcome, message_id=message.id, instance_id=instance_id)
    state = "buffered" if message.expires_at > tx.now else "expired"
    if state == "buffered" or message.named:
        _mark(tx, message, state, None)
    return Correlation(outcome=state, message_id=message.id, instance_id=None)


def _repeated(tx: Transaction, known: Message) -> Correlation:
    """Store nothing and tell who got the message that had this id first."""
    tx.abandon()
    return Correlation(outcome="duplicate", message_id=known.id, instance_id=known.instance_id)


def _mark(tx: Transaction, message: Message, state: str, instance_id: str | None) -> None:
    """Keep the message itself while it waits, and later only the id its sender gave."""
    row = {**message._asdict(), "state": state, "instance_id": instance_id}
    if state == "buffered":
        messages.add(tx.connection, row)
    elif message.named and not messages.add(tx.connection, row | {"payload": None, "keys": {}}):
        raise Duplicate(f"message {message.id} was sent at the same moment")


def _deliver(tx: Transaction, message: Message, by: str | None) -> str | None:
    """Deliver to the longest waiting catch; return its root instance, None if nobody waits."""
    found = subscriptions.find(tx.connection, message.name, message.key, 1)
    if not found:
        return None
    catch = found[0]
    # the case first, then its rows: the order in which everybody locks
    case = instances.lock(tx.connection, catch.root_id)
    taken = subscriptions.reserve_this(tx.connection, catch.id, message.id)
    if case is None or not taken or case.state != InstanceState.RUNNING:
        raise _Taken
    command = Deliver(
        token=catch.token, name=message.name, payload=message.payload, keys=message.keys
    )  # fmt: skip
    steps.advance(tx, case, command, by=by, consumed=message.id)
    return catch.instance_id


def _begin(tx: Transaction, message: Message, by: str | None) -> str | None:
    """Begin a case at a message start event; None if no active one waits for this name."""
    found = definitions.triggered(tx.connection, "message", message.name)
    if found is None:
        return None
    command = Start(
        instance_id=new_id(), definition_id=found.definition_id, variables=message.payload,
        element_id=found.element_id, business_key=message.key,
    )  # fmt: skip
    definition = tx.library.known(tx.connection, found.definition_id)
    return steps.begin(tx, definition, command, by=by).id
