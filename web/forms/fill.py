"""A form filled in: what each component shows, what was typed into it, and what is wrong with it.

First all values are read, then conditions and texts are evaluated on them, so that what is hidden
depends on what was typed. Only what the person sees and may change becomes a value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

from web.forms import rich
from web.forms.feel import Feel
from web.forms.model import VALUED, Form, Part
from web.forms.rows import COUNT, MOST_ROWS, SHOWN, Texts, rows_in
from web.forms.values import Asked, Option, Wrong, read, write

Path = tuple[str | int, ...]
#: what begins the names of our fields, so that they meet no other field of the page
PREFIX = "v."


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What a form is filled in with."""

    #: what the task sees
    variables: Mapping[str, Any]
    #: what was typed, by name of the field; None: nothing yet
    texts: Texts | None
    language: str
    zone: ZoneInfo
    now: datetime
    #: look for what is wrong, since the form is being sent
    check: bool = False


@dataclass(slots=True, kw_only=True)
class Shown:
    """One component as the template writes it."""

    kind: str
    #: of the field, and what labels and errors refer to
    name: str
    id: str
    label: Any = ""
    hint: Any = ""
    #: what stands in the field
    texts: list[str] = field(default_factory=list)
    error: str = ""
    options: Sequence[Option] = ()
    required: bool = False
    readonly: bool = False
    disabled: bool = False
    #: date, time or datetime
    subtype: str = ""
    prefix: str = ""
    suffix: str = ""
    #: columns of twelve, 0 for all
    width: int = 0
    #: text or HTML without a field
    content: Markup = field(default_factory=Markup)
    #: of a group; of a dynamic list one for each row
    parts: list[Shown] = field(default_factory=list)
    rows: list[list[Shown]] = field(default_factory=list)
    #: a dynamic list may grow and shrink
    changeable: bool = False
    #: of a table
    columns: list[tuple[str, str]] = field(default_factory=list)
    records: list[Mapping[str, Any]] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Filled:
    """A form ready to be written, with the values that are sent."""

    parts: list[Shown]
    values: dict[str, Any]
    #: id of the field -> (label, what is wrong)
    errors: dict[str, tuple[str, str]]
    #: names of the fields on the page
    names: list[str]


def fill(form: Form, sheet: Sheet) -> Filled:
    """Return the form with these variables, or what was typed, in it."""
    return _Filling(sheet).run(form)


def name_of(path: Path) -> str:
    """Return the name of the field for a value."""
    return PREFIX + ".".join(str(step) for step in path)


def id_of(path: Path) -> str:
    """Return the id in HTML of the field for a value."""
    return "f-" + "-".join("".join(c if c.isalnum() else "_" for c in str(s)) for s in path)


