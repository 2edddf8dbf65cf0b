"""Every table and every query of the engine: one file per noun, SQLAlchemy Core, no commit.

`engine.runtime` opens the transactions; what is here gets one passed in and never ends it.
"""

from __future__ import annotations
