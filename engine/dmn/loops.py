"""Boxed filter, for, some and every."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lxml.etree import _Element as Element

from engine import feel
from engine.dmn.boxed import part
from engine.dmn.compiler import ANYTHING, Compiler, Names, boxes
from engine.dmn.evaluation import Code, Evaluation, Scope
from engine.dmn.findings import id_near
from engine.dmn.xml import child
from engine.feel.values import Range, a_kind, number_of

#: how FEEL itself goes through a range
_THROUGH = feel.compile("for item in span return item")


@boxes("filter")
def filtered(compiler: Compiler, element: Element, names: Names) -> Code:
    """Compile a filter: a number picks one item, true keeps an item."""
    source = part(compiler, element, "in", names)
    match = part(compiler, element, "match", names | {"item", ANYTHING})
    id = id_near(element)

    def keep(scope: Scope, run: Evaluation) -> object:
        value = source(scope, run)
        items: Sequence[object] = value if isinstance(value, (list, tuple)) else [value]
        if value is None:
            items = []
        kept: list[object] = []
        for item in items:
            run.count()
            found = match(_with_item(scope, item), run)
            number = number_of(found)
            if number is not None:
                return _picked(items, number, id, run)
            if found is True:
                kept.append(item)
            elif found is not None and found is not False:
                run.note(id, f"the match is true or false, not {a_kind(found)}")
                return None
        return kept

    return keep


def _with_item(scope: Scope, item: object) -> Scope:
    entries = item if isinstance(item, Mapping) else {}
    return {**scope, "item": item, **entries}


def _picked(items: Sequence[object], number: object, id: str | None, run: Evaluation) -> object:
    place = int(str(number)) if str(number).lstrip("-").isdigit() else 0
    if place == 0 or abs(place) > len(items):
        run.note(id, f"the list has no item at position {number}")
        return None
    return items[place - 1 if place > 0 else place]


def _iterator(compiler: Compiler, element: Element) -> str:
    name = " ".join((element.get("iteratorVariable") or "").split())
    if not name:
        compiler.findings.error(element, "the iterator variable has no name", "name it")
    return name


def _items(value: object, id: str | None, run: Evaluation) -> Iterable[object] | None:
    """Return what is gone through; None with a note where that is not possible."""
    if isinstance(value, (list, tuple)):
        return value
    if value is None:
        run.note(id, "there is no list to go through, but null")
        return None
    if isinstance(value, Range):
        through = _THROUGH.evaluate({"span": value})
        if not isinstance(through, list):
            run.note(id, f"cannot go through {a_kind(value)} without whole numbers as its ends")
            return None
        return through
    return [value]


@boxes("for")
def loop(compiler: Compiler, element: Element, names: Names) -> Code:
    """Compile for: the list of the results; `partial` are those so far."""
    name = _iterator(compiler, element)
    source = part(compiler, element, "in", names)
    body = part(compiler, element, "return", names | {name, "partial"})
    id = id_near(element)
    wants_partial = _mentions(child(element, "return"), "partial")

    def go(scope: Scope, run: Evaluation) -> object:
        items = _items(source(scope, run), id, run)
        if items is None:
            return None
        results: list[object] = []
        for item in items:
            run.count()
            inner = {**scope, name: item}
            if wants_partial:
                inner["partial"] = [*results]
            results.append(body(inner, run))
        return results

    return go


def _mentions(element: Element | None, word: str) -> bool:
    """Tell whether a word occurs in a part; the list of results is copied only then."""
    return element is not None and word in " ".join(map(str, element.itertext()))


@boxes("some", "every")
def quantified(compiler: Compiler, element: Element, names: Names) -> Code:
    """Compile some and every in three-valued logic."""
    name = _iterator(compiler, element)
    source = part(compiler, element, "in", names)
    condition = part(compiler, element, "satisfies", names | {name})
    decisive, id = not str(element.tag).endswith("every"), id_near(element)

    def decide(scope: Scope, run: Evaluation) -> object:
        items = _items(source(scope, run), id, run)
        if items is None:
            return None
        sure = True
        for item in items:
            run.count()
            found = condition({**scope, name: item}, run)
            if found is decisive:
                return decisive
            if found is None:
                sure = False
            elif not isinstance(found, bool):
                run.note(id, f"the condition is true or false, not {a_kind(found)}")
                return None
        return not decisive if sure else None

    return decide
