"""A reference model of the token, on the tree of blocks: what BPMN 2.0.2, chapter 13, says.

It shares nothing with the kernel: a token is a chain of calls, each with what to do `then`. What
can be cancelled together hangs on a frame; what flows in one scope is counted by its level.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from tests.laws import blocks as b
from tests.laws.names import fresh, localised
from tests.laws.running import NOWHERE, Frame, Host, Level, Past, Record, Then, Variables, Wait


class _Instances:
    """The instances of a repeated activity."""

    def __init__(self, repeat: b.Repeat, local: list[str]) -> None:
        self.local = local
        #: what each gave, in the order of the items
        self.results: list[Any] = [None] * repeat.count
        self.past: Past = NOWHERE
        self._wanted = min(repeat.enough or repeat.count, repeat.count)
        self._begun = 0
        self._ended = 0

    @property
    def enough(self) -> bool:
        return self._ended >= self._wanted

    def begin(self) -> int:
        self._begun += 1
        return self._begun - 1

    def end(self, index: int, own: Variables, past: Past) -> None:
        self.results[index] = [index + 1, *(own.values[name] for name in self.local)]
        self.past |= past
        self._ended += 1


class Reference:
    """One case."""

    def __init__(self, root: b.Inside, variables: dict[str, Any], now: datetime) -> None:
        self.now = now
        self.state = "running"
        self.waits: list[Wait] = []
        #: activities in the order in which they were completed here, each with its causes
        self.trail: list[tuple[str, Past]] = []
        self.begun: Counter[str] = Counter()
        self.completed: Counter[str] = Counter()
        self.cancelled: Counter[str] = Counter()
        self.variables = Variables(None, variables)
        self.root = Level(None, None, self.variables, Frame(), self._ended, root.guards)
        self._enter(self.root, root, NOWHERE)

    # ------------------------------------------------ what the outside can do

    def do(self, wait: Wait, answer: bool = False) -> None:
        """Let a wait end: a task completed, a message come, or the clock at its time."""
        if wait.due is not None:
            self.now = wait.due
        wait.go(answer)

    def follows(self, later: int, earlier: int) -> bool:
        """Tell whether one entry of the trail comes from another, over any number of steps."""
        causes = self.trail[later][1]
        return earlier in causes or any(self.follows(c, earlier) for c in causes if c > earlier)

    def _ended(self, past: Past) -> None:
        self.state = "completed"

    # ------------------------------------------------ frames

    def _clear(self, frame: Frame) -> None:
        """Cancel all that runs and waits inside (13.3.2: an interrupted activity is terminated)."""
        for inner in frame.below:
            self._cancel(inner)
        frame.below = []
        self.waits = [wait for wait in self.waits if wait.frame is not frame]

    def _cancel(self, frame: Frame) -> None:
        if frame.alive:
            frame.alive = False
            self._clear(frame)
            if frame.element:
                self.cancelled[frame.element] += 1

    def _begin(self, element: str, up: Frame) -> Frame:
        self.begun[element] += 1
        return Frame(up, element)

    def _complete(self, frame: Frame, past: Past) -> Past:
        """Complete an activity: its boundary events listen no longer (13.5.3)."""
        assert frame.alive
        frame.alive = False
        self._clear(frame)
        assert frame.up is not None
        frame.up.below.remove(frame)
        self.completed[frame.element] += 1
        self.trail.append((frame.element, past))
        return frozenset({len(self.trail) - 1})

    # ------------------------------------------------ blocks

    def _run(self, block: b.Block, level: Level, past: Past, then: Then) -> None:
        getattr(self, f"_{type(block).__name__.lower()}")(block, level, past, then)

    def _sequence(self, block: b.Sequence, level: Level, past: Past, then: Then) -> None:
        """Follow the sequence flow from one to the next (13.3.1)."""

        def follow(index: int, past: Past) -> None:
            if index == len(block.parts):
                then(past)
            else:
                self._run(block.parts[index], level, past, lambda p: follow(index + 1, p))

        follow(0, past)

    def _parallel(self, block: b.Parallel, level: Level, past: Past, then: Then) -> None:
        """Put a token on each way, then wait for one from each (13.4.1)."""
        self._all(block.parts, level, past, then)

    def _inclusive(self, block: b.Inclusive, level: Level, past: Past, then: Then) -> None:
        """Take every way whose condition is true, else the default; join just those (13.4.3)."""
        chosen = [part for part, taken in zip(block.parts, block.taken, strict=False) if taken]
        self._all(chosen or block.parts[:1], level, past, then)

    def _all(self, parts: Sequence[b.Block], level: Level, past: Past, then: Then) -> None:
        missing, joined = len(parts), NOWHERE

        def join(past: Past) -> None:
            nonlocal missing, joined
            missing, joined = missing - 1, joined | past
            if missing == 0:
                then(joined)

        for part in parts:
            self._run(part, level, past, join)

    def _exclusive(self, block: b.Exclusive, level: Level, past: Past, then: Then) -> None:
        """Take the one way whose condition is true (13.4.2)."""
        self._run(block.parts[block.pick % len(block.parts)], level, past, then)

    def _loop(self, block: b.Loop, level: Level, past: Past, then: Then) -> None:
        """Go back while the variable says so: the gateways of 13.4.2, as they are drawn."""
        name = f"n_{block.id}"

        def again(past: Past) -> None:
            count = level.vars.get(name) + 1
            more = count < block.rounds
            level.vars.set(name, count)
            if not more:
                level.vars.set(name, 0)
            (turn if more else then)(past)

        def turn(past: Past) -> None:
            self._run(block.body, level, past, again)

        turn(past)

    def _race(self, block: b.Race, level: Level, past: Past, then: Then) -> None:
        """Wait for the first of several events; the others are given up (13.4.4)."""
        group = Frame(level.frame)

        def go(branch: b.Listener) -> None:
            self._cancel(group)
            self._run(branch.handler, level, past, then)

        for branch in block.parts:
            self._listen(branch, group, level.vars, lambda branch=branch: go(branch))  # type: ignore[misc]

    def _leave(self, block: b.Leave, level: Level, past: Past, then: Then) -> None:
        """End the scope by an end event: terminate (13.5.6) or error (13.5.6, 10.5.6)."""

        def choose(past: Past, answer: bool) -> None:
            level.vars.set(f"go_{block.id}", answer)
            if not answer:
                then(past)
            elif block.kind == "error":
                self._throw("error", block.code, level, past)
            else:
                self._terminate(level, past)

        self._ask(block.id, level, past, choose)

    def _raise(self, block: b.Raise, level: Level, past: Past, then: Then) -> None:
        """Throw an escalation; the token goes on unless somebody interrupts it (13.5.2)."""

        def throw(past: Past, answer: bool) -> None:
            here = Frame(level.frame)
            self._throw("escalation", block.code, level, past)
            if here.alive:
                here.alive = False
                then(past)

        self._ask(block.id, level, past, throw)

    def _undo(self, block: b.Undo, level: Level, past: Past, then: Then) -> None:
        """Compensate what was completed in the scope, last first, and wait for it (13.5.5).

        Thrown in an event sub-process it is about the scope around that.
        """
        scope = level.up if level.handles else level
        assert scope is not None
        self._ask(block.id, level, past, lambda p, _: self._take_back(scope, p, then))

    def _take_back(self, scope: Level, past: Past, then: Then) -> None:
        taken, scope.records = scope.records, []
        _one_by_one(taken[::-1], past, then)

    def _ask(
        self, element: str, level: Level, past: Past, go: Callable[[Past, bool], None]
    ) -> None:
        frame = self._begin(element, level.frame)
        self._await_person(
            element, frame, level.vars, lambda yes: go(self._complete(frame, past), yes)
        )

    # ------------------------------------------------ activities

    def _activity(self, block: b.Activity, level: Level, past: Past, then: Then) -> None:
        """Run an activity and listen at its border as long as it is active (13.3.2, 13.5.3)."""
        frame = self._begin(block.id, level.frame)
        host = Host(frame, level, then, block.listeners)
        for listener in block.listeners:
            if listener.trigger in ("timer", "message"):
                self._listen(
                    listener, frame, level.vars,
                    lambda one=listener: self._caught(one, host, past),  # type: ignore[misc]
                )  # fmt: skip
        if block.repeat is not None:
            self._repeat(block, block.repeat, host, past)
            return

        def done(past: Past, records: list[Record]) -> None:
            past = self._complete(frame, past)
            self._remember(block, level, level.vars, records)
            then(past)

        self._perform(block, host, frame, level.vars, past, done)

    def _caught(self, listener: b.Listener, host: Host, past: Past) -> None:
        """Leave by a boundary event: instead of the normal way, or beside it (13.5.3)."""
        level = host.level
        if listener.interrupts:
            self._cancel(host.frame)
            self._run(listener.handler, level, past, host.then)
        else:
            level.flowing += 1
            self._run(listener.handler, level, past, lambda p: self._over(level, p))

    def _perform(
        self, block: b.Activity, host: Host, frame: Frame, variables: Variables, past: Past,
        done: Callable[[Past, list[Record]], None],
    ) -> None:  # fmt: skip
        """Do what the activity is (13.3.3 tasks, 13.3.4 sub-processes and calls)."""
        if block.kind == "script":
            variables.set(f"n_{block.id}", variables.get(f"n_{block.id}") + 1)
            done(past, [])
        elif block.kind == "user":
            self._await_person(block.id, frame, variables, lambda _: done(past, []))
        else:
            assert block.inside is not None
            called = block.kind == "call"
            own = Variables(None, variables.all()) if called else Variables(variables, {})

            def finish(past: Past) -> None:
                if called:
                    for name in sorted(own.changed):
                        variables.set(name, own.values[name])
                done(past, level.records)

            level = Level(host.level, host, own, Frame(frame), finish, block.inside.guards)
            self._enter(level, block.inside, past)

    def _repeat(self, block: b.Activity, repeat: b.Repeat, host: Host, past: Past) -> None:
        """Run the instances, at once or in turn; enough of them cancel the rest (13.3.7)."""
        instances = _Instances(repeat, localised(block))
        level = host.level

        def begin(past: Past) -> None:
            index = instances.begin()
            frame = self._begin(block.id, host.frame)
            own = Variables(level.vars, fresh(instances.local))
            own.values["key"] = f"{level.vars.get('key')}.{index + 1}"

            def done(past: Past, records: list[Record]) -> None:
                past = self._complete(frame, past)
                self._remember(block, level, own, records)
                instances.end(index, own, past)
                if instances.enough:
                    finish()
                elif repeat.sequential:
                    begin(past)

            self._perform(block, host, frame, own, past, done)

        def finish() -> None:
            level.vars.set(f"out_{block.id}", instances.results)
            host.then(self._complete(host.frame, instances.past))

        for _ in range(min(repeat.count, 1) if repeat.sequential else repeat.count):
            begin(past)
        if repeat.count == 0:
            finish()

    def _remember(
        self, block: b.Activity, level: Level, variables: Variables, records: list[Record]
    ) -> None:
        """Note what can be undone, with the variables as they are at its end (13.5.5)."""
        shared = variables is level.vars
        kept = level.vars if shared else Variables(level.vars, dict(variables.values))
        if block.undoable:
            handler = f"undo_{block.id}"

            def undo(past: Past, then: Then) -> None:
                frame = self._begin(handler, level.frame)
                kept.set(f"n_{handler}", kept.get(f"n_{handler}") + 1)
                then(self._complete(frame, past))

            level.records.append(undo)
        elif records:
            level.records.append(
                lambda past, then: self._undo_inside(block.id, level, records, past, then)
            )

    def _undo_inside(
        self, element: str, level: Level, records: list[Record], past: Past, then: Then
    ) -> None:
        """Compensate a completed sub-process by all that it holds, last first (13.5.5).

        An event sub-process that has completed is one of them.
        """
        frame = self._begin(element, level.frame)
        _one_by_one(records[::-1], past, lambda p: then(self._complete(frame, p)))

    # ------------------------------------------------ scopes

    def _enter(self, level: Level, inside: b.Inside, past: Past) -> None:
        """Let the event sub-processes listen, then put a token on the start event (13.5.4)."""
        for guard in inside.guards:
            if guard.trigger in ("timer", "message"):
                self._listen(
                    guard, level.frame, level.vars,
                    lambda one=guard: self._guarded(one, level, NOWHERE),  # type: ignore[misc]
                    element=guard.id,
                )  # fmt: skip
        self._run(inside.body, level, past, lambda p: self._over(level, p))

    def _over(self, level: Level, past: Past, *, guard: bool = False) -> None:
        """End a thread; the scope ends with its last one (13.2, 13.3.4).

        Once nothing but event sub-processes runs, the scope is completing and no new one
        begins (13.3.2).
        """
        level.past |= past
        if guard:
            level.guarding -= 1
        else:
            level.flowing -= 1
        if level.flowing == 0:
            level.guards = ()
            self.waits = [wait for wait in self.waits if wait.frame is not level.frame]
            if level.guarding == 0:
                level.finish(level.past)

    def _terminate(self, level: Level, past: Past) -> None:
        """End a scope at once with all that runs in it; what is around it goes on (13.5.6)."""
        self._clear(level.frame)
        level.guards = ()
        if level.up is None:
            self.state = "terminated"
        else:
            level.finish(level.past | past)

    def _guarded(self, guard: b.Listener, level: Level, past: Past) -> None:
        """Begin an event sub-process; one that interrupts cancels all else there (13.5.4)."""
        if guard.interrupts:
            self._clear(level.frame)
            level.guards = ()
            level.flowing = level.guarding = 0
        level.guarding += 1
        frame = self._begin(guard.id, level.frame)

        def finish(past: Past) -> None:
            past = self._complete(frame, past)
            if inner.records:
                level.records.append(
                    lambda past, then: self._undo_inside(guard.id, level, inner.records, past, then)
                )
            self._over(level, past, guard=True)

        host = Host(frame, level, finish)
        inner = Level(
            level, host, Variables(level.vars, {}), Frame(frame), finish, handles=guard
        )  # fmt: skip
        self._enter(inner, b.Inside(guard.handler, []), past)

    def _throw(self, kind: str, code: str, level: Level, past: Past) -> None:
        """Hand an error or escalation to the nearest who listens, scope by scope outwards (10.5.6).

        An event sub-process does not catch what comes out of itself, but those beside it may. An
        error nobody catches ends the case; an escalation nobody catches has no effect.
        """
        here: Level | None = level
        left: b.Listener | None = None
        while here is not None:
            guard = _fitting([one for one in here.guards if one is not left], kind, code)
            if guard is not None:
                self._guarded(guard, here, past)
                return
            found = _fitting(here.host.listeners, kind, code) if here.host else None
            if found is not None and here.host is not None:
                self._caught(found, here.host, past)
                return
            left, here = here.handles, here.up
        if kind == "error":
            self._clear(self.root.frame)
            self.state = "failed"

    # ------------------------------------------------ waiting

    def _await_person(
        self, element: str, frame: Frame, variables: Variables, go: Callable[[bool], None]
    ) -> None:
        def done(answer: bool) -> None:
            self.waits.remove(wait)
            go(answer)

        wait = Wait("user", element, variables.get("key"), frame, done)
        self.waits.append(wait)

    def _listen(
        self, one: b.Listener, frame: Frame, variables: Variables, go: Callable[[], None],
        element: str = "",
    ) -> None:  # fmt: skip
        """Wait for a timer or a message; one that does not interrupt goes on listening (13.5.3)."""
        left = 1 if one.interrupts else one.times

        def done(_: bool) -> None:
            nonlocal left
            if one.trigger == "timer":
                left -= 1
                wait.due = self.now + timedelta(seconds=one.seconds)
            if one.interrupts or left == 0:
                self.waits.remove(wait)
            go()

        wait = Wait(one.trigger, element or one.id, variables.get("key"), frame, done)
        if one.trigger == "timer":
            wait.due = self.now + timedelta(seconds=one.seconds)
        else:
            wait.name, wait.again = f"m_{one.id}", not one.interrupts
        self.waits.append(wait)


def _fitting(listeners: Sequence[b.Listener], kind: str, code: str) -> b.Listener | None:
    """Choose who catches a code: the one that names it before one that catches all (10.5.6)."""
    fitting = [one for one in listeners if one.trigger == kind and one.code in ("", code)]
    return max(fitting, key=lambda one: one.code, default=None)


def _one_by_one(acts: Sequence[Record], past: Past, then: Then) -> None:
    if acts:
        acts[0](past, lambda p: _one_by_one(acts[1:], p, then))
    else:
        then(past)
