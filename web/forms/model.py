"""A form as it was designed: its components, their names and texts in the person's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from engine.codec import parse_json
from engine.errors import BadInput

#: components inside each other, and of one form
_DEEPEST, _MOST = 20, 2000
#: what stands in a form whose conditions, texts or values are expressions
_LIVE = (b'"hide"', b"{{", b'"=')
#: kinds that have a value
VALUED = frozenset({
    "textfield", "textarea", "number", "checkbox", "checklist", "radio", "select", "taglist",
    "datetime", "expression",
})  # fmt: skip


class FormDamaged(BadInput):
    """The file of a form is no Camunda form. Export it again from the modeler and deploy it."""

    code = "form_damaged"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """One component of a form."""

    #: textfield, number, group, ...
    kind: str
    #: where its value stands below the group or row it is in: ("customer", "name"); () for none
    path: tuple[str, ...]
    #: the component as designed
    raw: Mapping[str, Any]
    #: of a group or a dynamic list
    parts: tuple[Part, ...] = ()
    #: columns of twelve; 0: all
    width: int = 0

    def words(self, name: str, language: str) -> str:
        """Return a text of the component, in a language if its properties have it."""
        found = self.properties.get(f"{name}.{language}") or self.raw.get(name)
        return found if isinstance(found, str) else ""

    @property
    def properties(self) -> Mapping[str, Any]:
        """Custom properties of the component."""
        found = self.raw.get("properties")
        return found if isinstance(found, Mapping) else {}

    def rule(self, name: str) -> Any:
        """Return a rule of the validation: required, min, maxLength, pattern, ..."""
        found = self.raw.get("validate")
        return found.get(name) if isinstance(found, Mapping) else None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Form:
    """A form, ready to be filled in."""

    id: str
    parts: tuple[Part, ...]
    #: what is shown may depend on what is typed
    live: bool = False


@lru_cache(maxsize=200)
def load(data: bytes) -> Form:
    """Return the form in a file. Raises FormDamaged."""
    try:
        found = parse_json(data)
    except BadInput as error:
        raise FormDamaged(f"the form is no JSON: {error}")
    if not isinstance(found, Mapping) or not isinstance(found.get("components"), list):
        raise FormDamaged("the form has no list of components")
    left = [_MOST]
    return Form(
        id=str(found.get("id") or ""),
        parts=_parts(found["components"], 0, left),
        live=any(mark in data for mark in _LIVE),
    )


def _parts(components: list[Any], depth: int, left: list[int]) -> tuple[Part, ...]:
    left[0] -= len(components)
    if depth > _DEEPEST or left[0] < 0:
        raise FormDamaged("the form has too many components")
    kept = [raw for raw in components if isinstance(raw, Mapping)]
    widths = _widths(kept)
    return tuple(_part(raw, width, depth, left) for raw, width in zip(kept, widths, strict=True))


def _part(raw: Mapping[str, Any], width: int, depth: int, left: list[int]) -> Part:
    kind = str(raw.get("type") or "")
    inner = raw.get("components")
    name = raw.get("key") if kind in VALUED or kind == "filepicker" else raw.get("path")
    path = tuple(part for part in str(name or "").split(".") if part)
    parts = _parts(inner, depth + 1, left) if isinstance(inner, list) else ()
    return Part(kind=kind, path=path, raw=raw, parts=parts, width=width)


def _widths(components: list[Mapping[str, Any]]) -> list[int]:
    """Return the columns of twelve that each takes; form-js counts sixteen in a row."""
    layouts = [raw.get("layout") for raw in components]
    rows = [lay.get("row") if isinstance(lay, Mapping) else None for lay in layouts]
    found = []
    for layout, row in zip(layouts, rows, strict=True):
        columns = layout.get("columns") if isinstance(layout, Mapping) else None
        if isinstance(columns, int) and 0 < columns < 16:
            found.append(max(2, round(columns * 12 / 16)))
        elif row is not None and columns is None and rows.count(row) > 1:
            found.append(max(2, 12 // rows.count(row)))
        else:
            found.append(0)
    return found
