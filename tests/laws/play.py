"""Plays a process on the kernel and on the reference side by side, and compares after every act."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from hypothesis import assume

from engine.model import Complete, Deliver, Fire, InstanceState
from tests.laws import blocks as b
from tests.laws.drawn import draw, variables
from tests.laws.reference import Reference
from tests.laws.replay import check_replay
from tests.laws.running import Wait
from tests.unit.kernel.player import BEGIN, Player

#: acts after which a process must have come to its end
LONGEST = 300
_ENDINGS = {
    InstanceState.RUNNING: "running",
    InstanceState.COMPLETED: "completed",
    InstanceState.TERMINATED: "terminated",
    InstanceState.FAILED: "failed",
}


class Duet:
    """One case on both sides."""

    def __init__(
        self,
        root: b.Inside,
        *,
        piece: int = 1000,
        shuffle: int | None = None,
        rename: Callable[[str], str] | None = None,
    ) -> None:
        self._called = rename or (lambda id: id)
        begin = variables(root)
        self.activities = {self._called(id) for id in activities(root)}
        self.reference = Reference(root, dict(begin), BEGIN)
        drawing = draw(root, shuffle=shuffle, rename=rename is not None)
        self.player = Player(drawing, activations=piece, pieces=10**6)
        self._seen = 0
        self.player.start(**begin)
        self.compare()

    @property
    def running(self) -> bool:
        return self.reference.state == "running"

    # ------------------------------------------------ acting

    def choices(self) -> list[tuple[Wait, bool]]:
        """Return what may happen next: open tasks with both answers, messages, the next timer."""
        # of several tokens at one place the oldest is next, on both sides
        oldest: dict[tuple[str, str], Wait] = {}
        for wait in self.reference.waits:
            if wait.due is None:
                oldest.setdefault((wait.element, wait.key), wait)
        timers = [wait for wait in self.reference.waits if wait.due is not None]
        first = min((wait.due for wait in timers if wait.due), default=None)
        due = [wait for wait in timers if wait.due == first]
        # timers of different elements that are due at one moment have no order
        assume(len({wait.element for wait in due}) <= 1)
        found = [(wait, False) for wait in (*oldest.values(), *due[:1])]
        asked = [w for w in oldest.values() if w.kind == "user" and w.element.startswith("leave")]
        return [*found, *((wait, True) for wait in asked)]

    def act(self, wait: Wait, answer: bool) -> None:
        """Let one thing happen on both sides, and compare."""
        token = self._token(wait)
        self._seen = len(self.reference.trail)
        before = len(self.player.events)
        self.reference.do(wait, answer)
        if wait.kind == "user":
            result = {f"go_{wait.element}": answer} if wait.element.startswith("leave") else {}
            self.player.do(Complete(token=token, result=result))
        elif wait.kind == "message":
            self.player.do(Deliver(token=token, name=wait.name, payload={}))
        else:
            assert wait.due is not None
            self.player.now = self.reference.now
            self.player.do(Fire(token=token))
        self.compare(before)

    def _token(self, wait: Wait) -> int:
        """Return the kernel's oldest token for a wait."""
        element = self._called(wait.element)
        play = self.player
        if wait.kind == "user":
            rows: Iterable[Any] = (r for r in play.people.values() if r.assignee == wait.key)
        elif wait.kind == "message":
            rows = (r for r in play.catches.values() if r.key == wait.key)
        else:
            rows = sorted((r for r in play.works.values() if r.due_at == wait.due), key=_number)
        return int(next(row.token for row in rows if row.element_id == element))

    # ------------------------------------------------ comparing

    def compare(self, before: int = 0) -> None:
        """Both sides have done the same and wait for the same."""
        play, model = self.player, self.reference
        assert play.state is not None
        assert not [i for i in play.incidents.values() if i.kind != "uncaught_error"]
        assert _ENDINGS[play.state] == model.state
        assert self._waits() == self._expected_waits()
        for kind in ("begun", "completed", "cancelled"):
            happened = {"begun": "activated"}.get(kind, kind)
            got = Counter(e for e in play.happened(f"element.{happened}") if e in self.activities)
            wanted = {self._called(id): n for id, n in getattr(model, kind).items()}
            assert got == wanted, kind
        self._compare_order(before)
        if model.state != "failed":
            written = {n: v for n, v in play.variables().items() if n in model.variables.values}
            assert written == model.variables.values
        check_replay(play)

    def _waits(self) -> Counter[tuple[Any, ...]]:
        play = self.player
        found: list[tuple[Any, ...]] = [(r.element_id, r.assignee) for r in play.people.values()]
        found += [(r.element_id, r.name, r.key) for r in play.catches.values()]
        found += [(r.element_id, r.due_at) for r in play.works.values()]
        return Counter(found)

    def _expected_waits(self) -> Counter[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        for wait in self.reference.waits:
            element = self._called(wait.element)
            if wait.kind == "user":
                found.append((element, wait.key))
            elif wait.kind == "message":
                found.append((element, wait.name, wait.key))
            else:
                found.append((element, wait.due))
        return Counter(found) if self.running else Counter()

    def _compare_order(self, before: int) -> None:
        """What one activity comes from was completed before it, wherever both are unmistakable."""
        done = [
            e.element_id for e in self.player.events[before:]
            if e.kind == "element.completed" and e.element_id in self.activities
        ]  # fmt: skip
        trail = self.reference.trail
        here = [id for id, _ in trail[self._seen :]]
        once = {id for id, n in Counter(here).items() if n == 1}
        for place, id in enumerate(here, self._seen):
            for cause in trail[place][1]:
                earlier = trail[cause][0]
                if cause < self._seen or not {id, earlier} <= once:
                    continue
                if self._is_order(earlier, id):
                    assert done.index(self._called(earlier)) < done.index(self._called(id))

    def _is_order(self, earlier: str, later: str) -> bool:
        """Handlers run against the order of what they undo: an order only if that had one."""
        if not (earlier.startswith("undo_") and later.startswith("undo_")):
            return True
        names = [id for id, _ in self.reference.trail]
        undone = [names.index(id.removeprefix("undo_")) for id in (earlier, later)]
        return names.count(names[undone[1]]) == 1 and self.reference.follows(*undone)


def _number(row: Any) -> int:
    return int(row.token)


def activities(root: b.Inside) -> set[str]:
    """Return the ids of all that both sides count."""
    found: set[str] = set()
    for block in b.walk(root):
        if isinstance(block, b.Activity):
            found.add(block.id)
            if block.undoable:
                found.add(f"undo_{block.id}")
        elif isinstance(block, (b.Leave, b.Raise, b.Undo)):
            found.add(block.id)
        if isinstance(block, (b.Inside,)):
            found |= {guard.id for guard in block.guards}
        if isinstance(block, b.Activity) and block.inside is not None:
            found |= {guard.id for guard in block.inside.guards}
    return found


def play(duet: Duet, lots: Sequence[int]) -> None:
    """Let things happen as the lots fall."""
    for lot in lots:
        if not duet.running:
            return
        choices = duet.choices()
        duet.act(*choices[lot % len(choices)])


def play_out(duet: Duet) -> None:
    """Bring a case to its end: people first, then messages that are needed, then the clock."""
    for _ in range(LONGEST):
        if not duet.running:
            return
        choices = [one for one in duet.choices() if not one[0].again]
        duet.act(*min(choices, key=lambda one: ("user", "message", "timer").index(one[0].kind)))
    raise AssertionError(f"it has no end after {LONGEST} acts")
