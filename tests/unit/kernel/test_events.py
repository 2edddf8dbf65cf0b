"""Timers, messages, signals, errors, escalations, links and terminate."""

from __future__ import annotations

from datetime import timedelta

from engine.languages import Languages, Python
from engine.model import InstanceState
from tests.drawing import (
    about,
    boundary,
    catch,
    diagram,
    end,
    error,
    escalation,
    extension,
    flow,
    gateway,
    mapping,
    message,
    node,
    path,
    process,
    script,
    service,
    signal,
    start,
    sub,
    task,
    throw,
    timer,
    user,
)
from tests.unit.kernel.player import BEGIN, Player


def test_a_timer_fires_when_it_is_due_and_not_before() -> None:
    # given
    drawing = diagram(
        process(
            "p", start("s"), catch("t", timer("Duration", "PT1H")), end("e"), path("s", "t", "e")
        )
    )
    play = Player(drawing).start()
    # when
    play.advance(3599)
    assert not play.ended
    play.advance(1)
    # then
    assert play.ended


def test_a_timer_date_may_come_from_a_variable() -> None:
    # given
    drawing = diagram(
        process("p", start("s"), catch("t", timer("Date", "=due")), end("e"), path("s", "t", "e"))
    )
    # when
    play = Player(drawing).start(due="2026-01-05T18:00:00+08:00")
    # then it is kept in UTC
    assert [w.due_at for w in play.works.values()] == [BEGIN.replace(hour=10)]


def test_a_cycle_at_the_border_fires_as_often_as_drawn_and_the_task_goes_on() -> None:
    # given
    drawing = diagram(
        process(
            "p",
            start("s"),
            user("u"),
            boundary("b", "u", timer("Cycle", "R3/PT10M"), cancels=False),
            end("e"),
            end("late"),
            path("s", "u", "e"),
            path("b", "late"),
        )
    )
    play = Player(drawing).start()
    # when
    play.advance(3600 * 24)
    # then
    assert play.trail.count("late") == 3
    assert play.open == ["u"]
    play.complete("u")
    assert play.ended


def test_an_interrupting_timer_cancels_its_task_and_the_row() -> None:
    # given
    drawing = diagram(
        process(
            "p",
            start("s"),
            user("u"),
            boundary("b", "u", timer("Duration", "PT5M")),
            user("lead"),
            end("e"),
            path("s", "u", "e"),
            path("b", "lead"),
        )
    )
    play = Player(drawing).start()
    # when
    play.advance(300)
    # then
    assert play.open == ["lead"]
    assert not play.works


def test_a_finished_task_takes_its_timer_away() -> None:
    # given
    drawing = diagram(
        process(
            "p",
            start("s"),
            user("u"),
            boundary("b", "u", timer("Duration", "PT5M")),
            user("next"),
            path("s", "u", "next"),
            path("b", "next"),
        )
    )
    play = Player(drawing).start()
    # when
    play.complete("u")
    # then
    assert not play.works


def test_an_event_gateway_takes_the_first_of_two_timers_whatever_the_drawing_order() -> None:
    for first, second in (("PT5H", "PT1S"), ("PT1S", "PT5H")):
        # given
        drawing = diagram(
            process(
                "p",
                start("s"),
                gateway("eventBased", "g"),
                catch("x", timer("Duration", first)),
                catch("y", timer("Duration", second)),
                path("s", "g", "x"),
                path("g", "y"),
            )
        )
        play = Player(drawing).start()
        # when
        play.advance(2)
        # then
        assert play.ended
        assert play.trail[-1] == ("y" if second == "PT1S" else "x")


def test_a_message_reaches_the_catch_with_its_key_and_leaves_its_payload() -> None:
    # given
    drawing = diagram(
        message("m", "paid", "order"),
        process("p", start("s"), catch("c", about("message", "m")), end("e"), path("s", "c", "e")),
    )
    play = Player(drawing).start(order=7)
    assert [(r.name, r.key) for r in play.catches.values()] == [("paid", "7")]
    # when
    assert not play.message("paid", "8")
    assert play.message("paid", "7", amount=12)
    # then
    assert play.ended
    assert play.variables() == {"order": 7, "amount": 12}


def test_a_message_in_a_non_interrupting_boundary_event_is_caught_every_time() -> None:
    # given
    drawing = diagram(
        message("m", "note"),
        process(
            "p",
            start("s"),
            user("u"),
            boundary("b", "u", about("message", "m"), cancels=False),
            end("e"),
            script("count", "n + 1", "n"),
            path("s", "u", "e"),
            path("b", "count"),
        ),
    )
    play = Player(drawing).start(n=0)
    # when
    for _ in range(3):
        assert play.message("note")
    # then
    assert play.variables()["n"] == 3
    assert play.open == ["u"]


