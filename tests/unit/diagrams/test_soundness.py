"""Can the work come to an end, can joins be satisfied, does a loop ever pause."""

from __future__ import annotations

import pytest

from engine.diagrams.diagram import Diagram
from engine.diagrams.report import Report
from engine.diagrams.token_graph import Game, Net
from engine.diagrams.xml import read_xml
from engine.model import Severity
from tests.drawing import (
    about,
    boundary,
    catch,
    diagram,
    end,
    error,
    flow,
    gateway,
    node,
    path,
    process,
    script,
    start,
    sub,
    throw,
    timer,
    user,
)
from tests.unit.diagrams.gate import read

SOUNDNESS = {"no-way-to-end", "loop-endless", "loop-without-wait", "join-never-satisfied",
             "join-may-wait-forever", "node-unreachable"}  # fmt: skip


def found(*inside: str, before: str = "") -> set[tuple[str, str]]:
    """Return (rule, element) of everything about soundness in one process."""
    problems = read(diagram(before, process("p", *inside))).problems
    assert not [p for p in problems if p.rule in SOUNDNESS and p.severity == Severity.ERROR]
    return {(p.rule, str(p.element)) for p in problems if p.rule in SOUNDNESS}


def fork(split: str, join: str, *between: str, default: str = "") -> str:
    """Return a block: a split with two users between it and its join."""
    conditions = ("a > 1", "") if split in ("exclusive", "inclusive") else ("", "")
    return "".join(
        (
            start("s"), gateway(split, "g", default=default), user("a"), user("b"),
            gateway(join, "j"), end("e"), *between, path("s", "g"),
            flow("g", "a", conditions[0]), flow("g", "b", conditions[1]),
            path("a", "j", "e"), path("b", "j"),
        )
    )  # fmt: skip


@pytest.mark.parametrize(
    ("split", "join", "rule"),
    [
        ("parallel", "parallel", None),
        ("parallel", "inclusive", None),
        ("inclusive", "inclusive", None),
        ("exclusive", "exclusive", None),
        ("exclusive", "inclusive", None),
        ("exclusive", "parallel", "join-never-satisfied"),
        ("inclusive", "parallel", "join-may-wait-forever"),
    ],
)
def test_a_join_fits_its_split(split: str, join: str, rule: str | None) -> None:
    # with two conditions an inclusive split may take both paths
    drawn = fork(split, join, default="g-b" if split == "exclusive" else "")
    if split == "inclusive":
        drawn = drawn.replace(flow("g", "b"), flow("g", "b", "a > 2"))

    assert found(drawn) == ({(rule, "j")} if rule else set())


def test_a_join_behind_two_choices_is_never_satisfied_through_other_nodes_either() -> None:
    drawn = found(
        start("s"), gateway("exclusive", "g", default="g-k"), gateway("parallel", "k"),
        user("a"), user("b"), user("c"), gateway("parallel", "j"), end("e"),
        path("s", "g", "k"), path("k", "a", "j", "e"), path("k", "b", "j"),
        flow("g", "c", "x"), path("c", "j"),
    )  # fmt: skip
    assert drawn == {("join-never-satisfied", "j")}


def test_a_border_event_that_leads_around_a_join_lets_it_wait() -> None:
    drawn = fork("parallel", "parallel", boundary("t", "a", timer("timeDuration", "PT1H")),
                 end("late"), path("t", "late"))  # fmt: skip
    assert found(drawn) == {("join-may-wait-forever", "j")}


def test_an_end_that_ends_everything_leaves_nobody_waiting() -> None:
    drawn = fork("parallel", "parallel", boundary("t", "a", timer("timeDuration", "PT1H")),
                 end("late", about("terminate")), path("t", "late"))  # fmt: skip
    assert found(drawn) == set()


def test_a_join_inside_a_loop_is_played_round_by_round() -> None:
    drawn = found(
        start("s"), gateway("exclusive", "m"), gateway("parallel", "g"), user("a"), user("b"),
        gateway("parallel", "j"), gateway("exclusive", "x", default="x-e"), end("e"),
        path("s", "m", "g"), path("g", "a", "j", "x"), path("g", "b", "j"),
        flow("x", "m", "again"), path("x", "e"),
    )  # fmt: skip
    assert drawn == set()


