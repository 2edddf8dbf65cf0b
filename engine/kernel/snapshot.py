"""The state of an instance as bytes and back: tokens and scopes only, no diagram, no history.

Layout: one byte for the codec (`j` plain, `z` deflated), then JSON of `engine.codec`:
{"f": format, "n": next token, "p": pieces, "s": scopes, "t": tokens}. Format 2 is format 1 with
references in place of large values, and only written where there are any. Read by this and the next
format; a format that is newer than this program is refused.
"""

from __future__ import annotations

import zlib
from datetime import datetime
from operator import itemgetter
from typing import Any, cast

from engine import codec
from engine.errors import SchemaTooNew
from engine.kernel import parked
from engine.kernel.large import LargeValues, fill
from engine.kernel.process import Process
from engine.kernel.scopes import Variables
from engine.kernel.tokens import READY, Scope, Token, World

#: number of the newest layout that is read here
FORMAT = 2
#: the first layout with references in place of large values
REFERENCES_FROM = 2
_PLAIN = 1
#: of the row of a token; those at its end that are null are left out
_COLUMNS = 11
#: larger ones are deflated
PLAIN_LIMIT = 2048


def save(process: Process) -> bytes:
    """Return the state of a running instance."""
    raw = codec.encode(_state(process))
    large = process.large
    if large.limit and len(raw) > large.limit:
        for scope in process.subprocesses.values():
            large.find(scope.vars.values)
        for token in process.known.values():
            large.find(token.vars.values)
        if large.fresh:
            raw = codec.encode(_state(process))
    return b"j" + raw if len(raw) <= PLAIN_LIMIT else b"z" + zlib.compress(raw, 1)


def _state(process: Process) -> dict[str, Any]:
    large = process.large
    state: dict[str, Any] = {
        "f": REFERENCES_FROM if large else _PLAIN,
        "n": process.next_number,
        "p": process.pieces,
        "s": [_scope_out(s) for s in process.subprocesses.values()],
        "t": [_token_out(t) for t in process.known.values()],
    }
    if process.parked is not None:
        state["t"] = sorted([*state["t"], *process.parked.rows()], key=itemgetter(0))
    if large:
        for row in state["s"]:
            if row[4] is not None:
                row[4] = large.outside(row[4])
        for row in state["t"]:
            if len(row) > 7 and row[7] is not None:
                row[7] = large.outside(row[7])
    return state


def read(data: bytes) -> dict[str, Any]:
    """Return the plain content of a snapshot."""
    raw = data[1:] if data[:1] == b"j" else zlib.decompress(data[1:])
    state = cast(dict[str, Any], codec.decode(raw))
    if state["f"] > FORMAT:
        raise SchemaTooNew(
            f"a snapshot has format {state['f']}, this program reads up to {FORMAT}: upgrade it"
        )
    return state


def _scope_out(scope: Scope) -> list[Any]:
    owner = scope.owner
    variables = scope.vars
    shared = owner is not None and variables is owner.vars
    return [
        owner.id if owner is not None else 0,
        scope.spec.name,
        scope.definition_id,
        scope.instance_id,
        None if shared else variables.values,
        None if shared or variables.written is None else sorted(variables.written),
        scope.arrivals or None,
        scope.memo,
    ]


def _token_out(token: Token) -> list[Any]:
    own = token.vars.values if token.vars.owner == token.id and not token.listens else None
    row = [
        token.id,
        token.workflow.owner.id if token.workflow.owner is not None else 0,
        token.task_spec.name,
        int(token._state),
        (token.host.id if token.host is not None else 0) if token.listens else None,
        token.body.id if token.body is not None else None,
        token.waits,
        own,
        token.memo,
        token.stopped,
        token.via,
    ]
    while row[-1] is None:
        row.pop()
    return row


def load(world: World, data: bytes, now: datetime) -> Process:
    """Rebuild an instance; tokens that were ready are queued again."""
    state = read(data)
    large = LargeValues(world.limits.large_value)
    if state["f"] >= REFERENCES_FROM:
        fill(state, world.large, large)
    scopes, tokens = state["s"], state["t"]
    root = next(s for s in scopes if s[0] == 0)
    process = Process(world, now, world.definition(root[2]))
    process.next_number = state["n"]
    process.pieces = state["p"]
    process.large = large
    by_owner = {s[0]: s for s in scopes}
    tokens, waiting = parked.divide(tokens, by_owner)
    rows = {row[0]: row + [None] * (_COLUMNS - len(row)) for row in tokens}
    inside: dict[int, list[list[Any]]] = {}
    for row in rows.values():
        inside.setdefault(row[1], []).append(row)
    todo = [0]
    while todo:
        number = todo.pop()
        scope = _scope_in(process, by_owner[number])
        for row in inside.get(number, ()):
            _token_in(process, scope, row, rows)
            if row[0] in by_owner:
                todo.append(row[0])
    known = process.known
    for row in rows.values():
        if row[5] is not None:
            known[row[0]].body = known[row[5]]
    process.requeue()
    if waiting:
        process.parked = parked.Parked(process, waiting, _instance_in)
    return process


def _instance_in(process: Process, row: list[Any]) -> Token:
    """Create one instance of a repeated activity, whose body is there."""
    rows = {row[5]: [row[5], row[1]]}
    whole = row + [None] * (_COLUMNS - len(row))
    return _token_in(process, process.known[row[5]].workflow, whole, rows)


def _scope_in(process: Process, row: list[Any]) -> Scope:
    owner_id, name, definition_id, instance_id, values, written, arrivals, memo = row
    owner = process.known[owner_id] if owner_id else None
    definition = process.world.definition(definition_id)
    spec = definition.scopes[name]
    if values is None and owner is not None:
        variables = owner.vars
    else:
        variables = Variables(owner_id, process.stores_of(definition), values or {})
        variables.written = set(written) if written is not None else None
    scope = process.open_scope(owner, spec, variables, instance_id, definition_id)
    scope.arrivals = arrivals or {}
    scope.memo = memo
    if spec.joins and (arrivals or (memo or {}).get("complex")):
        process.joining.add(scope)
    scope.live = sum(sum(flows.values()) for flows in scope.arrivals.values())
    return scope


def _token_in(process: Process, scope: Scope, row: list[Any], rows: dict[int, list[Any]]) -> Token:
    """Create a token; hosts and bodies of the same scope first, whatever the order of the rows."""
    if row[0] in process.known:
        return process.known[row[0]]
    number, _, node, state, host_id, body_id, waits, own, memo, stopped, via = row
    if body_id and rows[body_id][1] != row[1]:
        body_id = None  # a handler driven from another scope: linked at the end
        driven = True
    else:
        driven = False
    before = host_id or body_id
    around = _token_in(process, scope, rows[before], rows) if before else None
    token = Token(scope, scope.spec.task_specs[node], number, state)
    token.listens = host_id is not None
    if host_id:
        token.host = around
        assert around is not None
        around.arms.append(token)
        token.vars = around.vars
    elif token.listens:
        scope.arms.append(token)
    elif body_id:
        token.body = around
        assert around is not None
        token.vars = around.vars
    if own is not None:
        token.vars = Variables(number, token.vars, own)
    token.waits, token.memo, token.stopped, token.via = waits, memo, stopped, via
    unseen = stopped == "pause" or (
        memo is not None and ("background" in memo or "waiting" in memo)
    )
    token.begun = state != READY and not token.listens and not unseen
    if memo is not None and "held" in memo:
        process.watchers[number] = token
    if not token.listens and body_id is None and not driven:
        scope.live += 1
    scope.known[number] = process.known[number] = token
    return token
