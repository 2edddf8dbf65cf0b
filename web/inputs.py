"""From what a person types, or a file holds, to the variables that a verb of the engine takes."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from engine.errors import BadInput

#: a line of a JSON lines file longer than this is refused before it is parsed
MAX_LINE = 64 * 1024 * 1024


def variables(pairs: tuple[str, ...], text: str | None) -> dict[str, Any]:
    """Return the variables of `--vars JSON` and `--var name=value`; the latter win.

    A value that is JSON is taken as JSON (1, true, "1", [1, 2]), any other as a text. `--vars
    @FILE` reads the object from a file. Raises BadInput.
    """
    result = _object(_text_of(text), "--vars") if text else {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise BadInput(f"--var {pair!r}: write name=value")
        result[name] = read_value(value)
    return result


def _text_of(text: str) -> bytes:
    if not text.startswith("@"):
        return text.encode()
    try:
        return Path(text[1:]).read_bytes()
    except OSError as error:
        raise BadInput(f"--vars {text}: cannot be read: {error.strerror}")


def read_value(text: str) -> Any:
    from engine.codec import parse_json

    try:
        return parse_json(text.encode())
    except BadInput:
        return text


def _object(data: bytes, where: str) -> dict[str, Any]:
    from engine.codec import parse_json

    try:
        value = parse_json(data)
    except BadInput as error:
        raise BadInput(f"{where}: {error}")
    if not isinstance(value, dict):
        raise BadInput(f"{where}: is {type(value).__name__}, not a JSON object")
    return value


class Line:
    """One object of a file of JSON lines, and where it stands."""

    __slots__ = ("data", "fields", "file", "number")

    def __init__(self, file: str, number: int, data: bytes, fields: dict[str, Any]) -> None:
        self.file = file
        #: from 1
        self.number = number
        self.data = data
        self.fields = fields

    @property
    def place(self) -> str:
        """Where the object stands, for messages."""
        return f"{self.file}:{self.number}"

    def key(self, field: str | None) -> str:
        """Return what makes a start from this line the same start when the file is fed again.

        Without a field that names the case it is the line itself and its number: a line that was
        edited is a new request, an equal line further down too.
        """
        if field is None:
            digest = hashlib.sha256(self.data).hexdigest()[:16]
            return f"{self.file}:{self.number}:{digest}"
        value = self.fields.get(field)
        if value is None or isinstance(value, dict | list):
            raise BadInput(f"{self.place}: the key field {field!r} is missing or no plain value")
        return str(value)


def read_lines(path: str) -> Iterator[Line]:
    """Yield the objects of a file of JSON lines; `-` is standard input, a JSON array will do too.

    Raises BadInput with file and line; what was yielded before it is good.
    """
    name = "stdin" if path == "-" else Path(path).name
    try:
        with sys.stdin.buffer if path == "-" else open(path, "rb") as stream:
            first = stream.readline(MAX_LINE)
            if first.lstrip().startswith(b"["):
                yield from _elements(name, first + stream.read())
                return
            rest = iter(lambda: stream.readline(MAX_LINE), b"")
            for number, line in enumerate(chain([first], rest), 1):
                if data := line.strip():
                    yield Line(name, number, data, _object(data, f"{name}:{number}"))
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}")


def _elements(name: str, data: bytes) -> Iterator[Line]:
    """Yield the objects of a JSON array; the number of a line is that of the element."""
    from engine.codec import parse_json, to_json

    try:
        values = parse_json(data)
    except BadInput as error:
        raise BadInput(f"{name}: {error}")
    for number, value in enumerate(values if isinstance(values, list) else [], 1):
        if not isinstance(value, dict):
            raise BadInput(f"{name}:{number}: is {type(value).__name__}, not a JSON object")
        yield Line(name, number, to_json(value), value)


def count_lines(path: str) -> int | None:
    """Return how many lines a file has, for a progress bar; None for standard input."""
    if path == "-":
        return None
    try:
        with open(path, "rb") as stream:
            return sum(block.count(b"\n") for block in iter(lambda: stream.read(1 << 20), b""))
    except OSError:
        return None


def taken(fields: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """Return the first of these fields that is there, else None."""
    return next((fields[name] for name in names if fields.get(name) is not None), None)