def test_a_thrown_message_carries_the_variables_of_its_sender() -> None:
    # given
    drawing = diagram(
        message("m", "done", "id"),
        process("p", start("s"), throw("t", about("message", "m")), end("e"), path("s", "t", "e")),
    )
    # when
    play = Player(drawing).start(id="A", n=1)
    # then
    (sent,) = play.steps[0].messages
    assert (sent.name, sent.key, sent.payload) == ("done", "A", {"id": "A", "n": 1})


def test_a_signal_reaches_every_catch_of_the_instance_within_the_step() -> None:
    # given
    drawing = diagram(
        signal("g", "go"),
        process(
            "p",
            start("s"),
            gateway("parallel", "f"),
            catch("a", about("signal", "g")),
            catch("b", about("signal", "g")),
            user("u"),
            throw("t", about("signal", "g")),
            path("s", "f", "a"),
            path("f", "b"),
            path("f", "u", "t"),
        ),
    )
    play = Player(drawing).start()
    # when
    play.complete("u")
    # then
    assert play.ended
    assert [s.name for s in play.steps[-1].signals] == ["go"]


def test_an_escalation_interrupts_the_scope_at_once() -> None:
    # given a sub-process that throws and has a task behind the throw
    inner = sub(
        "sp",
        start("is"),
        throw("t", about("escalation", "e1")),
        user("after"),
        path("is", "t", "after"),
    )
    drawing = diagram(
        escalation("e1", "late"),
        process(
            "p",
            start("s"),
            inner,
            boundary("b", "sp", about("escalation", "e1")),
            user("lead"),
            path("s", "sp"),
            path("b", "lead"),
        ),
    )
    # when
    play = Player(drawing).start()
    # then
    assert play.open == ["lead"]
    assert "after" not in play.happened("element.activated")


def test_an_escalation_that_does_not_interrupt_lets_the_scope_go_on() -> None:
    # given
    inner = sub(
        "sp",
        start("is"),
        throw("t", about("escalation", "e1")),
        user("after"),
        path("is", "t", "after"),
    )
    drawing = diagram(
        escalation("e1", "late"),
        process(
            "p",
            start("s"),
            inner,
            boundary("b", "sp", about("escalation"), cancels=False),
            user("lead"),
            path("s", "sp"),
            path("b", "lead"),
        ),
    )
    # when
    play = Player(drawing).start()
    # then
    assert play.open == ["after", "lead"]


def test_an_escalation_nobody_catches_has_no_effect() -> None:
    # given
    drawing = diagram(
        escalation("e1", "late"),
        process("p", start("s"), end("e", about("escalation", "e1")), path("s", "e")),
    )
    # when / then
    assert Player(drawing).start().ended


def test_an_uncaught_error_end_event_fails_the_instance_and_nothing_goes_on() -> None:
    # given
    inner = sub("sp", start("is"), end("ie", about("error", "x")), path("is", "ie"))
    drawing = diagram(
        error("x", "X"), process("p", start("s"), inner, user("after"), path("s", "sp", "after"))
    )
    # when
    play = Player(drawing).start()
    # then
    assert play.state is InstanceState.FAILED
    assert "after" not in play.happened("element.activated")


def test_the_nearest_error_listener_with_the_code_catches_before_a_catch_all() -> None:
    # given
    drawing = diagram(
        error("x", "X"),
        error("y", "Y"),
        process(
            "p",
            start("s"),
            service("t", "h"),
            boundary("all", "t", about("error")),
            boundary("only_y", "t", about("error", "y")),
            user("any"),
            user("why"),
            path("s", "t"),
            path("all", "any"),
            path("only_y", "why"),
        ),
    )
    # when
    one, other = Player(drawing).start(), Player(drawing).start()
    one.throw("t", "Y")
    other.throw("t", "Z")
    # then
    assert one.open == ["why"]
    assert other.open == ["any"]


def test_links_jump_within_their_own_scope() -> None:
    # given the same link name outside and inside
    inner = sub(
        "sp",
        start("is"),
        throw("it", about("link", "L")),
        catch("ic", about("link", "L")),
        user("in"),
        path("is", "it"),
        path("ic", "in"),
    )
    drawing = diagram(
        process(
            "p",
            start("s"),
            throw("t", about("link", "L")),
            catch("c", about("link", "L")),
            inner,
            path("s", "t"),
            path("c", "sp"),
        )
    )
    # when
    play = Player(drawing).start()
    # then
    assert play.open == ["in"]


def test_terminate_in_a_sub_process_ends_that_sub_process_only() -> None:
    # given
    inner = sub(
        "sp",
        start("is"),
        gateway("parallel", "f"),
        user("a"),
        user("b"),
        end("stop", about("terminate")),
        path("is", "f", "a", "stop"),
        path("f", "b"),
    )
    play = Player(diagram(process("p", start("s"), inner, user("w"), path("s", "sp", "w")))).start()
    # when
    play.complete("a")
    # then
    assert play.open == ["w"]


