"""The engine. Other packages import the names of `__all__` from here and nothing below."""

from __future__ import annotations

__all__ = ["OWNER"]

#: whose `engine` this is; the CLI compares it at start, since other distributions use the name too
OWNER = "caseway"
