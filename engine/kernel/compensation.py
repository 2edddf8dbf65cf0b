"""Compensation: undoing what was completed, in reverse order (BPMN 2.0.2, 10.7 and 13.5.5).

A scope keeps a record of each completed activity that can be undone: [node, its variables, the
records of its inside]. A throw event takes the records it is about, once, and drives the handlers
one after the other as tokens whose body it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.kernel.scopes import Variables
from engine.kernel.tokens import WAITING, Token
from engine.kernel.triggers import CompensateTrigger

if TYPE_CHECKING:
    from engine.kernel.activities import Activity
    from engine.kernel.node import Node
    from engine.kernel.tokens import Scope
    from engine.model import Value

#: node name, variables of its own scope, records of its inside, and of a call the definition that
#: was called with its variables
Record = list[Any]


def records_of(scope: Scope) -> list[Record]:
    """Return what can be undone in a scope, oldest first."""
    found: list[Record] = scope.recall("done") or []
    return found


def note_done(node: Activity, token: Token) -> None:
    """Remember a completed activity if there is a way to undo it; what undoes another has none."""
    scope, memo = token.workflow, token.memo or {}
    inside: list[Record] = memo.get("done", [])
    called: list[Any] | None = memo.get("called")
    if "undo" in memo or node in scope.spec.handlers:
        return
    if node.undo or inside or called or node.undone_inside:
        own = dict(token.vars.values) if token.vars.owner == token.id else None
        more = [] if called is None else [called]
        scope.remember(done=[*records_of(scope), [node.name, own, inside, *more]])


def note_inside(token: Token, scope: Scope) -> None:
    """Keep at a sub-process or call what can be undone inside the scope that has just ended."""
    memo = token.memo or {}
    if "undo" in memo:
        return
    kept: dict[str, Value] = {"done": records_of(scope)} if records_of(scope) else {}
    if scope.is_instance and (kept or scope.spec.undone_inside):
        # its variables go with it: handlers inside see them as they were at the end
        kept["called"] = [scope.definition_id, dict(scope.vars.values)]
    if kept:
        token.memo = {**memo, **kept}


def compensate(token: Token, trigger: CompensateTrigger) -> bool | None:
    """Undo what a throw event is about: True when nothing is left to wait for."""
    scope = _scope_of_throw(token, trigger.activity)
    chosen = [r for r in records_of(scope) if trigger.activity in (None, r[0])]
    scope.remember(done=[r for r in records_of(scope) if r not in chosen])
    if trigger.waits:
        return drive(token, scope, chosen)
    if chosen:
        drive(_in_background(token), scope, chosen)
    return True


def _in_background(token: Token) -> Token:
    """Return a token that drives handlers for a throw event which goes on without them."""
    driver = token.workflow.process.spawn(token.workflow, token.task_spec)
    driver._state = WAITING
    driver.memo = {"background": True}
    return driver


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
    """Go on after one handler: True when all are done and the token has to go on itself."""
    memo, process = token.memo or {}, token.workflow.process
    done = drive(token, process.subprocesses[memo["where"]], memo["todo"])
    if done and "background" in memo:
        process.drop(token)
        process.leave(token.workflow, ())
        return None
    return done


def _undo(scope: Scope, record: Record, driver: Token) -> None:
    name, values, inside, *more = record
    called = more[0] if more else None
    process = scope.process
    node = scope.spec.task_specs[name]
    handler: Node = node.undo or node
    token = process.spawn(scope, handler, body=driver)
    if values is not None:
        token.vars = Variables(token.id, scope.vars, dict(values))
    if node.undo is None:
        token.memo = {"undo": inside} if called is None else {"undo": inside, "called": called}
    process.record("compensation.started", token, name)


def undo_inside(node: Activity, token: Token) -> bool | None:
    """Undo a completed sub-process: by its compensation event sub-process, else part by part."""
    process = token.workflow.process
    records = (token.memo or {})["undo"]
    scope = node.open_again(token)
    if scope.spec.undone_inside is not None:
        scope.remember(done=records)
        handler = process.spawn(scope, scope.spec.undone_inside)
        handler.memo = {"payload": {}}
        return None
    if drive(token, scope, records) is True:
        process.end_scope(scope)
    return None
