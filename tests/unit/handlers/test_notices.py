"""Notices: what leaves the house, once, with a token that nobody can guess."""

from __future__ import annotations

import email
import smtplib
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any, Literal

import pytest

from engine import HandlerContext
from engine.settings import Settings
from handlers import letters
from handlers import records as tables
from handlers.mail_in import read_mail
from handlers.notices import send_notice
from handlers.promises import record_promise
from handlers.records import Records
from handlers.staff import Worker, employ
from handlers.surveys import record_survey, send_survey
from tests.unit.handlers.conftest import NOW, MakeContext

LI = {"name": "李雷", "email": "li@example.com"}


def mails(settings: Settings) -> list[EmailMessage]:
    files = sorted(settings.outbox_dir.glob("*.eml"))
    return [
        email.message_from_bytes(file.read_bytes(), _class=EmailMessage, policy=SMTP)
        for file in files
    ]


def test_notice_is_written_once_with_one_token(
    context: MakeContext, settings: Settings, records: Records
) -> None:
    given: dict[str, Any] = {"case_number": "2026-000001", "customer": LI, "language": "zh"}
    first = send_notice(context(template="received"), subject="漏水", **given)
    again = send_notice(context(template="received"), subject="漏水", **given)

    assert first == again
    (mail,) = mails(settings)
    (row,) = records.all(tables.message)
    assert mail["Message-ID"] == f"<{row['token']}@example.com>"
    assert mail["Reply-To"] == f"case+{row['token']}@example.com"
    assert mail["Subject"] == "已收到您的请求 [2026-000001]"
    assert "李雷：" in mail.get_content()
    assert row["state"] == "sent"


def test_reply_to_a_notice_carries_its_token(
    context: MakeContext, settings: Settings, records: Records
) -> None:
    send_notice(context(template="plan"), case_number="2026-000001", customer=LI)
    (sent,) = mails(settings)
    reply = EmailMessage()
    reply["From"], reply["To"] = "li@example.com", str(sent["Reply-To"])
    reply["In-Reply-To"] = str(sent["Message-ID"])
    reply.set_content("好的")

    (row,) = records.all(tables.message)
    assert read_mail(reply.as_bytes()).token == row["token"]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("template", sorted(letters.TEMPLATES["en"]))
def test_every_letter_can_be_written(
    template: str, language: Literal["zh", "en"], context: MakeContext, settings: Settings
) -> None:
    send_notice(
        context(template=template), case_number="2026-000001", customer=LI, subject="x",
        language=language, facts={"proposal": {"total": "101.72", "lines": [{"title": "t"}]}},
    )  # fmt: skip

    (mail,) = mails(settings)
    assert "2026-000001" in str(mail["Subject"])
    assert "{" not in mail.get_content()
    has_link = letters.link_purpose(template) != ""
    assert ("/p/" in mail.get_content()) is has_link


def test_both_languages_have_the_same_letters() -> None:
    assert letters.TEMPLATES["zh"].keys() == letters.TEMPLATES["en"].keys()
    assert letters.LINKS.keys() <= letters.TEMPLATES["en"].keys()


def test_what_a_customer_wrote_is_no_template(context: MakeContext, settings: Settings) -> None:
    send_notice(
        context(template="answer"), customer=LI, facts={"answer": "{case_number} {0.__class__}"}
    )

    assert "{case_number} {0.__class__}" in mails(settings)[0].get_content()


def test_duration_is_told_in_words() -> None:
    letter = letters.write("received", "zh", {"within": "PT4H"}, name=None, link="")
    assert "4 小时" in letter.body
    letter = letters.write("received", "en", {"within": "P1D"}, name=None, link="")
    assert "1 day" in letter.body


def test_staff_are_reached_at_their_address(
    context: MakeContext, settings: Settings, records: Records
) -> None:
    employ(records, Worker(user="tom", email="tom@example.com"))

    told = context("a/1/1", template="escalation", audience="staff")
    send_notice(told, case_number="2026-000001", to="tom", facts={"level": 1})
    send_notice(context("a/2/2", template="escalation", audience="staff"), to="lead")

    addressed, passed_on = mails(settings)
    assert addressed["To"].addresses[0].addr_spec == "tom@example.com"
    assert passed_on["X-Caseway-Recipient"] == "lead"


class Server:
    """A mail server that notes what it gets, and may refuse everybody."""

    taken: list[EmailMessage] = []  # noqa: RUF012
    refuses = False

    def __init__(self, host: str, port: int, timeout: float) -> None:
        assert (host, port) == ("mail.example.com", 25)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *problem: object) -> None:
        return None

    def ehlo(self) -> tuple[int, bytes]:
        return 250, b""

    def has_extn(self, name: str) -> bool:
        return False

    def send_message(self, mail: EmailMessage) -> None:
        if self.refuses:
            raise smtplib.SMTPRecipientsRefused({"li@example.com": (550, b"unknown")})
        self.taken.append(mail)


