"""Closures of `for`, `some`, `every` and filters, which count their turns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from engine.feel import nodes
from engine.feel.compiler import PARTIAL, Compiler, compiles, variable
from engine.feel.moments import civil, day_number, make_date
from engine.feel.operators import order_keys
from engine.feel.run import Code, Frame, Run
from engine.feel.values import BOOLEAN, DATE, LIST, Range, a_kind, kind_of, number_of, plain

#: items to loop over; None where there is no list
_Domain = Callable[[Any], Iterable[Any] | None]
#: what can only be true, false or null, and so never the place of an item
_CONDITIONS = (nodes.Comparison, nodes.Logic, nodes.Membership, nodes.Quantified, nodes.InstanceOf)


def _domain(compiler: Compiler, node: nodes.Iterator) -> _Domain:
    source, at = compiler.code(node.domain), node.at
    if node.end is not None:
        end = compiler.code(node.end)
        return lambda env: _counted(env.run, source(env), end(env), at)

    def items(env: Any) -> Iterable[Any] | None:
        value = source(env)
        if isinstance(value, (list, tuple)):
            return value
        if isinstance(value, Range):
            return _within(env.run, value, at)
        if value is None:
            env.run.fail("'in' needs a list or a range, got null", at)
            return None
        return [value]

    return items


def _counted(run: Run, start: Any, end: Any, at: int, cut: tuple[int, int] = (0, 0)) -> Any:
    """Return all whole numbers or dates from start to end, downwards where end is smaller, without
    so many of them at either end."""
    dates = kind_of(start) == kind_of(end) == DATE
    first = day_number(start) if dates else _whole(start)
    last = day_number(end) if dates else _whole(end)
    if first is None or last is None:
        return run.fail(f"cannot count from {a_kind(start)} to {a_kind(end)}", at)
    step = 1 if first <= last else -1
    found = range(first + step * cut[0], last + step * (1 - cut[1]), step)
    return (make_date(*civil(day)) for day in found) if dates else found


def _whole(value: Any) -> int | None:
    number = number_of(value)
    if number is None or isinstance(number, int):
        return number
    return int(number) if number.adjusted() < 34 and number == number.to_integral_value() else None


def _within(run: Run, span: Range, at: int) -> Iterable[Any] | None:
    """Return all whole numbers or dates within a range, which must not run downwards."""
    if span.start is None or span.end is None or span.operator is not None:
        run.fail("cannot go through a range that has no end", at)
        return None
    keys = order_keys(span.start, span.end)
    if keys is None or keys[0] > keys[1]:
        run.fail("cannot go through a range that runs downwards", at)
        return None
    cut = int(not span.start_included), int(not span.end_included)
    found: Iterable[Any] | None = _counted(run, span.start, span.end, at, cut)
    return found


def _turns(env: Any, run: Run, iterators: Sequence[tuple[str, _Domain]]) -> Iterator[Frame | None]:
    """Yield the innermost frame of every turn; None once where a list is missing."""
    (name, domain), *inner = iterators
    items = domain(env)
    if items is None:
        yield None
        return
    for item in items:
        run.count(1)
        frame = Frame(env, run, {name: plain(item)})
        if inner:
            yield from _turns(frame, run, inner)
        else:
            yield frame


def _iterators(
    compiler: Compiler, nodes: Sequence[nodes.Iterator], body: Any
) -> tuple[list[tuple[str, _Domain]], Code]:
    """Compile the iterators, each one frame further in, and what stands within them."""
    found: list[tuple[str, _Domain]] = []
    for node in nodes:
        found.append((node.name, _domain(compiler, node)))
        compiler.levels.append({node.name})
    code = compiler.code(body)
    del compiler.levels[-len(nodes) :]
    return found, code


@compiles(nodes.For, LIST)
def loop(compiler: Compiler, node: nodes.For) -> Code:
    """Compile `for`; `partial` is the list of the results so far."""
    compiler.levels.append(PARTIAL)
    iterators, body = _iterators(compiler, node.iterators, node.body)
    compiler.levels.pop()
    at = node.at

    def go(env: Any) -> Any:
        run, most = env.run, env.run.limits.items
        results: list[Any] = []
        for frame in _turns(Frame(env, run, {"partial": results}), run, iterators):
            if frame is None:
                return None
            results.append(body(frame))
            if len(results) > most:
                run.room(len(results), at)
        return results

    return go


@compiles(nodes.Quantified, BOOLEAN)
def quantified(compiler: Compiler, node: nodes.Quantified) -> Code:
    """Compile `some` and `every` in three-valued logic."""
    iterators, condition = _iterators(compiler, node.iterators, node.condition)
    decisive, at = not node.every, node.at

    def decide(env: Any) -> Any:
        sure = True
        for frame in _turns(env, env.run, iterators):
            found = None if frame is None else condition(frame)
            if found is decisive:
                return decisive
            if found is None:
                sure = False
            elif not isinstance(found, bool):
                return env.run.fail(f"'satisfies' needs true or false, got {a_kind(found)}", at)
        return not decisive if sure else None

    return decide


@compiles(nodes.Filter)
def filtered(compiler: Compiler, node: nodes.Filter) -> Code:
    """Compile `list[...]`: a number picks one item, anything else is a condition per item."""
    base = (
        variable(compiler, node.base, copied=False)[0]
        if isinstance(node.base, nodes.Name)
        else compiler.code(node.base)
    )
    condition, at = node.condition, node.at
    if isinstance(condition, nodes.Literal) and number_of(condition.value) is not None:
        index = condition.value
        return lambda env: _pick(env.run, _listed(base(env)), index, at)
    test, sure = compiler.within(None, condition), isinstance(condition, _CONDITIONS)

    def keep(env: Any) -> Any:
        items, run = _listed(base(env)), env.run
        if not sure:
            first = test(Frame(env, run, items[0] if items else None))
            if number_of(first) is not None:
                return _pick(run, items, first, at)
        run.count(len(items), at)
        return [item for item in items if test(Frame(env, run, plain(item))) is True]

    return keep


def _listed(value: Any) -> Sequence[Any]:
    if isinstance(value, (list, tuple)):
        return value
    return [] if value is None else [value]


def _pick(run: Run, items: Sequence[Any], index: Any, at: int) -> Any:
    place = _whole(index)
    if place is None:
        return run.fail("a list is indexed by whole numbers", at)
    if place == 0 or abs(place) > len(items):
        return run.fail("the list has no item at this position", at)
    return plain(items[place - 1 if place > 0 else place])
