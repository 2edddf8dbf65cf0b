"""Repeated activities and ad hoc sub-processes at every place (BPMN 2.0.2, 10.3.8, 13.3.5-7)."""

from __future__ import annotations

import pytest

from tests.drawing import (
    about,
    boundary,
    call,
    end,
    error,
    escalation,
    flow,
    gateway,
    message,
    node,
    path,
    process,
    repeat,
    script,
    signal,
    start,
    sub,
    user,
)
from tests.unit.kernel.places import Place, Stage, everywhere, in_three_places

ROOTS = (
    message("m", "go"),
    signal("g", "told"),
    error("E", "bad"),
    escalation("X", "told"),
    '<signalEventDefinition id="told" signalRef="g"/>',
)
sequences = pytest.mark.parametrize("sequential", [False, True], ids=["parallel", "sequential"])


def written(stage: Stage, name: str) -> list[object]:
    """Return the values a variable got outside of single instances, without repetitions."""
    found: list[object] = []
    for event in stage.events:
        if event.kind == "variable.set" and event.name == name and event.value not in found:
            found.append(event.value)
    return found


def around(middle: str, *more: str, first: str = "a") -> str:
    """Return a body: start, the activity, a script behind it, end."""
    behind = script("after", "1", "y") + end("e") + path("s", first, "after", "e")
    return start("s") + middle + behind + "".join(more)


@everywhere
@sequences
@pytest.mark.parametrize("order", [(0, 0, 0), (2, 1, 0), (1, 0, 0)])
def test_results_stand_in_the_order_of_the_items_whoever_is_first(
    place: Place, sequential: bool, order: tuple[int, ...]
) -> None:
    # 10.3.8: the output collection has one item for each instance, in the order of the input
    again = repeat('["x","y","z"]', "item", sequential=sequential, collect="all", result="item + r")
    stage = place.play(
        around(user("a", again))
        + script("seen", "all", "found")
        + end("e9")
        + path("after", "seen", "e9")
    )
    for nth in order:
        assert stage.ran("after") == []
        stage.complete("a", 0 if sequential else nth, r="!")
    assert written(stage, "found") == [["x!", "y!", "z!"]]
    assert place.over(stage)


@everywhere
@sequences
@pytest.mark.parametrize("way", ["collection", "cardinality"])
def test_nothing_to_repeat_completes_at_once(place: Place, sequential: bool, way: str) -> None:
    # 13.3.7: no instances; the activity completes and the flow goes on
    again = (
        repeat("[]", "i", sequential=sequential, collect="all", result="i")
        if way == "collection"
        else repeat(times="0", sequential=sequential)
    )
    for host in (
        user("a", again),
        sub("a", again, start("as"), user("u"), end("ae"), path("as", "u", "ae")),
    ):
        stage = place.play(
            around(host + boundary("b", "a", about("message", "m")), end("be") + path("b", "be")),
            *ROOTS,
        )
        assert stage.ran("after", "u") == ["after"]
        assert not stage.message("go")
        assert place.over(stage)
        assert stage.idle


@in_three_places
@sequences
@pytest.mark.parametrize("needed", [1, 2, 4])
def test_the_completion_condition_ends_the_rest_after_so_many(
    place: Place, sequential: bool, needed: int
) -> None:
    # 13.3.7: evaluated each time an instance completes; the remaining ones are cancelled
    until = f"numberOfCompletedInstances >= {needed} and numberOfInstances = 4"
    again = repeat("[1,2,3,4]", "i", sequential=sequential, until=until)
    stage = place.play(around(user("a", again)))
    for done in range(needed):
        assert stage.ran("after") == []
        assert stage.open.count("a") == (1 if sequential else 4 - done)
        stage.complete("a")
    assert stage.ran("after") == ["after"]
    assert "a" not in stage.open
    assert place.over(stage)
    assert stage.idle


@everywhere
@sequences
def test_a_condition_true_from_the_start_lets_one_instance_run(
    place: Place, sequential: bool
) -> None:
    again = repeat("[1,2,3]", "i", sequential=sequential, until="true")
    stage = place.play(around(user("a", again)))
    stage.complete("a")
    assert stage.ran("after") == ["after"]
    assert place.over(stage)


@everywhere
@sequences
def test_an_error_of_one_instance_stays_with_it_or_ends_all(place: Place, sequential: bool) -> None:
    # 13.5.3: caught inside, the others go on; caught at the border, all end
    for where in ("inside", "border"):
        work = sub(
            "w",
            start("ws"),
            user("u"),
            gateway("exclusive", "x", default="x-good"),
            end("good"),
            end("bad", about("error", "E")),
            path("ws", "u", "x", "good"),
            flow("x", "bad", "fail = true"),
        )
        caught = boundary("b", "w" if where == "inside" else "a", about("error", "E"))
        caught += script("fix", "1", "f") + end("be") + path("b", "fix", "be")
        inner = work + (caught if where == "inside" else "")
        host = sub(
            "a",
            repeat("[1,2,3]", "i", sequential=sequential),
            start("as"),
            inner,
            end("ae"),
            path("as", "w", "ae"),
        )
        stage = place.play(around(host, "" if where == "inside" else caught), *ROOTS)
        stage.complete("u", fail=True)
        assert stage.ran("fix") == ["fix"]
        rest = stage.open.count("u")
        assert rest == (0 if where == "border" else 1 if sequential else 2)
        while "u" in stage.open:
            stage.complete("u", fail=False)
        assert stage.ran("after") == (["after"] if where == "inside" else [])
        assert place.over(stage)
        assert stage.idle


