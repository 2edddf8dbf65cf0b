"""A readable drawing for a file that has none: layers from left to right, rectangular flows.

`lay_out` replaces the diagram interchange of a file. Nothing is executed by it.
"""

from __future__ import annotations

from engine.diagrams.layout.write import is_drawn, lay_out

__all__ = ["is_drawn", "lay_out"]
