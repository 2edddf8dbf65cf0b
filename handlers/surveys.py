"""How it was: surveys are sent like any notice, and answers are stored once."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict

from engine import HandlerContext, handler
from handlers import records as tables
from handlers.intake import digest
from handlers.notices import deliver, reader_of
from handlers.records import Records


class Asked(TypedDict):
    """What `survey.send` returns."""

    survey_id: str
    notice: dict[str, Any]


class Rated(TypedDict):
    """What `survey.record` returns."""

    #: as it is stored; the first answer counts
    score: int


@handler("survey.send", retries=5, timeout_s=60, title="Send the survey", title_zh="发送问卷")
def send_survey(
    context: HandlerContext,
    case_number: Annotated[str, "number of the case"],
    customer: Annotated[dict[str, Any] | None, "who is asked"] = None,
    subject: Annotated[str | None, "what the request was about"] = None,
    language: Annotated[Literal["zh", "en"] | None, "zh if nothing is said"] = None,
    reminder: Annotated[bool, "whether it was asked before"] = False,
) -> Asked:
    """Ask for a rating; a reminder belongs to the same survey."""
    records = Records.of(context.settings)
    survey = records.once(tables.survey, f"survey/{case_number}", lambda _: {
        "id": digest(f"survey/{case_number}"), "case_number": case_number,
        "sent_at": context.now.isoformat(),
    })  # fmt: skip
    notice = deliver(
        context, "survey_reminder" if reminder else "survey",
        {"case_number": case_number, "subject": subject or "-"},
        reader_of(customer or {}), language=language or "zh", expects="customer_message",
    )  # fmt: skip
    return {"survey_id": survey["id"], "notice": notice}


@handler("survey.record", title="Record the rating", title_zh="登记评价")
def record_survey(
    context: HandlerContext,
    survey_id: Annotated[str, "which survey"],
    score: Annotated[int, "1 to 5"],
    comment: Annotated[str | None, "in the customer's words"] = None,
) -> Rated:
    """Store the answer to a survey; the first one counts."""
    if not 1 <= score <= 5:
        raise ValueError(f"a score is between 1 and 5, not {score}")
    records = Records.of(context.settings)
    unanswered = {"id": survey_id, "score": None}
    found = records.get(tables.survey, id=survey_id)
    if found is None:
        raise ValueError(f"there is no survey {survey_id!r}")
    if found["score"] is None:
        answer = {"score": score, "comment": comment, "answered_at": context.now.isoformat()}
        records.change(tables.survey, unanswered, **answer)
    return {"score": found["score"] or score}