@in_three_places
@pytest.mark.parametrize(
    ("inner", "outer"), [(False, False), (False, True), (True, False), (True, True)]
)
def test_repetitions_nest_and_each_sees_its_own_items(
    place: Place, inner: bool, outer: bool
) -> None:
    low = script(
        "a", "10 * i + j", "r", repeat("[1,2]", "j", sequential=inner, collect="row", result="r")
    )
    host = sub(
        "o",
        repeat("[1,2,3]", "i", sequential=outer, collect="rows", result="row"),
        start("os"),
        low,
        end("oe"),
        path("os", "a", "oe"),
    )
    stage = place.play(
        around(
            host,
            script("seen", "rows", "found") + end("e9") + path("after", "seen", "e9"),
            first="o",
        )
    )
    assert written(stage, "found") == [[[11, 12], [21, 22], [31, 32]]]
    assert place.over(stage)


@everywhere
@pytest.mark.parametrize(
    ("loop", "rounds"),
    [
        ('loopMaximum="3"', 3),
        ('testBefore="true" loopMaximum="2"', 2),
    ],
)
def test_a_loop_without_a_condition_turns_up_to_its_maximum(
    place: Place, loop: str, rounds: int
) -> None:
    stage = place.play(around(user("a", f"<standardLoopCharacteristics {loop}/>")))
    for _ in range(rounds):
        assert stage.ran("after") == []
        stage.complete("a")
    assert stage.ran("after") == ["after"]
    assert place.over(stage)


@in_three_places
@pytest.mark.parametrize(
    ("before", "begin", "rounds"),
    [("false", 0, 2), ("false", 5, 1), ("true", 0, 2), ("true", 5, 0)],
)
def test_a_loop_tests_before_or_after_each_round(
    place: Place, before: str, begin: int, rounds: int
) -> None:
    # 13.3.6: testBefore is a while loop, else it is a repeat-until loop
    loop = (
        f'<standardLoopCharacteristics testBefore="{before}">'
        "<loopCondition>=n &lt; 2</loopCondition>"
        "</standardLoopCharacteristics>"
    )
    for host in (
        script("a", "n + 1", "n", loop),
        sub(
            "a",
            loop,
            start("as"),
            script("turn", "n + 1", "n"),
            end("ae"),
            path("as", "turn", "ae"),
        ),
    ):
        stage = place.play(around(host), n=begin)
        assert stage.ran("after") == ["after"]
        name = "turn" if "turn" in host else "a"
        whole = 0 if name == "turn" else 1  # the activity as a whole is noted, too
        assert len(stage.ran(name)) == rounds + whole
        assert place.over(stage)


BEHAVIORS = {
    "None": ('behavior="None" noneBehaviorEventRef="told"', "", 3),
    "One": ('behavior="One" oneBehaviorEventRef="told"', "", 1),
    "All": ('behavior="All"', "", 0),
    "Complex": (
        'behavior="Complex"',
        '<complexBehaviorDefinition><condition xsi:type="tFormalExpression">'
        '=numberOfCompletedInstances = 2</condition><event id="ev">'
        '<signalEventDefinition id="evd" signalRef="g"/></event>'
        "</complexBehaviorDefinition>",
        1,
    ),
}


@in_three_places
@sequences
@pytest.mark.parametrize("behavior", BEHAVIORS)
def test_instances_throw_as_often_as_their_behavior_says(
    place: Place, sequential: bool, behavior: str
) -> None:
    # Table 10.26: None for each instance, One for the first, All never, Complex by conditions
    attributes, inside, times = BEHAVIORS[behavior]
    kind = "true" if sequential else "false"
    loop = (
        f'<multiInstanceLoopCharacteristics isSequential="{kind}" {attributes}>'
        f"<loopCardinality>=3</loopCardinality>{inside}</multiInstanceLoopCharacteristics>"
    )
    caught = boundary("b", "a", about("signal", "g"), cancels=False)
    caught += script("hit", "1", "h") + end("be") + path("b", "hit", "be")
    stage = place.play(around(user("a", loop), caught), *ROOTS)
    while "a" in stage.open:
        stage.complete("a")
    assert stage.bag("hit", "after") == ["after"] + ["hit"] * times
    assert place.over(stage)
    assert stage.idle


