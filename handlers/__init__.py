"""The shipped handlers: one file per business area, plain functions marked with `@handler`."""

from __future__ import annotations

#: whose `handlers` this is: others use the name too, so the CLI compares this mark at start
OWNER = "caseway"
