"""What was done: the report of a work order is stored once and frees who did it."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, TypedDict

from engine import HandlerContext, handler
from handlers import records as tables
from handlers.intake import digest
from handlers.records import Records


class Recorded(TypedDict):
    """What `workorder.record` returns."""

    #: title, by, hours, report
    work_result: dict[str, Any]


@handler("workorder.record", title="Record a work order", title_zh="登记工单")
def record_work_order(
    context: HandlerContext,
    case_number: Annotated[str, "number of the case"],
    title: Annotated[str, "what had to be done"],
    report: Annotated[dict[str, Any], "by, hours, report"],
    assignment_id: Annotated[str | None, "the assignment it ends; none if a lead did it"] = None,
) -> Recorded:
    """Store hours and result of a finished order."""
    records = Records.of(context.settings)
    by = report.get("by")
    hours = Decimal(report.get("hours") or 0)
    done = {
        "state": "done", "report": report.get("report"), "spent_hours": str(hours),
        "ended_at": context.now.isoformat(),
    }  # fmt: skip
    if assignment_id is not None:
        held = {"id": assignment_id, "state": "assigned"}
        records.change(tables.work_order, held, **done)
    else:
        records.once(tables.work_order, context.key, lambda _: {
            "id": digest(context.key), "case_number": case_number, "root_id": context.root_id,
            "title": title, "user": by, "hours": str(hours), **done,
        })  # fmt: skip
    return {"work_result": {
        "title": title, "by": by, "hours": hours, "report": report.get("report"),
    }}  # fmt: skip
