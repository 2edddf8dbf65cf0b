"""What the FEEL tests ask: the value of a text, and what it complains about."""

from __future__ import annotations

from datetime import UTC, datetime

from engine import feel

NOW = datetime(2024, 2, 29, 12, 30, tzinfo=UTC)


def value(text: str, **scope: object) -> object:
    """Return the value of an expression; keyword arguments are its variables."""
    return feel.compile(text, names=scope).evaluate(scope, now=NOW)


def passes(tests: str, question: object, **scope: object) -> object:
    """Return what unary tests say to an input."""
    return feel.compile(tests, names=scope, kind="unary").evaluate({**scope, "?": question})


def complaints(text: str, **scope: object) -> list[tuple[str, int | None]]:
    """Return the diagnostics of an evaluation."""
    found: list[tuple[str, int | None]] = []
    feel.compile(text, names=scope).evaluate(scope, now=NOW, diagnostics=found)
    return found
