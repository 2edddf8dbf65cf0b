"""Random sound processes: the kernel does what the reference model says, whatever happens to it.

Each law compares both sides after every act: what has begun, completed and been cancelled, in which
order, what is waited for, the variables, the ending; and the history, replayed, with the snapshot
(play.py, replay.py). `make laws` looks at many more processes, new ones each time.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from engine.kernel import compensation, events, process, repetition
from engine.model import InstanceState
from tests.laws.blocks import Inside, processes
from tests.laws.drawn import renamed
from tests.laws.play import Duet, play, play_out

LOTS = st.lists(st.integers(0, 11), max_size=12)
#: how many processes each law looks at; 0: as many as it says, the same ones in every run
LONG = int(os.environ.get("LAWS_EXAMPLES", "0"))


def law(examples: int) -> settings:
    """Return the settings of a law."""
    calm = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    return settings(max_examples=LONG or examples, derandomize=not LONG, suppress_health_check=calm)


@law(400)
@given(root=processes(), lots=LOTS)
def test_a_process_runs_as_the_standard_says(root: Inside, lots: list[int]) -> None:
    # given
    duet = Duet(root)
    # when
    play(duet, lots)
    play_out(duet)
    # then everything was compared, and it has an end
    assert not duet.running


@law(200)
@given(root=processes(), lots=LOTS)
def test_a_process_stored_and_loaded_after_every_element_does_the_same(
    root: Inside, lots: list[int]
) -> None:
    # given pieces of one element: every state goes through a snapshot
    stored, whole = Duet(root, piece=1), Duet(root)
    # when
    for duet in (stored, whole):
        play(duet, lots)
        play_out(duet)
    # then the histories are equal to the last word
    assert stored.player.events == whole.player.events


@law(200)
@given(root=processes(), lots=LOTS, shuffle=st.integers(0, 2**32))
def test_other_ids_and_another_order_in_the_file_change_nothing(
    root: Inside, lots: list[int], shuffle: int
) -> None:
    # given
    duet = Duet(root, shuffle=shuffle, rename=renamed)
    # when / then
    play(duet, lots)
    play_out(duet)


@law(200)
@given(root=processes(), lots=LOTS)
def test_cancelling_at_any_moment_leaves_nothing_open(root: Inside, lots: list[int]) -> None:
    # given
    duet = Duet(root)
    play(duet, lots)
    if not duet.running:
        return
    player = duet.player
    # when
    player.cancel("changed our minds")
    # then every element and every called instance that has begun has ended
    assert player.state is InstanceState.CANCELLED
    ended = player.happened("element.completed") + player.happened("element.cancelled")
    assert Counter(player.happened("element.activated")) == Counter(ended)
    begun = {e.instance_id for e in player.events if e.kind == "instance.started"}
    over = ("instance.completed", "instance.cancelled")
    assert begun == {e.instance_id for e in player.events if e.kind in over}


# ------------------------------------------------------------------ the laws can be broken


def _runs_through(examples: int) -> None:
    @settings(law(examples), phases=[Phase.generate], derandomize=True)
    @given(root=processes(), lots=LOTS)
    def run(root: Inside, lots: list[int]) -> None:
        duet = Duet(root)
        play(duet, lots)
        play_out(duet)

    run()


def _first_to_last(token: object, scope: object, records: list[object]) -> object:
    return _DRIVE(token, scope, records[::-1])  # type: ignore[arg-type]


_DRIVE = compensation.drive
#: a fault of each kind, put into the kernel for one test
FAULTS = {
    "compensation in the order of completion": (compensation, "drive", _first_to_last),
    "a scope that is completing still listens": (
        process.Process, "_only_guards_run", lambda self, scope: None,
    ),
    "enough instances do not end the others": (
        repetition.MultiInstance, "_is_complete", lambda self, body, seen: False,
    ),
    "an event that interrupts does not": (
        events.BoundaryEvent, "cancels", property(lambda self: False, lambda self, value: None),
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_the_laws_notice_a_kernel_with_a_fault(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    place, name, instead = FAULTS[fault]
    monkeypatch.setattr(place, name, instead)
    # when / then
    with pytest.raises((AssertionError, StopIteration)):
        _runs_through(400)
