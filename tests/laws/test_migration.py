"""Random sound processes move to another version at any moment, and go on as if nothing had been.

The same acts happen to a case that moves and to one that does not; both histories are compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from engine import kernel
from engine.kernel import snapshot as snapshots
from engine.languages import Languages
from engine.model import Event, Migrate, Start
from tests.laws.blocks import Inside, processes
from tests.laws.drawn import draw, renamed
from tests.laws.play import Duet, play, play_out
from tests.laws.test_laws import LOTS, law
from tests.unit.kernel.player import Player

#: marks the definitions of a version that differs from the first in nothing but its number
AGAIN = "again/"


def definitions(drawing: bytes) -> dict[str, kernel.Definition]:
    tree = etree.fromstring(drawing)
    ids = [str(p.get("id")) for p in tree.iter("{*}process")]
    return {id: kernel.parse(tree, id, languages=Languages(), file="drawing") for id in ids}


def acts_of(root: Inside, lots: list[int], *, rename: bool = False) -> Duet:
    """Play a process to its end, as it is or with other ids, and keep every command."""
    duet = Duet(root, rename=renamed if rename else None)
    play(duet, lots)
    play_out(duet)
    return duet


def instances_of(player: Player) -> list[tuple[str, str]]:
    """Return the running instances, each with its definition."""
    if player.snapshot is None:
        return []
    return list({row[3]: row[2] for row in snapshots.read(player.snapshot)["s"]}.items())


def ids(definition: kernel.Definition) -> Iterator[str]:
    """Yield the ids of all elements and flows."""
    for spec in definition.scopes.values():
        for node in spec.nodes():
            yield node.bpmn_id
            yield from (flow.id for flow in node.outgoing)


def told(events: list[Event]) -> Iterator[Event]:
    """Yield what happened in the ids of the other version, the move itself left out."""
    for event in events:
        if event.kind == "element.migrated":
            continue
        name = event.name
        if event.kind in ("element.activated", "compensation.started") and name is not None:
            name = name if name.startswith("z") else renamed(name)
        element = event.element_id
        if element is not None and not element.startswith("z"):
            element = renamed(element)
        yield event._replace(element_id=element, name=name)


@law(150)
@given(root=processes(), lots=LOTS)
def test_a_case_that_moves_to_an_equal_version_at_every_step_does_the_same(
    root: Inside, lots: list[int]
) -> None:
    # given
    duet = acts_of(root, lots)
    moving = Player(draw(root))
    moving.definitions |= {AGAIN + id: one for id, one in definitions(draw(root)).items()}
    # when
    for command, now in duet.player.given:
        moving.now = now
        moving.do(command)
        for instance_id, definition_id in instances_of(moving):
            plain = definition_id.removeprefix(AGAIN)
            other = plain if definition_id != plain else AGAIN + plain
            moving.do(Migrate(instance_id=instance_id, definition_id=other))
    # then
    assert moving.events == duet.player.events


@law(150)
@given(root=processes(), lots=LOTS, moment=st.integers(0, 20))
def test_a_case_that_moves_where_all_has_other_ids_goes_on_there(
    root: Inside, lots: list[int], moment: int
) -> None:
    # given
    there = acts_of(root, lots, rename=True)
    moving = Player(draw(root))
    targets = definitions(draw(root, rename=True))
    mappings = {id: {name: renamed(name) for name in ids(one)}
                for id, one in moving.definitions.items()}  # fmt: skip
    moving.definitions |= targets
    # when
    for number, (command, now) in enumerate(there.player.given):
        moving.now = now
        if isinstance(command, Start):
            command = replace(command, definition_id="main")
        moving.do(command)
        if number == moment:
            for instance_id, definition_id in instances_of(moving):
                moving.do(Migrate(instance_id=instance_id, definition_id=renamed(definition_id),
                                  mapping=mappings[definition_id]))  # fmt: skip
    # then
    assert list(told(moving.events)) == list(told(there.player.events))
