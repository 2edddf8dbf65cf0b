"""Reading what a running instance holds without rebuilding it."""

from __future__ import annotations

from typing import Any

from engine.kernel.large import Fetch, fill, references
from engine.kernel.snapshot import read
from engine.model import Value, Variables


def variables_of(snapshot: bytes, fetch: Fetch) -> dict[str, list[dict[str, Any]]]:
    """Return for each instance (root or called) its scopes: token, element and variables.

    The outermost scope comes first, with token 0 for the root and element None.
    """
    state = read(snapshot)
    fill(state, fetch)
    instance_of: dict[int, str] = {}
    found: dict[str, list[dict[str, Any]]] = {}
    for owner, _name, _definition, instance_id, values, *_ in state["s"]:
        first = instance_id not in found
        instance_of[owner] = instance_id
        scopes = found.setdefault(instance_id, [])
        if values is not None:
            scopes.append(_entry(owner, None if first else str(owner), values))
    for row in state["t"]:
        own: dict[str, Value] | None = row[7] if len(row) > 7 else None
        if own:
            found[instance_of[row[1]]].append(_entry(row[0], row[2], own))
    return found


def visible_to(snapshot: bytes, token: int, fetch: Fetch) -> dict[str, Value]:
    """Return the variables that a token sees: those of its process, the inner ones win."""
    state = read(snapshot)
    fill(state, fetch)
    scopes = {row[0]: (row[3], row[4]) for row in state["s"]}
    tokens = {row[0]: (row[1], row[7] if len(row) > 7 else None) for row in state["t"]}
    layers: list[Variables] = []
    instance: str | None = None
    while token in tokens:
        scope, own = tokens[token]
        if instance is not None and scopes[scope][0] != instance:
            break  # the caller's variables are not those of a called process
        instance, values = scopes[scope]
        layers += [own or {}, values or {}]
        token = scope
    return {name: value for layer in reversed(layers) for name, value in layer.items()}


def active_in(snapshot: bytes, instance_id: str) -> dict[str, int]:
    """Return where an instance stands: elements with how many tokens flow or wait at them."""
    state = read(snapshot)
    inside = {row[0] for row in state["s"] if row[3] == instance_id}
    found: dict[str, int] = {}
    for row in sorted(state["t"], key=lambda row: int(row[0])):
        listens, part = (len(row) > place and row[place] is not None for place in (4, 5))
        if row[1] in inside and not listens and not part:
            found[row[2]] = found.get(row[2], 0) + 1
    for scope in state["s"]:
        if scope[0] in inside:
            for name, flows in (scope[6] or {}).items():
                found[name] = found.get(name, 0) + sum(flows.values())
    return found


def listeners_of(snapshot: bytes, token: int) -> list[int]:
    """Return the tokens of the boundary events that wait at the activity of a token."""
    return [row[0] for row in read(snapshot)["t"] if len(row) > 4 and row[4] == token]


def large_in(snapshot: bytes) -> list[str]:
    """Return the hashes of the large values that a running instance needs."""
    return references(read(snapshot))


def _entry(token: int, element: str | None, values: dict[str, Value]) -> dict[str, Any]:
    return {"scope": token, "element": element, "variables": values}
