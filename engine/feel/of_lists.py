"""Built-in functions on lists (DMN 1.5, 10.3.4.4; those of Camunda 8 are marked)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cmp_to_key

from engine.feel.arithmetic import CTX, Number, Refused, add, divide, multiply
from engine.feel.kinds import (
    BOOLEAN,
    DAYS,
    MONTHS,
    NULL,
    NUMBER,
    STRING,
    equal,
    kind_of,
    less,
    order_keys,
)
from engine.feel.library import builtin, call_function
from engine.feel.of_numbers import numbers_in
from engine.feel.run import Run
from engine.feel.values import Function

Items = Sequence[object]


def _gathered(name: str, function: Callable[..., object], *, with_run: bool = False) -> None:
    """Declare a function both for one list and for its items as arguments."""
    builtin(f"{name}(list: list)", f"{name}(items...: any)", with_run=with_run)(function)


def _extreme(later: bool) -> Callable[[Items], object]:
    def extreme(items: Items) -> object:
        if not items:
            return None
        best = items[0]
        if order_keys(best, best) is None:
            raise Refused("the list must hold values that have an order")
        for item in items[1:]:
            lower = less(best, item) if later else less(item, best)
            if lower is None:
                raise Refused("the values cannot be compared with each other")
            if lower:
                best = item
        return best

    return extreme


_gathered("min", _extreme(False))
_gathered("max", _extreme(True))


@builtin("count(list: list)")
def count(items: Items) -> int:
    """Return the number of items."""
    return len(items)


def total(items: Items) -> object:
    """Return the sum of numbers or durations; null for none."""
    if not items:
        return None
    found: object = items[0]
    if kind_of(found) not in (NUMBER, DAYS, MONTHS):
        raise Refused("the list must hold numbers or durations only")
    for item in items[1:]:
        if kind_of(item) != kind_of(items[0]):
            raise Refused("the list must hold numbers or durations only")
        found = add(found, item)
    return found


_gathered("sum", total)


def mean(items: Items) -> object:
    """Return the average of numbers or durations; null for none."""
    found = total(items)
    return None if found is None else divide(found, len(items))


_gathered("mean", mean)


def product(items: Items) -> object:
    """Return the product of numbers; null for none."""
    found: object = None
    for number in numbers_in(items):
        found = number if found is None else multiply(found, number)
    return found


_gathered("product", product)


def median(items: Items) -> object:
    """Return the number in the middle, or the mean of the two there; null for none."""
    numbers = sorted(numbers_in(items))
    if not numbers:
        return None
    half = len(numbers) // 2
    if len(numbers) % 2:
        return numbers[half]
    return divide(add(numbers[half - 1], numbers[half]), 2)


_gathered("median", median)


def stddev(items: Items) -> Number | None:
    """Return the standard deviation of a sample; null for fewer than two numbers."""
    numbers = numbers_in(items)
    if len(numbers) < 2:
        return None
    sum_of = Decimal(0)
    for number in numbers:
        sum_of = CTX.add(sum_of, number)
    middle = CTX.divide(sum_of, len(numbers))
    squares = Decimal(0)
    for number in numbers:
        away = CTX.subtract(number, middle)
        squares = CTX.add(squares, CTX.multiply(away, away))
    return CTX.sqrt(CTX.divide(squares, len(numbers) - 1))


_gathered("stddev", stddev)


def mode(items: Items) -> list[Number]:
    """Return the most frequent numbers in rising order."""
    tally = Counter(numbers_in(items))
    most = max(tally.values(), default=0)
    return sorted(number for number, times in tally.items() if times == most)


_gathered("mode", mode)


def _quantor(decisive: bool) -> Callable[[Items], bool | None]:
    def quantor(items: Items) -> bool | None:
        if any(item is not None and not isinstance(item, bool) for item in items):
            raise Refused("the list must hold true and false only")
        if decisive in items:
            return decisive
        return None if None in items else not decisive

    return quantor


_gathered("all", _quantor(False))
_gathered("any", _quantor(True))


@builtin("list contains(list: list, element: any)")
def list_contains(items: Items, element: object) -> bool:
    """Tell whether an equal item is in the list."""
    return any(equal(item, element) is True for item in items)


def _place(items: Items, position: int) -> int:
    """Return the index of a position counted from 1, or from the end where it is negative."""
    if position == 0 or abs(position) > len(items):
        raise Refused(f"the list has no position {position}")
    return position - 1 if position > 0 else len(items) + position


@builtin("sublist(list: list, start position: integer)")
@builtin("sublist(list: list, start position: integer, length: integer)")
def sublist(items: Items, start: int, length: int | None = None) -> Items:
    """Return the items from a position on."""
    begin = _place(items, start)
    if length is None:
        return items[begin:]
    if length < 1 or begin + length > len(items):
        raise Refused(f"the list has no {length} items from position {start} on")
    return items[begin : begin + length]


@builtin("append(list: list, items...: any)")
def append(items: Items, more: Items) -> list[object]:
    """Return the list with further items."""
    return [*items, *more]


@builtin("concatenate(lists...: list)", with_run=True)
def concatenate(run: Run, lists: Sequence[Items]) -> list[object]:
    """Return the items of all lists as one list."""
    run.room(sum(len(items) for items in lists if isinstance(items, (list, tuple))))
    result: list[object] = []
    for items in lists:
        result.extend(items if isinstance(items, (list, tuple)) else [items])
    return result


@builtin("insert before(list: list, position: integer, newItem: any)")
def insert_before(items: Items, position: int, new: object) -> list[object]:
    """Return the list with an item before a position."""
    at = _place(items, position)
    return [*items[:at], new, *items[at:]]


@builtin("remove(list: list, position: integer)")
def remove(items: Items, position: int) -> list[object]:
    """Return the list without the item at a position."""
    at = _place(items, position)
    return [*items[:at], *items[at + 1 :]]


@builtin("list replace(list: list, position: integer, newItem: any)")
def list_replace(items: Items, position: int, new: object) -> list[object]:
    """Return the list with another item at a position."""
    at = _place(items, position)
    return [*items[:at], new, *items[at + 1 :]]


@builtin("list replace(list: list, match: function, newItem: any)", with_run=True)
def list_replace_matching(run: Run, items: Items, match: Function, new: object) -> list[object]:
    """Return the list with another item wherever `match(item, newItem)` is true."""
    if len(match.parameters) != 2:
        raise Refused("'match' must be a function of two parameters")
    result: list[object] = []
    for item in items:
        hit = call_function(run, match, [item, new])
        if not isinstance(hit, bool):
            raise Refused("'match' must return true or false")
        result.append(new if hit else item)
    return result


@builtin("reverse(list: list)")
def reverse(items: Items) -> list[object]:
    """Return the items from the last to the first."""
    return list(items[::-1])


@builtin("index of(list: list, match: any)")
def index_of(items: Items, match: object) -> list[int]:
    """Return the positions of all equal items, counted from 1."""
    return [n for n, item in enumerate(items, 1) if equal(item, match) is True]


def _tally(run: Run, items: Items) -> list[tuple[object, int]]:
    """Return each item once with how often it occurs; plain ones are found by hash."""
    found: list[tuple[object, int]] = []
    plain: dict[tuple[str, object], int] = {}
    others: list[int] = []
    for item in items:
        kind = kind_of(item)
        if kind in (NULL, NUMBER, STRING, BOOLEAN) and not isinstance(item, float):
            place = plain.setdefault((kind, item), len(found))
        else:
            run.count(2 * len(others))
            same = (n for n in others if equal(item, found[n][0]) is True)
            place = next(same, len(found))
            if place == len(found):
                others.append(place)
        if place == len(found):
            found.append((item, 0))
        found[place] = (found[place][0], found[place][1] + 1)
    return found


def _distinct(run: Run, items: Items) -> list[object]:
    return [item for item, _ in _tally(run, items)]


@builtin("union(lists...: list)", with_run=True)
def union(run: Run, lists: Sequence[Items]) -> list[object]:
    """Return the items of all lists without repetitions."""
    return _distinct(run, concatenate(run, lists))


@builtin("distinct values(list: list)", with_run=True)
def distinct_values(run: Run, items: Items) -> list[object]:
    """Return the items without repetitions."""
    return _distinct(run, items)


@builtin("duplicate values(list: list)", with_run=True)
def duplicate_values(run: Run, items: Items) -> list[object]:
    """Return the items that occur more than once, each once (Camunda 8)."""
    return [item for item, times in _tally(run, items) if times > 1]


@builtin("flatten(list: list)", with_run=True)
def flatten(run: Run, items: Items) -> list[object]:
    """Return all items of nested lists in one list."""
    result: list[object] = []
    waiting = [iter(items)]
    while waiting:
        for item in waiting[-1]:
            if isinstance(item, (list, tuple)):
                run.count(1)
                waiting.append(iter(item))
                break
            result.append(item)
        else:
            waiting.pop()
        run.room(len(result))
    return result


@builtin("sort(list: list)", with_run=True)
def sort(run: Run, items: Items) -> list[object]:
    """Return the items in rising order; ours, where no `precedes` is given."""

    def compare(one: object, other: object) -> int:
        before = less(one, other)
        if before is None:
            raise Refused("the values cannot be compared with each other")
        return -1 if before else int(bool(less(other, one)))

    return sorted(items, key=cmp_to_key(compare))


@builtin("sort(list: list, precedes: function)", with_run=True)
def sort_by(run: Run, items: Items, precedes: Function) -> list[object]:
    """Return the items in the order that `precedes(x, y)` gives."""

    def compare(one: object, other: object) -> int:
        if call_function(run, precedes, [one, other]) is True:
            return -1
        return int(call_function(run, precedes, [other, one]) is True)

    return sorted(items, key=cmp_to_key(compare))


@builtin("partition(list: list, size: integer)")
def partition(items: Items, size: int) -> list[Items]:
    """Return the items in lists of a given length, the last one shorter (Camunda 8)."""
    if size < 1:
        raise Refused("the size must be above zero")
    return [items[at : at + size] for at in range(0, len(items), size)]


@builtin("is empty(list: list)")
def is_empty(items: Items) -> bool:
    """Tell whether a list has no items (Camunda 8)."""
    return not items
