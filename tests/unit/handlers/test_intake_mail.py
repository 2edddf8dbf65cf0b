"""What becomes of a mail."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

import pytest

from handlers import records as tables
from handlers.intake_mail import MailDecision, note_mail, own_words, take_mail
from handlers.mail_in import IncomingMail, read_mail
from handlers.notices import send_notice
from handlers.numbering import number_case
from handlers.records import Records
from tests.unit.handlers.conftest import NOW, MakeContext

CASE = "2026-000001"


def mail(text: str = "热水器漏水了", **headers: str) -> IncomingMail:
    made = EmailMessage()
    given = {"From": "李雷 <li@example.com>", "Message-ID": "<m1@example.com>", "Subject": "漏水"}
    for name, value in {**given, **headers}.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return read_mail(made.as_bytes())


def notice(context: MakeContext, records: Records, template: str, expects: str) -> dict[str, Any]:
    """Send a notice about an open case; return its row."""
    number_case(context("n/1/1"), case_number=CASE)
    told = context(f"a/{template}/1", template=template, expects=expects)
    send_notice(told, case_number=CASE, customer={"email": "li@example.com"})
    row = records.get(tables.message, template=template)
    assert row is not None
    return row


def reply_to(row: dict[str, Any], text: str = "好的") -> IncomingMail:
    return mail(text, To=f"case+{row['token']}@example.com", In_Reply_To=str(row["message_id"]))


def test_mail_begins_a_case(records: Records) -> None:
    decision = take_mail(records, mail(), NOW)

    assert (decision.kind, decision.message_name) == ("new", "service_request")
    assert decision.payload["case_number"] == decision.case_number == CASE
    assert decision.payload["contact"] == {"name": "李雷", "email": "li@example.com"}
    assert (decision.payload["channel"], decision.payload["language"]) == ("email", "zh")


def test_decision_about_a_mail_stays_the_same(records: Records) -> None:
    assert take_mail(records, mail(), NOW) == take_mail(records, mail(), NOW)


def test_mail_that_was_taken_is_a_duplicate(records: Records) -> None:
    decision = take_mail(records, mail(), NOW)
    for _ in range(2):
        note_mail(records, mail(), decision, NOW)

    assert take_mail(records, mail(), NOW).kind == "duplicate"


@pytest.mark.parametrize(
    ("template", "expects", "name", "otherwise"),
    [
        ("received", "customer_message", "customer_message", None),
        ("question", "customer_reply", "customer_reply", "customer_message"),
        ("after_sales", "after_sales_request", "after_sales_request", "customer_message"),
        ("proposal", "proposal", "customer_message", None),
        ("confirm_needs", "needs", "customer_message", None),
    ],
)
def test_reply_joins_its_case_and_accepts_nothing(
    context: MakeContext, records: Records, template: str, expects: str, name: str,
    otherwise: str | None,
) -> None:  # fmt: skip
    row = notice(context, records, template, expects)

    decision = take_mail(records, reply_to(row, "我接受\n\n> 请打开链接"), NOW)

    assert (decision.kind, decision.case_number) == ("reply", CASE)
    assert (decision.message_name, decision.otherwise) == (name, otherwise)
    assert decision.payload["message"]["text"] == "我接受"
    assert decision.payload["message"]["answers"] == template


def test_subject_and_sender_join_no_case(context: MakeContext, records: Records) -> None:
    notice(context, records, "plan", "customer_message")

    assert take_mail(records, mail(Subject=f"Re: 交付计划 [{CASE}]"), NOW).kind == "new"


def test_token_that_nobody_gave_joins_no_case(context: MakeContext, records: Records) -> None:
    notice(context, records, "plan", "customer_message")
    guessed = mail(To="case+00000000000000000000000000000000@example.com")

    assert take_mail(records, guessed, NOW).kind == "new"


def test_reply_to_a_closed_case_begins_a_new_one(context: MakeContext, records: Records) -> None:
    row = notice(context, records, "plan", "customer_message")
    records.close_case(CASE, "done", NOW)

    decision = take_mail(records, reply_to(row), NOW)

    assert (decision.kind, decision.case_number) == ("new", "2026-000002")


@pytest.mark.parametrize(
    "ignored", [mail(Auto_Submitted="auto-replied"), mail(From="nobody at all")]
)
def test_program_and_nobody_are_ignored(records: Records, ignored: IncomingMail) -> None:
    decision = take_mail(records, ignored, NOW)

    assert isinstance(decision, MailDecision)
    assert (decision.kind, decision.case_number) == ("ignored", None)
    assert records.all(tables.case) == []


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("好的\n\n> 引用", "好的"),
        ("OK\n\nOn Mon, 2 Mar 2026 at 09:00, Desk <d@example.com> wrote:\n> x", "OK"),
        ("收到\n------------------ 原始邮件 ------------------\n发件人: x", "收到"),
        ("行\n在 2026年3月2日，Desk 写道：\nx", "行"),
        ("> only quoted", "> only quoted"),
        ("nothing quoted", "nothing quoted"),
    ],
)
def test_reply_is_told_from_what_it_quotes(text: str, own: str) -> None:
    assert own_words(text) == own
