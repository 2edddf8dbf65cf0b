"""A diagram in words: the order of its steps, their names, where parts of them are drawn."""

from __future__ import annotations

from engine.diagrams.outline import outline
from tests.drawing import (
    boundary,
    call,
    diagram,
    end,
    extension,
    gateway,
    node,
    path,
    process,
    start,
    sub,
    task,
    user,
)

TIMER = node(
    "timerEventDefinition",
    "clock",
    '<timeDuration xsi:type="tFormalExpression">PT2H</timeDuration>',
)
NAMES = extension(
    '<zeebe:properties><zeebe:property name="name.en" value="Ask"/>'
    '<zeebe:property name="level" value="2"/></zeebe:properties>'
)


def ids(*parts: str) -> list[str]:
    """Return the steps of a process in the order of the outline."""
    read = outline(diagram(process("p", *parts)))
    assert read is not None
    return [step.id for step in read.processes["p"]]


def test_steps_stand_in_the_order_of_the_flow() -> None:
    written = [end("e"), task("b"), task("a"), start("s"), path("s", "a", "b", "e")]

    assert ids(*written) == ["s", "a", "b", "e"]


def test_join_stands_behind_all_its_branches() -> None:
    parts = [
        start("s"), gateway("parallel", "fork"), gateway("parallel", "join"), task("a"),
        task("b"), end("e"), path("s", "fork", "a", "join", "e"), path("fork", "b", "join"),
    ]  # fmt: skip

    order = ids(*parts)

    assert order.index("join") > max(order.index("a"), order.index("b"))
    assert order[-1] == "e"


def test_loops_are_cut() -> None:
    parts = [start("s"), task("a"), task("b"), end("e"), path("s", "a", "b", "e"), path("b", "a")]

    assert ids(*parts) == ["s", "a", "b", "e"]


def test_inner_steps_follow_their_sub_process_and_borders_their_host() -> None:
    inner = sub("box", start("s2"), task("in"), end("e2"), path("s2", "in", "e2"))
    parts = [start("s"), inner, end("e"), path("s", "box", "e"),
             boundary("late", "box", TIMER), end("x"), path("late", "x")]  # fmt: skip
    read = outline(diagram(process("p", *parts)))
    assert read is not None
    steps = {step.id: step for step in read.processes["p"]}

    order = list(steps)
    assert order[order.index("box") + 1 : order.index("box") + 4] == ["s2", "in", "e2"]
    assert steps["in"].depth == 1
    assert (steps["late"].host, steps["late"].trigger) == ("box", "timer")
    assert read.places["clock"] == "late"


def test_names_and_properties_are_read() -> None:
    asked = node("userTask", "ask", NAMES, name="询问")
    read = outline(diagram(process("p", start("s"), asked, call("c", "q"), path("s", "ask", "c"))))
    assert read is not None

    assert (read.name("ask", "en"), read.name("ask", "zh")) == ("Ask", "询问")
    assert read.name("s", "en") == ""
    assert read.properties["ask"]["level"] == "2"
    assert read.processes["p"][-1].calls == "q"
    assert not read.has_layout


def test_what_is_no_diagram_has_no_outline() -> None:
    assert outline(b"<definitions/>") is None
    assert outline(b"no xml at all") is None


def test_deep_diagrams_are_walked_without_recursion() -> None:
    names = [f"t{n}" for n in range(3000)]

    assert ids(start("s"), *map(user, names), path("s", *names))[-1] == names[-1]
