"""Transactions at every place: cancelled, ended well, left by an error (BPMN 2.0.2, 10.3.5)."""

from __future__ import annotations

import pytest

from tests.drawing import about, boundary, end, message, node, path, script, start, user
from tests.unit.kernel.places import Place, everywhere
from tests.unit.kernel.test_variations_undoing import ROOTS, undoable


@everywhere
@pytest.mark.parametrize("leads", [True, False])
def test_a_cancelled_transaction_ends_undoes_and_leaves_by_its_cancel_event(
    place: Place, leads: bool
) -> None:
    # 10.3.5, 13.5.6: all that runs is ended, what completed is undone, then the cancel event
    inside = (
        start("x_s")
        + script("a", "1", "x")
        + undoable("a", "ask_a")
        + user("never")
        + end("x_e")
        + user("decide")
        + end("x_c", about("cancel"))
        + path("x_s", "a", "decide", "x_c")
        + path("x_s", "never", "x_e")
    )
    out = (
        boundary("b", "low", about("cancel"))
        + script("left", "1", "y")
        + end("be")
        + path("b", "left", "be")
    )
    body = (
        start("s")
        + script("before", "1", "x")
        + undoable("before")
        + node("transaction", "low", inside)
        + script("after", "1", "y")
        + end("e")
        + path("s", "before", "low", "after", "e")
        + (out if leads else "")
    )
    stage = place.play(body)
    stage.complete("decide")
    assert [i for i in stage.open if i != "hold"] == ["ask_a"]
    stage.complete("ask_a")
    assert stage.ran("after", "left", "undo_before", "never") == (["left"] if leads else [])
    assert place.over(stage)
    assert stage.idle


@everywhere
def test_a_transaction_that_ends_well_is_not_undone(place: Place) -> None:
    inside = (
        start("x_s") + script("a", "1", "x") + undoable("a") + end("x_e") + path("x_s", "a", "x_e")
    )
    body = (
        start("s")
        + node("transaction", "low", inside)
        + boundary("b", "low", about("cancel"))
        + script("left", "1", "y")
        + end("be")
        + path("b", "left", "be")
        + end("e")
        + path("s", "low", "e")
    )
    stage = place.play(body)
    assert stage.ran("undo_a", "left") == []
    assert place.over(stage)


@everywhere
def test_an_error_leaves_a_transaction_without_undoing(place: Place) -> None:
    # 10.3.5: a hazard interrupts the transaction; compensation is for the handler to decide
    inside = (
        start("x_s")
        + script("a", "1", "x")
        + undoable("a")
        + end("x_e", about("error", "E"))
        + path("x_s", "a", "x_e")
    )
    body = (
        start("s")
        + node("transaction", "low", inside)
        + boundary("b", "low", about("error", "E"))
        + script("left", "1", "y")
        + end("be")
        + path("b", "left", "be")
        + end("e")
        + path("s", "low", "e")
    )
    stage = place.play(body, *ROOTS)
    assert stage.ran("undo_a", "left") == ["left"]
    assert place.over(stage)


@everywhere
def test_while_a_transaction_is_undone_its_other_events_have_no_say(place: Place) -> None:
    # 10.3.5, 13.3.2: a cancelled transaction is no longer active; cancel is the way out of it
    inside = (
        start("x_s")
        + script("a", "1", "x")
        + undoable("a", "ask_a")
        + end("x_c", about("cancel"))
        + path("x_s", "a", "x_c")
    )
    body = (
        start("s")
        + node("transaction", "low", inside)
        + boundary("b", "low", about("cancel"))
        + script("left", "1", "y")
        + boundary("b2", "low", about("message", "m"))
        + script("torn", "1", "y")
        + end("e")
        + path("s", "low", "e")
        + path("b", "left", "e")
        + path("b2", "torn", "e")
    )
    stage = place.play(body, message("m", "go"))
    # when the message comes in the middle of the undoing
    assert not stage.message("go")
    stage.complete("ask_a")
    # then
    assert stage.ran("left", "torn") == ["left"]
    assert place.over(stage)
    assert stage.idle
