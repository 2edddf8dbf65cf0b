"""Joins, splits, loops, links and quantities at every place.

BPMN 2.0.2: 13.4 (gateways), 13.3.1 (flows out of activities), 10.5.5 (links), 13.3.2 (quantities).
"""

from __future__ import annotations

from itertools import permutations

import pytest

from tests.drawing import (
    about,
    boundary,
    catch,
    end,
    flow,
    gateway,
    message,
    node,
    path,
    repeat,
    script,
    start,
    sub,
    throw,
    timer,
    user,
)
from tests.unit.kernel.places import Place, everywhere, in_three_places

M = message("m", "go")


def wide(join: str, *users: str, kind: str = "parallel") -> str:
    """Return a split into user tasks that meet at a join, and a script behind it."""
    paths = "".join(user(u) + path("f", u, "j") for u in users)
    joined = gateway(kind, "j") if join == "" else join
    behind = script("after", "1", "y") + end("e") + path("j", "after", "e")
    return start("s") + gateway("parallel", "f") + path("s", "f") + paths + joined + behind


@in_three_places
@pytest.mark.parametrize("kind", ["parallel", "inclusive"])
@pytest.mark.parametrize("order", list(permutations("abc")))
def test_a_join_waits_for_all_in_whatever_order_they_come(
    place: Place, kind: str, order: tuple[str, ...]
) -> None:
    stage = place.play(wide("", "a", "b", "c", kind=kind))
    for number, done in enumerate(order):
        assert stage.ran("after") == []
        assert number < 3
        stage.complete(done)
    assert stage.ran("j", "after") == ["j", "after"]
    assert place.over(stage)
    assert stage.idle


@in_three_places
@pytest.mark.parametrize("chosen", ["", "a", "b", "c", "ab", "ac", "bc", "abc"])
def test_an_inclusive_pair_runs_what_is_true_or_the_default(place: Place, chosen: str) -> None:
    # 13.4.3: every true condition gets a token; the default only if none is true
    body = start("s") + gateway("inclusive", "f", default="f-d") + gateway("inclusive", "j")
    body += (
        path("s", "f", "d", "j")
        + script("d", "1", "x")
        + "".join(flow("f", u, f'contains(chosen, "{u}")') + user(u) + path(u, "j") for u in "abc")
    )
    body += script("after", "1", "y") + end("e") + path("j", "after", "e")
    stage = place.play(body, chosen=chosen)
    assert stage.ran("d") == ([] if chosen else ["d"])
    for done in reversed(chosen):
        assert stage.ran("after") == []
        stage.complete(done)
    assert stage.ran("after") == ["after"]
    assert place.over(stage)


@everywhere
@pytest.mark.parametrize("done_first", ["host", "handler"])
def test_an_inclusive_join_waits_for_the_host_of_a_boundary_path(
    place: Place, done_first: str
) -> None:
    # 13.4.3: the host can still reach its flow; attachment is no sequence flow to the marked one
    body = (
        start("s")
        + user("host")
        + boundary("b", "host", about("message", "m"), cancels=False)
        + user("handler")
        + gateway("inclusive", "j")
        + script("after", "1", "y")
        + end("e")
        + path("s", "host", "j", "after", "e")
        + path("b", "handler", "j")
    )
    stage = place.play(body, M)
    assert stage.message("go")
    stage.complete(done_first)
    assert stage.ran("after") == []
    stage.complete("handler" if done_first == "host" else "host")
    assert stage.ran("after") == ["after"]
    assert place.over(stage)


@everywhere
@pytest.mark.parametrize("way", ["interrupted", "ended", "gateway", "terminated scope"])
def test_an_inclusive_join_goes_on_when_what_it_waited_for_has_gone_elsewhere(
    place: Place, way: str
) -> None:
    other, leave = {
        "interrupted": (
            user("b")
            + boundary("out", "b", about("message", "m"))
            + end("q")
            + path("f", "b", "j")
            + path("out", "q"),
            "message",
        ),
        "ended": (
            user("b")
            + gateway("exclusive", "x", default="x-j")
            + end("q")
            + path("f", "b", "x", "j")
            + flow("x", "q", "quit = true"),
            "complete",
        ),
        "gateway": (
            gateway("eventBased", "g")
            + catch("c", about("message", "m"))
            + catch("t", timer("Duration", '="PT9S"'))
            + end("q")
            + path("f", "g", "t", "j")
            + path("g", "c", "q"),
            "message",
        ),
        "terminated scope": (
            sub(
                "low",
                start("l_s"),
                user("b"),
                end("l_e", about("terminate")),
                path("l_s", "b", "l_e"),
            )
            + gateway("exclusive", "x", default="x-j")
            + end("q")
            + path("f", "low", "x", "j")
            + flow("x", "q", "quit = true"),
            "complete",
        ),
    }[way]
    body = (
        start("s")
        + gateway("parallel", "f")
        + user("a")
        + gateway("inclusive", "j")
        + script("after", "1", "y")
        + end("e")
        + path("s", "f", "a", "j", "after", "e")
        + other
    )
    stage = place.play(body, M)
    stage.complete("a")
    assert stage.ran("after") == []
    if leave == "message":
        assert stage.message("go")
    else:
        stage.complete("b", quit=True)
    assert stage.ran("after") == ["after"]
    assert place.over(stage)
    assert stage.idle


