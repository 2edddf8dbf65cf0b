"""Conditions of loops, gateways and ad hoc sub-processes: true, false, or a fault that says why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from engine.errors import ExecutionFault
from engine.languages import Expression
from engine.model import Value


def holds(condition: Expression, scope: Mapping[str, Value], now: datetime, what: str) -> bool:
    """Evaluate a condition; FEEL knows no truthiness, so anything but a boolean is a fault."""
    value = condition.evaluate(scope, now)
    if value is True or value is False:
        return bool(value)
    raise ExecutionFault(f"the {what} {condition.text!r} gives {shown(value)}, not true or false")


def shown(value: Value) -> str:
    """Return a value as messages name it, shortened."""
    return "nothing (null)" if value is None else repr(value)[:80]
