"""What the command line prints: tables for people, JSON for machines, messages on stderr."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import click

from engine.model import Problem, Severity
from web.render import plain

#: columns wider than this are cut in tables, never in JSON
MAX_COLUMN = 60


def width(text: str) -> int:
    """Return how many terminal cells a text takes: Chinese characters take two, marks none."""
    return sum(_cells(character) for character in text)


def _cells(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def fit(text: str, cells: int) -> str:
    """Cut a text to so many cells, with an ellipsis where something is missing."""
    if width(text) <= cells:
        return text
    kept, used = [], 0
    for character in text:
        used += _cells(character)
        if used > cells - 1:
            break
        kept.append(character)
    return "".join(kept) + "…"


def table(rows: Sequence[Sequence[str]], heads: Sequence[str]) -> str:
    """Return rows as aligned text with a line of heads; the last column is not padded."""
    cut = [[fit(cell, MAX_COLUMN) for cell in row] for row in rows]
    widths = [max(width(line[n]) for line in [list(heads), *cut]) for n in range(len(heads))]
    lines = []
    for line in [list(heads), *cut]:
        padded = [cell + " " * (widths[n] - width(cell)) for n, cell in enumerate(line)]
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


def cell(value: Any) -> str:
    """Return a value as one line of a table."""
    if value is None or value == "" or value == ():
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, tuple):
        return ",".join(str(item) for item in value)
    if isinstance(value, dict | list):
        return to_json_text(value)
    # tabs and line ends would break the table, control characters the terminal
    return "".join(c if c.isprintable() else " " for c in str(value))


def to_json_text(value: Any) -> str:
    """Return a value as one line of JSON, decimals and dates included."""
    from engine.codec import to_json

    text: bytes = to_json(value)
    return text.decode()


#: weight of a problem -> its word on a line of text
_WEIGHTS = {
    "en": {severity: severity.value for severity in Severity},
    "zh": {
        Severity.ERROR: "错误",
        Severity.UNSUPPORTED: "无法执行",
        Severity.WARNING: "警告",
        Severity.INFO: "提示",
    },
}


def problem_line(problem: Problem, language: str = "en") -> str:
    """Return one objection of the gate as `file:line [weight] element message (rule) -> advice`."""
    said = problem.told(language)
    place = said.file if said.line is None else f"{said.file}:{said.line}"
    weight = f"[{_WEIGHTS[language][said.severity]}]"
    rule = f"({said.rule})" if said.rule else ""
    text = " ".join(word for word in (place, weight, said.element, said.message, rule) if word)
    return f"{text} -> {said.advice}" if said.advice else text


class Output:
    """Where a command puts its results; one per run of the CLI."""

    def __init__(self, *, as_json: bool = False) -> None:
        #: one JSON document on stdout instead of tables
        self.as_json = as_json

    def say(self, text: str) -> None:
        """Tell a person something; never part of the result."""
        click.echo(text, err=True)

    def one(self, value: Any, text: str) -> None:
        """Print one result: as a JSON object, or as the sentence given."""
        click.echo(to_json_text(plain(value)) if self.as_json else text)

    def listing(self, values: Iterable[Any], columns: Sequence[str]) -> None:
        """Print many results: a JSON array with one element a line, or a table of these fields."""
        if self.as_json:
            body = ",\n".join(to_json_text(plain(value)) for value in values)
            click.echo(f"[{body}]")
            return
        rows = [[cell(getattr(value, column)) for column in columns] for value in values]
        if rows:
            heads = [column.upper().replace("_", " ") for column in columns]
            click.echo(table(rows, heads))
        else:
            self.say("nothing found")
