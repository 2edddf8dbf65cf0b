"""What customers type is read as it was meant, and given back as it was typed."""

from __future__ import annotations

import pytest

from web.portal_forms import blank_ask, can_reach, read_ask, read_rating, read_reply, read_text

ASK = {"text": "The pump leaks.", "reach": "lin@example.com", "name": "Lin"}


def test_a_whole_request_has_nothing_wrong() -> None:
    ask = read_ask(ASK)

    assert ask.wrong == {}
    assert (ask.email, ask.phone) == ("lin@example.com", None)


def test_a_telephone_number_reaches_people_too() -> None:
    ask = read_ask({**ASK, "reach": "+86 139 1234 5678"})

    assert ask.wrong == {}
    assert (ask.email, ask.phone) == (None, "+86 139 1234 5678")


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"text": " \n "}, {"text": "empty"}),
        ({"text": "水" * 5001}, {"text": "too_long"}),
        ({"reach": ""}, {"reach": "empty"}),
        ({"reach": "lin at example"}, {"reach": "no_address"}),
        ({"name": "x" * 121}, {"name": "too_long"}),
    ],
)
def test_what_is_wrong_is_named_with_its_field(
    changed: dict[str, str], wrong: dict[str, str]
) -> None:
    assert read_ask({**ASK, **changed}).wrong == wrong


@pytest.mark.parametrize(
    "text", ["a@b.co", "x.y+z@ex-ample.com", "王芳@例子.中国", "010-6552 9988"]
)
def test_addresses_of_all_kinds_are_taken(text: str) -> None:
    assert can_reach(text)


@pytest.mark.parametrize("text", ["a@b", "a@@b.com", "a b@c.de", "1234", "call me", "@b.com"])
def test_what_nobody_could_answer_is_no_address(text: str) -> None:
    assert not can_reach(text)


def test_a_name_cannot_begin_a_header_of_its_own() -> None:
    assert read_ask({**ASK, "name": "Lin\r\nBcc: all@example.com"}).name == (
        "Lin Bcc: all@example.com"
    )


def test_each_blank_form_is_a_request_of_its_own() -> None:
    assert blank_ask().nonce != blank_ask().nonce


def test_the_nonce_of_a_form_comes_back_unless_somebody_made_it_up() -> None:
    nonce = blank_ask().nonce

    assert read_ask({**ASK, "nonce": nonce}).nonce == nonce
    assert read_ask({**ASK, "nonce": "short"}).nonce != "short"


def test_an_offer_is_accepted_by_a_name_and_a_tick() -> None:
    given = {"choice": "accept", "name": "Lin"}

    assert read_reply(given, 2).wrong == {"confirm": "unconfirmed"}
    assert read_reply({**given, "confirm": "yes"}, 2).wrong == {}


def test_an_offer_is_declined_with_a_reason() -> None:
    given = {"choice": "decline", "name": "Lin"}

    assert read_reply(given, 2).wrong == {"text": "empty"}
    assert read_reply({**given, "text": "too dear"}, 2).wrong == {}


def test_lines_are_negotiated_one_by_one() -> None:
    given = {"choice": "negotiate", "name": "Lin", "line_2": "10 % less", "line_3": "not there"}

    reply = read_reply(given, 2)

    assert reply.wrong == {}
    assert reply.lines == {2: "10 % less"}


def test_a_negotiation_says_what_it_wants() -> None:
    assert read_reply({"choice": "negotiate", "name": "Lin"}, 2).wrong == {"text": "empty"}


def test_no_choice_is_no_answer() -> None:
    assert read_reply({"name": "Lin"}, 1).wrong == {"choice": "empty"}
    assert read_reply({"name": "Lin", "choice": "maybe"}, 1).wrong == {"choice": "empty"}


@pytest.mark.parametrize("score", ["", "0", "6", "五", "1.5", "-1"])
def test_a_rating_is_one_of_five(score: str) -> None:
    assert read_rating({"score": score}).wrong == {"score": "empty"}


def test_a_rating_needs_no_words() -> None:
    rating = read_rating({"score": "5"})

    assert (rating.score, rating.text, rating.wrong) == (5, "", {})


def test_a_message_keeps_its_lines_and_loses_what_nobody_sees() -> None:
    assert read_text({"text": "a\r\n\r\nb\0\u202e c  \n"}) == ("a\n\nb c", None)
