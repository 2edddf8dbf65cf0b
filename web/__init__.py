"""The web application and the command line: the outermost layer, imported by nothing of ours."""

from __future__ import annotations

#: whose `web` this is; the CLI compares it at start, since other distributions use the name too
OWNER = "caseway"
