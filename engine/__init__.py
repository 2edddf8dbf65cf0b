"""The engine. Other packages import the names of `__all__` from here and nothing below."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.errors import BpmnError as BpmnError
    from engine.errors import Retry as Retry
    from engine.registry import HandlerContext as HandlerContext
    from engine.registry import handler as handler

#: whose `engine` this is: others use the name too, so the CLI compares this mark at start
OWNER = "caseway"

#: name -> its module; loaded when first asked for, since `serve` wants the errors and no more
_HOMES = {
    "BpmnError": "engine.errors",
    "Retry": "engine.errors",
    "HandlerContext": "engine.registry",
    "handler": "engine.registry",
}

__all__ = ["OWNER", "BpmnError", "HandlerContext", "Retry", "handler"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'engine' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
