"""The numbers of the design, measured: `make bench`. Nothing here asserts a time."""

from __future__ import annotations