@everywhere
@pytest.mark.parametrize(("behavior", "done"), [("None", 1), ("One", 1), ("Complex", 2)])
def test_a_behavior_event_that_interrupts_ends_the_other_instances(
    place: Place, behavior: str, done: int
) -> None:
    attributes, inside, _ = BEHAVIORS[behavior]
    loop = (
        f'<multiInstanceLoopCharacteristics isSequential="false" {attributes}>'
        f"<loopCardinality>=4</loopCardinality>{inside}</multiInstanceLoopCharacteristics>"
    )
    caught = boundary("b", "a", about("signal", "g")) + script("hit", "1", "h") + end("be")
    stage = place.play(around(user("a", loop), caught + path("b", "hit", "be")), *ROOTS)
    for _ in range(done):
        stage.complete("a")
    assert "a" not in stage.open
    assert stage.ran("hit", "after") == ["hit"]
    assert place.over(stage)
    assert stage.idle


def ad_hoc(*inside: str, until: str = "", **attributes: str) -> str:
    done = f"<completionCondition>={until}</completionCondition>" if until else ""
    return node("adHocSubProcess", "a", *inside, done, **attributes)


@everywhere
@pytest.mark.parametrize("ordering", ["Parallel", "Sequential"])
def test_an_ad_hoc_sub_process_without_a_condition_ends_after_all_of_it(
    place: Place, ordering: str
) -> None:
    # 13.3.5: complete when all inner activities have completed
    inside = user("u1") + user("u2") + script("x1", "1", "x") + script("x2", "1", "x")
    inside += path("u1", "x1")
    stage = place.play(around(ad_hoc(inside, ordering=ordering)))
    assert [i for i in stage.open if i != "hold"] == ["u1", "u2"]
    assert stage.ran("x1", "x2") == ["x2"]
    stage.complete("u2")
    assert stage.ran("after") == []
    stage.complete("u1")
    assert stage.ran("x1", "x2", "after") == ["x2", "x1", "after"]
    assert place.over(stage)


@everywhere
@pytest.mark.parametrize("ordering", ["Parallel", "Sequential"])
def test_an_ad_hoc_condition_cancels_the_rest(place: Place, ordering: str) -> None:
    inside = (
        user("u1")
        + user("u2")
        + sub("low", start("l_s"), user("u3"), end("l_e"), path("l_s", "u3", "l_e"))
    )
    stage = place.play(around(ad_hoc(inside, until="done = true", ordering=ordering)))
    stage.complete("u1", done=True)
    assert stage.ran("after") == ["after"]
    assert not [i for i in stage.open if i != "hold"]
    assert place.over(stage)
    assert stage.idle


@everywhere
def test_running_parts_of_an_ad_hoc_sub_process_may_be_finished_first(place: Place) -> None:
    # cancelRemainingInstances false: what runs is finished, what was only offered is withdrawn
    low = sub(
        "low",
        start("l_s"),
        user("u3"),
        script("x3", "1", "x"),
        end("l_e"),
        path("l_s", "u3", "x3", "l_e"),
    )
    inside = user("u1") + user("u2") + low
    body = around(ad_hoc(inside, until="done = true", cancelRemainingInstances="false"))
    stage = place.play(body)
    stage.complete("u1", done=True)
    assert stage.ran("after") == []
    assert [i for i in stage.open if i != "hold"] == ["u3"]
    stage.complete("u3")
    assert stage.ran("x3", "after") == ["x3", "after"]
    assert place.over(stage)


@everywhere
def test_events_work_inside_an_ad_hoc_sub_process(place: Place) -> None:
    guard = node(
        "subProcess",
        "guard",
        node("startEvent", "g_s", about("signal", "g"), isInterrupting="false"),
        script("hit", "1", "h"),
        end("g_e"),
        path("g_s", "hit", "g_e"),
        triggeredByEvent="true",
    )
    inside = (
        user("u1")
        + boundary("b", "u1", about("message", "m"))
        + user("instead")
        + path("b", "instead")
        + user("u2")
        + guard
    )
    stage = place.play(around(ad_hoc(inside)), *ROOTS)
    assert stage.signal("told")
    assert stage.message("go")
    assert stage.signal("told")
    assert [i for i in stage.open if i != "hold"] == ["instead", "u2"]
    stage.complete("u2")
    stage.complete("instead")
    assert stage.ran("hit", "after") == ["hit", "hit", "after"]
    assert place.over(stage)
    assert stage.idle


@in_three_places
@sequences
def test_each_instance_of_a_call_has_variables_of_its_own(place: Place, sequential: bool) -> None:
    below = process(
        "below", start("z_s"), script("z", "i * i", "r"), end("z_e"), path("z_s", "z", "z_e")
    )
    again = repeat("[1,2,3]", "i", sequential=sequential, collect="all", result="r")
    body = around(
        call("a", "below", again),
        script("seen", "all", "found") + end("e9") + path("after", "seen", "e9"),
    )
    stage = place.play(body, below)
    assert written(stage, "found") == [[1, 4, 9]]
    assert place.over(stage)