@everywhere
@pytest.mark.parametrize("rounds", [1, 4])
def test_an_inclusive_pair_in_a_loop_joins_once_a_round(place: Place, rounds: int) -> None:
    body = (
        start("s")
        + gateway("exclusive", "m")
        + gateway("inclusive", "f")
        + user("a")
        + user("b")
        + gateway("inclusive", "j")
        + script("turn", "n + 1", "n")
        + gateway("exclusive", "x", default="x-m")
        + end("e")
        + path("s", "m", "f")
        + flow("f", "a", "true")
        + flow("f", "b", "n >= 0")
        + path("a", "j")
        + path("b", "j")
        + path("j", "turn", "x", "m")
        + flow("x", "e", f"n >= {rounds}")
    )
    stage = place.play(body, n=0)
    for number in range(rounds):
        assert len(stage.ran("turn")) == number
        stage.complete("b")
        stage.complete("a")
    assert stage.ran("turn") == ["turn"] * rounds
    assert place.over(stage)


@everywhere
def test_a_loop_may_lead_straight_back_into_an_inclusive_join(place: Place) -> None:
    # 13.4.3: a token behind the gateway reaches it only through the gateway's own flow
    body = (
        start("s")
        + gateway("inclusive", "j")
        + user("a")
        + gateway("exclusive", "x", default="x-j")
        + end("e")
        + path("s", "j", "a", "x", "j")
        + flow("x", "e", "stop = true")
    )
    stage = place.play(body)
    stage.complete("a", stop=False)
    stage.complete("a", stop=True)
    assert stage.ran("j") == ["j", "j"]
    assert place.over(stage)


@everywhere
def test_every_token_passes_a_merge_without_a_join(place: Place) -> None:
    # 13.3.1, 13.4.2: an activity or exclusive gateway with several flows starts for each token
    merged = gateway("exclusive", "j")
    stage = place.play(wide(merged, "a", "b"))
    stage.complete("a")
    assert stage.ran("after") == ["after"]
    stage.complete("b")
    assert stage.ran("after") == ["after"] * 2
    assert place.over(stage)


@everywhere
def test_spare_tokens_wait_at_a_parallel_join_for_their_partners(place: Place) -> None:
    # 13.4.1: one token from each flow is consumed, the others stay
    body = (
        start("s")
        + gateway("parallel", "f")
        + user("a")
        + user("b")
        + gateway("exclusive", "m")
        + user("c")
        + user("d")
        + gateway("exclusive", "m2")
        + gateway("parallel", "j")
        + script("after", "1", "y")
        + end("e")
        + path("s", "f", "a", "m", "j")
        + path("f", "b", "m")
        + path("f", "c", "m2", "j")
        + path("f", "d", "m2")
        + path("j", "after", "e")
    )
    stage = place.play(body)
    stage.complete("a")
    stage.complete("b")
    assert stage.ran("after") == []
    stage.complete("c")
    assert stage.ran("after") == ["after"]
    stage.complete("d")
    assert stage.ran("after") == ["after"] * 2
    assert place.over(stage)


@everywhere
def test_a_complex_join_starts_early_and_is_ready_again_after_the_rest(place: Place) -> None:
    # 13.4.5: started by two of three, reset by the third; the next round finds it as before
    join = node(
        "complexGateway", "j", "<activationCondition>=activationCount &gt;= 2</activationCondition>"
    )
    body = (
        start("s")
        + gateway("exclusive", "m")
        + gateway("parallel", "f")
        + join
        + user("next")
        + "".join(user(u) + path("f", u, "j") for u in "abc")
        + gateway("exclusive", "x", default="x-m")
        + end("e")
        + path("s", "m", "f")
        + flow("j", "next", "waitingForStart")
        + path("next", "x", "m")
        + flow("x", "e", "stop = true")
    )
    stage = place.play(body)
    for last in (False, True):
        stage.complete("c")
        assert "next" not in stage.open
        stage.complete("a")
        assert stage.open.count("next") == 1
        stage.complete("b")
        assert stage.open.count("next") == 1
        stage.complete("next", stop=last)
    assert place.over(stage)


ENDS = {
    "message": (end("l_k"), about("message", "m")),
    "error": (end("l_k", about("error", "E")), about("error", "E")),
    "terminate": (end("l_k", about("terminate")), about("message", "m")),
}


