"""The customer's portal: ask, follow, confirm what is needed, answer an offer, rate.

Whoever has a signed link may do the one thing it is for; opening a page changes nothing. The pages
stand in files of their own; this one puts them together.
"""

from __future__ import annotations

from web import portal_answers, portal_ask, portal_follow
from web.portal_door import DESK

__all__ = ["DESK", "portal_answers", "portal_ask", "portal_follow"]
