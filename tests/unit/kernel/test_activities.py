"""Tasks, mappings, sub-processes and calls."""

from __future__ import annotations

import pytest

from engine.errors import BpmnError, Conflict
from engine.model import Complete, InstanceState
from tests.drawing import (
    about,
    boundary,
    call,
    diagram,
    end,
    error,
    extension,
    mapping,
    node,
    path,
    process,
    script,
    service,
    start,
    sub,
    task,
    user,
)
from tests.unit.kernel.player import Player


def test_a_user_task_waits_until_it_is_completed() -> None:
    # given
    play = Player(
        diagram(process("p", start("s"), user("a"), end("e"), path("s", "a", "e")))
    ).start()
    assert play.open == ["a"]
    # when
    play.complete("a", answer=42)
    # then
    assert play.ended
    assert play.trail == ["s", "a", "e"]
    assert play.variables() == {"answer": 42}


def test_a_second_result_for_the_same_token_is_refused_as_stale() -> None:
    # given
    drawing = diagram(
        process("p", start("s"), user("a"), user("b"), end("e"), path("s", "a", "b", "e"))
    )
    play = Player(drawing).start()
    token = next(iter(play.people))
    play.complete("a")
    # when / then
    with pytest.raises(Conflict):
        play.do(Complete(token=token, result={}))
    assert play.open == ["b"]


def test_a_chain_of_two_thousand_scripts_runs_without_a_depth_limit() -> None:
    # given
    names = [f"t{i}" for i in range(2000)]
    scripts = [script(n, "n + 1", "n") for n in names]
    drawing = diagram(process("p", start("s"), *scripts, end("e"), path("s", *names, "e")))
    # when
    play = Player(drawing).start(n=0)
    # then
    assert play.ended
    assert play.variables() == {"n": 2000}


def test_an_input_mapping_is_local_and_an_output_mapping_goes_out() -> None:
    # given
    io = extension(
        '<zeebe:taskDefinition type="add"/>', mapping({"x": "a + 1"}, {"sum": "result + x"})
    )
    drawing = diagram(
        process(
            "p",
            start("s"),
            node("serviceTask", "t", io),
            user("u"),
            end("e"),
            path("s", "t", "u", "e"),
        )
    )
    play = Player(drawing).start(a=1)
    assert play.works[2].inputs == {"a": 1, "x": 2}
    # when
    play.complete("t", result=10)
    # then
    assert play.variables() == {"a": 1, "sum": 12}


def test_an_output_mapping_may_set_a_part_of_a_context() -> None:
    # given
    io = extension(mapping(outputs={"order.total": "1 + 1"}))
    drawing = diagram(process("p", start("s"), user("t", io), end("e"), path("s", "t", "e")))
    play = Player(drawing).start(order={"id": "A1"})
    # when
    play.complete("t")
    # then
    assert play.variables()["order"] == {"id": "A1", "total": 2}


def test_a_result_goes_to_the_nearest_scope_that_has_the_name() -> None:
    # given a sub-process with a local variable x
    inner = sub(
        "inner",
        extension(mapping({"x": "1"})),
        start("is"),
        user("u"),
        end("ie"),
        path("is", "u", "ie"),
    )
    play = Player(
        diagram(process("p", start("s"), inner, user("w"), end("e"), path("s", "inner", "w", "e")))
    )
    play.start()
    # when
    play.complete("u", x=5, y=6)
    # then x stayed inside, y went to the instance
    assert play.variables() == {"y": 6}


def test_parallel_branches_of_one_scope_see_each_other_and_lose_nothing() -> None:
    # given
    drawing = diagram(
        process(
            "p",
            start("s"),
            node("parallelGateway", "f"),
            user("a"),
            user("b"),
            node("parallelGateway", "j"),
            end("e"),
            path("s", "f", "a", "j", "e"),
            path("f", "b", "j"),
        )
    )
    play = Player(drawing).start(n=0)
    # when
    play.complete("a", n=1, left=True)
    play.complete("b", right=True)
    # then
    assert play.ended
    assert play.variables() == {"n": 1, "left": True, "right": True}


def test_a_handler_gets_only_the_inputs_it_asks_for() -> None:
    # given
    drawing = diagram(process("p", start("s"), service("t", "mail"), end("e"), path("s", "t", "e")))
    # when
    play = Player(drawing, inputs_of={"mail": ("to", "missing")}).start(
        to="x@example.org", big="..."
    )
    # then
    assert play.works[2].inputs == {"to": "x@example.org"}
    assert play.works[2].topic == "mail"


def test_an_inline_handler_runs_within_the_step() -> None:
    # given
    drawing = diagram(
        process("p", start("s"), service("t", "double"), end("e"), path("s", "t", "e"))
    )
    # when
    play = Player(drawing, inline={"double": lambda i, h: {"n": i["n"] * 2}}).start(n=4)
    # then
    assert play.ended
    assert play.variables() == {"n": 8}


def test_an_error_raised_by_a_handler_goes_to_the_boundary_event() -> None:
    # given
    drawing = diagram(
        error("E1", "no-stock"),
        process(
            "p",
            start("s"),
            service("t", "reserve"),
            boundary("b", "t", about("error", "E1")),
            end("e"),
            user("call_customer"),
            path("s", "t", "e"),
            path("b", "call_customer"),
        ),
    )
    play = Player(drawing).start()
    # when
    play.throw("t", "no-stock", missing=3)
    # then
    assert play.open == ["call_customer"]
    assert play.variables() == {"missing": 3}
    assert "t" not in play.trail


