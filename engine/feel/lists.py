"""Built-in functions on lists (DMN 1.5, 10.3.4.4; those of Camunda 8 are marked)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cmp_to_key
from typing import Any

from engine.feel.library import builtin, call_function, declare
from engine.feel.operators import CTX, Number, calculate, equal, less, order_keys
from engine.feel.run import Run
from engine.feel.values import (
    BOOLEAN,
    DAYS,
    MONTHS,
    NULL,
    NUMBER,
    STRING,
    Function,
    Refused,
    kind_of,
    number_of,
)

Items = Sequence[Any]
_Function = Callable[..., Any]


def gathered(name: str, result: str, kind: str = "any") -> Callable[[_Function], _Function]:
    """Mark a function as a built-in both for one list and for its items as arguments."""
    return builtin(f"{name}(list: list) -> {result}", f"{name}(items...: {kind}) -> {result}")


def _extreme(items: Items, *, last: bool) -> Any:
    best = items[0] if items else None
    if items and order_keys(best, best) is None:
        raise Refused("the list must hold values that have an order")
    for item in items[1:]:
        if _before(best, item) if last else _before(item, best):
            best = item
    return best


def _before(one: Any, other: Any) -> bool:
    found = less(one, other)
    if found is None:
        raise Refused("the values cannot be compared with each other")
    return found


@gathered("min", "any")
def smallest(items: Items) -> Any:
    """The smallest item; null for none."""
    return _extreme(items, last=False)


@gathered("max", "any")
def largest(items: Items) -> Any:
    """The largest item; null for none."""
    return _extreme(items, last=True)


declare("count(list: list) -> number", len, "Number of items.")


@gathered("sum", "any")
def total(items: Items) -> Any:
    """The sum of numbers or durations; null for none."""
    kinds = {kind_of(item) for item in items}
    if len(kinds) > 1 or not kinds <= {NUMBER, DAYS, MONTHS}:
        raise Refused("the list must hold numbers or durations only")
    found = items[0] if items else None
    for item in items[1:]:
        found = calculate("+", found, item)
    return found


@gathered("mean", "any")
def mean(items: Items) -> Any:
    """The average of numbers or durations; null for none."""
    return calculate("/", total(items), len(items)) if items else None


def _numbers(items: Items) -> list[Number]:
    found = [number for number in map(number_of, items) if number is not None]
    if len(found) < len(items):
        raise Refused("the list must hold numbers only")
    return found


@gathered("product", "number")
def product(items: Items) -> Any:
    """The product of numbers; null for none."""
    found: Any = None
    for number in _numbers(items):
        found = number if found is None else calculate("*", found, number)
    return found


@gathered("median", "number")
def median(items: Items) -> Any:
    """The number in the middle, or the mean of the two there; null for none."""
    numbers = sorted(_numbers(items))
    middle = numbers[(len(numbers) - 1) // 2 : len(numbers) // 2 + 1]
    return middle[0] if len(middle) == 1 else mean(middle)


@gathered("stddev", "number")
def stddev(items: Items) -> Any:
    """The standard deviation of a sample; null for fewer than two numbers."""
    numbers = _numbers(items)
    if len(numbers) < 2:
        return None
    middle = CTX.divide(total(numbers), len(numbers))
    squares = [CTX.power(CTX.subtract(number, middle), 2) for number in numbers]
    return CTX.sqrt(CTX.divide(total(squares), len(numbers) - 1))


@gathered("mode", "list")
def mode(items: Items) -> list[Number]:
    """The most frequent numbers in rising order."""
    tally = Counter(_numbers(items))
    most = max(tally.values(), default=0)
    return sorted(number for number, times in tally.items() if times == most)


def _quantor(items: Items, *, decisive: bool) -> bool | None:
    if any(item is not None and not isinstance(item, bool) for item in items):
        raise Refused("the list must hold true and false only")
    if decisive in items:
        return decisive
    return None if None in items else not decisive


@gathered("all", "boolean")
def all_true(items: Items) -> bool | None:
    """Whether all items are true, in three-valued logic."""
    return _quantor(items, decisive=False)


@gathered("any", "boolean")
def any_true(items: Items) -> bool | None:
    """Whether an item is true, in three-valued logic."""
    return _quantor(items, decisive=True)


@builtin("index of(list: list, match: any) -> list")
def index_of(items: Items, match: Any) -> list[int]:
    """The positions of all equal items, counted from 1."""
    return [n for n, item in enumerate(items, 1) if equal(item, match) is True]


@builtin("list contains(list: list, element: any) -> boolean")
def list_contains(items: Items, element: Any) -> bool:
    """Whether an equal item is in the list."""
    return any(equal(item, element) is True for item in items)


# parts of lists


def _place(items: Items, position: int) -> int:
    """Return the index of a position counted from 1, or from the end where it is negative."""
    if position == 0 or abs(position) > len(items):
        raise Refused(f"the list has no position {position}")
    return position - 1 if position > 0 else len(items) + position


@builtin("sublist(list: list, start position: integer, length?: integer) -> list")
def sublist(items: Items, start: int, length: int | None = None) -> Items:
    """The items from a position on."""
    begin = _place(items, start)
    if length is not None and (length < 1 or begin + length > len(items)):
        raise Refused(f"the list has no {length} items from position {start} on")
    return items[begin:] if length is None else items[begin : begin + length]


@builtin("insert before(list: list, position: integer, newItem: any) -> list")
def insert_before(items: Items, position: int, new: Any) -> list[Any]:
    """The list with an item before a position."""
    at = _place(items, position)
    return [*items[:at], new, *items[at:]]


@builtin("remove(list: list, position: integer) -> list")
def remove(items: Items, position: int) -> list[Any]:
    """The list without the item at a position."""
    at = _place(items, position)
    return [*items[:at], *items[at + 1 :]]


@builtin("list replace(list: list, position: integer, newItem: any) -> list")
def list_replace(items: Items, position: int, new: Any) -> list[Any]:
    """The list with another item at a position."""
    at = _place(items, position)
    return [*items[:at], new, *items[at + 1 :]]


@builtin("list replace(list: list, match: function, newItem: any) -> list")
def list_replace_matching(run: Run, items: Items, match: Function, new: Any) -> list[Any]:
    """The list with another item wherever `match(item, newItem)` is true."""
    if len(match.parameters) != 2:
        raise Refused("'match' must be a function of two parameters")
    hits = [call_function(run, match, [item, new]) for item in items]
    if not all(isinstance(hit, bool) for hit in hits):
        raise Refused("'match' must return true or false")
    return [new if hit else item for item, hit in zip(items, hits, strict=True)]


@builtin("partition(list: list, size: integer) -> list")
def partition(items: Items, size: int) -> list[Items]:
    """The items in lists of a given length, the last one shorter (Camunda 8)."""
    if size < 1:
        raise Refused("the size must be above zero")
    return [items[at : at + size] for at in range(0, len(items), size)]


# lists put together

declare("append(list: list, items...: any) -> list", lambda a, b: [*a, *b], "With further items.")
declare("reverse(list: list) -> list", lambda items: [*items[::-1]], "From the last to the first.")
declare("is empty(list: list) -> boolean", lambda items: not items, "Whether a list has no items.")


@builtin("concatenate(lists...: list) -> list")
def concatenate(run: Run, lists: Sequence[Items]) -> list[Any]:
    """The items of all lists as one list."""
    run.room(sum(map(len, lists)))
    return [item for items in lists for item in items]


def _tally(run: Run, items: Items) -> list[tuple[Any, int]]:
    """Return each item once with how often it occurs; plain ones are found by hash."""
    found: list[tuple[Any, int]] = []
    plain: dict[tuple[str, Any], int] = {}
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


@builtin("distinct values(list: list) -> list")
def distinct_values(run: Run, items: Items) -> list[Any]:
    """The items without repetitions."""
    return [item for item, _ in _tally(run, items)]


@builtin("union(lists...: list) -> list")
def union(run: Run, lists: Sequence[Items]) -> list[Any]:
    """The items of all lists without repetitions."""
    return distinct_values(run, concatenate(run, lists))


@builtin("duplicate values(list: list) -> list")
def duplicate_values(run: Run, items: Items) -> list[Any]:
    """The items that occur more than once, each once (Camunda 8)."""
    return [item for item, times in _tally(run, items) if times > 1]


@builtin("flatten(list: list) -> list")
def flatten(run: Run, items: Items) -> list[Any]:
    """All items of nested lists in one list."""
    result: list[Any] = []
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


@builtin("sort(list: list, precedes?: function) -> list")
def sort(run: Run, items: Items, precedes: Function | None = None) -> list[Any]:
    """The items in rising order, or in the order that `precedes(x, y)` gives; equal ones stay."""

    def first(one: Any, other: Any) -> bool:
        if precedes is None:
            return _before(one, other)
        return call_function(run, precedes, [one, other]) is True

    def compare(one: Any, other: Any) -> int:
        return -1 if first(one, other) else int(first(other, one))

    return sorted(items, key=cmp_to_key(compare))
