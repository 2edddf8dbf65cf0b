"""Puts one piece of a diagram at every place where it can stand, and plays it there.

A *body* is the inside of a scope: its start, its nodes, its flows, its event sub-processes. What it
does may not depend on whether it is the process itself, a sub-process, a called process or one
instance of a repeated sub-process; nor on restarts, ids, prefixes and the order of the file.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from lxml import etree

from engine import diagrams
from engine.languages import Languages
from engine.model import InstanceState
from tests.drawing import (
    about,
    call,
    catch,
    diagram,
    end,
    message,
    node,
    path,
    process,
    repeat,
    script,
    signal,
    start,
    sub,
    throw,
    user,
)
from tests.unit.kernel.player import Player

#: attributes that name another element of the file
_REFERENCES = (
    "sourceRef",
    "targetRef",
    "attachedToRef",
    "default",
    "activityRef",
    "processId",
    "messageRef",
    "signalRef",
    "errorRef",
    "escalationRef",
    "dataObjectRef",
    "noneBehaviorEventRef",
    "oneBehaviorEventRef",
)
#: elements whose text names another element of the file
_NAMING = ("sourceRef", "targetRef", "dataInputRefs", "dataOutputRefs")
#: ids that XML allows and programs stumble over
_AWKWARD = ("_.-{}", "Ünï.{}-", "__class__{}", "start-{}", "任务{}", "id.{}.End")
_NOTHING = diagram(process("nothing", start("s"), end("e"), path("s", "e")))


class Stage(Player):
    """A player of a diagram that has passed the gate; speaks of elements by the ids as drawn."""

    def __init__(
        self, drawing: bytes, *, first: str = "p", drawn: dict[str, str] | None = None, piece: int
    ) -> None:
        super().__init__(_NOTHING, activations=piece, pieces=1_000_000)
        bundle = diagrams.read({"drawing.bpmn": drawing}, languages=Languages())
        stops = [(p.element, p.message) for p in bundle.problems if p.stops]
        assert not stops, stops
        self.definitions = dict(bundle.definitions)
        self._drawn = drawn or {}
        self._renamed = {old: new for new, old in self._drawn.items()}
        self.first = self._renamed.get(first, first)

    def complete(self, element_id: str, nth: int = 0, /, **result: object) -> None:
        super().complete(self._renamed.get(element_id, element_id), nth, **result)

    def throw(self, element_id: str, code: str, /, **variables: object) -> None:
        super().throw(self._renamed.get(element_id, element_id), code, **variables)

    @property
    def open(self) -> list[str]:
        return sorted(self._drawn.get(i, i) for i in super().open)

    @property
    def trail(self) -> list[str]:
        return [self._drawn.get(i, i) for i in super().trail]

    def happened(self, kind: str) -> list[str | None]:
        return [self._drawn.get(str(i), i) for i in super().happened(kind)]

    def ran(self, *ids: str) -> list[str]:
        """Return which of these elements completed, in order."""
        return [i for i in self.trail if i in ids]

    def bag(self, *ids: str) -> list[str]:
        """Return which of these elements completed, sorted, for branches without an order."""
        return sorted(self.ran(*ids))

    @property
    def idle(self) -> bool:
        """True if nothing is open, stopped or armed for the outside any more."""
        return not (self.open or self.incidents or self.catches or self.works)


@dataclass(frozen=True)
class Place:
    """Where a body stands, and under which circumstances it is played."""

    name: str
    #: body -> what stands in the file
    around: Callable[[str], tuple[str, ...]]
    #: a snapshot after every single activation
    restarts: bool = False
    #: other ids, another order, a prefix
    disguised: bool = False
    #: what has to be done before the body begins
    enter: Callable[[Stage], object] = lambda stage: None
    #: what has to be done after the body has ended
    leave: Callable[[Stage], object] = lambda stage: None

    def play(self, body: str, *roots: str, **variables: object) -> Stage:
        """Start the body, with messages and the like as roots of the file."""
        drawing = diagram(*roots, *self.around(body))
        drawn: dict[str, str] = {}
        if self.disguised:
            drawing, drawn = disguise(drawing)
        stage = Stage(drawing, drawn=drawn, piece=1 if self.restarts else 1000)
        stage.start(**variables)
        self.enter(stage)
        return stage

    def over(self, stage: Stage) -> bool:
        """Tell whether the body has ended in order, once, and all that surrounds it too."""
        self.leave(stage)
        around = stage.ran("behind") == ([] if self.name == "process" else ["behind"])
        return stage.state is InstanceState.COMPLETED and around

    def stopped(self, stage: Stage) -> bool:
        """Tell whether a terminate end event has ended the body: at the top, the instance."""
        if self.name == "process":
            return stage.state is InstanceState.TERMINATED
        return self.over(stage)


def _inside(*scope: str, before: str = "") -> tuple[str, ...]:
    begin = start("p_s"), script("behind", "1", "behind_it"), end("p_e")
    return (process("p", before, *begin, *scope, path("p_s", "place", "behind", "p_e")),)


def _in_process(body: str) -> tuple[str, ...]:
    return (process("p", body),)


def _within(id: str, core: str) -> tuple[str, str, str, str]:
    """Return the inside of a scope: start, a core with this id, end, and the flows."""
    begin, stop = f"{id}_before", f"{id}_behind"
    return start(begin), core, end(stop), path(begin, id, stop)


def _deep(body: str) -> tuple[str, ...]:
    inner = sub("place_inner", *_within("place_core", node("transaction", "place_core", body)))
    return _inside(sub("place", *_within("place_inner", inner)))


def _in_called_sub(body: str) -> tuple[str, ...]:
    inner = _within("place_core", sub("place_core", body))
    return (*_inside(call("place", "called")), process("called", *inner))


def _parallel(body: str) -> tuple[str, ...]:
    return _inside(sub("place", repeat("[7]", "item"), body))


def _in_loop(body: str) -> tuple[str, ...]:
    inner = sub("place_core", repeat("[7]", "item", sequential=True), body)
    once = '<standardLoopCharacteristics loopMaximum="1"/>'
    return _inside(sub("place", once, *_within("place_core", inner)))


def _in_handler(body: str) -> tuple[str, ...]:
    event = node("startEvent", "place_entry_s", about("message", "enter"), isInterrupting="false")
    inner = sub("place_core", body), script("behind", "1", "behind_it"), end("place_entry_e")
    handler = node(
        "subProcess",
        "place_entry",
        event,
        *inner,
        path("place_entry_s", "place_core", "behind", "place_entry_e"),
        triggeredByEvent="true",
    )
    main = start("p_s"), user("hold"), end("p_e"), path("p_s", "hold", "p_e")
    return (message("enter", "enter"), process("p", *main, handler))


def _in_ad_hoc(body: str) -> tuple[str, ...]:
    return _inside(node("adHocSubProcess", "place", sub("place_core", body)))


def _beside(body: str) -> tuple[str, ...]:
    """Put the body beside a repeated sub-process that listens to signals, and goes on listening."""
    event = node("startEvent", "place_entry_s", about("signal", "place_signal"))
    handler = node(
        "subProcess",
        "place_entry",
        event,
        end("place_e"),
        path("place_entry_s", "place_e"),
        triggeredByEvent="true",
    )
    wait = catch("place_wait", about("signal", "place_signal"))
    other = sub("place_other", repeat("[1,2]", "n"), *_within("place_wait", wait), handler)
    both = (
        start("place_s"),
        sub("place_core", body),
        throw("place_t", about("signal", "place_signal")),
    )
    flows = path("place_s", "place_core", "place_t", "place_end") + path("place_s", "place_other")
    outer = sub("place", *both, end("place_end"), other, flows, path("place_other", "place_end"))
    return (signal("place_signal", "over"), *_inside(outer))


def _enter_handler(stage: Stage) -> None:
    assert stage.message("enter")


def _leave_handler(stage: Stage) -> None:
    if "hold" in stage.open:
        stage.complete("hold")


PLACES = (
    Place("process", _in_process, restarts=True),
    Place("process", _in_process, disguised=True),
    Place("sub-process of a called process", _in_called_sub, restarts=True),
    Place("parallel instance", _parallel, restarts=True, disguised=True),
    Place("sequential instance in a loop", _in_loop),
    Place("transaction deep inside", _deep, disguised=True),
    Place(
        "event sub-process",
        _in_handler,
        restarts=True,
        enter=_enter_handler,
        leave=_leave_handler,
    ),
    Place("ad hoc sub-process", _in_ad_hoc, disguised=True),
    Place("beside another scope", _beside, restarts=True),
)


def _name(place: Place) -> str:
    flags = (" restarted" if place.restarts else "") + (" disguised" if place.disguised else "")
    return f"{place.name}{flags}".replace(" ", "_")


#: for tests that hold wherever the body stands
everywhere = pytest.mark.parametrize("place", PLACES, ids=_name)


#: for tests that vary something else as well
in_three_places = pytest.mark.parametrize("place", [PLACES[0], PLACES[2], PLACES[3]], ids=_name)


def disguise(drawing: bytes) -> tuple[bytes, dict[str, str]]:
    """Return the same diagram with other ids, order and prefix, and new id -> drawn id."""
    tree = etree.fromstring(drawing)
    new = {
        str(e.get("id")): _AWKWARD[n % len(_AWKWARD)].format(n)
        for n, e in enumerate(tree.iter("{*}*"))
        if e.get("id")
    }
    for element in tree.iter("{*}*"):
        for name in ("id", *_REFERENCES):
            value = element.get(name)
            if value in new:
                element.set(name, new[value])
        if etree.QName(element).localname in _NAMING:
            element.text = new.get(str(element.text), element.text)
    for scope in tree.iter("{*}process", "{*}subProcess", "{*}transaction", "{*}adHocSubProcess"):
        _shuffle(scope)
    text = etree.tostring(tree).decode()
    text = text.replace('xmlns="http://www.omg.org/spec', 'xmlns:b="http://www.omg.org/spec', 1)
    return _prefixed(text).encode(), {now: drawn for drawn, now in new.items()}


def _shuffle(scope: etree._Element) -> None:
    """Mix what is drawn in a scope; flows keep their order, which decides at gateways."""
    head = ("extensionElements", "standardLoopCharacteristics", "multiInstanceLoopCharacteristics")
    inside = [e for e in scope if etree.QName(e).localname not in head]
    inside = [e for e in inside if etree.QName(e).localname != "completionCondition"]
    flows = [e for e in inside if etree.QName(e).localname == "sequenceFlow"]
    artifacts = [e for e in inside if etree.QName(e).localname == "association"]
    nodes = [e for e in inside if e not in flows and e not in artifacts]
    random.Random(len(nodes)).shuffle(nodes)
    where = min((scope.index(e) for e in inside), default=0)
    for element in reversed([*flows, *nodes, *artifacts]):
        scope.remove(element)
        scope.insert(where, element)


def _prefixed(text: str) -> str:
    """Give every BPMN tag the prefix b."""
    done, rest = [], text
    while (at := rest.find("<")) >= 0:
        done.append(rest[: at + 1])
        rest = rest[at + 1 :]
        slash = "/" if rest.startswith("/") else ""
        name = rest[len(slash) :].split(">")[0].split(" ")[0].rstrip("/")
        if ":" not in name and not rest.startswith(("?", "!")):
            rest = f"{slash}b:{rest[len(slash) :]}"
    return "".join(done) + rest
