"""FEEL in forms: conditions, computed values, and texts with {{expressions}} in them."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from engine import feel
from engine.errors import FeelError

log = logging.getLogger("caseway.web")

_HOLE = re.compile(r"\{\{(.+?)\}\}", re.DOTALL)


class Feel:
    """Evaluates the expressions of one form at one moment; a broken one counts as null."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def value(self, raw: Any, scope: Mapping[str, Any]) -> Any:
        """Return the value of `=...`, or what is no expression as it is."""
        if not isinstance(raw, str) or not raw.startswith("="):
            return raw
        return self._evaluate(raw[1:], scope)

    def flag(self, raw: Any, scope: Mapping[str, Any]) -> bool:
        """Return True if a condition holds."""
        return self.value(raw, scope) is True

    def text(self, raw: str, scope: Mapping[str, Any]) -> str:
        """Return a text with its expressions evaluated."""
        if raw.startswith("="):
            return _said(self._evaluate(raw[1:], scope))
        return _HOLE.sub(lambda hole: _said(self._evaluate(hole[1], scope)), raw)

    def _evaluate(self, text: str, scope: Mapping[str, Any]) -> Any:
        try:
            return _compiled(text.strip()).evaluate(scope, now=self._now)
        except FeelError as error:
            log.warning("an expression of a form is wrong: %s: %s", text.strip()[:200], error)
            return None


@lru_cache(maxsize=1000)
def _compiled(text: str) -> feel.Expression:
    return feel.compile(text)


def _said(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
