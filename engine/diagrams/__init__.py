"""From uploaded files to definitions: dialects, rewriting, and the gate that names every problem.

`read` is for deploying, `load` for what was accepted before. The kernel sees the internal form.
"""

from __future__ import annotations

from engine.diagrams.bundle import Bundle, bundle_hash, load, read
from engine.diagrams.checks_decisions import load_models

__all__ = ["Bundle", "bundle_hash", "load", "load_models", "read"]
