"""The shipped handlers: one file per business area, plain functions marked with `@handler`."""

from __future__ import annotations

#: whose `handlers` this is; the CLI compares it at start, since other distributions use the name too
OWNER = "caseway"
