"""The web application and the command line: the outermost layer, imported by nothing of ours."""

from __future__ import annotations

#: whose `web` this is: others use the name too, so the CLI compares this mark at start
OWNER = "caseway"
