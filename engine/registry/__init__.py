"""Handlers: plain functions that do the work of service tasks, found by name.

`marks` is what the author of a handler uses, `hints` reads its inputs by type hint, `entry` is one
checked handler, `sources` gathers all of them. May be called by runtime, worker and web.
"""

from __future__ import annotations

from engine.registry.entry import HandlerEntry, HandlerInput
from engine.registry.marks import HandlerContext, handler
from engine.registry.sources import Registry

__all__ = ["HandlerContext", "HandlerEntry", "HandlerInput", "Registry", "handler"]