def test_terminate_at_the_top_ends_everything() -> None:
    # given
    drawing = diagram(
        process(
            "p",
            start("s"),
            gateway("parallel", "f"),
            user("a"),
            user("b"),
            end("stop", about("terminate")),
            path("s", "f", "a", "stop"),
            path("f", "b"),
        )
    )
    play = Player(drawing).start()
    # when
    play.complete("a")
    # then
    assert play.state is InstanceState.TERMINATED
    assert play.happened("element.cancelled") == ["b"]


def test_a_message_start_event_begins_an_instance_with_the_payload() -> None:
    # given
    drawing = diagram(
        message("m", "order"),
        process(
            "p",
            start("none"),
            start("by_message", about("message", "m")),
            user("a"),
            user("b"),
            path("none", "a"),
            path("by_message", "b"),
        ),
    )
    play = Player(drawing)
    (trigger,) = play.definitions["p"].triggers(BEGIN)
    assert (trigger.kind, trigger.element_id, trigger.name) == ("message", "by_message", "order")
    # when
    play.start("by_message", total=3)
    # then
    assert play.open == ["b"]
    assert play.variables() == {"total": 3}


def test_a_timer_start_event_tells_when_and_how_often() -> None:
    # given
    drawing = diagram(process("p", start("s", timer("Cycle", "R3/PT1H")), end("e"), path("s", "e")))
    # when
    (trigger,) = Player(drawing).definitions["p"].triggers(BEGIN)
    # then
    assert trigger.due_at == BEGIN + timedelta(hours=1)
    assert (trigger.repeats, trigger.interval) == (2, "PT3600S")


def test_a_failing_output_mapping_is_an_incident_that_keeps_the_result() -> None:
    # given an output mapping that needs a list
    io = extension(mapping(outputs={"when": "date and time(answer)"}))
    after = catch("t", timer("Date", "=when"))
    drawing = diagram(process("p", start("s"), user("u", io), after, path("s", "u", "t")))
    play = Player(drawing).start()
    # when
    play.complete("u", answer="soon")
    # then the timer cannot be set, and people see where
    assert [i.element_id for i in play.incidents.values()] == ["t"]
    assert play.open == []


def test_cancelling_from_outside_ends_all() -> None:
    # given
    drawing = diagram(process("p", start("s"), user("u"), path("s", "u")))
    play = Player(drawing).start()
    # when
    play.cancel("no longer wanted")
    # then
    assert play.state is InstanceState.CANCELLED
    assert play.events[-1].value == "no longer wanted"


def test_a_receive_task_with_a_boundary_timer_waits_for_either() -> None:
    # given
    drawing = diagram(
        message("m", "answer"),
        process(
            "p",
            start("s"),
            node("receiveTask", "r", messageRef="m"),
            boundary("b", "r", timer("Duration", "PT1H")),
            user("ok"),
            user("late"),
            path("s", "r", "ok"),
            path("b", "late"),
        ),
    )
    in_time, late = Player(drawing).start(), Player(drawing).start()
    # when
    in_time.message("answer")
    late.advance(3600)
    # then
    assert in_time.open == ["ok"]
    assert late.open == ["late"]
    assert not late.message("answer")


def test_conditions_on_the_flows_out_of_a_task_and_a_default() -> None:
    # given
    drawing = diagram(
        process(
            "p",
            start("s"),
            node("userTask", "u", default="u-c"),
            user("a"),
            user("b"),
            user("c"),
            path("s", "u"),
            flow("u", "a", "n > 1"),
            flow("u", "b", "n > 2"),
            flow("u", "c"),
        )
    )
    few, many = Player(drawing).start(n=0), Player(drawing).start(n=3)
    # when
    few.complete("u")
    many.complete("u")
    # then
    assert few.open == ["c"]
    assert many.open == ["a", "b"]


#: marked with its language, as the internal form has it
PATIENT = (
    '<script xmlns:cw="https://caseway.dev/internal" cw:language="python">'
    "wait(3)\nresult = 1</script>"
)


def test_a_timer_that_becomes_due_while_a_script_runs_interrupts_it() -> None:
    # given a script in Python that takes three seconds, inside a sub-process that has two
    patient = node("scriptTask", "script", PATIENT, scriptFormat="python")
    drawing = diagram(
        process(
            "p",
            start("s"),
            sub("q", start("qs"), patient, task("late"), path("qs", "script", "late")),
            boundary("b", "q", timer("Duration", "PT2S")),
            task("after"),
            end("e"),
            path("s", "q", "e"),
            path("b", "after", "e"),
        )
    )  # fmt: skip
    waits: list[Player] = []

    def wait(seconds: int) -> None:
        waits[0].now += timedelta(seconds=seconds)

    languages = Languages("python", python=Python(restricted=False, names={"wait": wait}))
    play = Player(drawing, languages=languages)
    waits.append(play)
    # when
    play.start()
    # then
    assert play.ended
    assert play.trail == ["s", "qs", "b", "after", "e"]
    assert "result" not in play.variables()
