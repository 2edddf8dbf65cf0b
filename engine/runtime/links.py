"""Signed links of customers: they are not stored, but that they ended before their time is."""

from __future__ import annotations

from datetime import datetime

from engine.clock import new_id
from engine.runtime.base import Base, plain_text, verb
from engine.store import links, tokens


class LinkEnds(Base):
    """The verbs about the ends of links; who makes and reads links is web/links.py."""

    @verb
    def end_links(self, name: str, *, by: str, why: str = "") -> None:
        """Make worthless what was made until now under this name: one link, or all of a subject.

        It is one of the recorded acts, so that it stays visible who did it and why.
        """
        plain_text(name, "name", longest=300)
        plain_text(by, "by")
        plain_text(why, "why")
        with self.transaction() as tx:
            tokens.record(
                tx.connection, id=new_id(), at=tx.now, by=by, verb=links.END,
                subject=f"links {name}", why=why,
            )  # fmt: skip

    def links_ended_at(self, name: str) -> datetime | None:
        """Return when the links of this name were ended last, None if they never were."""
        with self.reading() as connection:
            return links.ended_at(connection, f"links {name}")
