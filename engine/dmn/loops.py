"""Boxed for, some, every and filter. The first three go through their items as FEEL itself does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lxml.etree import _Element as Element

from engine import feel
from engine.dmn.boxed import part
from engine.dmn.compiler import ANYTHING, Compiler, Names, boxes, noted
from engine.dmn.evaluation import Code, Evaluation, Scope
from engine.dmn.findings import id_near
from engine.dmn.xml import local
from engine.feel.values import Function, a_kind, number_of

#: what is evaluated with the items and the body of the loop as a function
_LOOPS = {
    "for": feel.compile("for item in items return body(item)"),
    "partial": feel.compile("for item in items return body(item, partial)"),
    "some": feel.compile("some item in items satisfies body(item)"),
    "every": feel.compile("every item in items satisfies body(item)"),
}
_PICK = feel.compile("items[place]")


@boxes("for", "some", "every")
def loop(compiler: Compiler, element: Element, names: Names) -> Code:
    """Compile a loop; in that of `for`, `partial` are the results so far."""
    name = " ".join((element.get("iteratorVariable") or "").split())
    if not name:
        compiler.findings.error(element, "the iterator variable has no name", "name it")
    kind = local(element)
    source = part(compiler, element, "in", names)
    inner = part(
        compiler, element, "return" if kind == "for" else "satisfies",
        names | ({name, "partial"} if kind == "for" else {name}),
    )  # fmt: skip
    if kind == "for" and "partial" in "".join(map(str, element.itertext())):
        kind = "partial"  # the list is copied for each item, so only for those who read it
    turns, id = _LOOPS[kind], id_near(element)
    seen = (name, "partial") if kind == "partial" else (name,)

    def go(scope: Scope, run: Evaluation) -> object:
        def turn(values: list[object]) -> object:
            run.count()
            return inner({**scope, **dict(zip(seen, values, strict=True))}, run)

        given = {"items": source(scope, run), "body": Function("the loop", seen, turn)}
        return noted(turns, given, run, id)

    return go


@boxes("filter")
def filtered(compiler: Compiler, element: Element, names: Names) -> Code:
    """Compile a filter: a number picks one item, true keeps an item."""
    source = part(compiler, element, "in", names)
    match = part(compiler, element, "match", names | {"item", ANYTHING})
    id = id_near(element)

    def keep(scope: Scope, run: Evaluation) -> object:
        value = source(scope, run)
        single: list[object] = [] if value is None else [value]
        items: Sequence[object] = value if isinstance(value, (list, tuple)) else single
        if not items:  # a number picks an item even where there is none
            place = match({**scope, "item": None}, Evaluation(run.now))
            given = {"items": items, "place": place}
            return [] if number_of(place) is None else noted(_PICK, given, run, id)
        kept: list[object] = []
        for item in items:
            run.count()
            entries = item if isinstance(item, Mapping) else {}
            found = match({**scope, "item": item, **entries}, run)
            if number_of(found) is not None:
                return noted(_PICK, {"items": items, "place": found}, run, id)
            if found is True:
                kept.append(item)
            elif found is not None and found is not False:
                run.note(id, f"the match is true or false, not {a_kind(found)}")
                return None
        return kept

    return keep
