"""Element templates of Camunda 8, made from the signatures of the handlers.

Both modelers show them: whoever draws a service task picks a handler by its name and fills in its
inputs. An input left empty is read from the variable of its name, so none of them is required here.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.registry import HandlerEntry
    from engine.registry.entry import HandlerInput

#: tells a modeler that the templates are for Camunda 8
SCHEMA = "https://unpkg.com/@camunda/zeebe-element-templates-json-schema/resources/schema.json"
#: name of the file in the folder of a desktop modeler
FILE = "element-templates/caseway.json"
_GROUPS = {
    "en": {"inputs": "Inputs", "outputs": "Results", "running": "When it fails"},
    "zh": {"inputs": "输入", "outputs": "结果", "running": "失败时"},
}
_WORDS = {
    "en": {"name": "Name", "empty": "Empty: the variable {}", "required": "must have a value",
           "keep": "Variable that keeps {}; empty: {}", "retries": "Attempts after the first",
           "yes": "yes", "no": "no", "none": "–"},
    "zh": {"name": "名称", "empty": "留空：取变量 {}", "required": "必须有值",
           "keep": "保存 {} 的变量；留空：{}", "retries": "首次之后的重试次数",
           "yes": "是", "no": "否", "none": "–"},
}  # fmt: skip
#: a date, for zip files that are the same in every build
_EPOCH = (2020, 1, 1, 0, 0, 0)


def templates(entries: Iterable[HandlerEntry], language: str) -> list[dict[str, Any]]:
    """Return one template for each handler, by name; `language` is zh or en."""
    return [template(one, language) for one in sorted(entries, key=lambda one: one.name)]


def archive(entries: Iterable[HandlerEntry], language: str) -> bytes:
    """Return a zip to be unpacked in the resources folder of the desktop modeler."""
    text = json.dumps(templates(entries, language), ensure_ascii=False, indent=2)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(zipfile.ZipInfo(FILE, _EPOCH), text + "\n")
    return stream.getvalue()


def template(entry: HandlerEntry, language: str) -> dict[str, Any]:
    """Return the template of one handler."""
    title = title_of(entry, language)
    area = entry.name.partition(".")[0]
    used = {"inputs"} if entry.inputs else set()
    used |= {"outputs"} if entry.outputs else set()
    used |= set() if entry.inline else {"running"}
    return {
        "$schema": SCHEMA,
        "name": title,
        "id": f"caseway.{entry.name}",
        "description": entry.doc.partition("\n")[0],
        "keywords": [entry.name, entry.title, entry.title_zh],
        "category": {"id": f"caseway.{area}", "name": f"Caseway: {area}"},
        "appliesTo": ["bpmn:Task", "bpmn:ServiceTask", "bpmn:SendTask"],
        "elementType": {"value": "bpmn:ServiceTask"},
        "groups": [{"id": k, "label": v} for k, v in _GROUPS[language].items() if k in used],
        "properties": list(_properties(entry, title, language)),
    }


def title_of(entry: HandlerEntry, language: str) -> str:
    """Return what a person calls a handler."""
    wish = entry.title_zh if language == "zh" else entry.title
    return wish or entry.title or entry.title_zh or entry.name


def _properties(entry: HandlerEntry, title: str, language: str) -> Iterator[dict[str, Any]]:
    words = _WORDS[language]
    yield {"label": words["name"], "type": "String", "value": title,
           "binding": {"type": "property", "name": "name"}}  # fmt: skip
    yield {"type": "Hidden", "value": entry.name,
           "binding": {"type": "zeebe:taskDefinition", "property": "type"}}  # fmt: skip
    for item in entry.inputs:
        yield _input(item, words)
    for name in entry.outputs:
        # the value is the variable, the source the expression: the schema would take them swapped
        yield {
            "id": f"output.{name}", "label": name, "group": "outputs", "type": "String",
            "description": words["keep"].format(name, name), "optional": True,
            "binding": {"type": "zeebe:output", "source": f"={name}"},
        }  # fmt: skip
    if not entry.inline:
        yield {
            "id": "retries", "label": words["retries"], "group": "running", "type": "String",
            "value": str(entry.retries),
            "binding": {"type": "zeebe:taskDefinition", "property": "retries"},
            "constraints": {"notEmpty": True, "pattern": {"value": "\\d+", "message": "0, 1, 2 …"}},
        }  # fmt: skip


def _input(item: HandlerInput, words: dict[str, str]) -> dict[str, Any]:
    about = [item.hint.note, item.hint.text, words["empty"].format(item.name)]
    if item.required:
        about.append(words["required"])
    return {
        "id": f"input.{item.name}",
        "label": item.name,
        "description": "; ".join(part for part in about if part),
        "group": "inputs",
        "optional": True,
        "binding": {"type": "zeebe:input", "name": item.name},
        **_editor(item, words),
    }


def _editor(item: HandlerInput, words: dict[str, str]) -> dict[str, Any]:
    """Return how a value is typed in: a text may be literal, anything else is an expression."""
    hint = item.hint
    choices = [(_literal(one), str(one)) for one in hint.choices if one is not None]
    if hint.text == "yes or no":
        choices = [("=true", words["yes"]), ("=false", words["no"])]
    if choices:
        listed = [{"name": words["none"], "value": ""}]
        listed += [{"name": name, "value": value} for value, name in choices]
        return {"type": "Dropdown", "choices": listed}
    if hint.text in ("text", "any"):
        return {"type": "String", "feel": "optional"}
    return {"type": "String", "feel": "required"}


def _literal(value: Any) -> str:
    """Return a choice as a diagram holds it: texts plain, the rest as FEEL."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "=true" if value else "=false"
    return f"={value}" if isinstance(value, int | Decimal) else f"={json.dumps(value)}"
