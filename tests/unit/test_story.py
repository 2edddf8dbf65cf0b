"""The readers of histories find what they look for."""

from __future__ import annotations

from typing import Any

from tests import story


def events(*given: str) -> list[dict[str, Any]]:
    """Return a history from texts like `activated a 1`: kind, element and moment."""
    found = []
    for number, text in enumerate(given, start=1):
        kind, element, at = text.split()
        kind = kind if "." in kind else f"element.{kind}"
        found.append({"seq": number, "kind": kind, "element_id": element, "token": element,
                      "at": at})  # fmt: skip
    return found


def test_a_token_that_goes_on_at_once_is_never_idle() -> None:
    rows = events("activated a 1", "completed a 5", "activated b 5", "completed b 6",
                  "instance.completed p 6")  # fmt: skip

    assert story.idle(rows) == []


def test_a_case_that_waits_nowhere_is_found() -> None:
    later = events("activated a 1", "completed a 5", "activated b 6")
    between = events("activated a 1", "cancelled a 5", "variable.set x 5", "activated b 5")

    assert story.idle(later) == [2]
    assert story.idle(between) == [2]


def test_missing_numbers_and_repeated_phases_are_found() -> None:
    rows = events("activated contact 1", "completed contact 2", "activated contact 3")

    assert story.gaps(rows[:1] + rows[2:]) == [2]
    assert story.phases(rows) == ["contact", "contact"]
