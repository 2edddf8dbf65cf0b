"""Built-in functions on contexts (DMN 1.5, 10.3.4.8), and those about presence (Camunda 8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.errors import FeelError
from engine.feel.arithmetic import Refused
from engine.feel.library import builtin
from engine.feel.run import Run

Context = Mapping[str, object]


@builtin("get value(m: context, key: string)")
@builtin("get value(context: context, key: string)")
def get_value(m: Context, key: str) -> object:
    """Return the value of an entry, null where there is none."""
    return m.get(key)


@builtin("get value(context: context, keys: list)")
def get_deep_value(context: Context, keys: Sequence[object]) -> object:
    """Return the value at the end of a path of keys, null where it breaks off."""
    found: object = context
    for key in keys:
        if not isinstance(key, str):
            raise Refused("'keys' must hold strings only")
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


@builtin("get entries(m: context)")
@builtin("get entries(context: context)")
def get_entries(m: Context) -> list[dict[str, object]]:
    """Return a list of contexts with `key` and `value`."""
    return [{"key": key, "value": value} for key, value in m.items()]


@builtin("context(entries: list)")
def context(entries: Sequence[object]) -> dict[str, object]:
    """Return the context of a list of contexts with `key` and `value`."""
    result: dict[str, object] = {}
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


@builtin("context put(context: context, key: string, value: any)")
def context_put(context: Context, key: str, value: object) -> dict[str, object]:
    """Return the context with an entry added or replaced."""
    return {**context, key: value}


@builtin("context put(context: context, keys: list, value: any)")
def context_put_deep(context: Context, keys: Sequence[object], value: object) -> object:
    """Return the context with an entry at the end of a path of keys added or replaced."""
    if not keys:
        raise Refused("'keys' must not be empty")
    if len(keys) > 64:
        raise Refused("'keys' may hold 64 keys")
    key = keys[0]
    if not isinstance(key, str):
        raise Refused("'keys' must hold strings only")
    if len(keys) == 1:
        return {**context, key: value}
    inner = context.get(key, {})
    if not isinstance(inner, Mapping):
        raise Refused(f"'{key}' is not a context")
    return {**context, key: context_put_deep(inner, keys[1:], value)}


@builtin("context merge(contexts: list)")
@builtin("context merge(contexts...: context)")
def context_merge(contexts: Sequence[object]) -> dict[str, object]:
    """Return one context of all entries; later ones win."""
    result: dict[str, object] = {}
    for entries in contexts:
        if not isinstance(entries, Mapping):
            raise Refused("'contexts' must hold contexts only")
        result.update(entries)
    return result


@builtin("is defined(value: any)")
def is_defined(value: object) -> bool:
    """Tell whether a value is there; missing variables are no complaint (Camunda 8)."""
    return value is not None


@builtin("get or else(value: any, default: any)")
def get_or_else(value: object, default: object) -> object:
    """Return the value, or the default for null (Camunda 8)."""
    return default if value is None else value


@builtin("assert(value: any, condition: any)", with_run=True)
@builtin("assert(value: any, condition: any, cause: string)", with_run=True)
def assert_that(run: Run, value: object, condition: object, cause: str = "") -> object:
    """Return the value if the condition is true, else end the evaluation (Camunda 8)."""
    if condition is not True:
        raise FeelError(cause or "the condition of an assert is not fulfilled")
    return value


@builtin("not(negand: any)")
def negation(negand: object) -> bool | None:
    """Return the opposite of true or false, null for anything else."""
    return not negand if isinstance(negand, bool) else None
