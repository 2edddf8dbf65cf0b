"""What customers were promised: noted, so that it is seen whether it was kept."""

from __future__ import annotations

from datetime import date
from typing import Annotated, TypedDict

from engine import HandlerContext, handler
from handlers import records as tables
from handlers.intake import digest
from handlers.records import Records


class Promised(TypedDict):
    """What `promise.record` returns."""

    #: None if nothing was promised
    promise_id: str | None


@handler("promise.record", title="Note a promise", title_zh="登记承诺")
def record_promise(
    context: HandlerContext,
    case_number: Annotated[str, "number of the case"],
    text: Annotated[str | None, "what was promised; nothing is noted without it"] = None,
    due_on: Annotated[date | None, "by when"] = None,
) -> Promised:
    """Store a promise as open, once for each activation."""
    if not (text or "").strip():
        return {"promise_id": None}
    row = Records.of(context.settings).once(tables.promise, context.key, lambda _: {
        "id": digest(context.key), "case_number": case_number, "text": text, "state": "open",
        "due_on": due_on and due_on.isoformat(), "made_at": context.now.isoformat(),
    })  # fmt: skip
    return {"promise_id": row["id"]}