@everywhere
@pytest.mark.parametrize("how", ENDS)
def test_a_started_complex_join_sends_nothing_after_its_scope_was_ended(
    place: Place, how: str
) -> None:
    # 13.5.3, 13.5.6: the reset phase belongs to the scope and ends with it
    last, definition = ENDS[how]
    condition = "<activationCondition>=activationCount &gt;= 2</activationCondition>"
    inside = (
        start("l_s")
        + gateway("parallel", "f")
        + path("l_s", "f", "kill", "l_k")
        + node("complexGateway", "j", condition)
        + "".join(user(u) + path("f", u, "j") for u in "abc")
        + user("kill")
        + last
        + script("first", "1", "x")
        + script("reset", "1", "x")
        + end("l_e")
        + flow("j", "first", "waitingForStart")
        + flow("j", "reset", "not(waitingForStart)")
        + path("first", "l_e")
        + path("reset", "l_e")
    )
    body = (
        start("s")
        + sub("low", inside)
        + end("e")
        + path("s", "low", "e")
        + boundary("out", "low", definition)
        + end("oe")
        + path("out", "oe")
    )
    stage = place.play(body, M, node("error", "E", errorCode="bad", name="bad"))
    stage.complete("a")
    stage.complete("b")
    assert stage.ran("first", "reset") == ["first"]
    if how == "message":
        assert stage.message("go")
    else:
        stage.complete("kill")
    assert stage.ran("first", "reset") == ["first"]
    assert place.over(stage)
    assert stage.idle


@everywhere
def test_flows_out_of_an_activity_plain_conditional_and_default(place: Place) -> None:
    # 13.3.1: plain flows always; the default only if no condition is true
    body = (
        start("s")
        + node("userTask", "t", default="t-d")
        + end("e")
        + "".join(script(i, "1", "x") + path(i, "e") for i in ("plain", "a", "b", "d"))
        + flow("t", "a", "n > 1")
        + flow("t", "b", "n > 2")
        + path("s", "t", "plain")
        + path("t", "d")
    )
    for n, expected in ((3, "a b plain"), (2, "a plain"), (1, "d plain")):
        stage = place.play(body)
        stage.complete("t", n=n)
        assert " ".join(stage.bag("plain", "a", "b", "d")) == expected
        assert place.over(stage)


@everywhere
def test_links_pair_up_within_their_own_scope_from_every_source(place: Place) -> None:
    # 10.5.5: several sources, one target; the same name in a sub-process is another pair
    def linked(p: str, inner: str) -> str:
        return (
            start(f"{p}s")
            + gateway("parallel", f"{p}f")
            + throw(f"{p}t1", about("link", "jump"))
            + throw(f"{p}t2", about("link", "jump"))
            + catch(f"{p}c", about("link", "jump"))
            + inner
            + end(f"{p}e")
            + path(f"{p}s", f"{p}f", f"{p}t1")
            + path(f"{p}f", f"{p}t2")
        )

    low = sub("low", linked("l", script("deep", "1", "x") + path("lc", "deep", "le")))
    stage = place.play(linked("o", low + path("oc", "low", "oe")))
    assert stage.ran("low") == ["low"] * 2
    assert stage.ran("deep") == ["deep"] * 4
    assert place.over(stage)


@in_three_places
@pytest.mark.parametrize(("made", "needed", "runs"), [(1, 1, 1), (4, 2, 2), (3, 1, 3), (2, 2, 1)])
def test_quantities_count_tokens(place: Place, made: int, needed: int, runs: int) -> None:
    # 13.3.2: startQuantity tokens start the activity, completionQuantity tokens leave it
    body = (
        start("s")
        + node("manualTask", "a", completionQuantity=str(made))
        + node("manualTask", "b", startQuantity=str(needed))
        + end("e")
        + path("s", "a", "b", "e")
    )
    stage = place.play(body)
    assert stage.ran("b") == ["b"] * runs
    assert place.over(stage)


@everywhere
def test_quantities_of_a_repeated_activity_count_for_the_whole(place: Place) -> None:
    both = {"startQuantity": "2", "completionQuantity": "3"}
    body = (
        start("s")
        + node("manualTask", "a", completionQuantity="2")
        + node("manualTask", "b", repeat("[1,2,3]", "i"), **both)
        + script("after", "1", "y")
        + end("e")
        + path("s", "a", "b", "after", "e")
    )
    stage = place.play(body)
    assert stage.ran("after") == ["after"] * 3
    assert place.over(stage)


@everywhere
def test_too_few_tokens_start_nothing_and_are_gone_with_their_scope(place: Place) -> None:
    low = sub(
        "low",
        start("l_s"),
        node("manualTask", "never", startQuantity="2"),
        end("l_e"),
        path("l_s", "never", "l_e"),
    )
    body = (
        start("s")
        + low
        + boundary("b", "low", about("message", "m"))
        + script("left", "1", "x")
        + end("be")
        + end("e")
        + path("s", "low", "e")
        + path("b", "left", "be")
    )
    stage = place.play(body, M)
    assert stage.ran("never", "low") == []
    assert stage.message("go")
    assert stage.ran("never", "left") == ["left"]
    assert place.over(stage)
    assert stage.idle
