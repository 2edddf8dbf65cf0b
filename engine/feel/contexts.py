"""Built-in functions on contexts, and on any value (DMN 1.5, 10.3.4.8; Camunda 8's are marked)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.errors import FeelError
from engine.feel.library import builtin, declare
from engine.feel.values import Refused

Context = Mapping[str, Any]

declare(
    "is defined(value: any) -> boolean", lambda v: v is not None, "Whether it is there (Camunda 8)."
)
declare(
    "get or else(value: any, default: any) -> any",
    lambda value, default: default if value is None else value,
    "The value, or the default for null (Camunda 8).",
)
declare(
    "not(negand: boolean|null) -> boolean",
    lambda negand: None if negand is None else not negand,
    "The opposite of true or false, null for anything else.",
)
declare(
    "fromAi(value: any, description?: string|null, type?: string|null, schema?: context|null,"
    " options?: context|null) -> any",
    lambda value, *about: value,
    "The value as it is; marks a parameter that an AI agent fills in (Camunda 8).",
)
declare(
    "context put(context: context, key: string, value: any) -> context",
    lambda context, key, value: {**context, key: value},
    "The context with an entry added or replaced.",
)


@builtin(
    "get value(m: context, key: string) -> any", "get value(context: context, key: string) -> any"
)
def get_value(m: Context, key: str) -> Any:
    """The value of an entry, null where there is none."""
    return m.get(key)


@builtin("get value(context: context, keys: list) -> any")
def get_deep_value(context: Context, keys: Sequence[Any]) -> Any:
    """The value at the end of a path of keys, null where it breaks off."""
    found: Any = context
    for key in _strings(keys):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def _strings(keys: Sequence[Any]) -> Sequence[str]:
    if not all(isinstance(key, str) for key in keys):
        raise Refused("'keys' must hold strings only")
    return keys


@builtin("get entries(m: context) -> list", "get entries(context: context) -> list")
def get_entries(m: Context) -> list[dict[str, Any]]:
    """A list of contexts with `key` and `value`."""
    return [{"key": key, "value": value} for key, value in m.items()]


@builtin("context(entries: list) -> context")
def context(entries: Sequence[Any]) -> dict[str, Any]:
    """The context of a list of contexts with `key` and `value`."""
    result: dict[str, Any] = {}
    for entry in entries:
        if not isinstance(entry, Mapping) or "value" not in entry:
            raise Refused("each entry must have 'key' and 'value'")
        key = entry.get("key")
        if not isinstance(key, str):
            raise Refused("each 'key' must be a string")
        if key in result:
            raise Refused(f"the key '{key}' occurs twice")
        result[key] = entry["value"]
    return result


@builtin("context put(context: context, keys: list, value: any) -> context")
def context_put(context: Context, keys: Sequence[Any], value: Any) -> dict[str, Any]:
    """The context with an entry at the end of a path of keys added or replaced."""
    if not 0 < len(keys) <= 64:
        raise Refused("'keys' must hold 1 to 64 keys")
    key, *rest = _strings(keys)
    inner = context.get(key, {})
    if rest and not isinstance(inner, Mapping):
        raise Refused(f"'{key}' is not a context")
    return {**context, key: context_put(inner, rest, value) if rest else value}


@builtin(
    "context merge(contexts: list) -> context", "context merge(contexts...: context) -> context"
)
def context_merge(contexts: Sequence[Any]) -> dict[str, Any]:
    """One context of all entries; later ones win."""
    result: dict[str, Any] = {}
    for entries in contexts:
        if not isinstance(entries, Mapping):
            raise Refused("'contexts' must hold contexts only")
        result.update(entries)
    return result


@builtin("assert(value: any, condition: any, cause?: string) -> any")
def assert_that(value: Any, condition: Any, cause: str = "") -> Any:
    """The value if the condition is true; otherwise the evaluation ends (Camunda 8)."""
    if condition is not True:
        raise FeelError(cause or "the condition of an assert is not fulfilled")
    return value
