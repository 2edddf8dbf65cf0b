"""The processes of the fault test: every kind of wait, drawn with tests/drawing.py."""

from __future__ import annotations

from tests.chaos.handlers.callee import REFUSED
from tests.drawing import (
    about,
    boundary,
    call,
    catch,
    diagram,
    end,
    error,
    flow,
    gateway,
    message,
    path,
    process,
    service,
    start,
    timer,
    user,
)

CASE, PART, HOLD, HINT = "chaos_case", "chaos_part", "chaos_hold", "chaos_hint"
#: name of the message a case waits for; its key is the case's number
LETTER = "chaos letter"
#: elements whose handlers have an effect
SERVICES = (
    "one",
    "two",
    "left",
    "may_refuse",
    "instead",
    "in_part",
    "fragile",
    "last",
    "hold",
    "hinted",
)
#: the other elements that wait
DECIDE, PAUSE, AWAIT = "decide", "pause", "await_letter"


def drawing() -> bytes:
    """Return the file: a case, the part it calls, one that holds its worker, one that is short."""
    return diagram(
        message("letter", LETTER, "string(number)"),
        error("refused", REFUSED),
        _case(),
        process(
            PART, start("part_in"), service("in_part", "chaos.step"),
            service("fragile", "chaos.fragile"), end("part_out"),
            path("part_in", "in_part", "fragile", "part_out"),
        ),
        process(
            HOLD, start("hold_in"), service("hold", "chaos.hold"), end("hold_out"),
            path("hold_in", "hold", "hold_out"),
        ),
        process(
            HINT, start("hint_in"), service("hinted", "chaos.step"), end("hint_out"),
            path("hint_in", "hinted", "hint_out"),
        ),
    )  # fmt: skip


def _case() -> str:
    """Two services in a row, three branches at the same time, a message, a last service."""
    return process(
        CASE,
        start("case_in"),
        service("one", "chaos.step"),
        service("two", "chaos.step"),
        gateway("parallel", "fork"),
        path("case_in", "one", "two", "fork"),
        # work beside work, and an error that is drawn
        service("left", "chaos.step"),
        service("may_refuse", "chaos.step"),
        boundary("is_refused", "may_refuse", about("error", "refused")),
        service("instead", "chaos.step"),
        gateway("exclusive", "left_done"),
        path("fork", "left", "may_refuse", "left_done", "join"),
        path("is_refused", "instead", "left_done"),
        # a moment, then a person
        catch(PAUSE, timer("Duration", '=duration("PT0.4S")')),
        user(DECIDE),
        path("fork", PAUSE, DECIDE, "join"),
        # another process
        call("call_part", PART),
        path("fork", "call_part", "join"),
        gateway("parallel", "join"),
        catch(AWAIT, '<messageEventDefinition messageRef="letter"/>'),
        service("last", "chaos.step"),
        end("case_out"),
        flow("join", AWAIT),
        path(AWAIT, "last", "case_out"),
    )
