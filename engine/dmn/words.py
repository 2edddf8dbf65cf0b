"""An explanation in sentences for the people who work with a case, in English and Chinese."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.dmn.cells import constant, tests_of
from engine.feel.kinds import text_of
from engine.feel.nodes import Node, Test
from engine.feel.values import Range

#: rules that did not match of which a sentence says why
MAX_REJECTED = 5
#: characters of one value
MAX_VALUE = 200
_SIGNS = {"<": "<", "<=": "≤", ">": ">", ">=": "≥", "=": "=", "!=": "≠"}
_PHRASES = {
    "en": {
        "rule": "{value} because {cells} (rule {number})",
        "note": "{value} because {cells} (rule {number}: {note})",
        "always": "it applies always",
        "and": " and ",
        "or": " or ",
        "not": "not ({tests})",
        "fits": "{input} fits {test}",
        "default": "{name} = {value} by default, because no rule matches",
        "none": "{name} has no value, because no rule matches",
        "rejected": "rule {number} does not match: it wants {cells}, and {input} = {given}",
        "from": "{name} = {value}, worked out from {inputs}",
        "fixed": "{name} = {value}",
        "whole": "together {name} = {value}",
        "missing": "in {name}: {message}",
    },
    "zh": {
        "rule": "{value}，因为 {cells}（规则 {number}）",
        "note": "{value}，因为 {cells}（规则 {number}：{note}）",
        "always": "该规则总是适用",
        "and": "，且 ",
        "or": " 或 ",
        "not": "并非（{tests}）",
        "fits": "{input} 符合 {test}",
        "default": "{name} = {value}（默认值），因为没有规则匹配",
        "none": "{name} 没有值，因为没有规则匹配",
        "rejected": "规则 {number} 不匹配：要求 {cells}，而 {input} = {given}",
        "from": "{name} = {value}，由 {inputs} 得出",
        "fixed": "{name} = {value}",
        "whole": "合并后 {name} = {value}",
        "missing": "{name} 中：{message}",
    },
}


def in_words(explanation: Sequence[Mapping[str, Any]], language: str = "en") -> list[str]:
    """Return what an explanation says, one sentence per rule that matched or value that came out.

    `explanation` is `Decided.explanation`, also as it was stored before; `language` is `en` or `zh`
    (a variant such as `zh-CN` counts as `zh`, any other language as `en`).
    """
    said = _PHRASES["zh" if language.lower().startswith("zh") else "en"]
    return [sentence for entry in explanation for sentence in _entry(entry, said)]


def _entry(entry: Mapping[str, Any], said: Mapping[str, str]) -> Iterator[str]:
    name, value = str(entry["name"]), entry.get("value")
    tables = entry.get("tables") or ()
    for table in tables:
        yield from _table(table, name, value, said)
    matched = sum(len(table["matched"]) for table in tables)
    if not tables:
        inputs = ", ".join(f"{key} = {_value(one)}" for key, one in _given(entry))
        yield said["from" if inputs else "fixed"].format(
            name=name, value=_value(value), inputs=inputs
        )
    elif len(tables) > 1 or matched > 1:
        yield said["whole"].format(name=name, value=_value(value))
    for note in entry.get("notes") or ():
        yield said["missing"].format(name=name, message=note["message"])


def _given(entry: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from (entry.get("inputs") or {}).items()


def _table(
    table: Mapping[str, Any], name: str, value: object, said: Mapping[str, str]
) -> Iterator[str]:
    for hit in table["matched"]:
        outputs = hit["outputs"]
        shown = ", ".join(
            f"{name if len(outputs) == 1 else key} = {_value(one)}" for key, one in outputs.items()
        )
        tests = hit.get("because")
        if tests is None:  # stored before the cells were kept with the rule
            tests = [{"input": key, "test": _value(one)} for key, one in table["inputs"].items()]
        cells = said["and"].join(cell_in_words(one["input"], one["test"], said) for one in tests)
        yield said["note" if hit.get("annotation") else "rule"].format(
            value=shown, cells=cells or said["always"], number=hit["number"],
            note=hit.get("annotation"),
        )  # fmt: skip
    if table["matched"]:
        return
    yield said["default" if table.get("default") else "none"].format(name=name, value=_value(value))
    for no in table["rejected"][:MAX_REJECTED]:
        yield said["rejected"].format(
            number=no["number"], input=no["input"], given=_value(table["inputs"].get(no["input"])),
            cells=cell_in_words(no["input"], no["test"], said),
        )  # fmt: skip


def cell_in_words(name: str, text: str, said: Mapping[str, str]) -> str:
    """Return what a cell asks of its input: `revenue ≥ 100000`, `1 ≤ age < 18`, `tier = A or B`."""
    node = tests_of(text)
    parts = [_test(name, test) for test in node.tests] if node is not None else []
    known = [part for part in parts if part is not None]
    if node is None or len(known) < len(parts) or not parts:
        return said["fits"].format(input=name, test=text)
    start = f"{name} = "
    if len(known) > 1 and all(part.startswith(start) for part in known):
        known = [known[0], *(part.removeprefix(start) for part in known[1:])]
    whole = said["or"].join(known)
    if not node.negated:
        return whole
    return (
        f"{name} ≠ {whole.removeprefix(start)}"
        if len(known) == 1 and whole.startswith(start)
        else said["not"].format(tests=whole)
    )


def _test(name: str, test: Node) -> str | None:
    sign = test.operator if isinstance(test, Test) else "="
    found = constant(test.operand if isinstance(test, Test) else test)
    if found is None:
        return None
    (value,) = found
    if not isinstance(value, Range):
        return f"{name} {_SIGNS[sign]} {_value(value)}"
    low, high = (
        "≤" if included else "<" for included in (value.start_included, value.end_included)
    )
    return f"{_value(value.start)} {low} {name} {high} {_value(value.end)}"


def _value(value: object) -> str:
    text = text_of(value)
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 1] + "…"
