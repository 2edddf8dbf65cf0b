"""Ad hoc sub-processes in which data choose what begins (`zeebe:adHoc`, Camunda 8)."""

from __future__ import annotations

import pytest

from tests.drawing import diagram, end, extension, node, path, process, script, start, user
from tests.unit.kernel.player import Player


def drawn(chosen: str, *, until: str = "", ordering: str = "Parallel") -> bytes:
    """Return an ad hoc sub-process with u1, u2 (followed by x2) and x3."""
    done = f"<completionCondition>={until}</completionCondition>" if until else ""
    inside = user("u1") + user("u2") + script("x2", "1", "x") + path("u2", "x2")
    inside += script("x3", "1", "x") + script("x4", "1", "x")
    chooses = extension(f"<zeebe:adHoc activeElementsCollection='{chosen}'/>")
    host = node("adHocSubProcess", "h", chooses, inside, done, ordering=ordering)
    return diagram(process("p", start("s"), host, end("e"), path("s", "h", "e")))


def ran(play: Player, *ids: str) -> list[str]:
    """Return which of these elements have completed, in their order."""
    return [one for one in play.trail if one in ids]


def test_only_what_is_chosen_begins_and_the_rest_is_never_offered() -> None:
    # given
    play = Player(drawn("=[first, &quot;x3&quot;]"))
    # when
    play.start(first="u2")
    # then
    assert (play.open, ran(play, "x3", "x4")) == (["u2"], ["x3"])
    # when
    play.complete("u2")
    # then what follows it runs too, and the part ends without u1 and x4
    assert ran(play, "x2", "x4", "u1") == ["x2"]
    assert play.ended


def test_what_is_chosen_one_after_the_other_keeps_the_order_of_the_list() -> None:
    play = Player(drawn("=chosen", ordering="Sequential"))

    play.start(chosen=["x4", "x3", "x4"])

    assert ran(play, "x3", "x4") == ["x4", "x3"]
    assert play.ended


def test_where_nothing_is_chosen_the_part_is_over_at_once() -> None:
    play = Player(drawn("=[]"))

    play.start()

    assert play.open == []
    assert play.ended


def test_the_condition_still_ends_it_early() -> None:
    play = Player(drawn("=[&quot;u1&quot;, &quot;u2&quot;]", until="enough"))
    play.start(enough=False)

    play.complete("u1", enough=True)

    assert play.open == []
    assert play.ended


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        (None, "'chosen' is nothing (null), not a list of ids"),
        ("u1", "not a list of ids of the activities that begin"),
        ([1], "not a list of ids of the activities that begin"),
        (["u1", "gone"], "no activity 'gone' can begin here; those are: u1, u2, x3, x4"),
        (["x2"], "no activity 'x2' can begin here"),
    ],
)
def test_a_choice_that_means_nothing_is_an_incident_and_can_be_tried_again(
    chosen: object, told: str
) -> None:
    # given
    play = Player(drawn("=chosen"))
    # when
    play.start(chosen=chosen)
    # then
    (incident,) = play.incidents.values()
    assert told in incident.message
    assert play.open == []
    # and when it is tried again, it says so again
    play.retry("h")
    assert [told in one.message for one in play.incidents.values()] == [True]
