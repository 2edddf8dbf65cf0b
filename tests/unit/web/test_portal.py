"""The customer's pages: asking, following, answering, rating, each by its own link."""

from __future__ import annotations

import io
import re
from datetime import timedelta

from tests.unit.web.conftest import PASSWORD
from tests.unit.web.service import Service
from web.links import links_of

ASK = {"text": "三楼的空调不制冷。", "reach": "lin@example.com", "name": "林小雨"}
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


def hidden(name: str, html: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', html)
    assert found is not None, name
    return found[1]


# ------------------------------------------------------------------ asking


def test_a_request_begins_a_case_and_leads_to_its_link(service: Service) -> None:
    sent = service.browser("zh").post("/p/new", ASK)

    assert sent.status_code == 303
    (case,) = service.engine.cases()
    assert case.business_key == "2026-000001"
    page = service.browser("zh").get(sent.headers["Location"])
    assert page.status_code == 200
    assert "三楼的空调不制冷" in page.text
    assert case.id not in sent.headers["Location"]


def test_the_same_form_twice_begins_one_case(service: Service) -> None:
    browser = service.browser()
    nonce = hidden("nonce", browser.get("/p/new").text)

    places = [browser.post("/p/new", {**ASK, "nonce": nonce}).status_code for _ in range(2)]

    assert places == [303, 303]
    assert len(service.engine.cases()) == 1


def test_what_was_typed_stays_when_something_is_wrong(service: Service) -> None:
    browser = service.browser()
    sent = {**ASK, "reach": "nowhere", "files": (io.BytesIO(PNG), "泵.png")}

    page = browser.post("/p/new", sent, content_type="multipart/form-data")

    assert page.status_code == 422
    assert ASK["text"] in page.text
    assert "泵.png" in page.text
    assert service.engine.cases() == []

    again = browser.post("/p/new", {**ASK, "kept": hidden("kept", page.text)})

    assert again.status_code == 303
    (kept,) = service.engine.variables(service.engine.cases()[0].id)["attachments"]
    assert (kept["name"], kept["size"]) == ("泵.png", len(PNG))


def test_a_program_that_fills_in_everything_is_not_heard(service: Service) -> None:
    sent = service.browser().post("/p/new", {**ASK, "website": "https://example.com"})

    assert sent.status_code == 303
    assert service.engine.cases() == []


def test_too_many_requests_from_one_address_have_to_wait(service: Service) -> None:
    browser = service.browser()
    token = browser.token()

    codes = [browser.post("/p/new", {**ASK, "csrf": token}).status_code for _ in range(21)]
    last = browser.post("/p/new", ASK)

    assert codes[:20] == [303] * 20
    assert last.status_code == 429
    assert int(last.headers["Retry-After"]) >= 1
    assert ASK["text"] in last.text


def test_a_request_without_the_token_of_its_form_is_refused(service: Service) -> None:
    assert service.browser().post("/p/new", {**ASK, "csrf": "x"}).status_code == 403


# ------------------------------------------------------------------ links


def test_opening_pages_changes_nothing(service: Service) -> None:
    root_id = service.play(stop=frozenset({"proposal_accepted@1"}))
    before = service.events()
    paths = [service.link(root_id, purpose) for purpose in ("follow", "confirm", "answer", "rate")]

    codes = [service.browser().get(path).status_code for path in (*paths, f"{paths[0]}/withdraw")]

    assert codes == [200] * 5
    assert service.events() == before


def test_pages_of_links_pass_nothing_on(service: Service) -> None:
    page = service.browser().get(service.link(service.play(stop=frozenset({"listen"})), "follow"))

    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"


def test_a_link_opens_the_page_of_its_purpose_only(service: Service) -> None:
    root_id = service.play(stop=frozenset({"proposal_accepted@1"}))
    token = service.link(root_id, "follow").rpartition("/")[2]

    others = [service.browser().get(f"/p/{name}/{token}") for name in ("answer", "confirm", "rate")]

    assert [page.status_code for page in others] == [404] * 3


def test_links_that_have_ended_say_so(service: Service) -> None:
    root_id = service.play(stop=frozenset({"listen"}))
    links = links_of(service.engine)
    old = links.make("follow", root_id, good_for=timedelta(hours=1))
    service.clock.advance(3600)
    revoked = links.make("follow", root_id)
    links.revoke(links.read(revoked, "follow"), by="lead", why="sent to the wrong address")

    codes = [service.browser().get(f"/p/follow/{token}").status_code for token in (old, revoked)]

    assert codes == [410, 410]
    assert service.engine.acts(limit=1)[0].why == "sent to the wrong address"


def test_the_thread_shows_no_link_of_another_purpose(service: Service) -> None:
    root_id = service.play(stop=frozenset({"proposal_accepted@1"}))

    page = service.browser().get(service.link(root_id, "follow")).text

    assert "A proposal for you" in page
    assert "/p/answer/" not in page


# ------------------------------------------------------------------ following


def test_the_page_says_where_it_stands_and_whose_turn_it_is(service: Service) -> None:
    root_id = service.play(stop=frozenset({"draft"}))

    case = service.case(root_id)

    assert case.turn is None
    assert [step.text for step in case.steps if step.state == "here"] == [
        "We are designing a solution"
    ]
    states = [step.state for step in case.steps]
    assert states == sorted(states, key=["done", "here", "open"].index)


def test_a_message_becomes_a_task_of_the_desk(service: Service) -> None:
    root_id = service.play(stop=frozenset({"draft"}))
    path = service.link(root_id, "follow")
    sent = {"text": "It leaks more now.", "files": (io.BytesIO(PNG), "leak.png")}

    done = service.browser().post(f"{path}/write", sent, content_type="multipart/form-data")

    assert done.status_code == 303
    assert "answer_customer" in {task.element_id for task in service.tasks(root_id)}
    page = service.browser().get(path).text
    assert "It leaks more now." in page
    assert "leak.png" in page


def test_an_answer_reaches_the_question_that_waits(service: Service) -> None:
    root_id = service.play(question="Which pump?", stop=frozenset({"customer_reply"}))
    path = service.link(root_id, "follow")

    service.browser().post(f"{path}/write", {"text": "The one in hall 3."})

    assert [task.element_id for task in service.tasks(root_id)] == ["listen"]


def test_a_file_is_a_download_of_its_own_case(service: Service) -> None:
    browser = service.browser()
    sent = {**ASK, "files": (io.BytesIO(PNG), "泵.png")}
    place = browser.post("/p/new", sent, content_type="multipart/form-data").headers["Location"]
    (kept,) = service.engine.variables(service.engine.cases()[0].id)["attachments"]
    other = service.link(service.play(stop=frozenset({"listen"})), "follow")

    given = browser.get(f"{place}/files/{kept['sha256']}")

    assert given.data == PNG
    given.close()
    assert given.headers["X-Content-Type-Options"] == "nosniff"
    assert given.headers["Content-Disposition"].startswith("attachment")
    assert given.mimetype == "application/octet-stream"
    assert browser.get(f"{other}/files/{kept['sha256']}").status_code == 404


def test_a_customer_can_withdraw(service: Service) -> None:
    root_id = service.play(stop=frozenset({"draft"}))
    path = service.link(root_id, "follow")

    done = service.browser().post(f"{path}/withdraw", {"text": "We have mended it."})
    service.drain()

    assert done.status_code == 303
    assert service.engine.case(root_id).ended_at is not None
    assert service.case(root_id).state == "withdrawn"


# ------------------------------------------------------------------ answering


def test_an_accepted_offer_leaves_its_evidence(service: Service) -> None:
    root_id = service.play(stop=frozenset({"proposal_accepted@1"}))
    path = service.link(root_id, "answer")
    page = service.browser().get(path).text
    fingerprint = hidden("sha256", page)
    given = {"choice": "accept", "name": "Lin Yu", "confirm": "yes", "sha256": fingerprint}

    done = service.browser().post(path, given)
    service.drain()

    assert "125.00" in page
    assert done.status_code == 303
    shown = service.browser().get(path).text
    assert "You have accepted" in shown
    assert fingerprint in shown
    assert service.browser().post(path, given).status_code == 409


def test_an_offer_that_was_replaced_cannot_be_accepted(service: Service) -> None:
    root_id = service.play(stop=frozenset({"proposal_accepted@1"}))
    path = service.link(root_id, "answer")
    given = {"choice": "accept", "name": "Lin", "confirm": "yes", "sha256": "0" * 64}

    assert service.browser().post(path, given).status_code == 409
    assert service.case(root_id).turn == "answer"


def test_lines_are_negotiated_and_the_next_offer_shows_the_last(service: Service) -> None:
    root_id = service.play(stop=frozenset({"proposal_accepted@1"}))
    path = service.link(root_id, "answer")
    fingerprint = hidden("sha256", service.browser().get(path).text)

    done = service.browser().post(path, {
        "choice": "negotiate", "name": "Lin", "line_2": "One seal is enough.",
        "sha256": fingerprint,
    })  # fmt: skip
    service.drain()

    assert done.status_code == 303
    (task,) = service.tasks(root_id)
    assert task.element_id == "revise"
    counter = service.engine.variables(task.instance_id)["counter"]
    assert counter["comment"] == "Seal: One seal is enough."
    service.engine.complete(task.id, {"discount": 10, "offer_message": "10 % off."}, by="operator")
    service.drain()
    shown = service.browser().get(path).text
    assert "Version 2" in shown
    assert "One seal is enough." in shown
    assert "10 % off." in shown


def test_declining_needs_a_reason_and_keeps_what_was_typed(service: Service) -> None:
    root_id = service.play(stop=frozenset({"proposal_accepted@1"}))
    path = service.link(root_id, "answer")
    fingerprint = hidden("sha256", service.browser().get(path).text)

    page = service.browser().post(
        path, {"choice": "decline", "name": "Somebody else", "sha256": fingerprint}
    )

    assert page.status_code == 422
    assert "Somebody else" in page.text
    assert service.case(root_id).turn == "answer"


def test_needs_are_corrected_and_then_confirmed(service: Service) -> None:
    root_id = service.play(stop=frozenset({"needs_confirmed"}))
    path = service.link(root_id, "confirm")

    service.browser().post(path, {"choice": "correct", "text": "Both pumps leak."})
    service.drain()
    (task,) = service.tasks(root_id)
    assert task.element_id == "write_requirements"
    requirements = dict.fromkeys(
        ("why", "what", "who", "when_needed", "where_used", "how", "expected_result"), "both"
    )
    service.engine.complete(task.id, {**requirements, "items": []}, by="analyst")
    service.drain()
    service.browser().post(path, {"choice": "confirm"})
    service.drain()

    assert [task.element_id for task in service.tasks(root_id)] == ["draft"]


# ------------------------------------------------------------------ rating, own cases


def test_a_rating_can_be_changed_by_the_same_link(service: Service) -> None:
    root_id = service.play(stop=frozenset({"survey_answer"}))
    path = service.link(root_id, "rate")

    first = service.browser().post(path, {"score": "4", "text": "Good."})
    service.drain()
    second = service.browser().post(path, {"score": "5", "text": "Very good."})

    assert [first.status_code, second.status_code] == [303, 303]
    assert "Very good." in service.browser().get(path).text


def test_customers_who_sign_in_see_their_own_cases(service: Service) -> None:
    mine = service.play(key="mine", stop=frozenset({"proposal_accepted@1"}))
    other = service.play(
        key="other", stop=frozenset({"listen"}), email="wu@example.com", name="Wu Min", text="Wu's"
    )
    service.engine.create_user(
        "customer", role="customer", by="test", password=PASSWORD, email="customer@example.com"
    )
    browser = service.browser()
    browser.sign_in("customer", PASSWORD)

    listed = browser.get("/my").text
    opened = browser.get(f"/my/{mine}/answer", follow_redirects=True)

    assert "The pump in hall 3 leaks" in listed
    assert "Wu&#39;s" not in listed
    assert "What we offer" in opened.text
    assert browser.get(f"/my/{other}/follow").status_code == 404
