"""Elements that no other test of the kernel plays; docs/elements.md names these as their proof."""

from __future__ import annotations

from tests.drawing import (
    about,
    catch,
    diagram,
    end,
    extension,
    flow,
    gateway,
    message,
    node,
    path,
    process,
    signal,
    start,
    throw,
    user,
)
from tests.unit.kernel.player import Player


def test_a_business_rule_task_with_a_handler_waits_for_its_result() -> None:
    # given
    rule = node("businessRuleTask", "r", extension('<zeebe:taskDefinition type="rules.price"/>'))
    play = Player(diagram(process("p", start("s"), rule, end("e"), path("s", "r", "e")))).start()
    assert play.open == ["r"]
    # when
    play.complete("r", price=7)
    # then
    assert play.ended
    assert play.variables()["price"] == 7


def test_a_throw_event_without_a_trigger_only_passes() -> None:
    # given / when
    drawing = diagram(process("p", start("s"), throw("t"), end("e"), path("s", "t", "e")))
    play = Player(drawing).start()
    # then
    assert play.ended
    assert play.trail == ["s", "t", "e"]


def test_an_end_event_sends_its_message_or_signal_with_the_last_token() -> None:
    # given
    drawing = diagram(
        message("m", "done"),
        signal("g", "over"),
        process(
            "p",
            start("s"),
            gateway("parallel", "f"),
            user("u"),
            end("said", about("message", "m")),
            end("cried", about("signal", "g")),
            path("s", "f", "u", "cried"),
            flow("f", "said"),
        ),
    )
    # when
    play = Player(drawing).start(n=1)
    # then
    sent = [m for step in play.steps for m in step.messages]
    assert [(m.name, m.element_id) for m in sent] == [("done", "said")]
    assert not play.ended
    # when
    play.complete("u")
    # then
    assert [s.name for step in play.steps for s in step.signals] == ["over"]
    assert play.ended


def test_a_sub_process_without_a_start_event_begins_at_all_that_nothing_leads_to() -> None:
    # given
    inside = node("subProcess", "q", user("a"), user("b"), user("c"), path("b", "c"))
    play = Player(diagram(process("p", start("s"), inside, end("e"), path("s", "q", "e")))).start()
    # then
    assert play.open == ["a", "b"]
    # when
    for id in ("a", "b", "c"):
        play.complete(id)
    # then
    assert play.ended


def test_a_send_task_sends_and_goes_on() -> None:
    # given
    drawing = diagram(
        message("m", "order", "number"),
        process(
            "p",
            start("s"),
            node("sendTask", "t", messageRef="m"),
            user("u"),
            end("e"),
            path("s", "t", "u", "e"),
        ),
    )
    # when
    play = Player(drawing).start(number=12)
    # then
    assert play.open == ["u"]
    assert [(m.name, m.key) for m in play.steps[0].messages] == [("order", "12")]


def test_a_case_begins_at_the_event_that_comes_first_and_the_others_are_given_up() -> None:
    # given a gateway without a way in, that waits for one of two messages
    drawing = diagram(
        message("mo", "order"),
        message("mq", "question"),
        process(
            "p",
            node("eventBasedGateway", "g", instantiate="true"),
            catch("order", about("message", "mo")),
            catch("question", about("message", "mq")),
            user("deliver"),
            user("answer"),
            path("g", "order", "deliver"),
            path("g", "question", "answer"),
        ),
    )
    # when
    play = Player(drawing).start("question")
    # then
    assert play.open == ["answer"]
    assert not play.catches
    play.complete("answer")
    assert play.ended