def test_several_starts_may_all_happen() -> None:
    drawn = found(
        start("s"), start("t", about("message", "m")), gateway("parallel", "j"), end("e"),
        path("s", "j", "e"), path("t", "j"), before='<message id="m" name="m"/>',
    )  # fmt: skip
    assert drawn == set()


def test_tokens_without_number_are_not_judged() -> None:
    drawn = found(
        start("s"), gateway("exclusive", "m"), gateway("parallel", "g"), user("a"),
        gateway("parallel", "j"), end("e"), path("s", "m", "g", "a", "m"), path("g", "j", "e"),
        path("g", "k", "j"), user("k"),
    )  # fmt: skip
    assert drawn == set()


def test_a_loop_without_a_way_out_is_named_where_it_begins() -> None:
    drawn = found(
        start("s"), gateway("exclusive", "g", default="g-a"), user("a"), user("b"), end("e"),
        path("s", "g", "a", "b", "a"), flow("g", "e", "x"),
    )  # fmt: skip
    assert drawn == {("no-way-to-end", "a")}


@pytest.mark.parametrize(
    "stopper",
    [
        boundary("t", "w", timer("timeDuration", "PT1H")),
        boundary("t", "w", about("message", "m")),
    ],
)
def test_work_that_an_event_stops_needs_no_way_out(stopper: str) -> None:
    drawn = found(
        start("s"), sub("w", start("i"), user("a"), user("b"), path("i", "a", "b", "a"),
                        end("never")),
        stopper, end("e"), path("s", "w", "e"), path("t", "e"),
        before='<message id="m" name="m"/>',
    )  # fmt: skip
    assert not {one for one in drawn if one[0] == "no-way-to-end"}


def test_a_loop_in_which_nothing_waits_is_mentioned() -> None:
    drawn = found(
        start("s"), script("a", "=1", "n"), gateway("exclusive", "g", default="g-e"), end("e"),
        path("s", "a", "g", "e"), flow("g", "a", "n > 2"),
    )  # fmt: skip
    assert drawn == {("loop-without-wait", "a")}


def test_a_loop_that_never_waits_and_never_ends_is_worse() -> None:
    drawn = found(
        start("s"), script("a", "=1", "n"), throw("b"), gateway("exclusive", "g", default="g-a"),
        end("e"), path("s", "g", "a", "b", "a"), flow("g", "e", "x"),
    )  # fmt: skip
    assert drawn == {("loop-endless", "a"), ("no-way-to-end", "a")}


@pytest.mark.parametrize(
    "pause",
    [
        user("w"),
        catch("w", timer("timeDuration", "PT1M")),
        sub("w", start("i"), user("u"), end("o"), path("i", "u", "o")),
    ],
)
def test_a_loop_with_a_pause_is_fine(pause: str) -> None:
    drawn = found(
        start("s"), pause, gateway("exclusive", "g", default="g-e"), end("e"),
        path("s", "w", "g", "e"), flow("g", "w", "n > 2"),
    )  # fmt: skip
    assert drawn == set()


def test_what_follows_the_border_of_an_unreached_activity_is_unreached() -> None:
    drawn = found(
        start("s"), end("e"), path("s", "e"), user("a"), user("c"), path("c", "a", "c"),
        boundary("t", "a", about("error", "x")), user("b"), path("t", "b", "e"),
        before=error("x", "late"),
    )  # fmt: skip
    assert {element for rule, element in drawn if rule == "node-unreachable"} == {"a", "b", "c"}


def test_a_hundred_choices_side_by_side_are_not_multiplied() -> None:
    # given: forty exclusive blocks on parallel paths, 2 to the 40 runs
    ways = [
        gateway("exclusive", f"x{n}", default=f"x{n}-b{n}") + user(f"a{n}") + user(f"b{n}")
        + gateway("exclusive", f"m{n}") + path("f", f"x{n}") + flow(f"x{n}", f"a{n}", "y")
        + path(f"x{n}", f"b{n}", f"m{n}", "j") + path(f"a{n}", f"m{n}")
        for n in range(40)
    ]  # fmt: skip
    drawing = diagram(
        process("p", start("s"), gateway("parallel", "f"), *ways, gateway("parallel", "j"),
                end("e"), path("s", "f"), path("j", "e"))
    )  # fmt: skip
    root = read_xml(drawing, Report("case.bpmn"))
    assert root is not None
    drawn = Diagram("case.bpmn", root)
    # when
    game = Game(Net(drawn, drawn.processes[0]))
    seen = game.play()
    # then
    assert seen.whole
    assert len(game._seen) < 400
    assert not seen.stuck


