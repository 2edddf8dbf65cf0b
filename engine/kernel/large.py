"""Large values stand beside the snapshot: it holds their hashes, the runtime keeps the values.

Values are never changed in place, so one that came from outside is known again by its identity and
costs nothing more, however often the case is saved.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from engine import codec
from engine.codec import Reference
from engine.model import Value

#: root instance and hashes -> JSON of the values by hash
Fetch = Callable[[str, Sequence[str]], Mapping[str, bytes]]

#: bytes of JSON that one character can take
_WORST = 6


class LargeValues:
    """The large values of one instance during one step."""

    __slots__ = ("_known", "fresh", "limit")

    def __init__(self, limit: int) -> None:
        #: a value with more bytes of JSON is large; 0: none is
        self.limit = limit
        #: JSON of what is large and was not stored before, by hash
        self.fresh: dict[str, str] = {}
        # by identity; the value is kept, so that its identity stays its own
        self._known: dict[int, tuple[Value, Reference]] = {}

    def __bool__(self) -> bool:
        return bool(self._known)

    def note(self, value: Value, reference: Reference) -> None:
        """Know a value that came from outside."""
        self._known[id(value)] = (value, reference)

    def outside(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """Return variables with references in place of what is known to be large."""
        known = self._known
        return {
            name: known[id(value)][1] if id(value) in known else value
            for name, value in values.items()
        }

    def find(self, values: Mapping[str, Value]) -> None:
        """Look for large values that are not known yet."""
        for value in values.values():
            if id(value) not in self._known and _may_be_large(value, self.limit):
                text = codec.encode(value)
                if len(text) > self.limit:
                    digest = hashlib.sha256(text).hexdigest()
                    self.fresh[digest] = text.decode()
                    self.note(value, Reference(digest))


def _may_be_large(value: Value, limit: int) -> bool:
    if isinstance(value, str):
        return len(value) * _WORST > limit
    return isinstance(value, (list, dict))


def inside(state: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the variables of every scope and token of a snapshot that has been read."""
    for row in state["s"]:
        if row[4] is not None:
            yield row[4]
    for row in state["t"]:
        if len(row) > 7 and row[7] is not None:
            yield row[7]


def references(state: dict[str, Any]) -> list[str]:
    """Return the hashes that a snapshot needs, each once."""
    found = {
        value.hash: None
        for values in inside(state)
        for value in values.values()
        if type(value) is Reference
    }
    return list(found)


def fill(state: dict[str, Any], fetch: Fetch, large: LargeValues | None = None) -> None:
    """Put the values in place of the references of a snapshot that has been read."""
    wanted = references(state)
    if not wanted:
        return
    root_id = next(row[3] for row in state["s"] if row[0] == 0)
    texts = fetch(root_id, wanted)
    for values in inside(state):
        for name, value in values.items():
            if type(value) is Reference:
                values[name] = codec.decode(texts[value.hash])
                if large is not None:
                    large.note(values[name], value)