def with_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HandlerContext:
    monkeypatch.setattr(smtplib, "SMTP", Server)
    monkeypatch.setattr(Server, "taken", [])
    settings = Settings(data_dir=tmp_path)
    object.__setattr__(settings, "smtp_host", "mail.example.com")
    return HandlerContext(
        key="root/tell/1", root_id="root", settings=settings, now=NOW, headers={"template": "plan"}
    )


def test_mail_leaves_by_the_server_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = with_server(tmp_path, monkeypatch)

    for _ in range(2):
        notice = send_notice(context, customer=LI)["notice"]

    assert notice["state"] == "sent"
    assert [str(mail["To"]) for mail in Server.taken] == ["李雷 <li@example.com>"]
    assert not context.settings.outbox_dir.exists()


def test_refused_recipient_is_written_for_a_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = with_server(tmp_path, monkeypatch)
    monkeypatch.setattr(Server, "refuses", True)

    assert send_notice(context, customer=LI)["notice"]["state"] == "refused"
    assert len(mails(context.settings)) == 1


def test_lost_server_is_tried_again_with_the_same_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = with_server(tmp_path, monkeypatch)

    def away(*place: object, **options: object) -> None:
        raise ConnectionRefusedError("nobody is there")

    monkeypatch.setattr(smtplib, "SMTP", away)
    with pytest.raises(ConnectionRefusedError):
        send_notice(context, customer=LI)
    monkeypatch.setattr(smtplib, "SMTP", Server)
    notice = send_notice(context, customer=LI)["notice"]

    (mail,) = Server.taken
    assert mail["Message-ID"] == notice["message_id"]


def test_survey_is_asked_reminded_and_answered_once(
    context: MakeContext, settings: Settings, records: Records
) -> None:
    asked = send_survey(context("a/1/1"), case_number="2026-000001", customer=LI)
    reminded = send_survey(context("a/1/2"), case_number="2026-000001", customer=LI, reminder=True)
    assert asked["survey_id"] == reminded["survey_id"]
    assert len(mails(settings)) == 2

    record_survey(context("a/2/3"), asked["survey_id"], score=2, comment="慢")
    again = record_survey(context("a/2/3"), asked["survey_id"], score=5)

    assert again == {"score": 2}
    (row,) = records.all(tables.survey)
    assert (row["score"], row["comment"]) == (2, "慢")


@pytest.mark.parametrize("score", [0, 6])
def test_score_is_between_one_and_five(context: MakeContext, score: int) -> None:
    with pytest.raises(ValueError, match="between 1 and 5"):
        record_survey(context(), "x", score=score)


def test_promise_is_noted_once_and_silence_is_none(context: MakeContext, records: Records) -> None:
    noted = [record_promise(context(), "2026-000001", "下次准时", NOW.date()) for _ in range(2)]

    assert noted[0] == noted[1]
    assert record_promise(context("b/1/1"), "2026-000001", " ") == {"promise_id": None}
    (row,) = records.all(tables.promise)
    assert (row["state"], row["due_on"]) == ("open", "2026-03-02")


@pytest.mark.parametrize(
    ("channel", "address", "header"),
    [
        ("email", "li@example.com", None),
        ("sms", "13900000000", "sms"),
        ("wechat", "13900000000", "wechat"),
        ("phone", "13900000000", "phone"),
        ("none", None, "none"),
    ],
)
def test_notice_leaves_on_the_reply_channel(
    context: MakeContext, settings: Settings, records: Records, channel: str,
    address: str | None, header: str | None,
) -> None:  # fmt: skip
    who = {**LI, "phone": "13900000000", "reply_channel": channel}

    notice = send_notice(context(), case_number="2026-000001", customer=who)["notice"]

    assert (notice["channel"], notice["to"]) == (channel, address)
    (mail,) = mails(settings)
    assert mail["X-Caseway-Channel"] == header
    assert ("li@example.com" in str(mail["To"])) is (channel == "email")


def test_what_is_not_mail_never_leaves_by_the_mail_server(
    context: MakeContext, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the mail server was asked")

    monkeypatch.setattr(smtplib, "SMTP", refuse)
    who = {**LI, "reply_channel": "letter", "phone": "reader@example.com"}
    object.__setattr__(settings, "smtp_host", "mail.example.com")

    notice = send_notice(context(), case_number="2026-000001", customer=who)["notice"]

    assert notice["state"] == "sent"
    assert len(mails(settings)) == 1
