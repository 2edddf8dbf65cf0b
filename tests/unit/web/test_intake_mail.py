"""Mails become cases or join them, once, by the token alone; a maildir empties into cur/."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest

from engine.errors import Conflict
from handlers import records as tables
from handlers.records import Records
from tests.unit.web.service import Service
from web.mail import take
from web.maildir import sweep

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


def mail(text: str, *, to: str = "service@example.com", **headers: str) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"] = "林小雨 <lin@example.com>"
    message["To"] = to
    message["Subject"] = headers.pop("subject", "空调不制冷")
    message["Message-ID"] = headers.pop("message_id", f"<{abs(hash(text))}@mail.example.com>")
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


def reply_address(service: Service, root_id: str) -> str:
    """Return the address to which the last notice of a case wants its replies."""
    number = service.engine.case(root_id).business_key
    rows = Records.of(service.engine.settings).all(
        tables.message, case_number=number, direction="out"
    )
    last = max(rows, key=lambda row: str(row["at"]))
    return f"case+{last['token']}@example.com"


def test_a_mail_begins_a_case(service: Service) -> None:
    taken = take(service.engine, mail("三楼会议室的空调不制冷。"))

    (case,) = service.engine.cases()
    assert (taken.outcome, taken.case_number) == ("new", case.business_key)
    known = service.engine.variables(case.id)
    assert known["contact"] == {"name": "林小雨", "email": "lin@example.com"}
    assert (known["subject"], known["language"]) == ("空调不制冷", "zh")


def test_the_same_mail_again_does_nothing(service: Service) -> None:
    data = mail("Please help.")

    outcomes = [take(service.engine, data).outcome for _ in range(2)]

    assert outcomes == ["new", "duplicate"]
    assert len(service.engine.cases()) == 1


def test_a_mail_with_a_wrong_token_begins_a_case_of_its_own(service: Service) -> None:
    root_id = service.play(stop=frozenset({"listen"}))
    number = service.engine.case(root_id).business_key

    taken = take(
        service.engine,
        mail("Hello?", to=f"case+{'0' * 32}@example.com", subject=f"Re: [{number}]"),
    )

    assert taken.outcome == "new"
    assert taken.case_number != number


def test_a_reply_reaches_the_question_that_waits(service: Service) -> None:
    root_id = service.play(question="Which pump?", stop=frozenset({"customer_reply"}))

    taken = take(service.engine, mail("The one in hall 3.", to=reply_address(service, root_id)))

    assert taken.outcome == "reply"
    assert [task.element_id for task in service.tasks(root_id)] == ["listen"]
    text = service.engine.variables(service.tasks(root_id)[0].instance_id)["text"]
    assert text.endswith("The one in hall 3.")


def test_a_reply_to_an_offer_accepts_nothing(service: Service) -> None:
    root_id = service.play(stop=frozenset({"proposal_accepted@1"}))

    take(service.engine, mail("I accept. 同意！", to=reply_address(service, root_id)))

    assert service.case(root_id).turn == "answer"
    assert "answer_customer" in {task.element_id for task in service.tasks(root_id)}


def test_what_programs_send_is_ignored(service: Service) -> None:
    taken = take(service.engine, mail("Out of office.", Auto_Submitted="auto-replied"))

    assert taken.outcome == "ignored"
    assert service.engine.cases() == []


def test_files_are_kept_and_what_is_not_taken_is_named(service: Service) -> None:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = "lin@example.com", "service@example.com"
    message["Subject"], message["Message-ID"] = "Leak", "<leak@mail.example.com>"
    message.set_content("See the picture.")
    message.add_attachment(PNG, maintype="image", subtype="png", filename="leak.png")
    message.add_attachment(b"MZ", maintype="application", subtype="x-dosexec", filename="a.exe")

    take(service.engine, message.as_bytes())

    kept, refused = service.engine.variables(service.engine.cases()[0].id)["attachments"]
    assert len(kept["sha256"]) == 64
    assert (refused["name"], refused["refused"]) == ("a.exe", "wrong_type")


def test_a_maildir_is_emptied_into_cur(service: Service, tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    sweep(service.engine, folder)
    (folder / "new" / "1.host").write_bytes(mail("First."))
    (folder / "new" / "2.host:2,").write_bytes(mail("Second."))

    assert sweep(service.engine, folder) == 2
    assert sweep(service.engine, folder) == 0

    assert list((folder / "new").iterdir()) == []
    moved = sorted(path.name for path in (folder / "cur").iterdir())
    assert moved == ["1.host:2,S", "2.host:2,S"]
    assert len(service.engine.cases()) == 2


def test_a_mail_stays_while_nothing_takes_requests(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mail"
    sweep(service.engine, folder)
    (folder / "new" / "1.host").write_bytes(mail("First."))

    def refuse(*_: object, **__: object) -> None:
        raise Conflict("no process takes requests")

    with monkeypatch.context() as patched:
        patched.setattr("web.intake.begin_with", refuse)
        assert sweep(service.engine, folder) == 0
    assert sweep(service.engine, folder) == 1

    assert len(service.engine.cases()) == 1
