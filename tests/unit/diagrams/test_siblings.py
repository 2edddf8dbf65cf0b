"""Rules of the standard beside those of the public corpus: each with a drawing that breaks it, and
one next to it that keeps it."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from engine import diagrams
from tests.drawing import (
    about,
    boundary,
    call,
    catch,
    diagram,
    end,
    flow,
    gateway,
    message,
    node,
    path,
    process,
    signal,
    start,
    sub,
    task,
    throw,
    user,
)
from tests.unit.diagrams.gate import FEEL, read

DURATION = (
    '<timerEventDefinition><timeDuration xsi:type="tFormalExpression">PT1H</timeDuration>'
    "</timerEventDefinition>"
)
HEAD = message("m", "paid", "key") + signal("sg", "stop")


class Pair(NamedTuple):
    """A rule, the element that breaks it, and the two drawings."""

    rule: str
    element: str
    wrong: bytes
    right: bytes


def chain(*inside: str, through: tuple[str, ...], more: str = "") -> bytes:
    """Return a process from s through some nodes to e."""
    flows = path("s", *through, "e")
    return diagram(HEAD, more, process("p", start("s"), end("e"), flows, *inside))


def pools(source: str, target: str, *inside: str, through: tuple[str, ...]) -> bytes:
    """Return two pools a (with the process) and z, and a message flow f between two ends."""
    ends = node("messageFlow", "f", sourceRef=source, targetRef=target)
    people = node("participant", "a", processRef="p") + node("participant", "z")
    return chain(*inside, through=through, more=node("collaboration", "k", people, ends))


def multiplicity(attributes: str) -> bytes:
    many = node("participant", "a", f"<participantMultiplicity {attributes}/>")
    return chain(task("t"), through=("t",), more=node("collaboration", "k", many))


def talks(source: str, target: str) -> bytes:
    parts = node("participant", "a") + node("participant", "b") + node("conversation", "c")
    link = node("conversationLink", "l", sourceRef=source, targetRef=target)
    return chain(task("t"), through=("t",), more=node("collaboration", "k", parts, link))


def divided(direction: str) -> bytes:
    split = node("parallelGateway", "g", gatewayDirection=direction)
    return chain(split, task("t"), user("u"), flow("g", "u"), flow("u", "e"), through=("g", "t"))


def undone(*more: str) -> bytes:
    """Return a task with a compensation boundary event b and its handler h."""
    event = boundary("b", "u", about("compensate"))
    undo = node("userTask", "h", isForCompensation="true")
    tied = node("association", "x", sourceRef="b", targetRef="h")
    return chain(user("u"), event, undo, tied, *more, through=("u",))


def specified(sets: str) -> bytes:
    block = f'<ioSpecification><dataInput id="i" name="i"/>{sets}<outputSet/></ioSpecification>'
    return chain(user("u", block), through=("u",))


LISTED = "<inputSet><dataInputRefs>{}</dataInputRefs></inputSet><outputSet/>"


def tied(target: str) -> bytes:
    """Return two tasks with an input each (i of t, j of u), and an association of u."""
    block = '<ioSpecification><dataInput id="{}"/>' + LISTED + "</ioSpecification>"
    inside = f"<sourceRef>d</sourceRef><targetRef>{target}</targetRef>"
    link = node("dataInputAssociation", "x", inside)
    one = user("t", block.format("i", "i"))
    other = user("u", block.format("j", "j"), link)
    return chain(one, other, node("dataObject", "d"), through=("t", "u"))


def shared(definition: str, at: str) -> bytes:
    """Return an end event that refers to a definition which stands at the top or in an event."""
    event = throw("x", definition if at == "event" else about("signal", "sg"))
    last = end("e2", "<eventDefinitionRef>def</eventDefinitionRef>")
    top = definition if at == "top" else ""
    return chain(event, last, flow("x", "e2"), through=("x",), more=top)


def received(inside: bool) -> bytes:
    wait = node("receiveTask", "r", messageRef="m", instantiate="true")
    body = wait + end("re") + path("r", "re")
    if inside:
        return chain(sub("q", body), through=("q",))
    return diagram(HEAD, process("p", body))


def choreography(inside: str) -> bytes:
    who = node("participant", "a") + node("participant", "b")
    sent = node("messageFlow", "f", sourceRef="a", targetRef="b")
    parts = "<participantRef>a</participantRef><participantRef>b</participantRef>"
    talk = node(
        "choreographyTask", "t", parts, "<messageFlowRef>f</messageFlowRef>",
        initiatingParticipantRef="a",
    )  # fmt: skip
    body = (who, sent, start("cs"), talk, end("ce"), path("cs", "t", "ce"), inside)
    return chain(task("x"), through=("x",), more=node("choreography", "c", *body))


SELF = "<standardLoopCharacteristics loopMaximum='{}'/>"
DEFINED = '<signalEventDefinition id="def" signalRef="sg"/>'
WAITS = catch("c", DURATION)
HEARS = catch("c", about("message", "m"))

PAIRS = {
    "a message flow to itself": Pair(
        "message-flow-inside-pool", "f",
        pools("z", "z", task("t"), through=("t",)), pools("z", "a", task("t"), through=("t",))),
    "a message flow from a pool to its own task": Pair(
        "message-flow-inside-pool", "f",
        pools("a", "t", task("t"), through=("t",)), pools("z", "t", task("t"), through=("t",))),
    "a message flow from a task to its own pool": Pair(
        "message-flow-inside-pool", "f",
        pools("t", "a", task("t"), through=("t",)), pools("t", "z", task("t"), through=("t",))),
    "a message flow from a plain end": Pair(
        "message-flow-from-no-message", "e",
        pools("e", "z", task("t"), through=("t",)),
        pools("x", "z", throw("x", about("message", "m")), through=("x",))),
    "a message flow from a signal": Pair(
        "message-flow-from-no-message", "x",
        pools("x", "z", throw("x", about("signal", "sg")), through=("x",)),
        pools("x", "z", throw("x", about("signal", "sg"), about("message", "m")), through=("x",))),
    "a message flow to a timer": Pair(
        "message-flow-to-no-message", "c",
        pools("z", "c", WAITS, through=("c",)), pools("z", "c", HEARS, through=("c",))),
    "a participant at most once and at least twice": Pair(
        "participant-multiplicity", "a", multiplicity('minimum="2"'),
        multiplicity('minimum="2" maximum="2"')),
    "a conversation link between pools": Pair(
        "conversation-link-ends", "l", talks("a", "b"), talks("a", "c")),
    "a gateway marked as mixed that only divides": Pair(
        "gateway-not-mixed", "g", divided("Mixed"), divided("Unspecified")),
    "a path behind a compensation event": Pair(
        "compensation-event-with-flow", "b-e", undone(flow("b", "e")), undone()),
    "two handlers of one activity": Pair(
        "compensation-several-handlers", "b",
        undone(node("userTask", "h2", isForCompensation="true"),
               node("association", "y", sourceRef="b", targetRef="h2")), undone()),
    "an input in no set": Pair(
        "data-in-no-set", "i", specified("<inputSet/>"),
        specified("<inputSet><dataInputRefs>i</dataInputRefs></inputSet>")),
    "an association with the data of another task": Pair(
        "association-of-another", "x", tied("i"), tied("j")),
    "a definition that is another event's": Pair(
        "event-definition-not-shared", "e2", shared(DEFINED, "event"), shared(DEFINED, "top")),
    "a receive task in a sub-process that starts it": Pair(
        "instantiate-inside", "r", received(inside=True), received(inside=False)),
    "a task in a choreography": Pair(
        "not-in-choreography", "y", choreography(task("y") + flow("t", "y") + flow("y", "ce")),
        choreography("")),
    "a loop of no rounds": Pair(
        "loop-maximum-below-one", "u", chain(user("u", SELF.format(0)), through=("u",)),
        chain(user("u", SELF.format(1)), through=("u",))),
    "a data object reference without its object": Pair(
        "attribute-missing", "r",
        chain(task("t"), node("dataObjectReference", "r"), through=("t",)),
        chain(task("t"), node("dataObject", "d"),
              node("dataObjectReference", "r", dataObjectRef="d"), through=("t",))),
    "a file without a namespace for its names": Pair(
        "attribute-missing", "drawing",
        chain(task("t"), through=("t",)).replace(b' targetNamespace="http://example.org/drawing"',
                                                 b""),
        chain(task("t"), through=("t",))),
}  # fmt: skip


def broken(drawing: bytes) -> list[tuple[str, str | None]]:
    """Return rule and element of what breaks the standard; what is not executed does not count."""
    return [(p.rule, p.element) for p in read(drawing).problems if p.severity == "error"]


@pytest.mark.parametrize("name", PAIRS)
def test_what_breaks_the_standard_is_refused_at_its_place(name: str) -> None:
    pair = PAIRS[name]
    assert (pair.rule, pair.element) in broken(pair.wrong)


@pytest.mark.parametrize("name", PAIRS)
def test_what_keeps_the_standard_is_not_refused(name: str) -> None:
    assert broken(PAIRS[name].right) == []


def test_a_gateway_that_neither_joins_nor_divides_is_mentioned() -> None:
    # given
    drawing = chain(gateway("exclusive", "g"), through=("g",))
    # when
    found = [(p.rule, p.element) for p in read(drawing).problems if p.severity == "warning"]
    # then
    assert found == [("gateway-pointless", "g")]


# ------------------------------------------------------------------ data of calls


def io(*names: str, sets: str = "") -> str:
    """Return a data specification with inputs; an empty name is none."""
    inputs = "".join(
        node("dataInput", f"{id}", **({"name": name} if name else {}))
        for id, name in (part.split(":") for part in names)
    )
    refs = "".join(f"<dataInputRefs>{part.split(':')[0]}</dataInputRefs>" for part in names)
    sets = sets or f"<inputSet>{refs}</inputSet>"
    return f"<ioSpecification>{inputs}{sets}<outputSet/></ioSpecification>"


def called(*inside: str) -> str:
    return process("q", *inside, start("qs"), end("qe"), path("qs", "qe"))


def calling(given: str, wanted: str, *, apart: bool = False) -> set[str]:
    """Return the rules that stop a plain call of q with these data; `apart`: q in its own file."""
    plain = node("callActivity", "k", given, calledElement="q")
    first = process("p", start("s"), plain, end("e"), path("s", "k", "e"))
    files = {"a.bpmn": diagram(first, "" if apart else called(wanted))}
    if apart:
        files["b.bpmn"] = diagram(called(wanted))
    return {p.rule for p in diagrams.read(files, languages=FEEL).problems if p.stops}


@pytest.mark.parametrize("apart", [False, True])
def test_data_of_a_call_have_the_names_of_the_called_process(apart: bool) -> None:
    assert calling(io("i:amount"), io("j:amount"), apart=apart) == set()
    assert calling(io("i:amount"), io("j:price"), apart=apart) == {"call-data-lost"}
    two = io("i:b", "j:a")
    assert calling(two, io("x:a", "y:b"), apart=apart) == set()


def test_data_without_a_name_find_each_other_by_their_place_in_one_file() -> None:
    assert calling(io("i:"), io("j:")) == set()
    assert calling(io("i:"), io("j:amount")) == set()
    assert calling(io("i:"), io("j:amount"), apart=True) == {"call-data-nameless"}


def test_a_plain_call_without_data_calls_nothing_that_needs_some() -> None:
    # given
    optional = "<inputSet><dataInputRefs>j</dataInputRefs><optionalInputRefs>j</optionalInputRefs>"
    # then
    assert calling("", io("j:amount")) == {"call-without-data"}
    assert calling("", io("j:amount", sets=f"{optional}</inputSet>")) == set()
    mapped = process("p", start("s"), call("k", "q"), end("e"), path("s", "k", "e"))
    assert not read(diagram(mapped, called(io("j:amount")))).stops


def test_the_sets_of_a_call_are_those_of_the_called_process() -> None:
    # given
    apart = (
        "<inputSet><dataInputRefs>x</dataInputRefs></inputSet>"
        "<inputSet><dataInputRefs>y</dataInputRefs></inputSet>"
    )
    # then
    assert calling(io("i:a", "j:b"), io("x:a", "y:b", sets=apart)) == {"call-sets-differ"}
    assert calling(io("i:a", "j:b"), io("x:a", "y:b")) == set()
