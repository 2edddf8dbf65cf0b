"""Rows of a dynamic list: one more, one less, in what was typed so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

#: hidden field with the number of rows of a list, before the name of the list
COUNT = "rows."
#: hidden fields with the names of what was on the page, so that an empty box is no missing one
SHOWN = "shown"
#: rows of one list
MOST_ROWS = 200

Texts = Mapping[str, Sequence[str]]


def rows_in(texts: Texts, name: str) -> int | None:
    """Return how many rows of a list were on the page, None if the list was not."""
    found = texts.get(COUNT + name)
    if not found or not found[0].isdecimal():
        return None
    return min(int(found[0][:6]), MOST_ROWS)


def act_on_rows(texts: Texts, act: str) -> dict[str, list[str]]:
    """Return what was typed after `add NAME` or `remove NAME.INDEX`, else as it was."""
    changed = {name: list(values) for name, values in texts.items()}
    verb, _, where = act.partition(" ")
    if verb == "add" and (count := rows_in(texts, where)) is not None:
        changed[COUNT + where] = [str(min(count + 1, MOST_ROWS))]
    if verb == "remove":
        name, _, index = where.rpartition(".")
        count = rows_in(texts, name)
        if count is not None and index.isdecimal() and int(index[:6]) < count:
            changed = _without(changed, name, int(index[:6]))
            changed[COUNT + name] = [str(count - 1)]
    return changed


def _without(texts: dict[str, list[str]], name: str, gone: int) -> dict[str, list[str]]:
    kept: dict[str, list[str]] = {}
    for field, values in texts.items():
        moved = _moved(field, name, gone)
        if moved is not None:
            kept[moved] = values
    if SHOWN in kept:
        names = (_moved(value, name, gone) for value in kept[SHOWN])
        kept[SHOWN] = [found for found in names if found is not None]
    return kept


def _moved(field: str, name: str, gone: int) -> str | None:
    """Return the name that a field has when a row is gone, None if it was in it."""
    mark = COUNT if field.startswith(COUNT) else ""
    plain = field.removeprefix(mark)
    if not plain.startswith(f"{name}."):
        return field
    index, _, rest = plain.removeprefix(f"{name}.").partition(".")
    if not index.isdecimal():
        return field
    if int(index) == gone:
        return None
    return f"{mark}{name}.{int(index) - (int(index) > gone)}.{rest}"
