"""Small cases, each stopped in the middle of one construct: what is kept, and how it goes on."""

from __future__ import annotations

from dataclasses import dataclass

from tests.drawing import (
    about,
    boundary,
    call,
    catch,
    diagram,
    end,
    gateway,
    mapping,
    message,
    node,
    path,
    process,
    repeat,
    script,
    service,
    start,
    sub,
    throw,
    timer,
    user,
)

#: a verb of the player with its arguments
Act = tuple[str | float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One case."""

    drawing: bytes
    #: what happens before it is kept
    before: tuple[Act, ...] = ()
    #: what happens after it was read again; then it has ended
    after: tuple[Act, ...]
    #: larger values than so many bytes stand beside the snapshot; 0: none
    large_value: int = 0


def _undoable(host: str) -> str:
    link = node("association", f"as_{host}", sourceRef=f"c_{host}", targetRef=f"undo_{host}")
    handler = node("userTask", f"undo_{host}", isForCompensation="true")
    return boundary(f"c_{host}", host, about("compensate")) + link + handler


_LISTENER = node(
    "subProcess", "on",
    node("startEvent", "on_s", about("message", "m"), isInterrupting="false"),
    user("on_u"), end("on_e"), path("on_s", "on_u", "on_e"),
    triggeredByEvent="true",
)  # fmt: skip
_ADD = mapping(outputs={"total": "total + item"})

SCENES = {
    "user_task": Scene(
        drawing=diagram(process(
            "p", start("s"), script("n", "[1, 2.5, date(\"2026-01-05\")]", "list"), user("a"),
            end("e"), path("s", "n", "a", "e"),
        )),
        after=(("complete", "a"),),
    ),
    "service_task": Scene(
        drawing=diagram(process("p", start("s"), service("a", "t"), end("e"), path("s", "a", "e"))),
        after=(("complete", "a"),),
    ),
    "timer": Scene(
        drawing=diagram(process(
            "p", start("s"), user("a"),
            boundary("b", "a", timer("Cycle", "R2/PT1H"), cancels=False),
            user("c"), catch("w", timer("Duration", "PT2H")), end("e"), end("f"),
            path("s", "a", "w", "e"), path("b", "c", "f"),
        )),
        before=(("advance", 3700.0),),
        after=(("complete", "c"), ("advance", 3600.0), ("complete", "c"), ("complete", "a"),
               ("advance", 7200.0)),
    ),
    "message": Scene(
        drawing=diagram(
            message("m", "paid", "order"),
            process("p", start("s"), script("k", "\"A-17\"", "order"),
                    catch("w", about("message", "m")), end("e"), path("s", "k", "w", "e")),
        ),
        after=(("message", "paid", "A-17"),),
    ),
    "event_gateway": Scene(
        drawing=diagram(
            message("m", "paid", "1"),
            process("p", start("s"), gateway("eventBased", "g"), catch("w", about("message", "m")),
                    catch("t", timer("Duration", "P1D")), end("e"), end("f"),
                    path("s", "g", "w", "e"), path("g", "t", "f")),
        ),
        after=(("advance", 86400.0),),
    ),
    "parallel_instances": Scene(
        drawing=diagram(process(
            "p", start("s"), script("n", "0", "total"),
            user("a", "<extensionElements>" + _ADD + "</extensionElements>",
                 repeat("[5, 6, 7]", "item")),
            end("e"), path("s", "n", "a", "e"),
        )),
        before=(("complete", "a"),),
        after=(("complete", "a"), ("complete", "a")),
    ),
    "sequential_instances": Scene(
        drawing=diagram(process(
            "p", start("s"), user("a", repeat("[5, 6, 7]", "item", sequential=True)), end("e"),
            path("s", "a", "e"),
        )),
        before=(("complete", "a"),),
        after=(("complete", "a"), ("complete", "a")),
    ),
    "sub_process": Scene(
        drawing=diagram(process(
            "p", start("s"),
            sub("u", start("us"), gateway("parallel", "f"), user("a"), user("b"),
                gateway("parallel", "j"), end("ue"),
                path("us", "f", "a", "j", "ue"), path("f", "b", "j")),
            end("e"), path("s", "u", "e"),
        )),
        before=(("complete", "b"),),
        after=(("complete", "a"),),
    ),
    "call_activity": Scene(
        drawing=diagram(
            process("p", start("s"), call("c", "q"), end("e"), path("s", "c", "e")),
            process("q", start("qs"), user("a"), end("qe"), path("qs", "a", "qe")),
        ),
        after=(("complete", "a"),),
    ),
    "compensation": Scene(
        drawing=diagram(process(
            "p", start("s"), user("a"),
            sub("u", start("us"), user("b"), _undoable("b"), end("ue"), path("us", "b", "ue")),
            user("c"), throw("t", about("compensate")), end("e"), _undoable("a"),
            path("s", "a", "u", "c", "t", "e"),
        )),
        before=(("complete", "a"), ("complete", "b")),
        after=(("complete", "c"), ("complete", "undo_b"), ("complete", "undo_a")),
    ),
    "complex_gateway": Scene(
        drawing=diagram(process(
            "p", start("s"), gateway("parallel", "f"), user("a"), user("b"), user("c"),
            node("complexGateway", "g", "<activationCondition>=activationCount >= 2"
                 "</activationCondition>"),
            user("d"), end("e"),
            path("s", "f", "a", "g", "d", "e"), path("f", "b", "g"), path("f", "c", "g"),
        )),
        before=(("complete", "a"), ("complete", "b")),
        after=(("complete", "c"), ("complete", "d")),
    ),
    "event_sub_process": Scene(
        drawing=diagram(
            message("m", "asked", "1"),
            process("p", start("s"), user("a"), end("e"), path("s", "a", "e"), _LISTENER),
        ),
        before=(("message", "asked", "1"),),
        after=(("message", "asked", "1"), ("complete", "on_u"), ("complete", "a"),
               ("complete", "on_u")),
    ),
    "ad_hoc": Scene(
        drawing=diagram(process(
            "p", start("s"), node("adHocSubProcess", "h", user("a"), user("b")), end("e"),
            path("s", "h", "e"),
        )),
        before=(("complete", "a"),),
        after=(("complete", "b"),),
    ),
    "loop": Scene(
        drawing=diagram(process(
            "p", start("s"),
            user("a", "<standardLoopCharacteristics><loopCondition>=loopCounter &lt; 3"
                 "</loopCondition></standardLoopCharacteristics>"),
            end("e"), path("s", "a", "e"),
        )),
        before=(("complete", "a"),),
        after=(("complete", "a"), ("complete", "a")),
    ),
    "large_value": Scene(
        drawing=diagram(process(
            "p", start("s"), script("n", "for i in 1..100 return i", "long"), user("a"),
            script("m", "sum(long)", "total"), end("e"), path("s", "n", "a", "m", "e"),
        )),
        after=(("complete", "a"),),
        large_value=100,
    ),
}  # fmt: skip