def test_an_error_of_an_inline_handler_that_nothing_catches_fails_the_instance() -> None:
    # given
    def broken(inputs: object, headers: object) -> dict[str, object]:
        raise BpmnError("boom")

    drawing = diagram(process("p", start("s"), service("t", "x"), user("u"), path("s", "t", "u")))
    # when
    play = Player(drawing, inline={"x": broken}).start()
    # then
    assert play.state is InstanceState.FAILED
    assert [i.kind for i in play.incidents.values()] == ["uncaught_error"]
    assert play.happened("element.activated") == ["s", "t"]


def test_a_null_condition_stops_the_token_and_a_retry_goes_on() -> None:
    # given
    drawing = diagram(
        process(
            "p",
            start("s"),
            user("u"),
            node("exclusiveGateway", "g", default="g-b"),
            task("a"),
            end("b"),
            path("s", "u"),
            path("u", "g"),
            '<sequenceFlow id="g-a" sourceRef="g" targetRef="a">'
            "<conditionExpression>=amount &gt; 5</conditionExpression></sequenceFlow>",
            path("g", "b"),
        )
    )
    play = Player(drawing).start()
    play.complete("u")
    assert [i.element_id for i in play.incidents.values()] == ["g"]
    assert play.state is InstanceState.RUNNING
    # when the retry finds the same
    play.retry("g")
    # then it stands there again, and only once
    assert [i.element_id for i in play.incidents.values()] == ["g"]


def test_a_called_process_is_an_instance_of_its_own_with_its_own_variables() -> None:
    # given
    drawing = diagram(
        process("p", start("s"), call("c", "q"), user("w"), end("e"), path("s", "c", "w", "e")),
        process("q", start("qs"), user("u"), end("qe"), path("qs", "u", "qe")),
    )
    play = Player(drawing).start(a=1)
    assert [c.instance_id for c in play.steps[0].called] == ["called-1"]
    assert play.people[4].instance_id == "called-1"
    # when
    play.complete("u", a=1, b=2)
    # then only what it wrote comes back
    assert play.steps[-1].returned == [("called-1", InstanceState.COMPLETED)]
    assert play.variables() == {"a": 1, "b": 2}
    assert play.variables("called-1") == {"a": 1, "b": 2}


def test_a_plain_call_activity_passes_declared_inputs_and_outputs_only() -> None:
    # given
    interface = extension('<cw:interface inputs="[&quot;a&quot;]" outputs="[&quot;b&quot;]"/>')
    drawing = diagram(
        process(
            "p",
            start("s"),
            node("callActivity", "c", calledElement="q"),
            end("e"),
            path("s", "c", "e"),
        ),
        process("q", interface, start("qs"), user("u"), end("qe"), path("qs", "u", "qe")),
    )
    play = Player(drawing).start(a=1, secret=2)
    assert play.variables("called-1") == {"a": 1}
    # when
    play.complete("u", b=3, c=4)
    # then
    assert play.variables() == {"a": 1, "secret": 2, "b": 3}


def test_an_error_passes_through_a_call_to_the_boundary_of_the_call_activity() -> None:
    # given
    drawing = diagram(
        error("E1", "bad"),
        process(
            "p",
            start("s"),
            call("c", "q"),
            boundary("b", "c", about("error", "E1")),
            user("repair"),
            end("e"),
            path("s", "c", "e"),
            path("b", "repair"),
        ),
        process("q", start("qs"), end("qe", about("error", "E1")), path("qs", "qe")),
    )
    # when
    play = Player(drawing).start()
    # then
    assert play.open == ["repair"]
    assert play.steps[0].returned == [("called-1", InstanceState.CANCELLED)]


def test_sub_processes_nest_thirty_deep() -> None:
    # given
    inside = user("u")
    first = "u"
    for depth in range(30):
        inside = sub(f"d{depth}", start(f"s{depth}"), inside, path(f"s{depth}", first))
        first = f"d{depth}"
    play = Player(
        diagram(process("p", start("s"), inside, end("e"), path("s", first, "e")))
    ).start()
    # when
    play.complete("u")
    # then
    assert play.ended


def test_a_run_longer_than_one_piece_is_continued_and_loses_nothing() -> None:
    # given
    names = [f"t{i}" for i in range(25)]
    scripts = [script(n, "n + 1", "n") for n in names]
    drawing = diagram(process("p", start("s"), *scripts, end("e"), path("s", *names, "e")))
    # when
    play = Player(drawing, activations=10).start(n=0)
    # then
    assert play.ended
    assert len(play.steps) == 3
    assert play.variables() == {"n": 25}


def test_an_endless_loop_without_a_wait_becomes_one_incident() -> None:
    # given
    drawing = diagram(process("p", start("s"), script("t", "1", "x"), path("s", "t", "t")))
    # when
    play = Player(drawing, activations=10, pieces=3).start()
    # then
    assert play.state is InstanceState.RUNNING
    assert [i.kind for i in play.incidents.values()] == ["runaway"]
    assert not play.works
