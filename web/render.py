"""Stored values as plain JSON objects, the same for the command line and the API."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from engine.model import Problem


def plain(value: Any, language: str = "en") -> Any:
    """Return a value of engine/model.py as dicts, lists and texts; variables stay as they are.

    Moments become texts like 2026-01-05T06:12:45.123Z. Decimals and FEEL's temporal values inside
    variables are left to `engine.codec.to_json`, which writes the result.
    Problems are told in the language.
    """
    if isinstance(value, Problem):
        value = value.told(language)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        shown = (f.name for f in dataclasses.fields(value) if not f.metadata.get("inner"))
        return {name: plain(getattr(value, name), language) for name in shown}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: plain(item, language) for name, item in value._asdict().items()}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, tuple | list):
        return [plain(item, language) for item in value]
    if isinstance(value, Mapping):
        return {name: plain(item, language) for name, item in value.items()}
    return value


def moment(at: datetime) -> str:
    """Return an aware moment as text in UTC, to the microsecond if it has some."""
    if at.tzinfo is None:
        return at.isoformat()
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def cursor(row: Any) -> Any:
    """Return where a list goes on after this row: its id, or its number in a history."""
    return row.seq if hasattr(row, "seq") else row.id
