"""Mails of strangers: every charset, every nesting, nothing that stops the reader."""

from __future__ import annotations

import base64
import random
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers import mail_in
from handlers.mail_in import IncomingMail, read_mail

TEXT = "您好：热水器从昨天开始漏水，请尽快派人来修理，谢谢。"
TRADITIONAL = "您好：熱水器從昨天開始漏水，請儘快派人來修理，謝謝。"
TOKEN = "0123456789abcdef0123456789abcdef"


def raw(body: bytes, *headers: str, content_type: str = "text/plain") -> bytes:
    lines = ["From: li@example.com", "Message-ID: <1@example.com>", *headers]
    if content_type:
        lines.append(f"Content-Type: {content_type}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def word(charset: str, text: str, encoding: str = "B") -> str:
    content = base64.b64encode(text.encode(charset)).decode()
    return f"=?{charset}?{encoding}?{content}?="


@pytest.mark.parametrize("charset", ["utf-8", "gb2312", "gbk", "gb18030", "utf-16", "hz"])
def test_declared_charset_is_read(charset: str) -> None:
    declared = "hz-gb-2312" if charset == "hz" else charset
    body = base64.b64encode(TEXT.encode(charset))
    mail = read_mail(
        raw(
            body,
            "Content-Transfer-Encoding: base64",
            content_type=f"text/plain; charset={declared}",
        )
    )

    assert mail.text == TEXT


def test_big5_is_read() -> None:
    data = raw(TRADITIONAL.encode("big5"), content_type="text/plain; charset=big5")

    assert read_mail(data).text == TRADITIONAL


@pytest.mark.parametrize("declared", ["us-ascii", "iso-8859-1", "utf-8", "x-nonsense", "", None])
@pytest.mark.parametrize("really", ["utf-8", "gb18030"])
def test_wrong_or_missing_charset_is_guessed(declared: str | None, really: str) -> None:
    kind = "text/plain" if declared is None else f"text/plain; charset={declared}"

    assert read_mail(raw(TEXT.encode(really), content_type=kind)).text == TEXT


def test_undeclared_traditional_chinese_is_guessed() -> None:
    assert read_mail(raw(TRADITIONAL.encode("big5"))).text == TRADITIONAL


def test_gb2312_that_holds_more_than_gb2312_is_read() -> None:
    text = "朱镕基与㐂𠮷"
    data = raw(text.encode("gb18030"), content_type="text/plain; charset=gb2312")

    assert read_mail(data).text == text


def test_western_text_stays_western() -> None:
    data = raw("Grüße aus Köln".encode("cp1252"), content_type="text/plain; charset=iso-8859-1")

    assert read_mail(data).text == "Grüße aus Köln"


@pytest.mark.parametrize(
    ("header", "subject"),
    [
        (word("gb2312", "热水器漏水"), "热水器漏水"),
        (word("big5", "熱水器漏水"), "熱水器漏水"),
        (f"Re: {word('utf-8', '热水器')}", "Re: 热水器"),
        (f"{word('utf-8', '热水器')}\r\n {word('utf-8', '漏水')}", "热水器漏水"),
        (f"{word('utf-8', '热水器')}{word('utf-8', '漏水')}", "热水器漏水"),
        ("=?utf-8?Q?=E7=83=AD=E6=B0=B4?=", "热水"),
        ("=?no-such?B?5rC0?=", "水"),
        ("=?utf-8?B?%%%?=", None),
        ("plain text", "plain text"),
    ],
)
def test_subject_is_decoded(header: str, subject: str | None) -> None:
    found = read_mail(raw(b"x", f"Subject: {header}")).subject

    assert subject is None or found == subject


def test_character_split_between_two_words_is_joined() -> None:
    content = "热水器".encode("gb2312")
    one, two = (base64.b64encode(part).decode() for part in (content[:3], content[3:]))

    assert (
        read_mail(raw(b"x", f"Subject: =?gb2312?B?{one}?= =?gb2312?B?{two}?=")).subject == "热水器"
    )


@pytest.mark.parametrize("charset", ["utf-8", "gb18030"])
def test_eight_bit_header_is_read(charset: str) -> None:
    data = b"From: li@example.com\r\nSubject: " + "热水器漏水了".encode(charset) + b"\r\n\r\nx"

    assert read_mail(data).subject == "热水器漏水了"


def test_sender_is_split_into_name_and_address() -> None:
    data = raw(b"x").replace(
        b"From: li@example.com", f"From: {word('gbk', '李雷')} <Li@Example.com>".encode()
    )

    mail = read_mail(data)

    assert (mail.from_, mail.from_name) == ("li@example.com", "李雷")


def test_html_alone_becomes_text() -> None:
    html = (
        "<html><head><style>p {color: red}</style><title>t</title></head><body>"
        "<p>您好&nbsp;&amp; 谢谢</p><script>alert(1)</script><div>第二行<br>第三行</div></body>"
    )
    mail = read_mail(raw(html.encode("gbk"), content_type="text/html; charset=gbk"))

    assert [line for line in mail.text.split("\n") if line] == ["您好 & 谢谢", "第二行", "第三行"]


def built() -> EmailMessage:
    """Return a mail with alternatives, a picture in the HTML, and two attachments."""
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["Subject"] = "李雷 <li@example.com>", "照片"
    mail["Message-ID"] = "<2@example.com>"
    mail.set_content("请看附件")
    mail.add_alternative("<p>请看<b>附件</b></p>", subtype="html")
    mail.add_attachment(b"%PDF-1", maintype="application", subtype="pdf", filename="报价单.pdf")
    mail.add_attachment(
        "记录".encode(), maintype="text", subtype="plain", filename="../../a\\b.txt"
    )
    inner = EmailMessage()
    inner["Subject"] = "inside"
    inner.set_content("the mail inside")
    mail.add_attachment(inner)
    return mail


def test_attachments_come_with_name_type_and_content() -> None:
    mail = read_mail(built().as_bytes())

    assert mail.text == "请看附件"
    names = [(name, kind) for name, kind, _ in mail.attachments]
    assert names[:2] == [("报价单.pdf", "application/pdf"), (".._.._a_b.txt", "text/plain")]
    assert mail.attachments[0][2] == b"%PDF-1"
    assert b"the mail inside" in mail.attachments[2][2]


def test_too_much_is_left_out_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_in, "MOST_FILES", 1)
    monkeypatch.setattr(mail_in, "MOST_TEXT", 3)

    mail = read_mail(built().as_bytes())

    assert (len(mail.attachments), mail.text) == (1, "请看附")
    assert len(mail.left_out) == 3


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        (["To: desk@example.com"], None),
        ([f"To: Desk <case+{TOKEN}@example.com>"], TOKEN),
        ([f"To: desk@example.com\r\nX-Original-To: case+{TOKEN.upper()}@example.com"], TOKEN),
        ([f"In-Reply-To: <{TOKEN}@example.com>"], TOKEN),
        ([f"References: <a@b> <{TOKEN}@example.com>\r\n <c@d>"], TOKEN),
        ([f"Subject: [{TOKEN}] case+{TOKEN}@example.com"], None),
        (["To: case+0123@example.com"], None),
        ([f"To: xcase+{TOKEN}@example.com"], None),
        (["In-Reply-To: <2026-000001@example.com>"], None),
    ],
)
def test_token_stands_in_address_or_reference(headers: list[str], token: str | None) -> None:
    assert read_mail(raw(b"x", *headers)).token == token


