"""Compensation: undoing what was completed, in reverse order (BPMN 2.0.2, 10.7 and 13.5.5).

A scope keeps a record of each completed activity that can be undone: [node, its variables, the
records of its inside]. A throw event takes the records it is about, once, and drives the handlers
one after the other as tokens whose body it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.kernel.scopes import Variables
from engine.kernel.triggers import CompensateTrigger

if TYPE_CHECKING:
    from engine.kernel.activities import Activity
    from engine.kernel.node import Node
    from engine.kernel.tokens import Scope, Token

#: node name, variables of its own scope, records of its inside
Record = list[Any]


def records_of(scope: Scope) -> list[Record]:
    """Return what can be undone in a scope, oldest first."""
    found: list[Record] = (scope.memo or {}).get("done", [])
    return found


def _set_records(scope: Scope, records: list[Record]) -> None:
    scope.memo = {**(scope.memo or {}), "done": records}


def note_done(node: Activity, token: Token) -> None:
    """Remember a completed activity if there is a way to undo it."""
    inside: list[Record] = (token.memo or {}).get("done", [])
    if "undo" in (token.memo or {}) or not (node.undo or inside or node.undone_inside):
        return
    own = dict(token.vars.values) if token.vars.owner == token.id else None
    _set_records(token.workflow, [*records_of(token.workflow), [node.name, own, inside]])


def compensate(token: Token, trigger: CompensateTrigger) -> bool | None:
    """Undo what a throw event is about: True when nothing is left to wait for."""
    scope = _scope_of_throw(token, trigger.activity)
    chosen = [r for r in records_of(scope) if trigger.activity in (None, r[0])]
    _set_records(scope, [r for r in records_of(scope) if r not in chosen])
    if not trigger.waits:
        for record in reversed(chosen):
            _undo(scope, record, None)
        return True
    return drive(token, scope, chosen)


def _scope_of_throw(token: Token, activity: str | None) -> Scope:
    """Return the scope a throw is about: its own; of an event sub-process the one around it."""
    scope = token.workflow
    owner = scope.owner
    if owner is not None and owner.task_spec in owner.workflow.spec.guards:
        scope = owner.workflow
    while activity is not None and activity not in scope.spec.task_specs and scope.owner:
        scope = scope.owner.workflow
    return scope


def drive(token: Token, scope: Scope, records: list[Record]) -> bool | None:
    """Undo records one after the other, last first; the token waits for them."""
    if not records:
        return True
    number = scope.owner.id if scope.owner is not None else 0
    token.memo = {**(token.memo or {}), "todo": records[:-1], "where": number}
    _undo(scope, records[-1], token)
    return None


def part_done(token: Token) -> bool | None:
    """Go on after one handler: True when all are done."""
    memo = token.memo or {}
    scope = token.workflow.process.subprocesses[memo["where"]]
    return drive(token, scope, memo["todo"])


def _undo(scope: Scope, record: Record, driver: Token | None) -> None:
    name, values, inside = record
    process = scope.process
    node = scope.spec.task_specs[name]
    handler: Node = node.undo or node
    token = process.spawn(scope, handler, body=driver)
    if values is not None:
        token.vars = Variables(token.id, scope.vars, dict(values))
    if node.undo is None:
        token.memo = {"undo": inside}
    process.record("compensation.started", token, name)


def undo_inside(node: Activity, token: Token) -> bool | None:
    """Undo a completed sub-process: by its compensation event sub-process, else part by part."""
    process = token.workflow.process
    records = (token.memo or {})["undo"]
    scope = node.open_inside(token)
    _set_records(scope, records)
    if node.undone_inside is not None:
        handler = process.spawn(scope, node.undone_inside)
        handler.memo = {"payload": {}}
        return None
    _set_records(scope, [])
    if drive(token, scope, records) is True:
        process.end_scope(scope)
    return None
