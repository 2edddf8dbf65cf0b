"""The mail handler, called as a plain function."""

from __future__ import annotations

import email
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest

from engine import HandlerContext
from engine.settings import Settings
from handlers.mail import Written, write_mail


def context(tmp_path: Path, **fields: Any) -> HandlerContext:
    fields = {"key": "case/send/7", **fields}
    return HandlerContext(settings=Settings(data_dir=tmp_path), **fields)


def read(tmp_path: Path, written: Written) -> EmailMessage:
    content = (tmp_path / "outbox" / written["mail_file"]).read_bytes()
    return email.message_from_bytes(content, _class=EmailMessage, policy=SMTP)


def test_answer_in_chinese_is_written_and_read_back(tmp_path: Path) -> None:
    written = write_mail(
        context(tmp_path),
        answer="您好，配件已寄出。",
        from_="li@example.com",
        from_name="李雷",
        subject="热水器 漏水",
        text="漏水了\n请尽快",
        language="zh",
    )

    mail = read(tmp_path, written)
    assert mail["Subject"] == "回复：热水器 漏水"
    assert mail["To"].addresses[0].display_name == "李雷"
    assert mail["To"].addresses[0].addr_spec == "li@example.com"
    assert mail["Message-ID"] == written["mail_id"]
    body = mail.get_content().splitlines()
    assert body == ["您好，配件已寄出。", "", "> 漏水了", "> 请尽快"]


def test_second_attempt_writes_no_second_mail(tmp_path: Path) -> None:
    first = write_mail(context(tmp_path), answer="first")
    second = write_mail(context(tmp_path, attempt=2), answer="second")

    assert first == second
    assert [file.name for file in (tmp_path / "outbox").iterdir()] == ["case-send-7.eml"]
    assert read(tmp_path, first).get_content().splitlines() == ["first"]


def test_two_activations_write_two_mails(tmp_path: Path) -> None:
    for token in (1, 2):
        write_mail(context(tmp_path, key=f"case/发送/{token}"), answer="x")

    names = sorted(file.name for file in (tmp_path / "outbox").iterdir())
    assert names == ["case-发送-1.eml", "case-发送-2.eml"]


@pytest.mark.parametrize(
    "to", ["+86 100 0364 7061", "wx_0265_379", None, "@", "a@", "a b@c@d", "用户@例子.中国", '"@x']
)
def test_who_has_no_mail_address_is_named_for_passing_on(tmp_path: Path, to: str | None) -> None:
    written = write_mail(context(tmp_path), answer="x", from_=to, from_name="胡艳")

    mail = read(tmp_path, written)
    assert str(mail["To"]) == "undisclosed-recipients:;"
    assert mail["X-Caseway-Recipient"] == f"胡艳 {to}" if to else "胡艳"


def test_line_break_begins_no_header_of_its_own(tmp_path: Path) -> None:
    written = write_mail(
        context(tmp_path),
        answer="x",
        from_="a@example.com",
        from_name="A\r\nBcc: all@example.com",
        subject="hello\nBcc: all@example.com",
    )

    mail = read(tmp_path, written)
    assert mail["Bcc"] is None
    assert mail["Subject"] == "Re: hello Bcc: all@example.com"


@pytest.mark.parametrize(
    ("language", "subject"),
    [("zh", "您的请求 R1"), ("en", "Your request R1"), (None, "Your request R1")],
)
def test_request_without_subject_is_named_by_its_number(
    tmp_path: Path, language: str | None, subject: str
) -> None:
    written = write_mail(context(tmp_path), answer="x", request_id="R1", language=language)

    assert read(tmp_path, written)["Subject"] == subject


def test_sender_is_a_task_header(tmp_path: Path) -> None:
    told = context(tmp_path, headers={"sender": "客服 <service@example.com>"})

    assert read(tmp_path, write_mail(told, answer="x"))["From"] == "客服 <service@example.com>"


def test_failed_write_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("os.fsync", full)

    with pytest.raises(OSError, match="no space"):
        write_mail(context(tmp_path), answer="x")

    assert list((tmp_path / "outbox").iterdir()) == []


def test_long_key_still_makes_a_file_name(tmp_path: Path) -> None:
    written = write_mail(context(tmp_path, key=f"case/{'节' * 300}/1"), answer="x")

    assert (tmp_path / "outbox" / written["mail_file"]).exists()


def test_mail_without_a_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="key"):
        write_mail(context(tmp_path, key=""), answer="x")
