"""Where tokens may go: sequence flows, gateways, and nodes nobody reaches."""

from __future__ import annotations

from engine.model import Severity
from tests.drawing import (
    about,
    boundary,
    catch,
    diagram,
    end,
    flow,
    gateway,
    node,
    path,
    process,
    signal,
    start,
    sub,
    task,
    timer,
    user,
)
from tests.unit.diagrams.gate import accepted, objections

FORMAL = 'xsi:type="tFormalExpression"'
WAIT = f"<timerEventDefinition><timeDuration {FORMAL}>PT1H</timeDuration></timerEventDefinition>"


def found(*inside: str, severity: Severity = Severity.ERROR) -> dict[str | None, str]:
    return dict(objections(diagram(process("p", *inside)), severity))


def test_start_and_end_events_have_flows_on_one_side_only() -> None:
    # given
    problems = found(
        start("s"), task("t"), end("e"), path("s", "t", "e"), path("t", "s"), path("e", "t")
    )
    # then
    assert "leads to the start event “s”" in problems["t-s"]
    assert "leaves the end event “e”" in problems["e-t"]


def test_a_flow_does_not_cross_the_border_of_a_sub_process() -> None:
    # given
    inner = sub("sp", start("is"), task("t"), end("ie"), path("is", "t", "ie"))
    # when
    problems = found(start("s"), inner, end("e"), path("s", "sp", "e"), path("s", "t"))
    # then
    assert "crosses the border" in problems["s-t"]


def test_a_flow_is_written_where_its_ends_stand() -> None:
    # given
    inner = sub("sp", start("is"), end("ie"), path("is", "ie"), path("sp", "e"))
    # when
    problems = found(start("s"), inner, end("e"), path("s", "sp"))
    # then
    assert "is written in the sub-process “sp”" in problems["sp-e"]


def test_the_only_way_out_of_a_task_has_no_condition() -> None:
    # given
    problems = found(start("s"), task("t"), end("e"), path("s", "t"), flow("t", "e", "x > 1"))
    # then
    assert "is the only way out" in problems["t-e"]


def test_several_conditional_and_default_flows_out_of_a_task_are_fine() -> None:
    # given
    drawing = diagram(
        process(
            "p",
            start("s"),
            node("task", "t", default="t-c"),
            *(end(i) for i in "abc"),
            path("s", "t"),
            flow("t", "a", "x > 1"),
            flow("t", "b"),
            flow("t", "c"),
        )
    )
    # when / then
    assert accepted(drawing)


def test_a_gateway_that_cannot_choose_is_incomplete() -> None:
    # given
    problems = found(
        start("s"),
        gateway("exclusive", "g", default="g-b"),
        *(end(i) for i in "abc"),
        path("s", "g"),
        flow("g", "a"),
        flow("g", "b"),
        flow("g", "c", "x = 1"),
        severity=Severity.UNSUPPORTED,
    )
    # then
    assert list(problems) == ["g-a"]
    assert "has no condition" in problems["g-a"]


def test_a_condition_behind_a_parallel_gateway_is_mentioned() -> None:
    # given
    problems = found(
        start("s"),
        gateway("parallel", "g"),
        end("a"),
        end("b"),
        path("s", "g", "a"),
        flow("g", "b", "x"),
        severity=Severity.WARNING,
    )
    # then
    assert "is ignored" in problems["g-b"]


def test_a_diverging_gateway_has_one_incoming_flow() -> None:
    # given
    join = node("exclusiveGateway", "j", gatewayDirection="Diverging")
    # when
    problems = found(
        start("s"), task("a"), task("b"), join, end("e"), path("s", "a", "j", "e"),
        path("s", "b", "j"),
    )  # fmt: skip
    # then
    assert "marked as diverging" in problems["j"]


def test_an_event_gateway_leads_to_events_only() -> None:
    # given
    problems = found(
        start("s"),
        gateway("eventBased", "g"),
        catch("c", WAIT),
        task("t"),
        end("e"),
        path("s", "g", "c", "e"),
        path("g", "t", "e"),
        path("s", "c"),
    )
    # then
    assert "does not wait for an event" in problems["t"]
    assert "other flows lead to it too" in problems["c"]


def test_an_event_gateway_needs_two_events() -> None:
    # given
    problems = found(
        start("s"), gateway("eventBased", "g"), catch("c", WAIT), end("e"), path("s", "g", "c", "e")
    )
    # then
    assert "needs at least two" in problems["g"]


def test_nodes_that_nobody_reaches_or_leaves_are_named() -> None:
    # given
    problems = found(
        start("s"), task("t"), task("lost"), user("stuck"), end("e"), path("s", "t", "e"),
        path("t", "stuck"), path("lost", "e"),
    )  # fmt: skip
    # then
    assert "never reached" in problems["lost"]
    assert "No sequence flow leaves" in problems["stuck"]


def test_a_circle_beside_the_path_is_mentioned() -> None:
    # given
    problems = found(
        start("s"), end("e"), task("a"), task("b"), path("s", "e"), path("a", "b", "a"),
        severity=Severity.WARNING,
    )  # fmt: skip
    # then
    assert set(problems) == {"a", "b"}


def test_events_that_stand_alone_need_no_flows() -> None:
    # given boundary events, links and compensation
    drawing = diagram(
        signal("sig", "Bell"),
        process(
            "p",
            start("s"),
            user("u"),
            node("intermediateThrowEvent", "l1", about("link", "on")),
            node("intermediateCatchEvent", "l2", about("link", "on")),
            boundary("b", "u", about("signal", "sig")),
            end("e"),
            path("s", "u", "l1"),
            path("l2", "e"),
            path("b", "e"),
        ),
    )
    # when / then
    assert accepted(drawing)


def test_start_and_end_events_come_together() -> None:
    # given
    lonely_end = found(task("t"), end("e"), path("t", "e"))
    lonely_start = found(start("s"), task("t"), path("s", "t"))
    # then
    assert lonely_end == {"p": "The process “p” has an end event, but no start event"}
    assert lonely_start == {"p": "The process “p” has a start event, but no end event"}


def test_a_timer_behind_an_event_gateway_may_be_written_as_an_expression() -> None:
    # given
    drawing = diagram(
        signal("sig", "Bell"),
        process(
            "p",
            start("s"),
            gateway("eventBased", "g"),
            catch("a", timer("Duration", "=limit")),
            catch("b", about("signal", "sig")),
            end("e"),
            path("s", "g", "a", "e"),
            path("g", "b", "e"),
        ),
    )
    # when / then
    assert accepted(drawing)


def test_what_starts_a_process_has_no_incoming_flow() -> None:
    # given
    waits = node("receiveTask", "r", instantiate="true")
    # when
    problems = found(start("s"), waits, end("e"), path("s", "r", "e"))
    # then
    assert "which starts the process" in problems["s-r"]


def test_a_complex_gateway_says_when_it_goes_on() -> None:
    # given
    problems = found(
        start("s"), task("a"), task("b"), gateway("complex", "g"), end("e"),
        path("s", "a", "g", "e"), path("s", "b", "g"),
        severity=Severity.UNSUPPORTED,
    )  # fmt: skip
    # then
    assert "does not say when it goes on" in problems["g"]
