"""What runs in the reference model: frames, variables, waits, and the levels of scopes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.laws import blocks as b

#: positions in the trail of all that a token directly comes from
Past = frozenset[int]
Then = Callable[[Past], None]
NOWHERE: Past = frozenset()
#: undoes something completed, then goes on
Record = Callable[[Past, Then], None]


@dataclass(eq=False)
class Frame:
    """Something that is cancelled as a whole; of an activity it carries the activity's id."""

    up: Frame | None = None
    element: str = ""
    alive: bool = True
    below: list[Frame] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.up is not None:
            self.up.below.append(self)


class Variables:
    """Names of one scope; one belongs to the nearest scope that has it, else to the outermost."""

    def __init__(self, up: Variables | None, values: dict[str, Any]) -> None:
        self.up = up
        self.values = values
        #: names that were changed, for what a call gives back
        self.changed: set[str] = set()

    def home(self, name: str) -> Variables:
        if name in self.values or self.up is None:
            return self
        return self.up.home(name)

    def get(self, name: str) -> Any:
        return self.home(name).values.get(name)

    def set(self, name: str, value: Any) -> None:
        home = self.home(name)
        if home.values.get(name) != value:
            home.values[name] = value
            home.changed.add(name)

    def all(self) -> dict[str, Any]:
        return {**(self.up.all() if self.up else {}), **self.values}


@dataclass(eq=False)
class Wait:
    """Something that only the outside can end."""

    kind: str  # user | message | timer
    element: str
    #: which instance of a multi-instance activity
    key: str
    frame: Frame
    go: Callable[[bool], None]
    due: datetime | None = None
    #: of a message
    name: str = ""
    #: it listens on after it has happened
    again: bool = False


@dataclass(eq=False)
class Host:
    """A running activity, with its boundary events."""

    frame: Frame
    level: Level
    #: what follows when an event interrupts it
    then: Then
    listeners: Sequence[b.Listener] = ()


@dataclass(eq=False)
class Level:
    """A running process or sub-process."""

    up: Level | None
    host: Host | None
    vars: Variables
    frame: Frame
    finish: Then
    guards: Sequence[b.Listener] = ()
    #: threads of the normal flow, and event sub-processes that run
    flowing: int = 1
    guarding: int = 0
    past: Past = NOWHERE
    #: what was completed and can be undone, oldest first
    records: list[Record] = field(default_factory=list)
    #: the event sub-process that it belongs to
    handles: b.Listener | None = None
