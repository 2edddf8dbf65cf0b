"""Generated forms of Camunda 7 (`camunda:formData`) as components of a form."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from lxml.etree import _Element as Element

from engine.diagrams.imports.forms import Form
from engine.diagrams.imports.juel import is_juel
from engine.diagrams.imports.passage import Passage
from engine.diagrams.names import local

#: type of a field -> component
TYPES: dict[str, Form] = {
    "string": {"type": "textfield"},
    "long": {"type": "number", "decimalDigits": 0},
    "integer": {"type": "number", "decimalDigits": 0},
    "short": {"type": "number", "decimalDigits": 0},
    "double": {"type": "number"},
    "float": {"type": "number"},
    "boolean": {"type": "checkbox"},
    "date": {"type": "datetime", "subtype": "date"},
    "enum": {"type": "select"},
}
#: name of a constraint -> rule of the form, how its value is read
CONSTRAINTS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "required": ("required", lambda text: text != "false"),
    "minlength": ("minLength", int),
    "maxlength": ("maxLength", int),
    "min": ("min", lambda text: _number(text)),
    "max": ("max", lambda text: _number(text)),
}
_PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


def form_of_fields(passage: Passage, task: Element, blocks: Sequence[Element]) -> list[Form]:
    """Return the components for formData or formProperty; report what they cannot show."""
    fields = [
        field
        for block in blocks
        for field in ([block] if local(block) == "formProperty" else block.iterchildren("{*}*"))
        if local(field) in ("formField", "formProperty")
    ]
    if any(block.get("businessKey") for block in blocks):
        passage.report.info(
            task, "the business key of the form of {who} is a field like any other", who=task
        )
    return [part for field in fields if (part := _component(passage, task, field))]


def _component(passage: Passage, task: Element, field: Element) -> Form | None:
    key, kind = field.get("id") or "", (field.get("type") or "string").strip()
    if not _PATH.fullmatch(key):
        passage.report.unsupported(
            task,
            "the field “{name}” in the form of {who} cannot be the name of a variable",
            "begin with a letter; then letters, digits and _",
            who=task,
            name=key[:60],
        )
        return None
    if kind not in TYPES:
        passage.report.unsupported(
            task,
            "the field “{name}” in the form of {who} is of the type “{kind}”, which is not known",
            "choose one of string, long, boolean, date and enum, or draw a form",
            who=task,
            name=key,
            kind=kind[:60],
        )
        return None
    label = field.get("label") or field.get("name") or key
    made: Form = {"id": f"field_{key.replace('.', '_')}", "key": key, "label": label, **TYPES[kind]}
    values = [one for one in field.iterchildren("{*}*") if local(one) == "value"]
    if values:
        made["values"] = [
            {"label": one.get("name") or one.get("id"), "value": one.get("id")} for one in values
        ]
    _default(passage, task, field, made)
    rules = dict(_rules(passage, task, field, key))
    made |= {"readonly": True} if rules.pop("readonly", False) else {}
    made |= {"validate": rules} if rules else {}
    notes = {name: value for name, value in _properties(field) if name}
    return made | ({"properties": notes} if notes else {})


def _default(passage: Passage, task: Element, field: Element, made: Form) -> None:
    text = field.get("defaultValue") or field.get("default") or field.get("expression")
    if text is None or text == "":
        return
    if is_juel(text):
        written = passage.attribute(task, "defaultValue", text)
        if written is not None and written != f"={made['key']}":
            passage.mapping(
                task, "input", f"=get or else({made['key']}, {written[1:]})", made["key"]
            )
        return
    value = _typed(made["type"], text)
    if value is None:
        passage.report.warning(
            task,
            "the value “{value}” of the field “{name}” in the form of {who} does not fit its type",
            "correct the default value",
            who=task,
            name=made["key"],
            value=text[:60],
        )
        return
    made["defaultValue"] = value


def _typed(kind: str, text: str) -> Any:
    if kind == "checkbox":
        return {"true": True, "false": False}.get(text.strip().lower())
    if kind == "number":
        return _number(text)
    return text


def _number(text: str) -> int | float | None:
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        return None
    if not value.is_finite():
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def _rules(passage: Passage, task: Element, field: Element, key: str) -> Iterator[tuple[str, Any]]:
    for name in ("required", "writable"):  # of formProperty
        if field.get(name) is not None:
            said = field.get(name) == "true"
            yield ("required", said) if name == "required" else ("readonly", not said)
    for one in field.iter("{*}constraint"):
        name, config = one.get("name") or "", (one.get("config") or "").strip()
        if name == "readonly":
            yield "readonly", config != "false"
            continue
        rule, read = CONSTRAINTS.get(name, ("", str))
        value = _read(read, config)
        if not rule or value is None:
            passage.report.unsupported(
                task,
                "the rule “{rule}” of the field “{name}” in the form of {who} cannot be checked",
                "use required, min, max, minlength or maxlength, or check it behind the task",
                who=task,
                name=key,
                rule=f"{name} {config}".strip()[:80],
            )
            continue
        yield rule, value


def _read(read: Callable[[str], Any], config: str) -> Any:
    try:
        return read(config)
    except ValueError:
        return None


def _properties(field: Element) -> Iterator[tuple[str, str]]:
    for one in field.iter("{*}property"):
        yield one.get("id") or one.get("name") or "", one.get("value") or ""
