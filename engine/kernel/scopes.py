"""Variables live in scopes: instance, sub-process, multi-instance body, mapped activity.

A scope knows its parent; a called process has none. Values are never changed in place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.model import Value

#: owner of the scope around the instance: the data stores of its process
STORES = -1


class Variables:
    """One variable scope."""

    __slots__ = ("owner", "parent", "values", "written")

    def __init__(
        self, owner: int, parent: Variables | None, values: dict[str, Value] | None = None
    ) -> None:
        #: token the scope belongs to; 0 for the root instance
        self.owner = owner
        self.parent = parent
        self.values: dict[str, Value] = {} if values is None else values
        #: names set since a called process began; None where nobody asks
        self.written: set[str] | None = None

    def view(self) -> Mapping[str, Value]:
        """Return what an expression sees from here: this scope and all around it."""
        if self.parent is None:
            return self.values
        return _View(self)

    def home_of(self, name: str) -> Variables:
        """Return the nearest scope that has the name, else the outermost one of the instance."""
        scope = self
        while name not in scope.values:
            around = scope.parent
            if around is None or (around.owner == STORES and name not in around.values):
                break
            scope = around
        return scope

    def own_view(self) -> Mapping[str, Value]:
        """Return what is seen from here of the instance itself, without its data stores."""
        if self.parent is None or self.parent.owner == STORES:
            return self.values
        return _View(self, with_stores=False)


class _View(Mapping[str, Value]):
    """A chain of scopes as one mapping; inner names hide outer ones."""

    __slots__ = ("_end", "_scope")

    def __init__(self, scope: Variables, *, with_stores: bool = True) -> None:
        self._scope = scope
        self._end: Variables | None = None
        if not with_stores:
            self._end = scope
            while self._end is not None and self._end.owner != STORES:
                self._end = self._end.parent

    def __getitem__(self, name: str) -> Value:
        scope: Variables | None = self._scope
        while scope is not self._end and scope is not None:
            if name in scope.values:
                return scope.values[name]
            scope = scope.parent
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        scope: Variables | None = self._scope
        while scope is not self._end and scope is not None:
            if name in scope.values:
                return True
            scope = scope.parent
        return False

    def get(self, name: str, default: Value = None) -> Value:
        scope: Variables | None = self._scope
        while scope is not self._end and scope is not None:
            values = scope.values
            if name in values:
                return values[name]
            scope = scope.parent
        return default

    def __iter__(self) -> Iterator[str]:
        return iter(self._merged())

    def __len__(self) -> int:
        return len(self._merged())

    def _merged(self) -> dict[str, Value]:
        chain = []
        scope: Variables | None = self._scope
        while scope is not self._end and scope is not None:
            chain.append(scope.values)
            scope = scope.parent
        merged: dict[str, Value] = {}
        for values in reversed(chain):
            merged.update(values)
        return merged


class Overlay(Mapping[str, Value]):
    """Some names of the moment (loop counters, attributes of a gateway) before a view."""

    __slots__ = ("_below", "_names")

    def __init__(self, names: Mapping[str, Value], below: Mapping[str, Value]) -> None:
        self._names = names
        self._below = below

    def __getitem__(self, name: str) -> Value:
        return self._names[name] if name in self._names else self._below[name]

    def __contains__(self, name: object) -> bool:
        return name in self._names or name in self._below

    def get(self, name: str, default: Value = None) -> Value:
        return self._names[name] if name in self._names else self._below.get(name, default)

    def __iter__(self) -> Iterator[str]:
        return iter({**self._below, **self._names})

    def __len__(self) -> int:
        return len({**self._below, **self._names})


def put_path(target: str, value: Value, seen: Mapping[str, Value]) -> tuple[str, Value]:
    """Resolve a mapping target such as `order.total`: -> (variable, its new value).

    `seen` is where the variable is read from; contexts on the way are copied, never changed.
    """
    name, _, rest = target.partition(".")
    if not rest:
        return name, value
    old = seen.get(name)
    inner_name, inner = put_path(rest, value, old if isinstance(old, dict) else {})
    base = dict(old) if isinstance(old, dict) else {}
    base[inner_name] = inner
    return name, base