@pytest.mark.parametrize(
    ("header", "auto"),
    [
        ("Auto-Submitted: auto-replied", True),
        ("Auto-Submitted: no", False),
        ("Precedence: bulk", True),
        ("Return-Path: <>", True),
        ("List-Id: <news.example.com>", True),
        ("X-Priority: 1", False),
    ],
)
def test_mail_of_a_program_is_recognised(header: str, auto: bool) -> None:
    assert read_mail(raw(b"x", header)).is_auto_reply is auto


def test_bounce_is_a_mail_of_a_program() -> None:
    data = raw(b"x").replace(b"li@example.com", b"MAILER-DAEMON@example.com")

    assert read_mail(data).is_auto_reply


def test_mail_without_an_id_has_the_same_one_each_time() -> None:
    data = b"From: li@example.com\r\n\r\nx"

    assert read_mail(data).message_id == read_mail(data).message_id != ""


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\0\0",
        b"\xff\xfe" * 100,
        raw(b"--x\r\n" * 50, content_type="multipart/mixed; boundary=x"),
        raw(b"x", content_type="multipart/mixed"),
        raw(b"@@@", "Content-Transfer-Encoding: base64"),
        raw(b"x", content_type="text/plain; charset*=utf-8''%%%; name*0*=x"),
        raw(b"x", "Content-Disposition: attachment; filename*=nonsense"),
        b"Content-Type: message/rfc822\r\n\r\n" * 2000,
        b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n)
                 for n in range(1500)),
    ],
)  # fmt: skip
def test_broken_mail_is_read_as_well_as_it_can_be(data: bytes) -> None:
    assert isinstance(read_mail(data), IncomingMail)


@given(st.binary(max_size=400), st.integers(0, 10_000))
def test_no_bytes_stop_the_reader(noise: bytes, seed: int) -> None:
    whole = bytearray(built().as_bytes())
    chance = random.Random(seed)
    for byte in noise:
        whole[chance.randrange(len(whole))] = byte

    assert isinstance(read_mail(bytes(whole)), IncomingMail)
    assert isinstance(read_mail(noise), IncomingMail)
