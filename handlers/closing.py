"""The end of a case: its outcome is noted, and what was still reserved is let go."""

from __future__ import annotations

from typing import Annotated, TypedDict

from engine import HandlerContext, handler
from handlers.records import Records


class Closed(TypedDict):
    """What `case.close` returns."""

    #: done | answered | declined | expired | withdrawn | needs_open | not_taken
    outcome: str
    #: when it was closed first, ISO 8601
    closed_at: str


@handler("case.close", title="Close the case", title_zh="结案")
def close_case(
    context: HandlerContext,
    case_number: Annotated[str | None, "number of the case; none: it never had one"] = None,
    outcome: Annotated[str, "how it ended"] = "done",
) -> Closed:
    """Note how a case ended; its open work orders are cancelled, so that their staff is free.

    The first end counts: a later call returns it unchanged.
    """
    if case_number is None:
        return {"outcome": outcome, "closed_at": context.now.isoformat()}
    found = Records.of(context.settings).close_case(case_number, outcome, context.now)
    return {"outcome": found["outcome"], "closed_at": found["closed_at"]}
