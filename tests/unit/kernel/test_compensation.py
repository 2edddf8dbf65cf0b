"""Event sub-processes, conditions, loops, compensation: what is armed per scope, and undone."""

from __future__ import annotations

from tests.drawing import (
    about,
    boundary,
    diagram,
    end,
    error,
    escalation,
    gateway,
    message,
    node,
    path,
    process,
    script,
    start,
    sub,
    throw,
    user,
)
from tests.unit.kernel.player import Player


def undoable(host: str, handler: str) -> str:
    """Return a compensation boundary event with its association."""
    link = node("association", f"as_{host}", sourceRef=f"c_{host}", targetRef=handler)
    return boundary(f"c_{host}", host, about("compensate")) + link


def on(id: str, kind: str, reference: str, *inside: str, interrupting: bool = True) -> str:
    """Return an event sub-process."""
    event = node(
        "startEvent", f"{id}_s", about(kind, reference), isInterrupting=str(interrupting).lower()
    )
    return node("subProcess", id, event, *inside, triggeredByEvent="true")


def test_what_was_completed_is_undone_in_reverse_order_and_once() -> None:
    # given
    drawing = diagram(
        process(
            "p",
            start("s"),
            user("a"),
            user("b"),
            undoable("a", "undo_a"),
            undoable("b", "undo_b"),
            node("userTask", "undo_a", isForCompensation="true"),
            node("userTask", "undo_b", isForCompensation="true"),
            throw("t", about("compensate")),
            throw("again", about("compensate")),
            end("e"),
            path("s", "a", "b", "t", "again", "e"),
        )
    )
    play = Player(drawing).start()
    # when
    play.complete("a")
    play.complete("b")
    # then
    assert play.open == ["undo_b"]
    play.complete("undo_b")
    assert play.open == ["undo_a"]
    play.complete("undo_a")
    assert play.ended


def test_an_error_inside_is_caught_by_the_event_sub_process_of_its_scope() -> None:
    # given
    drawing = diagram(
        error("x", "X"),
        process(
            "p",
            on("h", "error", "x", user("repair"), path("h_s", "repair")),
            start("s"),
            gateway("parallel", "f"),
            user("other"),
            user("u"),
            end("bad", about("error", "x")),
            path("s", "f", "other"),
            path("f", "u", "bad"),
        ),
    )
    play = Player(drawing).start()
    assert play.open == ["other", "u"]
    # when
    play.complete("u")
    # then the scope is interrupted
    assert play.open == ["repair"]
    play.complete("repair")
    assert play.ended


def test_a_message_starts_a_non_interrupting_event_sub_process_as_often_as_it_comes() -> None:
    # given
    drawing = diagram(
        message("m", "note"),
        process(
            "p",
            on(
                "h", "message", "m", script("t", "n + 1", "n"), path("h_s", "t"), interrupting=False
            ),
            start("s"),
            user("u"),
            path("s", "u"),
        ),
    )
    play = Player(drawing).start(n=0)
    # when
    for _ in range(3):
        assert play.message("note")
    # then
    assert play.variables()["n"] == 3
    play.complete("u")
    assert play.ended
    assert not play.message("note")


def test_an_escalation_reaches_the_event_sub_process_and_the_thrower_goes_on() -> None:
    # given
    drawing = diagram(
        escalation("e1", "late"),
        process(
            "p",
            on("h", "escalation", "e1", user("lead"), path("h_s", "lead"), interrupting=False),
            start("s"),
            throw("t", about("escalation", "e1")),
            user("after"),
            path("s", "t", "after"),
        ),
    )
    # when
    play = Player(drawing).start()
    # then
    assert play.open == ["after", "lead"]


def test_a_condition_sees_the_change_of_a_sibling_at_once() -> None:
    # given
    condition = (
        "<conditionalEventDefinition><condition>=n &gt; 1</condition></conditionalEventDefinition>"
    )
    drawing = diagram(
        process(
            "p",
            start("s"),
            gateway("parallel", "f"),
            node("intermediateCatchEvent", "c", condition),
            user("met"),
            user("u"),
            user("w"),
            path("s", "f", "c", "met"),
            path("f", "u", "w"),
        )
    )
    play = Player(drawing).start(n=0)
    assert play.open == ["u"]
    # when
    play.complete("u", n=2)
    # then
    assert play.open == ["met", "w"]


def test_a_cancelled_transaction_is_undone_and_left_by_its_cancel_event() -> None:
    # given
    inner = node(
        "transaction",
        "tx",
        start("is"),
        script("book", "1", "booked"),
        undoable("book", "unbook"),
        node("userTask", "unbook", isForCompensation="true"),
        user("ask"),
        end("no", about("cancel")),
        path("is", "book", "ask", "no"),
    )
    drawing = diagram(
        process(
            "p",
            start("s"),
            inner,
            boundary("cancelled", "tx", about("cancel")),
            user("sorry"),
            user("fine"),
            path("s", "tx", "fine"),
            path("cancelled", "sorry"),
        )
    )
    play = Player(drawing).start()
    # when
    play.complete("ask")
    assert play.open == ["unbook"]
    play.complete("unbook")
    # then
    assert play.open == ["sorry"]


def test_a_completed_sub_process_is_undone_by_its_parts_with_their_own_data() -> None:
    # given
    inner = sub(
        "sp",
        start("is"),
        script("t", "n + 1", "n"),
        undoable("t", "undo"),
        node("userTask", "undo", isForCompensation="true"),
        path("is", "t"),
    )
    drawing = diagram(
        process(
            "p",
            start("s"),
            inner,
            throw("w", about("compensate")),
            end("e"),
            path("s", "sp", "w", "e"),
        )
    )
    # when
    play = Player(drawing).start(n=1)
    # then
    assert play.open == ["undo"]
    play.complete("undo")
    assert play.ended
