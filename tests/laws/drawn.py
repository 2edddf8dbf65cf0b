"""Blocks as a BPMN file; optionally with other ids, and with its elements in another order."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from random import Random

from tests import drawing as d
from tests.laws import blocks as b
from tests.laws.names import counters, fresh, localised

#: attributes that hold ids
_IDS = re.compile(r'\b(id|default|processId|\w+Ref)="([^"]*)"')

Ends = tuple[str, str]
_Branched = b.Parallel | b.Inclusive | b.Exclusive


def renamed(id: str) -> str:
    """Return another id that sorts differently."""
    return f"z{id[::-1]}"


def draw(root: b.Inside, *, shuffle: int | None = None, rename: bool = False) -> bytes:
    """Return the file of a process."""
    drawing = _Drawing(None if shuffle is None else Random(shuffle))
    main = d.process("main", *drawing.inside(root))
    file = d.diagram(*drawing.roots, main, *drawing.called).decode()
    if rename:
        file = _IDS.sub(lambda found: f'{found[1]}="{renamed(found[2])}"', file)
    return file.encode()


def variables(root: b.Inside) -> dict[str, object]:
    """Return what the process begins with: every name that anything in it writes or asks."""
    found: dict[str, object] = {"key": "k"}
    for block in b.walk(root):
        found |= fresh(counters(block))
        if isinstance(block, b.Leave):
            found[f"go_{block.id}"] = False
        elif isinstance(block, b.Exclusive):
            found[f"pick_{block.id}"] = block.pick % len(block.parts)
        elif isinstance(block, b.Inclusive):
            for index, taken in enumerate(block.taken):
                found[f"take{index}_{block.id}"] = taken
    return found


class _Drawing:
    """Collects the parts of one file."""

    def __init__(self, random: Random | None) -> None:
        self._random = random
        self.called: list[str] = []
        self.roots = [d.error(f"error_{code}", code) for code in b.CODES]
        self.roots += [d.escalation(f"escalation_{code}", code) for code in b.CODES]
        #: elements and flows of the scope that is being drawn
        self._parts: list[str] = []

    def inside(self, block: b.Inside) -> list[str]:
        """Return the elements of a scope, in the order they are written."""
        outer, self._parts = self._parts, []
        first, last = self._add(block.body)
        self._parts += [d.start(f"s_{block.id}"), d.end(f"e_{block.id}")]
        self._flows(f"s_{block.id}", first)
        self._flows(last, f"e_{block.id}")
        for guard in block.guards:
            self._parts.append(self._guard(guard))
        parts, self._parts = self._parts, outer
        return self._mixed(parts)

    def _mixed(self, parts: list[str]) -> list[str]:
        if self._random is not None:
            self._random.shuffle(parts)
        return parts

    def _flows(self, *ids: str) -> None:
        for source, target in pairwise(ids):
            self._parts.append(d.flow(source, target))

    def _add(self, block: b.Block) -> Ends:
        """Draw a block; return its first and last node."""
        draw: Callable[..., Ends] = getattr(self, f"_{type(block).__name__.lower()}")
        return draw(block)

    # ------------------------------------------------ gateways

    def _sequence(self, block: b.Sequence) -> Ends:
        ends = [self._add(part) for part in block.parts]
        for (_, last), (first, _) in pairwise(ends):
            self._flows(last, first)
        return ends[0][0], ends[-1][1]

    def _parallel(self, block: b.Parallel) -> Ends:
        return self._split("parallel", block, ["" for _ in block.parts])

    def _inclusive(self, block: b.Inclusive) -> Ends:
        names = [f"take{index}_{block.id}" for index in range(len(block.parts))]
        default = any(block.taken[: len(block.parts)])
        return self._split("inclusive", block, names if default else ["", *names[1:]])

    def _exclusive(self, block: b.Exclusive) -> Ends:
        asked = [f"pick_{block.id} = {index}" for index in range(len(block.parts))]
        return self._split("exclusive", block, ["", *asked[1:]])

    def _split(self, kind: str, block: _Branched, conditions: Sequence[str]) -> Ends:
        """Draw branches between two gateways; the branch without a condition is the default."""
        split, join = f"split_{block.id}", f"join_{block.id}"
        default = ""
        for part, condition in zip(block.parts, conditions, strict=True):
            first, last = self._add(part)
            self._parts.append(d.flow(split, first, condition))
            self._flows(last, join)
            if kind != "parallel" and not condition:
                default = f"{split}-{first}"
        self._parts += [d.gateway(kind, split, default), d.gateway(kind, join)]
        return split, join

    def _loop(self, block: b.Loop) -> Ends:
        merge, count, ask, out = (f"{name}_{block.id}" for name in ("merge", "count", "ask", "out"))
        counter = f"n_{block.id}"
        first, last = self._add(block.body)
        self._parts += [
            d.gateway("exclusive", merge),
            d.script(count, f"{counter} + 1", counter),
            d.gateway("exclusive", ask, f"{ask}-{out}"),
            d.script(out, "0", counter),
            d.flow(ask, merge, f"{counter} < {block.rounds}"),
        ]
        self._flows(merge, first)
        self._flows(last, count, ask, out)
        return merge, out

    def _race(self, block: b.Race) -> Ends:
        split, join = f"split_{block.id}", f"join_{block.id}"
        self._parts += [d.gateway("eventBased", split), d.gateway("exclusive", join)]
        for branch in block.parts:
            self._parts.append(d.catch(branch.id, self._about(branch)))
            first, last = self._add(branch.handler)
            self._flows(split, branch.id, first)
            self._flows(last, join)
        return split, join

    # ------------------------------------------------ ends and throws

    def _leave(self, block: b.Leave) -> Ends:
        ask, out, stop = (f"{name}_{block.id}" for name in ("ask", "out", "stop"))
        end = d.about("error", f"error_{block.code}") if block.kind == "error" else ""
        self._parts += [
            d.user(block.id, d.extension(_BY)),
            d.gateway("exclusive", ask, f"{ask}-{out}"),
            d.gateway("exclusive", out),
            d.end(stop, end or d.about("terminate")),
            d.flow(ask, stop, f"go_{block.id}"),
        ]
        self._flows(block.id, ask, out)
        return block.id, out

    def _raise(self, block: b.Raise) -> Ends:
        event = d.about("escalation", f"escalation_{block.code}")
        return self._thrown(block, event)

    def _undo(self, block: b.Undo) -> Ends:
        return self._thrown(block, d.about("compensate"))

    def _thrown(self, block: b.Block, event: str) -> Ends:
        throw = f"throw_{block.id}"
        self._parts += [d.user(block.id, d.extension(_BY)), d.throw(throw, event)]
        self._flows(block.id, throw)
        return block.id, throw

    # ------------------------------------------------ activities and their events

    def _activity(self, block: b.Activity) -> Ends:
        self._parts.append(self._node(block))
        if block.undoable:
            self._parts += self._undoable(block)
        join, merged = f"join_{block.id}", False
        for listener in block.listeners:
            event = self._about(listener)
            self._parts.append(
                d.boundary(listener.id, block.id, event, cancels=listener.interrupts)
            )
            first, last = self._add(listener.handler)
            self._flows(listener.id, first)
            if listener.interrupts:
                self._flows(last, join)
                merged = True
            else:
                self._parts.append(d.end(f"e_{listener.id}"))
                self._flows(last, f"e_{listener.id}")
        if not merged:
            return block.id, block.id
        self._parts.append(d.gateway("exclusive", join))
        self._flows(block.id, join)
        return block.id, join

    def _node(self, block: b.Activity) -> str:
        repeat = _repeat(block) if block.repeat is not None else ""
        mapping = _own(block) if block.repeat is not None else ""
        if block.kind == "script":
            name = f"n_{block.id}"
            say = f'<zeebe:script expression="={name} + 1" resultVariable="{name}"/>'
            return d.node("scriptTask", block.id, d.extension(say, mapping), repeat)
        if block.kind == "user":
            return d.node("userTask", block.id, d.extension(_BY, mapping), repeat)
        assert block.inside is not None
        if block.kind == "sub":
            more = [d.extension(mapping)] if mapping else []
            return d.node("subProcess", block.id, *more, *self.inside(block.inside), repeat)
        self.called.append(d.process(f"called_{block.id}", *self.inside(block.inside)))
        call = f'<zeebe:calledElement processId="called_{block.id}"/>'
        return d.node("callActivity", block.id, d.extension(call, mapping), repeat)

    def _undoable(self, block: b.Activity) -> list[str]:
        handler, event = f"undo_{block.id}", f"undone_{block.id}"
        say = f'<zeebe:script expression="=n_{handler} + 1" resultVariable="n_{handler}"/>'
        return [
            d.boundary(event, block.id, d.about("compensate")),
            d.node("scriptTask", handler, d.extension(say), isForCompensation="true"),
            d.node("association", f"as_{block.id}", sourceRef=event, targetRef=handler),
        ]

    def _guard(self, guard: b.Listener) -> str:
        outer, self._parts = self._parts, []
        first, last = self._add(guard.handler)
        interrupts = str(guard.interrupts).lower()
        begin, finish = f"s_{guard.id}", f"e_{guard.id}"
        self._parts += [
            d.node("startEvent", begin, self._about(guard), isInterrupting=interrupts),
            d.end(finish),
        ]
        self._flows(begin, first)
        self._flows(last, finish)
        parts, self._parts = self._parts, outer
        return d.node("subProcess", guard.id, *self._mixed(parts), triggeredByEvent="true")

    def _about(self, one: b.Listener) -> str:
        if one.trigger == "timer":
            if one.interrupts or one.times == 1:
                return d.timer("Duration", f"PT{one.seconds}S")
            return d.timer("Cycle", f"R{one.times}/PT{one.seconds}S")
        if one.trigger == "message":
            self.roots.append(d.message(f"message_{one.id}", f"m_{one.id}", "key"))
            return d.about("message", f"message_{one.id}")
        return d.about(one.trigger, f"{one.trigger}_{one.code}" if one.code else "")


#: shows in the open task which instance it belongs to
_BY = '<zeebe:assignmentDefinition assignee="=key"/>'


def _repeat(block: b.Activity) -> str:
    assert block.repeat is not None
    repeat = block.repeat
    return d.repeat(
        str(list(range(repeat.count))),
        "item",
        sequential=repeat.sequential,
        collect=f"out_{block.id}",
        result=f"[{', '.join(['loopCounter', *localised(block)])}]",
        until=f"numberOfCompletedInstances >= {repeat.enough}" if repeat.enough else "",
    )


def _own(block: b.Activity) -> str:
    """Return the mappings that give an instance its own key and its own counters."""
    inputs = {"key": 'key + "." + string(loopCounter)'}
    inputs |= {name: str(value) for name, value in fresh(localised(block)).items()}
    return d.mapping(inputs)
