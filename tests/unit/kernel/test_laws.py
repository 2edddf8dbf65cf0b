"""Laws of the token, on random block-structured processes.

A block is a task, a sequence, a parallel, inclusive or exclusive block, a sub-process, or a loop.
What each of them has to do is told by a few lines of recursion, which the kernel must agree with.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.model import InstanceState
from tests.drawing import diagram, end, flow, gateway, path, process, script, start, sub, user
from tests.unit.kernel.player import Player

Block = tuple[object, ...]

BLOCKS: st.SearchStrategy[Block] = st.recursive(
    st.sampled_from([("script",), ("user",)]),
    lambda inner: st.one_of(
        st.tuples(st.just("sequence"), st.lists(inner, min_size=1, max_size=3)),
        st.tuples(st.just("parallel"), st.lists(inner, min_size=2, max_size=3)),
        st.tuples(
            st.just("inclusive"),
            st.lists(st.tuples(st.booleans(), inner), min_size=2, max_size=3),
        ),
        st.tuples(st.just("exclusive"), st.integers(0, 2), st.lists(inner, min_size=2, max_size=3)),
        st.tuples(st.just("sub"), inner),
        st.tuples(st.just("loop"), st.integers(1, 3), inner),
    ),
    max_leaves=12,
)


@dataclass
class Drawing:
    """Collects the pieces of a diagram and what must happen in it."""

    parts: list[str] = field(default_factory=list)
    expected: Counter[str] = field(default_factory=Counter)
    variables: dict[str, object] = field(default_factory=dict)
    number: int = 0

    def fresh(self, kind: str) -> str:
        self.number += 1
        return f"{kind}{self.number}"

    def add(self, block: Block, times: int) -> tuple[str, str]:
        """Draw a block that runs so many times; return its first and last node."""
        return getattr(self, f"_{block[0]}")(block, times)  # type: ignore[no-any-return]

    def _task(self, part: str, id: str, times: int) -> tuple[str, str]:
        self.parts.append(part)
        self.expected[id] += times
        return id, id

    def _script(self, block: Block, times: int) -> tuple[str, str]:
        id = self.fresh("t")
        return self._task(script(id, "1", "x"), id, times)

    def _user(self, block: Block, times: int) -> tuple[str, str]:
        id = self.fresh("u")
        return self._task(user(id), id, times)

    def _sequence(self, block: Block, times: int) -> tuple[str, str]:
        ends = [self.add(b, times) for b in block[1]]  # type: ignore[attr-defined]
        for (_, last), (first, _) in pairwise(ends):
            self.parts.append(path(last, first))
        return ends[0][0], ends[-1][1]

    def _split(self, kind: str, default: str = "") -> tuple[str, str]:
        first, last = self.fresh("g"), self.fresh("j")
        chosen = f"{first}-{default}" if default else ""
        self.parts += [gateway(kind, first, chosen), gateway(kind, last)]
        return first, last

    def _parallel(self, block: Block, times: int) -> tuple[str, str]:
        first, last = self._split("parallel")
        for inner in block[1]:  # type: ignore[attr-defined]
            begin, finish = self.add(inner, times)
            self.parts.append(path(first, begin) + path(finish, last))
        return first, last

    def _inclusive(self, block: Block, times: int) -> tuple[str, str]:
        first, last = self.fresh("g"), self.fresh("j")
        branches: list[tuple[bool, Block]] = block[1]  # type: ignore[assignment]
        nobody = not any(taken for taken, _ in branches)
        for index, (taken, inner) in enumerate(branches):
            is_default = index == 0
            runs = times if taken or (is_default and nobody) else 0
            begin, finish = self.add(inner, runs)
            name = f"{first}_{index}"
            self.variables[name] = taken
            condition = "" if is_default and nobody else name
            self.parts.append(flow(first, begin, condition, id=f"{name}_f") + path(finish, last))
        chosen = f"{first}_0_f" if nobody else ""
        self.parts += [gateway("inclusive", first, chosen), gateway("inclusive", last)]
        return first, last

    def _exclusive(self, block: Block, times: int) -> tuple[str, str]:
        branches: list[Block] = block[2]  # type: ignore[assignment]
        chosen = int(block[1]) % len(branches)  # type: ignore[call-overload]
        first, last = self._split("exclusive")
        for index, inner in enumerate(branches):
            begin, finish = self.add(inner, times if index == chosen else 0)
            condition = "true" if index == chosen else "false"
            self.parts.append(flow(first, begin, condition) + path(finish, last))
        return first, last

    def _sub(self, block: Block, times: int) -> tuple[str, str]:
        id, outer = self.fresh("s"), self.parts
        self.parts = []
        begin, _ = self.add(block[1], times)  # type: ignore[arg-type]
        inside = self.parts
        self.parts = outer
        self.parts.append(sub(id, start(f"{id}_b"), *inside, path(f"{id}_b", begin)))
        return id, id

    def _loop(self, block: Block, times: int) -> tuple[str, str]:
        rounds = int(block[1])  # type: ignore[call-overload]
        merge, ask, count = self.fresh("m"), self.fresh("x"), self.fresh("c")
        begin, finish = self.add(block[2], times * rounds)  # type: ignore[arg-type]
        self.variables[f"n_{count}"] = 0
        out = self.fresh("o")
        self.parts += [
            gateway("exclusive", merge),
            script(count, f"n_{count} + 1", f"n_{count}"),
            gateway("exclusive", ask, f"{ask}-{out}"),
            script(out, "0", f"n_{count}"),
            path(merge, begin),
            path(finish, count, ask),
            flow(ask, merge, f"n_{count} < {rounds}"),
            flow(ask, out),
        ]
        return merge, out


@settings(max_examples=120, deadline=None)
@given(block=BLOCKS, piece=st.sampled_from([1, 1000]))
def test_every_task_runs_as_often_as_the_blocks_say_and_the_case_ends(
    block: Block, piece: int
) -> None:
    # given
    drawn = Drawing()
    first, last = drawn.add(block, 1)
    drawing = diagram(
        process(
            "p", start("begin"), *drawn.parts, end("over"), path("begin", first), path(last, "over")
        )
    )
    # when: pieces of one element put every state through a snapshot
    play = Player(drawing, activations=piece, pieces=10**6).start(**drawn.variables)
    for _ in range(1000):
        if not play.people:
            break
        play.complete(play.open[0])
    # then
    assert play.state is InstanceState.COMPLETED
    assert not play.incidents
    done = Counter(play.trail)
    assert {k: v for k, v in drawn.expected.items() if v} == {
        k: done[k] for k in drawn.expected if done[k]
    }
    # and everything that began has an end
    begun = Counter(play.happened("element.activated"))
    ended = Counter(play.happened("element.completed")) + Counter(
        play.happened("element.cancelled")
    )
    assert begun == ended


@settings(max_examples=60, deadline=None)
@given(block=BLOCKS)
def test_cancelling_at_any_wait_leaves_nothing_behind(block: Block) -> None:
    # given
    drawn = Drawing()
    first, last = drawn.add(block, 1)
    drawing = diagram(
        process(
            "p", start("begin"), *drawn.parts, end("over"), path("begin", first), path(last, "over")
        )
    )
    play = Player(drawing).start(**drawn.variables)
    if not play.people:
        return
    # when
    play.cancel("changed my mind")
    # then
    assert play.state is InstanceState.CANCELLED
    begun = Counter(play.happened("element.activated"))
    ended = Counter(play.happened("element.completed")) + Counter(
        play.happened("element.cancelled")
    )
    assert begun == ended
