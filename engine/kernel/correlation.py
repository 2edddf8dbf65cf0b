"""Correlation of plain BPMN: keys made of properties that messages carry (BPMN 2.0.2, 8.4.2).

A key is bound to process data by a correlation subscription; without one, the first message sent or
received sets it for the instance. In the zeebe dialect messages have one key expression instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from engine import codec
from engine.errors import ExecutionFault
from engine.languages import Expression
from engine.model import Value

if TYPE_CHECKING:
    from engine.kernel.tokens import Scope, Token


def correlation_key(value: Value, text: str = "") -> str:
    """Return the text under which messages and catches find each other.

    A mapping of property names to values gives a key of plain BPMN, anything else one of the zeebe
    dialect. Raises ExecutionFault for null and booleans.
    """
    if isinstance(value, bool) or value is None:
        raise ExecutionFault(f"the correlation key {text!r} is {value!r}, not a text or number")
    if isinstance(value, (str, int)):
        return str(value)
    if isinstance(value, Decimal):
        return str(int(value)) if value == value.to_integral_value() else str(value.normalize())
    if isinstance(value, Mapping):
        parts = {name: correlation_key(value[name], name) for name in sorted(value)}
        return codec.encode(parts).decode()
    return codec.encode(value).decode()


@dataclass(frozen=True, slots=True)
class PropertyKey:
    """One correlation key as one message carries it."""

    id: str
    #: property name -> where it stands in the message
    in_message: Mapping[str, Expression]
    #: property name -> where it stands in the process data; None if the first message decides
    in_process: Mapping[str, Expression] | None

    def of_catch(self, token: Token) -> str | None:
        """Return the key a catch waits for; None while nothing has set it."""
        process = token.workflow.process
        if self.in_process is not None:
            values = {n: process.evaluate(e, token) for n, e in self.in_process.items()}
            return correlation_key(values, self.id)
        known = (instance_scope(token.workflow).memo or {}).get("keys", {})
        found = known.get(self.id)
        return None if found is None else str(found)

    def of_message(self, token: Token, payload: Mapping[str, Value]) -> str | None:
        """Return the key of a message that was sent or received, and remember it."""
        now = token.workflow.process.now
        values = {n: e.evaluate(payload, now) for n, e in self.in_message.items()}
        if any(v is None for v in values.values()):
            return None
        key = correlation_key(values, self.id)
        self._remember(token, key)
        return key

    def _remember(self, token: Token, key: str) -> None:
        scope = instance_scope(token.workflow)
        keys = (scope.memo or {}).get("keys", {})
        if self.in_process is not None or self.id in keys:
            return
        scope.memo = {**(scope.memo or {}), "keys": {**keys, self.id: key}}
        for other in list(scope.process.index.values()):
            trigger = other.task_spec.trigger
            mine: PropertyKey | None = getattr(trigger, "properties", None)
            if (
                trigger is not None
                and mine is not None
                and mine.id == self.id
                and other.waits == "subscription"
            ):
                scope.process.unwait(other, "cancelled")
                trigger.arm(other)


def instance_scope(scope: Scope) -> Scope:
    """Return the scope of the process instance that a scope lies in."""
    while not scope.is_instance:
        assert scope.owner is not None
        scope = scope.owner.workflow
    return scope
