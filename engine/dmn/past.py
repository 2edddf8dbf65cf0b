"""Decisions of the past: what they were given, and whether a changed model decides otherwise."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.dmn.evaluation import shown
from engine.dmn.model import Model
from engine.errors import ExecutionFault, FeelError
from engine.feel.operators import equal
from engine.model import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Different:
    """A decision of a case that a changed model would make differently."""

    instance_id: str
    business_key: str | None
    at: datetime
    element_id: str | None
    #: the value then, and now
    before: Value
    after: Value
    #: why there is no value now; "" where there is one
    fault: str = ""


@dataclass(slots=True, kw_only=True)
class WhatIf:
    """What a changed decision would have meant for past cases."""

    decision_id: str
    name: str
    #: decisions that were made again
    compared: int = 0
    #: decisions whose inputs are not stored (erased, or from before they were)
    skipped: int = 0
    different: list[Different] = field(default_factory=list)
    #: there are older cases that were not looked at
    more: bool = False


def past_inputs(explanation: Any, decision_id: str) -> tuple[dict[str, Value], Value] | None:
    """Return the inputs and the value of a stored explanation; None where they are not kept."""
    if not isinstance(explanation, Sequence) or not explanation:
        return None
    last = explanation[-1]
    if not isinstance(last, Mapping) or last.get("decision") != decision_id:
        return None
    made = {entry.get("name") for entry in explanation}
    inputs: dict[str, Value] = {}
    for entry in explanation:
        known = {**entry.get("inputs", {}), **entry.get("given", {})}
        if not known and any(table.get("inputs") for table in entry.get("tables", ())):
            return None
        inputs |= {name: value for name, value in known.items() if name not in made}
    return inputs, last.get("value")


def mentions(explanation: Any, names: Collection[str]) -> bool:
    """Tell whether a stored explanation holds the value of one of the variables."""
    wanted = re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, names)) + r")(?!\w)")
    return any(
        wanted.search(label) is not None
        for entry in explanation
        for part in (entry, *entry.get("tables", ()))
        for key in ("inputs", "given")
        for label in part.get(key, ())
    ) or any(entry.get("name") in names for entry in explanation)


def again(
    model: Model, decision_id: str, inputs: Mapping[str, Value], before: Value, at: datetime
) -> tuple[bool, Value, str]:
    """Make a decision again, at its moment: whether it differs, its value, and why it has none."""
    try:
        after = shown(model.evaluate(decision_id, inputs, now=at).value)
    except (ExecutionFault, FeelError) as fault:
        return True, None, str(fault)
    return equal(before, after) is not True, after, ""
