"""The diagrams of the benchmarks: one structure for the engine (FEEL) and for stock (Python)."""

from __future__ import annotations

from tests.drawing import (
    boundary,
    catch,
    diagram,
    end,
    extension,
    flow,
    gateway,
    node,
    path,
    process,
    repeat,
    script,
    service,
    start,
    sub,
    timer,
    user,
)

TASKS = 10
#: far enough that no timer fires during a measurement
#: what the task of `desk` is called
DESK_NAME = "Check 审核退款申请"
_FAR = '=duration("P400D")'


def scripts() -> bytes:
    """Return ten script tasks in a row."""
    names = [f"t{n}" for n in range(TASKS)]
    tasks = [script(name, "n + 1", "n") for name in names]
    return diagram(process("scripts", start("s"), *tasks, end("e"), path("s", *names, "e")))


def stock_scripts() -> bytes:
    """Return the same with Python scripts."""
    names = [f"t{n}" for n in range(TASKS)]
    tasks = [node("scriptTask", name, "<script>n = n + 1</script>") for name in names]
    return diagram(process("scripts", start("s"), *tasks, end("e"), path("s", *names, "e")))


def person() -> bytes:
    """Return one user task; the same file serves both sides."""
    return diagram(process("person", start("s"), user("u"), end("e"), path("s", "u", "e")))


def services(topic: str = "bench.nothing") -> bytes:
    """Return ten service tasks in a row."""
    names = [f"t{n}" for n in range(TASKS)]
    tasks = [service(name, topic) for name in names]
    return diagram(process("services", start("s"), *tasks, end("e"), path("s", *names, "e")))


def turns() -> bytes:
    """Return a user task that comes again until `more` is false."""
    return diagram(
        process(
            "turns", start("s"), user("u"), gateway("exclusive", "x", "x-e"), end("e"),
            path("s", "u", "x", "e"), flow("x", "u", "more"),
        )
    )  # fmt: skip


def many_scripts() -> bytes:
    """Return a parallel multi-instance script task over `items`."""
    task = script("t", "item + 1", "last", repeat("items", "item"))
    return diagram(process("many_scripts", start("s"), task, end("e"), path("s", "t", "e")))


def many_people() -> bytes:
    """Return a parallel multi-instance user task over `items`."""
    task = user("u", repeat("items", "item"))
    return diagram(process("many_people", start("s"), task, end("e"), path("s", "u", "e")))


def waiting() -> bytes:
    """Return, for each of `items`, a user task with a timer that is far away."""
    inner = sub(
        "w", repeat("items", "item"), start("ws"), user("u"), end("we"), end("late"),
        boundary("b", "u", timer("Duration", _FAR)), path("ws", "u", "we"), path("b", "late"),
    )  # fmt: skip
    return diagram(process("waiting", start("s"), inner, end("e"), path("s", "w", "e")))


def alarm() -> bytes:
    """Return one timer; `span` says how long it takes."""
    wait = catch("w", timer("Duration", "=duration(span)"))
    return diagram(process("alarm", start("s"), wait, end("e"), path("s", "w", "e")))


def desk() -> bytes:
    """Return a user task for `user` or, without one, for a group, with a reminder far away.

    It is due at `due`, if there is one.
    """
    who = '<zeebe:assignmentDefinition assignee="=user" candidateGroups="g0"/>'
    when = '<zeebe:taskSchedule dueDate="=due"/>'
    work = node("userTask", "u", extension(who, when), name=DESK_NAME)
    return diagram(
        process(
            "desk", start("s"), script("t", "amount * 2", "double"), work,
            end("e"), end("late"), boundary("b", "u", timer("Duration", _FAR), cancels=False),
            path("s", "t", "u", "e"), path("b", "late"),
        )
    )  # fmt: skip
