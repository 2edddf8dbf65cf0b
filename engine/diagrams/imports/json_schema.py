"""Forms of SpiffWorkflow: a JSON schema with a schema of its look, as components of a form.

The schemas are those of react-jsonschema-form. A field that no component can show is reported by
its name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lxml.etree import _Element as Element

from engine.diagrams.imports.forms import Form
from engine.diagrams.imports.passage import Passage
from engine.sentences import phrase

#: objects and lists inside each other
_DEEPEST = 10
_NUMBERS = ("number", "integer")
#: rule of a JSON schema -> rule of a form
_RULES = {"minimum": "min", "maximum": "max", "minLength": "minLength", "maxLength": "maxLength",
          "pattern": "pattern"}  # fmt: skip
_MARK = "options_from_task_data_var:"
_WIDGETS = {"textarea": {"type": "textarea"}, "radio": {"type": "radio"}}
_READ = frozenset({
    "type", "title", "description", "default", "enum", "enumNames", "oneOf", "anyOf", "format",
    "properties", "required", "items", "minItems", "maxItems", "uniqueItems", "readOnly", "const",
    "$schema", "$id", "id", "definitions", "$defs", "$ref", "additionalProperties", "examples",
    "validationErrorMessage", *_RULES,
})  # fmt: skip


def read_schema(passage: Passage, task: Element, schema_file: str, look_file: str) -> list[Form]:
    """Return the components of a form in two files; report what is missing or cannot be shown."""
    schema = _file(passage, task, schema_file)
    look = _file(passage, task, look_file) if look_file else {}
    if schema is None:
        return []
    reader = _Reader(passage, task, schema)
    components = []
    for name in ("title", "description"):
        if isinstance(schema.get(name), str) and schema[name].strip():
            mark = "## " if name == "title" else ""
            components.append({"type": "text", "text": f"{mark}{schema[name]}"})
    return components + reader.members(schema, look or {}, (), 0)


def _file(passage: Passage, task: Element, name: str) -> Mapping[str, Any] | None:
    content = passage.files.get(name)
    if content is None:
        passage.report.warning(
            task,
            "{who} shows the form “{form}”, which is not in this bundle",
            "add the form's file; without it people see all variables",
            who=task,
            form=name,
        )
        return None
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return None  # the gate reports the file itself
    return found if isinstance(found, dict) else None


class _Reader:
    def __init__(self, passage: Passage, task: Element, root: Mapping[str, Any]) -> None:
        self._passage, self._task, self._root = passage, task, root

    # ------------------------------------------------ objects

    def members(
        self, schema: Mapping[str, Any], look: Mapping[str, Any], at: tuple[str, ...], depth: int
    ) -> list[Form]:
        """Return a component for each property of an object."""
        properties = schema.get("properties")
        if not isinstance(properties, dict) or depth > _DEEPEST:
            return []
        wanted = schema.get("required")
        required = wanted if isinstance(wanted, list) else []
        for key in ("if", "dependencies", "allOf", "dependentSchemas"):
            if key in schema:
                self._cannot((*at, key), key)
        found = []
        for name in _ordered(list(properties), look.get("ui:order")):
            inner = look.get(name)
            part = self._property(
                properties[name], inner if isinstance(inner, dict) else {}, (*at, name), depth
            )
            if part is not None and name in required:
                part["validate"] = {**part.get("validate", {}), "required": True}
            found += [part] if part is not None else []
        return found

    def _property(
        self, raw: Any, look: Mapping[str, Any], at: tuple[str, ...], depth: int
    ) -> Form | None:
        schema = self._resolved(raw)
        if schema is None or not all(part.isidentifier() for part in at):
            self._cannot(at, "$ref" if schema is None else at[-1])
            return None
        for key in schema:
            if key not in _READ and not key.startswith(("ui:", "x-", "spiff")):
                self._cannot(at, key)
        if look.get("ui:widget") == "hidden":
            return None
        made = self._component(schema, look, at, depth)
        if made is None:
            self._cannot(at, str(schema.get("type") or look.get("ui:widget") or "?"))
            return None
        made.setdefault("id", "field_" + "_".join(at))
        made.setdefault("label", str(look.get("ui:title") or schema.get("title") or at[-1]))
        if told := look.get("ui:help") or look.get("ui:description") or schema.get("description"):
            made["description"] = str(told)
        if schema.get("readOnly") or look.get("ui:readonly") or look.get("ui:disabled"):
            made["readonly"] = True
        if "default" in schema and made["type"] not in ("group", "dynamiclist"):
            made["defaultValue"] = schema["default"]
        return made

    def _component(
        self, schema: Mapping[str, Any], look: Mapping[str, Any], at: tuple[str, ...], depth: int
    ) -> Form | None:
        kind = schema.get("type")
        kind = next((k for k in kind if k != "null"), None) if isinstance(kind, list) else kind
        if (choices := self._choices(schema, at)) is not None:
            shown = "radio" if look.get("ui:widget") == "radio" else "select"
            return {"type": shown, "key": at[-1], **choices}
        if kind == "object" or (kind is None and "properties" in schema):
            parts = self.members(schema, look, at, depth + 1)
            return {"type": "group", "path": at[-1], "components": parts, "showOutline": True}
        if kind == "array":
            return self._array(schema, look, at, depth)
        if kind == "boolean":
            return {"type": "checkbox", "key": at[-1]}
        rules = {ours: schema[theirs] for theirs, ours in _RULES.items() if theirs in schema}
        checks = {"validate": rules} if rules else {}
        if kind in _NUMBERS:
            whole = {"decimalDigits": 0} if kind == "integer" else {}
            return {"type": "number", "key": at[-1], **whole, **checks}
        if kind == "string" or kind is None:
            return self._text(schema, look, at, checks)
        return None

    def _text(
        self,
        schema: Mapping[str, Any],
        look: Mapping[str, Any],
        at: tuple[str, ...],
        checks: dict[str, Any],
    ) -> Form | None:
        form, widget = schema.get("format"), look.get("ui:widget")
        if form in ("date", "time", "date-time") or widget in ("date", "datetime"):
            kind = "datetime" if form == "date-time" or widget == "datetime" else form or widget
            return {"type": "datetime", "subtype": kind, "key": at[-1]}
        if form in ("data-url", "file") or widget == "file":
            return None
        if form == "email" or widget == "email":
            rules = {**checks.get("validate", {}), "validationType": "email"}
            return {"type": "textfield", "key": at[-1], "validate": rules}
        if widget in ("typeahead", "password"):
            return None
        return {**_WIDGETS.get(str(widget), {"type": "textfield"}), "key": at[-1], **checks}

    # ------------------------------------------------ choices and lists

    def _choices(self, schema: Mapping[str, Any], at: tuple[str, ...]) -> Form | None:
        values, names = schema.get("enum"), schema.get("enumNames")
        options = schema.get("oneOf") or schema.get("anyOf")
        if isinstance(options, list):
            if len(options) == 1 and str(options[0]).startswith(_MARK):
                return {"valuesKey": str(options[0]).removeprefix(_MARK).strip()}
            if all(isinstance(one, dict) and ("const" in one or "enum" in one) for one in options):
                pairs = [(one.get("const", *one.get("enum", [None])[:1]), one.get("title"))
                         for one in options]  # fmt: skip
                return {"values": [{"label": str(t or v), "value": v} for v, t in pairs]}
            self._cannot(at, "oneOf")
            return None
        if not isinstance(values, list):
            return None
        labels = names if isinstance(names, list) and len(names) == len(values) else values
        return {
            "values": [
                {"label": str(label), "value": value}
                for value, label in zip(values, labels, strict=True)
            ]
        }

    def _array(
        self, schema: Mapping[str, Any], look: Mapping[str, Any], at: tuple[str, ...], depth: int
    ) -> Form | None:
        items = self._resolved(schema.get("items"))
        if items is None:
            return None
        if (choices := self._choices(items, at)) is not None:
            shown = "checklist" if look.get("ui:widget") == "checkboxes" else "taglist"
            return {"type": shown, "key": at[-1], **choices}
        inner = look.get("items")
        if items.get("type") == "object" or "properties" in items:
            parts = self.members(items, inner if isinstance(inner, dict) else {}, at, depth + 1)
            return {
                "type": "dynamiclist",
                "path": at[-1],
                "components": parts,
                "allowAddRemove": True,
                "defaultRepetitions": schema.get("minItems", 1),
            }
        return None

    def _resolved(self, raw: Any) -> Mapping[str, Any] | None:
        """Follow a reference inside the file."""
        for _step in range(_DEEPEST):
            if not isinstance(raw, dict):
                return None
            reference = raw.get("$ref")
            if reference is None:
                return raw
            if not isinstance(reference, str) or not reference.startswith("#/"):
                return None
            raw = self._root
            for part in reference[2:].split("/"):
                raw = raw.get(part) if isinstance(raw, dict) else None
        return None

    def _cannot(self, at: Sequence[str], what: str) -> None:
        self._passage.report.unsupported(
            self._task,
            "the field “{name}” in the form of {who} has “{what}”, which no form here can show",
            phrase("change the field, or draw the form in the Camunda Modeler"),
            name=".".join(at)[:120],
            who=self._task,
            what=what[:60],
        )


def _ordered(names: list[str], order: Any) -> Iterator[str]:
    wanted = [name for name in order if isinstance(name, str)] if isinstance(order, list) else []
    first = wanted[: wanted.index("*")] if "*" in wanted else wanted
    last = wanted[wanted.index("*") + 1 :] if "*" in wanted else []
    yield from (name for name in first if name in names)
    yield from (name for name in names if name not in wanted)
    yield from (name for name in last if name in names)
