"""What is known of a case, as a person reads it: names, choices, dates, tables; no identifiers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from engine.errors import EngineError
from engine.feel.moments import parse_duration
from web import names
from web.language import _, current

Labels = Mapping[str, Mapping[str, str]]
Choices = Mapping[str, Labels]

#: what programs need and people do not read
_HIDDEN = re.compile(r"(?:.*_)?(?:id|hash|key|sha256|token|version)")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d.*(?:Z|[+-]\d\d:\d\d)")
_SPAN = re.compile(r"-?P(?=[\dT])[\dDT.HMS]*")
#: what the page says elsewhere, or says nothing to a person
_ELSEWHERE = frozenset({"case_number", "business_key", "language", "facts", "notice"})
#: depth of objects inside each other, columns and rows of a table, items of a list
_DEEPEST, _COLUMNS, _ROWS, _ITEMS = 3, 6, 50, 30


@dataclass(slots=True, kw_only=True)
class Fact:
    """One value with its name."""

    label: str
    #: text | number | yes | moment | day | list | fields | table
    kind: str
    value: Any = None
    #: of an object
    fields: list[Fact] = field(default_factory=list)
    #: of a table: heads, then one list of cells for each row
    columns: list[str] = field(default_factory=list)
    rows: list[list[Fact]] = field(default_factory=list)

    @property
    def is_plain(self) -> bool:
        """True if it is said in a line."""
        return self.kind not in ("fields", "table", "list")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known, in the order it is read."""

    #: said in a line; then objects and tables, folded; then what has no name for people
    plain: list[Fact]
    folded: list[Fact]
    rest: list[Fact]


def told(variables: Mapping[str, Any], labels: Labels, choices: Choices) -> Facts:
    """Return the variables of a case as facts; empty ones are left out."""
    teller = _Teller(labels, choices)
    known: list[Fact] = []
    rest: list[Fact] = []
    for name in sorted(variables, key=lambda name: (names.rank(name), name)):
        fact = None if name in _ELSEWHERE else teller.fact(name, variables[name], 0)
        if fact is not None:
            (known if names.is_known(name, labels) else rest).append(fact)
    return Facts(
        plain=[fact for fact in known if fact.is_plain],
        folded=[fact for fact in known if not fact.is_plain],
        rest=rest,
    )


class _Teller:
    """Turns values into facts, with the names and choices that the forms of a deployment have."""

    def __init__(self, labels: Labels, choices: Choices) -> None:
        self._labels, self._choices = labels, choices

    def fact(self, name: str, value: Any, depth: int) -> Fact | None:
        """Return a value as a fact, None for what is empty or only for programs."""
        if value in (None, "", [], {}) or _HIDDEN.fullmatch(name) or depth > _DEEPEST:
            return None
        label = names.fact_name(name, self._labels)
        if isinstance(value, Mapping):
            fields = self._fields(value.items(), depth)
            return Fact(label=label, kind="fields", fields=fields) if fields else None
        if isinstance(value, list | tuple):
            return self._listed(name, label, list(value), depth)
        kind, shown = self._plain(name, value)
        return Fact(label=label, kind=kind, value=shown)

    def _fields(self, items: Iterable[tuple[str, Any]], depth: int) -> list[Fact]:
        found = (self.fact(str(name), value, depth + 1) for name, value in items)
        return [fact for fact in found if fact is not None]

    def _listed(self, name: str, label: str, items: list[Any], depth: int) -> Fact | None:
        if not all(isinstance(item, Mapping) for item in items):
            texts = [self._plain(name, item)[1] for item in items[:_ITEMS] if item is not None]
            return Fact(label=label, kind="list", value=[str(text) for text in texts])
        keys = [key for key in dict.fromkeys(key for item in items for key in item)
                if not _HIDDEN.fullmatch(str(key))
                and any(_is_plain(item.get(key)) for item in items)][:_COLUMNS]  # fmt: skip
        rows = [
            [self.fact(key, item.get(key), depth + 1) or Fact(label="", kind="text", value="–")
             for key in keys]
            for item in items[:_ROWS]
        ]  # fmt: skip
        heads = [names.fact_name(str(key), self._labels) for key in keys]
        return Fact(label=label, kind="table", columns=heads, rows=rows) if keys else None

    def _plain(self, name: str, value: Any) -> tuple[str, Any]:
        if isinstance(value, bool):
            return "yes", _("yes") if value else _("no")
        if isinstance(value, int | float | Decimal):
            return "number", value
        if isinstance(value, datetime) and value.tzinfo is not None:
            return "moment", value
        if isinstance(value, date):
            return "day", value
        if isinstance(value, timedelta):
            return "text", span_words(value)
        return self._text(name, str(value))

    def _text(self, name: str, text: str) -> tuple[str, Any]:
        choice = self._choices.get(name, {}).get(text)
        if choice:
            return "text", choice.get(current()) or choice.get("", text)
        try:
            if _DAY.fullmatch(text):
                return "day", date.fromisoformat(text)
            if _MOMENT.fullmatch(text):
                return "moment", datetime.fromisoformat(text)
        except (ValueError, ArithmeticError, EngineError):
            pass  # a text that only looks like a date
        return "text", in_span(text)


def _is_plain(value: Any) -> bool:
    return value is not None and not isinstance(value, Mapping | list)


def in_span(text: str) -> str:
    """Return an ISO 8601 duration of days and less in words, any other text as it is."""
    try:
        span = parse_duration(text) if _SPAN.fullmatch(text) else None
    except (ValueError, ArithmeticError, EngineError):
        return text  # it only looks like a duration
    return span_words(span) if isinstance(span, timedelta) else text


def span_words(span: timedelta) -> str:
    """Return a duration in words: 2 days 4 h."""
    hours, seconds = divmod(int(span.seconds), 3600)
    parts = [
        _("%(n)s days", n=span.days) if span.days else "",
        _("%(n)s h", n=hours) if hours else "",
        _("%(n)s min", n=seconds // 60) if seconds >= 60 else "",
    ]
    return " ".join(part for part in parts if part) or _("%(n)s min", n=0)