# ------------------------------------------------------------------ what is not judged


def unjudged(*inside: str) -> list[tuple[str, str]]:
    """Return element and reason of each part whose joins are not judged."""
    problems = read(diagram(process("p", *inside))).problems
    found = [p for p in problems if p.rule == "joins-not-judged"]
    assert all(p.severity == Severity.INFO for p in found)
    assert all(p.told("zh").message != p.message for p in found)
    return [(str(p.element), p.message.rpartition(": ")[2]) for p in found]


def test_a_complex_join_is_said_not_to_be_judged() -> None:
    join = node("complexGateway", "j", "<activationCondition>=activationCount &gt; 1"
                                       "</activationCondition>")  # fmt: skip
    drawn = (start("s"), gateway("parallel", "g"), user("a"), user("b"), join, end("e"),
             path("s", "g", "a", "j", "e"), path("g", "b", "j"))  # fmt: skip

    assert unjudged(*drawn) == [("j", "its condition decides how many it waits for")]


@pytest.mark.parametrize("name", ["startQuantity", "completionQuantity"])
def test_quantities_are_said_not_to_be_judged(name: str) -> None:
    twice = node("userTask", "t", **{name: "2"})
    assert unjudged(start("s"), twice, end("e"), path("s", "t", "e")) == [
        ("t", "it takes or gives more than one token")
    ]


def test_joins_of_an_ad_hoc_part_are_said_not_to_be_judged() -> None:
    inner = (gateway("parallel", "g"), user("a"), user("b"), gateway("parallel", "j"),
             path("g", "a", "j"), path("g", "b", "j"))  # fmt: skip
    drawn = (start("s"), node("adHocSubProcess", "h", *inner), end("e"), path("s", "h", "e"))

    assert unjudged(*drawn) == [("h", "its activities begin in any order")]


def test_an_ad_hoc_part_without_joins_needs_no_judgement() -> None:
    drawn = (start("s"), node("adHocSubProcess", "h", user("a"), user("b")), end("e"),
             path("s", "h", "e"))  # fmt: skip

    assert unjudged(*drawn) == []


def test_too_many_ways_are_said_not_to_be_judged() -> None:
    ways = [user(f"u{number}") for number in range(8)]
    flows = [flow("g", f"u{n}", f"a &gt; {n}") + path(f"u{n}", "j") for n in range(8)]
    drawn = (start("s"), gateway("inclusive", "g"), *ways, gateway("inclusive", "j"), end("e"),
             path("s", "g"), *flows, path("j", "e"))  # fmt: skip

    assert unjudged(*drawn) == [("p", "its tokens can stand in too many ways")]


# ------------------------------------------------------------------ a flow to where it begins


def follows_itself(*flows: str, default: str = "") -> list[tuple[str, Severity]]:
    marked = {"default": default} if default else {}
    drawing = diagram(process("p", start("s"), node("userTask", "t", **marked), end("e"), *flows))
    return [(str(p.element), p.severity) for p in read(drawing).problems]


def test_a_node_that_follows_itself_without_a_condition_is_mentioned() -> None:
    assert follows_itself(path("s", "t", "e"), path("t", "t")) == [("t-t", Severity.WARNING)]


def test_a_node_may_follow_itself_for_a_reason() -> None:
    asked = flow("t", "t", "again = true")
    assert follows_itself(path("s", "t"), flow("t", "e"), asked, default="t-e") == []
    ended = flow("t", "e", "again = false")
    assert follows_itself(path("s", "t"), ended, path("t", "t"), default="t-t") == []


def test_an_exclusive_gateway_that_leads_to_itself_turns_without_a_wait() -> None:
    drawn = (start("s"), gateway("exclusive", "g", default="g-e"), end("e"), path("s", "g", "e"),
             flow("g", "g", "a &gt; 1"))  # fmt: skip

    assert found(*drawn) == {("loop-without-wait", "g")}
