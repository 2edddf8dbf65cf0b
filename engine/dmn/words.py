"""An explanation in sentences for the people who work with a case, in English and Chinese."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.dmn.cells import constant, tests_of
from engine.feel.nodes import Node, Test
from engine.feel.values import Range, text_of
from engine.sentences import Phrase, Spoken, heard, phrase

#: rules that did not match of which a sentence says why
MAX_REJECTED = 5
#: characters of one value
MAX_VALUE = 200
_SIGNS = {"<": "<", "<=": "≤", ">": ">", ">=": "≥", "=": "=", "!=": "≠"}


def in_words(explanation: Sequence[Mapping[str, Any]], language: str = "en") -> list[str]:
    """Return what an explanation says, one sentence per rule that matched or value that came out.

    `explanation` is `Decided.explanation`, also as it was stored before; `language` is `en` or `zh`
    (a variant such as `zh-CN` counts as `zh`, any other language as `en`).
    """
    language = "zh" if language.lower().startswith("zh") else "en"
    return [sentence.said(language) for entry in explanation for sentence in _entry(entry)]


def _entry(entry: Mapping[str, Any]) -> Iterator[Phrase]:
    name, value = str(entry["name"]), _value(entry.get("value"))
    tables = entry.get("tables") or ()
    for table in tables:
        yield from _table(table, name, value)
    if not tables:
        given = entry.get("inputs") or {}
        inputs = ", ".join(f"{key} = {_value(one)}" for key, one in given.items())
        if inputs:
            yield phrase(
                "{name} = {value}, worked out from {inputs}", name=name, value=value, inputs=inputs
            )
        else:
            yield phrase("{name} = {value}", name=name, value=value)
    elif sum(len(table["matched"]) for table in tables) > 1 or len(tables) > 1:
        yield phrase("together {name} = {value}", name=name, value=value)
    for note in entry.get("notes") or ():
        yield phrase("in {name}: {message}", name=name, message=heard(note["message"]))


def _table(table: Mapping[str, Any], name: str, value: str) -> Iterator[Phrase]:
    for hit in table["matched"]:
        yield _match(hit, table, name)
    if table["matched"]:
        return
    if table.get("default"):
        yield phrase("{name} = {value} by default, because no rule matches", name=name, value=value)
    else:
        yield phrase("{name} has no value, because no rule matches", name=name)
    for no in table["rejected"][:MAX_REJECTED]:
        yield phrase(
            "rule {number} does not match: it wants {cells}, and {input} = {given}",
            number=no["number"],
            cells=_cell(no["input"], no["test"]),
            input=no["input"],
            given=_value(table["inputs"].get(no["input"])),
        )


def _match(hit: Mapping[str, Any], table: Mapping[str, Any], name: str) -> Phrase:
    outputs = hit["outputs"]
    value = ", ".join(
        f"{name if len(outputs) == 1 else key} = {_value(one)}" for key, one in outputs.items()
    )
    tests = hit.get("because")
    if tests is None:  # stored before the cells were kept with the rule
        cells: list[Spoken] = [f"{key} = {_value(one)}" for key, one in table["inputs"].items()]
    else:
        cells = [_cell(one["input"], one["test"]) for one in tests]
    known = _joined(cells, both=True) if cells else phrase("it applies always")
    number, note = hit["number"], hit.get("annotation")
    if not note:
        return phrase(
            "{value} because {cells} (rule {number})", value=value, cells=known, number=number
        )
    return phrase(
        "{value} because {cells} (rule {number}: {note})",
        value=value, cells=known, number=number, note=note,
    )  # fmt: skip


def _joined(parts: Sequence[Spoken], *, both: bool) -> Spoken:
    one, *rest = parts
    for other in rest:
        if both:
            one = phrase("{one} and {other}", one=one, other=other)
        else:
            one = phrase("{one} or {other}", one=one, other=other)
    return one


def _cell(name: str, text: str) -> Spoken:
    """Return what a cell asks of its input: `revenue ≥ 100000`, `1 ≤ age < 18`, `tier = A or B`."""
    node = tests_of(text)
    parts = [_test(name, test) for test in node.tests] if node is not None else []
    known: list[Spoken] = [part for part in parts if part is not None]
    if node is None or len(known) < len(parts) or not parts:
        return phrase("{input} fits {test}", input=name, test=text)
    start = f"{name} = "
    plain = all(str(part).startswith(start) for part in known)
    if plain and len(known) == 1 and node.negated:
        return f"{name} ≠ {str(known[0]).removeprefix(start)}"
    if plain:
        known[1:] = [str(part).removeprefix(start) for part in known[1:]]
    whole = _joined(known, both=False)
    return phrase("not ({tests})", tests=whole) if node.negated else whole


def _test(name: str, test: Node) -> str | None:
    sign = test.operator if isinstance(test, Test) else "="
    found = constant(test.operand if isinstance(test, Test) else test)
    if found is None:
        return None
    (value,) = found
    if not isinstance(value, Range):
        return f"{name} {_SIGNS[sign]} {_value(value)}"
    low = "≤" if value.start_included else "<"
    high = "≤" if value.end_included else "<"
    return f"{_value(value.start)} {low} {name} {high} {_value(value.end)}"


def _value(value: object) -> str:
    text = text_of(value)
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 1] + "…"
