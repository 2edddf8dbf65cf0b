"""Dispatchers: who wakes a worker when work is due. Rows are the truth, these are hints (D8)."""

from __future__ import annotations

from engine.dispatch.local import LocalDispatcher
from engine.dispatch.process import EXIT_REPLACE, worker_main

__all__ = ["EXIT_REPLACE", "LocalDispatcher", "worker_main"]