class _Filling:
    """The state of one filling: values read so far, then what is shown."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._feel = Feel(sheet.now)
        self._shown_before = frozenset((sheet.texts or {}).get(SHOWN, ()))
        #: all values, hidden ones too: what conditions see
        self._all: dict[str, Any] = {}
        self._read: dict[Path, tuple[list[str], Any, str]] = {}
        self._rows: dict[Path, int] = {}
        self._values: dict[str, Any] = {}
        self._errors: dict[str, tuple[str, str]] = {}
        self._names: list[str] = []

    def run(self, form: Form) -> Filled:
        """Read, then show."""
        self._gather(form.parts, ())
        parts = self._show(form.parts, ())
        return Filled(
            parts=parts, values=self._values, errors=self._errors, names=self._names
        )  # fmt: skip

    # -------------------------------------------------------------- values

    def _gather(self, parts: Sequence[Part], at: Path) -> None:
        for part in parts:
            path = (*at, *part.path)
            if part.kind == "dynamiclist" and part.path:
                self._rows[path] = count = self._row_count(part, path)
                _put(self._all, path, [{} for _row in range(count)])
                for row in range(count):
                    self._gather(part.parts, (*path, row))
            elif part.kind == "expression" and part.path:
                _put(self._all, path, self._feel.value(part.raw.get("expression"), self._scope(at)))
            elif part.kind in VALUED and part.path:
                self._gather_one(part, path, at)
            elif part.parts:
                self._gather(part.parts, path)

    def _gather_one(self, part: Part, path: Path, at: Path) -> None:
        sheet, name, error, value = self._sheet, name_of(path), "", None
        typed = sheet.texts is not None and name in self._shown_before
        if typed and not self._fixed(part, at):
            texts = list((sheet.texts or {}).get(name, ()))
        else:
            texts = write(part, self._initial(part, path), sheet.zone)
        asked = Asked(
            part=part, options=self._options(part, at), zone=sheet.zone, now=sheet.now,
            limit=lambda rule: self._feel.value(part.rule(rule), self._scope(at)),
        )  # fmt: skip
        try:
            value = read(asked, texts)
        except Wrong as wrong:
            error = str(wrong)
        _put(self._all, path, value)
        self._read[path] = (texts, value, error)

    def _initial(self, part: Part, path: Path) -> Any:
        found = _get(self._sheet.variables, path)
        return part.raw.get("defaultValue") if found is None else found

    def _row_count(self, part: Part, path: Path) -> int:
        typed = rows_in(self._sheet.texts or {}, name_of(path))
        if typed is not None:
            return typed
        found = _get(self._sheet.variables, path)
        if isinstance(found, list):
            return min(len(found), MOST_ROWS)
        usual = part.raw.get("defaultRepetitions", 1)
        return min(usual, MOST_ROWS) if isinstance(usual, int) and usual >= 0 else 1

    def _fixed(self, part: Part, at: Path) -> bool:
        """Tell whether the person may not change the value: then nothing typed counts."""
        readonly = self._feel.flag(part.raw.get("readonly"), self._scope(at))
        return bool(part.raw.get("disabled")) or readonly

    def _scope(self, at: Path) -> Mapping[str, Any]:
        """Return what an expression sees at a place: variables, values, and those of its row."""
        scope = {**self._sheet.variables, **self._all}
        if at:
            row = _get(self._all, at)
            index = next((step for step in reversed(at) if isinstance(step, int)), None)
            scope |= row if isinstance(row, dict) else {}
            scope |= {"this": row, "parent": dict(self._all)}
            scope |= {} if index is None else {"i": index + 1}
        return scope

    def _options(self, part: Part, at: Path) -> list[Option]:
        raw: Any = part.raw.get("values")
        if part.raw.get("valuesExpression"):
            raw = self._feel.value(part.raw["valuesExpression"], self._scope(at))
        elif part.raw.get("valuesKey"):
            raw = _get(self._scope(at), tuple(str(part.raw["valuesKey"]).split(".")))
        if not isinstance(raw, list):
            return []
        return [self._option(part, item) for item in raw]

    def _option(self, part: Part, item: Any) -> Option:
        if not isinstance(item, Mapping):
            return Option(value=item, label=str(item))
        language, value = self._sheet.language, item.get("value")
        found = part.properties.get(f"value.{value}.{language}") or item.get(f"label.{language}")
        return Option(value=value, label=str(found or item.get("label") or value))

    # -------------------------------------------------------------- what is shown

    def _show(self, parts: Sequence[Part], at: Path) -> list[Shown]:
        return [self._one(part, at) for part in parts if not self._hidden(part, at)]

    def _hidden(self, part: Part, at: Path) -> bool:
        condition = part.raw.get("conditional")
        hide = condition.get("hide") if isinstance(condition, Mapping) else None
        return part.kind in ("expression", "button") or self._feel.flag(hide, self._scope(at))

    def _one(self, part: Part, at: Path) -> Shown:
        path, scope = (*at, *part.path), self._scope(at)
        language = self._sheet.language
        shown = Shown(
            kind=part.kind, name=name_of(path), id=id_of(path), width=part.width,
            label=self._feel.text(part.words("label", language), scope),
            hint=self._feel.text(part.words("description", language), scope),
        )  # fmt: skip
        if part.kind in VALUED and part.path:
            self._field(part, path, at, shown)
        elif part.kind in ("text", "html"):
            name = "text" if part.kind == "text" else "content"
            text = self._feel.text(part.words(name, language), scope)
            shown.content = rich.markdown(text) if part.kind == "text" else rich.html(text)
        elif part.kind == "table":
            self._table(part, at, shown)
        elif part.kind == "dynamiclist" and part.path:
            self._list(part, path, shown)
        else:
            shown.parts = self._show(part.parts, path)
        return shown

    def _field(self, part: Part, path: Path, at: Path, shown: Shown) -> None:
        texts, value, error = self._read[path]
        shown.texts, shown.options = texts, self._options(part, at)
        shown.required = bool(part.rule("required"))
        shown.readonly = self._feel.flag(part.raw.get("readonly"), self._scope(at))
        shown.disabled = bool(part.raw.get("disabled"))
        shown.subtype = str(part.raw.get("subtype") or "date")
        for name in ("dateLabel", "timeLabel"):
            shown.label = shown.label or part.words(name, self._sheet.language)
        affixes = part.raw.get("appearance")
        if isinstance(affixes, Mapping):
            shown.prefix = str(affixes.get("prefixAdorner") or "")
            shown.suffix = str(affixes.get("suffixAdorner") or "")
        self._names.append(shown.name)
        fixed = shown.readonly or shown.disabled
        if self._sheet.check and error and not fixed:
            shown.error = error
            self._errors[shown.id] = (str(shown.label) or part.path[-1], error)
        if not fixed:
            self._keep(path, value)

    def _keep(self, path: Path, value: Any) -> None:
        """Put a value among those that are sent; other members of its object stay."""
        top = path[0]
        if len(path) > 1 and top not in self._values and isinstance(path[1], str):
            before = self._sheet.variables.get(str(top))
            self._values[str(top)] = _copy(before) if isinstance(before, Mapping) else {}
        _put(self._values, path, value)

    def _list(self, part: Part, path: Path, shown: Shown) -> None:
        count = self._rows[path]
        self._keep(path, [{} for _row in range(count)])
        shown.name = name_of(path)
        shown.changeable = part.raw.get("allowAddRemove") is not False
        shown.texts = [str(count)]
        shown.rows = [self._show(part.parts, (*path, row)) for row in range(count)]

    def _table(self, part: Part, at: Path, shown: Shown) -> None:
        scope, source = self._scope(at), part.raw.get("dataSource")
        found = self._feel.value(source, scope)
        if isinstance(source, str) and not source.startswith("="):
            found = _get(scope, tuple(source.split(".")))
        records = (
            [row for row in found if isinstance(row, Mapping)] if isinstance(found, list) else []
        )
        columns = part.raw.get("columns")
        if part.raw.get("columnsExpression"):
            columns = self._feel.value(part.raw["columnsExpression"], scope)
        language = self._sheet.language
        for column in columns if isinstance(columns, list) else []:
            if isinstance(column, Mapping) and column.get("key"):
                key = str(column["key"])
                label = part.properties.get(f"column.{key}.{language}") or column.get("label")
                shown.columns.append((key, str(label or key)))
        shown.records = list(records[:500])


def hidden_fields(filled: Filled) -> list[tuple[str, str]]:
    """Return what the page sends beside the fields: their names, so that empty ones are known."""
    return [(SHOWN, name) for name in filled.names]


def row_field(shown: Shown) -> tuple[str, str]:
    """Return the hidden field that says how many rows a list has."""
    return COUNT + shown.name, shown.texts[0]


def _get(value: Any, path: Sequence[str | int]) -> Any:
    for step in path:
        if isinstance(value, Mapping) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def _put(target: Any, path: Path, value: Any) -> None:
    for step in path[:-1]:
        if isinstance(step, int):
            target = target[step]
            continue
        if not isinstance(target.get(step), dict | list):
            target[step] = {}
        target = target[step]
    target[path[-1]] = value


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _copy(item) for name, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value
