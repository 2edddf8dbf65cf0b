"""The engine. Other packages import the names of `__all__` from here and nothing below."""

from __future__ import annotations

__all__ = ["OWNER"]

#: whose `engine` this is: others use the name too, so the CLI compares this mark at start
OWNER = "caseway"
