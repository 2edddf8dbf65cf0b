"""The whole service by e-mail: the customer writes and reads mails, and opens the links in them."""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP, default
from pathlib import Path
from typing import Any

import pytest

from engine.clock import VirtualClock
from engine.model import UserTask
from handlers.records import Records
from handlers.staff import Worker, employ
from tests.unit.web.service import STORY, Service, opened, prepare
from web.demo_stories import form
from web.maildir import sweep

#: phases of the lifecycle, in the order in which they must be reached
PHASES = ("contact", "needs", "design", "talks", "delivery_phase", "after_sales_phase", "feedback")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Return the shipped service with one member of staff, on a Monday morning."""
    clock = VirtualClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
    with opened(prepare(tmp_path / "data"), clock) as made:
        employ(Records.of(made.engine.settings), Worker(user="operator", skills=("repair",)))
        yield made


class Correspondent:
    """A customer who has nothing but a mailbox and a browser."""

    def __init__(self, service: Service, maildir: Path) -> None:
        self.service = service
        self._maildir = maildir
        self._sent = 0
        sweep(service.engine, maildir)

    def write(self, text: str, *, answers: EmailMessage | None = None) -> None:
        """Send a mail, the answer to another one as mail programs make it."""
        self._sent += 1
        mail = EmailMessage(policy=SMTP)
        mail["From"] = "Lin Yu <lin@example.com>"
        mail["To"] = answers["Reply-To"] if answers is not None else "service@example.com"
        mail["Subject"] = f"Re: {answers['Subject']}" if answers is not None else "The pump leaks"
        mail["Message-ID"] = f"<{self._sent}@mail.example.com>"
        if answers is not None:
            mail["In-Reply-To"] = answers["Message-ID"]
        mail.set_content(text)
        (self._maildir / "new" / f"{self._sent}.host").write_bytes(mail.as_bytes())
        assert sweep(self.service.engine, self._maildir) == 1
        self.service.drain()

    def newest(self) -> EmailMessage:
        """Return the last mail that has left the house."""
        outbox = self.service.engine.settings.outbox_dir
        mails = [
            email.message_from_bytes(path.read_bytes(), policy=default)
            for path in outbox.glob("*.eml")
        ]
        return max(mails, key=lambda mail: (mail["Date"].datetime, mail["Subject"] or ""))

    def link(self, mail: EmailMessage, purpose: str) -> str:
        """Return the path of the link in a mail."""
        found = re.search(rf"/p/{purpose}/\S+", mail.get_content())
        assert found is not None, mail.get_content()
        return found[0]


def work(service: Service, *elements: str, **changes: Any) -> None:
    """Let the staff complete tasks in this order, each with what it usually types."""
    for element in elements:
        task = next(task for task in service.engine.tasks(limit=100) if task.element_id == element)
        complete(service, task, changes)


def complete(service: Service, task: UserTask, changes: dict[str, Any]) -> None:
    service.clock.advance(60)  # so that the newest mail is one
    day = (service.clock.now() + timedelta(days=2)).date().isoformat()
    given = form(STORY, task.element_id, day)
    service.engine.complete(task.id, {**(given or {}), **changes}, by=task.assignee or "operator")
    service.drain()


def test_a_service_by_mail_from_the_first_word_to_the_rating(
    service: Service, tmp_path: Path
) -> None:
    customer = Correspondent(service, tmp_path / "mail")
    browser = service.browser()

    customer.write("The pump in hall 3 leaks.")
    (case,) = service.engine.cases()
    assert "2026-000001" in customer.newest()["Subject"]

    # a question, answered by mail
    work(service, "listen", contact_result="question", reply="Which pump is it?")
    customer.write("The red one.\n\n> Which pump is it?", answers=customer.newest())
    work(service, "listen")

    # a mail confirms nothing, the page does
    work(service, "choose_methods", "collect", "write_requirements")
    please_confirm = customer.newest()
    customer.write("Yes, that is right.", answers=please_confirm)
    assert service.case(case.id).turn == "confirm"
    work(service, "answer_customer", answer="Please confirm on the page.")
    browser.post(customer.link(please_confirm, "confirm"), {"choice": "confirm"})
    service.drain()

    # a mail accepts nothing, the page does
    work(service, "draft")
    offer = customer.newest()
    customer.write("I accept!", answers=offer)
    assert service.case(case.id).turn == "answer"
    work(service, "answer_customer", answer="Please accept on the page.")
    path = customer.link(offer, "answer")
    fingerprint = re.search(r'name="sha256" value="(\w+)"', browser.get(path).text)
    assert fingerprint is not None
    given = {"choice": "accept", "name": "Lin Yu", "confirm": "yes", "sha256": fingerprint[1]}
    assert browser.post(path, given).status_code == 303
    service.drain()

    # done, handed over, and quiet for the time of after-sales
    work(service, "plan", "accept", "do_work", "check_quality", "hand_over")
    for _ in range(80):
        service.clock.advance(3600)
        service.drain()
    rating = customer.link(customer.newest(), "rate")
    assert browser.post(rating, {"score": "5", "text": "Dry at last."}).status_code == 303
    service.drain()

    assert service.engine.case(case.id).state == "completed"
    assert reached(service, case.id) == list(PHASES)
    assert service.engine.incidents() == []
    assert list((tmp_path / "mail" / "new").iterdir()) == []


def reached(service: Service, root_id: str) -> list[str]:
    """Return the phases in the order in which they began."""
    rows = service.engine.history(root_id, limit=1000)
    begun = [row.element_id for row in rows if row.kind == "element.activated"]
    return [element for element in dict.fromkeys(begun) if element in PHASES]
