"""The history replayed: what it says about a case is what the snapshot says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from engine.kernel import snapshot as snapshots
from engine.kernel.tokens import READY
from engine.model import Event, InstanceState
from tests.unit.kernel.player import Player

#: places in the rows of a snapshot (engine/kernel/snapshot.py)
_OWNER, _NAME, _INSTANCE, _VALUES = 0, 1, 3, 4
_TOKEN, _STATE, _HOST, _OWN = 0, 3, 4, 7


#: how an instance can end
_ENDED = frozenset(state.value for state in InstanceState if state is not InstanceState.RUNNING)


@dataclass
class Replay:
    """A case as its history tells it."""

    #: tokens of elements that have begun and not ended
    open: set[int] = field(default_factory=set)
    #: owner of a scope -> name -> value
    variables: dict[int, dict[str, Any]] = field(default_factory=dict)
    #: instances that have begun and not ended
    instances: set[str] = field(default_factory=set)

    def take(self, events: Iterable[Event]) -> None:
        """Go on with what has happened."""
        for event in events:
            match event.kind:
                case "element.activated":
                    self.open.add(_token(event))
                case "element.completed" | "element.cancelled":
                    self.open.remove(_token(event))
                case "variable.set":
                    self.variables.setdefault(_token(event), {})[str(event.name)] = event.value
                case "instance.started":
                    self.instances.add(event.instance_id)
                case kind if kind.removeprefix("instance.") in _ENDED:
                    self.instances.discard(event.instance_id)


def _token(event: Event) -> int:
    assert event.token is not None
    return event.token


def check_replay(play: Player) -> None:
    """After every step so far, the history gives the snapshot."""
    replay: Replay | None = getattr(play, "replayed", None)
    if replay is None:
        replay = Replay()
        play.replayed = replay  # type: ignore[attr-defined]
        play.looked_at = 0  # type: ignore[attr-defined]
    for step in play.steps[play.looked_at :]:  # type: ignore[attr-defined]
        replay.take(step.events)
        if step.snapshot is None:
            assert not replay.open
            assert not replay.instances
        else:
            _compare(replay, snapshots.read(step.snapshot))
    play.looked_at = len(play.steps)  # type: ignore[attr-defined]


def _compare(replay: Replay, state: dict[str, Any]) -> None:
    rows = [row + [None] * (11 - len(row)) for row in state["t"]]
    begun = {r[_TOKEN] for r in rows if r[_HOST] is None and r[_STATE] != READY}
    assert replay.open == begun
    assert replay.instances == {scope[_INSTANCE] for scope in state["s"]}
    local = {r[_TOKEN]: r[_OWN] for r in rows if r[_OWN] is not None}
    scopes = {s[_OWNER]: s[_VALUES] for s in state["s"] if s[_VALUES] is not None}
    for owner, values in {**local, **scopes}.items():
        told = replay.variables.get(owner, {})
        # names of the moment (loopCounter, the list that fills) are no variables of the history
        assert {n: v for n, v in values.items() if n in told} == told
        if owner == 0:
            assert values == told
