"""Numbers of cases, such as 2026-000123: one sequence a year, never given twice."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, TypedDict

from engine import HandlerContext, handler
from handlers import records as tables
from handlers.records import Records

#: how a case is named to people, and the correlation key of its messages
NUMBER = re.compile(r"\d{4}-\d{6,9}")


class Numbered(TypedDict):
    """What `case.number` returns."""

    case_number: str


@handler("case.number", title="Number the case", title_zh="案件编号")
def number_case(
    context: HandlerContext,
    case_number: Annotated[str | None, "number that the intake has given already"] = None,
) -> Numbered:
    """Give the case its number: the one it was started with, else the next of this year.

    Numbers may have gaps, where a start was given up, and are never used twice.
    """
    if case_number is not None and not NUMBER.fullmatch(case_number):
        raise ValueError(f"{case_number!r} is no case number; they look like 2026-000123")
    records = Records.of(context.settings)
    number = records.number_case(context.key, context.now, case_number)
    row = records.get(tables.case, id=number) or {}
    if row.get("root_id") not in (None, context.root_id):
        raise ValueError(f"case number {number} belongs to another case: {row['root_id']}")
    records.change(tables.case, {"id": number}, root_id=context.root_id)
    return {"case_number": number}


def reserve_number(records: Records, start_key: str, now: datetime) -> str:
    """Return the number that a case will have: the same one for every call with a start key.

    Whoever starts a case puts it into the variables, so that the case can be told apart by
    messages from its first moment on.
    """
    return records.number_case(f"start/{start_key}", now)
