"""Closures of `for`, `some`, `every` and filters, which count their turns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeGuard, cast

from engine.feel.arithmetic import Number
from engine.feel.compiler import Compiler, Level, compiles, folded, plain
from engine.feel.kinds import DATE, a_kind, kind_of, number_of
from engine.feel.moments import AnyDate, civil, day_number, make_date
from engine.feel.nodes import (
    Between,
    Comparison,
    Filter,
    For,
    InstanceOf,
    Literal,
    Logic,
    Membership,
    Name,
    Node,
    Quantified,
)
from engine.feel.nodes import Iterator as IteratorNode
from engine.feel.run import Code, Frame, Run
from engine.feel.values import Range

#: items to loop over; None where there is no list
_Domain = Callable[[Any], Iterable[object] | None]
_CONDITIONS = (Comparison, Logic, Membership, Between, Quantified, InstanceOf)


def _domain(compiler: Compiler, node: IteratorNode) -> _Domain:
    source, at = compiler.code(node.domain), node.at
    if node.end is not None:
        end = compiler.code(node.end)
        return lambda env: _count_to(env.run, source(env), end(env), at)

    def items(env: Any) -> Iterable[object] | None:
        value = source(env)
        if isinstance(value, (list, tuple)):
            return value
        if isinstance(value, Range):
            return _items_of(env.run, value, at)
        if value is None:
            env.run.fail("there is no list to go through, but null", at)
            return None
        return [value]

    return items


def _count_to(run: Run, start: object, end: object, at: int) -> Iterable[object] | None:
    """Return all whole numbers or dates from start to end, downwards where end is smaller."""
    if kind_of(start) == kind_of(end) == DATE:
        first, last = day_number(cast(AnyDate, start)), day_number(cast(AnyDate, end))
        step = 1 if first <= last else -1
        return (make_date(*civil(day)) for day in range(first, last + step, step))
    low, high = number_of(start), number_of(end)
    if not _is_whole(low) or not _is_whole(high):
        run.fail(f"cannot count from {a_kind(start)} to {a_kind(end)}", at)
        return None
    begin, last = int(low), int(high)
    step = 1 if begin <= last else -1
    return range(begin, last + step, step)


def _is_whole(number: Number | None) -> TypeGuard[Number]:
    if number is None or isinstance(number, int):
        return number is not None
    return number.adjusted() < 34 and number == number.to_integral_value()


def _items_of(run: Run, span: Range, at: int) -> Iterable[object] | None:
    """Return all whole numbers or dates within a range, which must not run downwards."""
    if span.start is None or span.end is None or span.operator is not None:
        run.fail("cannot go through a range that has no end", at)
        return None
    found = _count_to(run, span.start, span.end, at)
    if isinstance(found, range):
        if found.step < 0:
            run.fail("cannot go through a range that runs downwards", at)
            return None
        return found[int(not span.start_included) : len_of(found) - int(not span.end_included)]
    if found is None:
        return None
    return (day for day in found if _within(day, span))


def len_of(numbers: range) -> int:
    """Return the length of a range of any size (`len` is limited to machine words)."""
    return max(0, (numbers.stop - numbers.start) // numbers.step)


def _within(day: object, span: Range) -> bool:
    if day == span.start and not span.start_included:
        return False
    return day != span.end or span.end_included


def _turns(env: Any, run: Run, domains: Sequence[_Domain]) -> Iterator[Frame | None]:
    """Yield the innermost frame of every turn; None once where a list is missing."""
    items = domains[0](env)
    if items is None:
        yield None
        return
    last = len(domains) == 1
    for item in items:
        run.count(1)
        frame = Frame(env, run, plain(item))
        if last:
            yield frame
        else:
            yield from _turns(frame, run, domains[1:])


def _iterators(compiler: Compiler, nodes: Sequence[IteratorNode]) -> list[_Domain]:
    """Compile the iterators, leaving a level for each on the compiler."""
    domains: list[_Domain] = []
    for node in nodes:
        domains.append(_domain(compiler, node))
        compiler.levels.append(Level(single=node.name))
    return domains


@compiles(For)
def loop(compiler: Compiler, node: For) -> Code:
    """Compile `for`; `partial` is the list of the results so far."""
    compiler.levels.append(Level(single="partial"))
    domains = _iterators(compiler, node.iterators)
    body, at = compiler.code(node.body), node.at
    del compiler.levels[-len(domains) - 1 :]

    def go(env: Any) -> object:
        run = env.run
        results: list[object] = []
        most = run.limits.items
        for frame in _turns(Frame(env, run, results), run, domains):
            if frame is None:
                return None
            results.append(body(frame))
            if len(results) > most:
                run.room(len(results), at)
        return results

    return go


@compiles(Quantified)
def quantified(compiler: Compiler, node: Quantified) -> Code:
    """Compile `some` and `every` in three-valued logic."""
    decisive = not node.every
    domains = _iterators(compiler, node.iterators)
    condition, at = compiler.code(node.condition), node.at
    del compiler.levels[-len(domains) :]

    def decide(env: Any) -> object:
        sure = True
        for frame in _turns(env, env.run, domains):
            found = None if frame is None else condition(frame)
            if found is decisive:
                return decisive
            if found is None:
                sure = False
            elif not isinstance(found, bool):
                return env.run.fail(f"'satisfies' needs true or false, got {a_kind(found)}", at)
        return not decisive if sure else None

    return decide


@compiles(Filter)
def filtered(compiler: Compiler, node: Filter) -> Code:
    """Compile `list[...]`: a number picks one item, anything else is a condition per item."""
    base = _base(compiler, node.base)
    condition = folded(node.condition)
    at = node.at
    if isinstance(condition, Literal) and number_of(condition.value) is not None:
        index = condition.value
        return lambda env: _pick(env.run, base(env), index, at)
    test = compiler.within(Level(is_item=True), condition)
    if isinstance(condition, _CONDITIONS):
        return lambda env: _matching(env, base(env), test, at)
    return lambda env: _by_any(env, base(env), test, at)


def _base(compiler: Compiler, node: Node) -> Code:
    """Compile what is filtered; `partial` needs no copy, as only an item of it is passed on."""
    if isinstance(node, Name) and node.name == "partial":
        for distance, level in enumerate(reversed(compiler.levels)):
            if level.single == "partial":

                def read(env: Any, distance: int = distance) -> object:
                    for _ in range(distance):
                        env = env.up
                    return env.value

                return read
            if level.is_item or "partial" in level.names:
                break
    return compiler.code(node)


def _listed(value: object) -> Sequence[object]:
    if isinstance(value, (list, tuple)):
        return value
    return [] if value is None else [value]


def _pick(run: Run, value: object, index: object, at: int) -> object:
    items, number = _listed(value), number_of(index)
    if not _is_whole(number):
        return run.fail("a list is indexed by whole numbers", at)
    place = int(number)
    if place == 0 or abs(place) > len(items):
        return run.fail("the list has no item at this position", at)
    return plain(items[place - 1 if place > 0 else place])


def _matching(env: Any, value: object, test: Code, at: int) -> object:
    items, run = _listed(value), env.run
    run.count(len(items), at)
    return [item for item in items if test(Frame(env, run, plain(item))) is True]


def _by_any(env: Any, value: object, test: Code, at: int) -> object:
    items, run = _listed(value), env.run
    first = test(Frame(env, run, items[0] if items else None))
    if number_of(first) is not None:
        return _pick(run, value, first, at)
    if not items:
        return []
    run.count(len(items), at)
    found = [items[0]] if first is True else []
    found += [item for item in items[1:] if test(Frame(env, run, plain(item))) is True]
    return found
