"""Blocks: the tree from which a random sound process is both drawn and played by the reference.

A block has one way in and one way out. `numbered` gives each an id; until then ids are empty.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from hypothesis import strategies as st

#: codes of errors and escalations; a listener with none catches all
CODES = ("A", "B")


@dataclass
class Block:
    """One place of the tree."""

    id: str = field(default="", init=False)


@dataclass
class Listener(Block):
    """A boundary event, or the start event of an event sub-process, with what follows it."""

    trigger: Literal["timer", "message", "error", "escalation"]
    #: of errors and escalations; "" catches every code
    code: str
    interrupts: bool
    #: how often its timer fires if it does not interrupt
    times: int
    handler: Block
    #: of a timer; chosen with the id, so that few are due at the same moment
    seconds: int = field(default=0, init=False)


@dataclass
class Inside(Block):
    """What a process or sub-process holds: one block from start to end, and event sub-processes."""

    body: Block
    guards: list[Listener]


@dataclass
class Repeat:
    """Multi-instance: how many, one after the other or not, and how many are enough (0: all)."""

    count: int
    sequential: bool
    enough: int


@dataclass
class Activity(Block):
    """A task, a sub-process or a call."""

    kind: Literal["script", "user", "sub", "call"]
    inside: Inside | None
    repeat: Repeat | None
    listeners: list[Listener]
    #: a compensation handler is drawn beside it
    undoable: bool


@dataclass
class Sequence(Block):
    """One after the other."""

    parts: list[Block]


@dataclass
class Parallel(Block):
    """All at once, between two parallel gateways."""

    parts: list[Block]


@dataclass
class Inclusive(Block):
    """Some at once, between two inclusive gateways; the first is the default flow."""

    taken: list[bool]
    parts: list[Block]


@dataclass
class Exclusive(Block):
    """One of several, chosen by a variable."""

    pick: int
    parts: list[Block]


@dataclass
class Race(Block):
    """One of several, behind an event-based gateway: the first that happens."""

    parts: list[Listener]


@dataclass
class Loop(Block):
    """Again, so many times in all, by an exclusive gateway that looks at a variable."""

    rounds: int
    body: Block


@dataclass
class Leave(Block):
    """A user task after which the path may end: by an error, or by terminating its scope."""

    kind: Literal["error", "terminate"]
    code: str


@dataclass
class Raise(Block):
    """A user task, then an escalation."""

    code: str


@dataclass
class Undo(Block):
    """A user task, then the compensation of all that was completed in its scope."""


#: The reference plays branches one after the other, the kernel in turns. Both agree if whatever can
#: end other branches (ends, escalations, completion conditions) stands behind a wait, so that its
#: token is the only one that moves. Leave, Raise and Undo therefore begin with a user task.


def numbered(root: Inside) -> Inside:
    """Give every block an id and every timer its time."""
    for number, block in enumerate(walk(root), 1):
        block.id = f"{type(block).__name__.lower()}{number}"
        if isinstance(block, Listener):
            block.seconds = 101 + 37 * number + number**3
    return root


def walk(block: Block) -> Iterator[Block]:
    """Yield a block and all inside it."""
    yield block
    for part in _parts(block):
        yield from walk(part)


def _parts(block: Block) -> list[Block]:
    match block:
        case Sequence(parts) | Parallel(parts) | Inclusive(_, parts) | Exclusive(_, parts):
            return parts
        case Race(branches):
            return list(branches)
        case Loop(_, body):
            return [body]
        case Listener(handler=handler):
            return [handler]
        case Inside(body, guards):
            return [body, *guards]
        case Activity(inside=inside, listeners=listeners):
            return [*([inside] if inside else []), *listeners]
    return []


# ------------------------------------------------------------------ drawing lots

#: blocks of one process that hold others
MOST = 7
_PLAIN = ("script", "user", "leave", "raise", "undo")
_COMPOSED = (
    "sequence", "parallel", "inclusive", "exclusive", "race", "loop", "undone", "watched", "sub",
    "call",
)  # fmt: skip


@st.composite
def processes(draw: st.DrawFn) -> Inside:
    """Return a whole process; the first of everything is the simplest, to which examples shrink."""
    return numbered(_Lots(draw).inside())


class _Lots:
    """Draws the blocks of one process."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self._left = MOST

    def inside(self) -> Inside:
        return Inside(self.block(), self._listeners(thrown=True))

    def block(self) -> Block:
        kinds = _PLAIN + _COMPOSED if self._left > 0 else _PLAIN
        kind = self._draw(st.sampled_from(kinds))
        if kind in _COMPOSED:
            self._left -= 1
            return self._composed(kind)
        match kind:
            case "leave":
                ends: tuple[Literal["error", "terminate"], ...] = ("error", "terminate")
                return Leave(self._draw(st.sampled_from(ends)), self._code())
            case "raise":
                return Raise(self._code())
            case "undo":
                return Undo()
            case "script":
                return _calm(Activity("script", None, self._repeat(), [], self._flag()))
        return Activity("user", None, None, [], self._flag())

    def _composed(self, kind: str) -> Block:
        match kind:
            case "sequence":
                return Sequence(self._few())
            case "parallel":
                return Parallel(self._few())
            case "inclusive":
                return Inclusive([self._flag() for _ in range(3)], self._few())
            case "exclusive":
                return Exclusive(self._number(0, 2), self._few())
            case "race":
                return Race([self._outside(True) for _ in range(self._number(2, 3))])
            case "loop":
                return Loop(self._number(1, 3), self.block())
            case "undone":
                done = [Activity("script", None, None, [], True) for _ in range(2)]
                return Sequence([done[0], self.block(), done[1], Undo()])
            case "watched":
                watched = self._listeners(thrown=False)
                return Activity("user", None, self._repeat(), watched, self._flag())
            case "sub":
                inside, watched = self.inside(), self._listeners(thrown=True)
                return _calm(Activity("sub", inside, self._repeat(), watched, False))
        inside, watched = self.inside(), self._listeners(thrown=True)
        return _calm(Activity("call", inside, self._repeat(), watched, False))

    def _few(self) -> list[Block]:
        return [self.block() for _ in range(self._number(2, 3))]

    def _listeners(self, *, thrown: bool) -> list[Listener]:
        """At most two, of different triggers and codes; `thrown`: errors and escalations too."""
        found: dict[tuple[str, str], Listener] = {}
        for _ in range(self._number(0, 2)):
            one = self._outside(None)
            if thrown and self._flag():
                one.trigger = "escalation" if self._flag() else "error"
                one.code = self._draw(st.sampled_from(["", *CODES]))
                one.interrupts = one.interrupts or one.trigger == "error"
            found.setdefault((one.trigger, one.code), one)
        return list(found.values())

    def _outside(self, interrupts: bool | None) -> Listener:
        triggers: tuple[Literal["message", "timer"], ...] = ("message", "timer")
        trigger = self._draw(st.sampled_from(triggers))
        cancels = self._flag() if interrupts is None else interrupts
        return Listener(trigger, "", cancels, self._number(1, 2), self.block())

    def _repeat(self) -> Repeat | None:
        if not self._flag():
            return None
        return Repeat(self._number(0, 3), self._flag(), self._number(0, 2))

    def _code(self) -> str:
        return self._draw(st.sampled_from(CODES))

    def _flag(self) -> bool:
        return self._draw(st.booleans())

    def _number(self, low: int, high: int) -> int:
        return self._draw(st.integers(low, high))


def _calm(activity: Activity) -> Activity:
    """Let every instance wait where a completion condition could end the others."""
    repeat = activity.repeat
    if repeat is None or not repeat.enough or activity.kind == "user":
        return activity
    if activity.inside is None:
        repeat.enough = 0
        return activity
    first = Activity("user", None, None, [], False)
    activity.inside.body = Sequence([first, activity.inside.body])
    return activity
