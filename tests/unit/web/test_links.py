"""Signed links: one purpose, one subject, an end; and nothing that anybody else could have made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.links import PURPOSES, LinkRefused, Links

SECRET = bytes(range(32))


class Time:
    """A clock that stands still until it is told otherwise, and the ends of links."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
        self.ends: dict[str, datetime] = {}

    def links_ended_at(self, name: str) -> datetime | None:
        return self.ends.get(name)

    def end_links(self, name: str, *, by: str, why: str = "") -> None:
        self.ends[name] = self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def links(time: Time) -> Links:
    return Links(SECRET, time, lambda: time.now)


def test_a_link_says_what_it_is_for(links: Links, time: Time) -> None:
    made = links.make("follow", "C-2026-0001")

    link = links.read(made, "follow")

    assert (link.purpose, link.subject) == ("follow", "C-2026-0001")
    assert link.ends_at - time.now == PURPOSES["follow"]


def test_two_links_for_the_same_are_different_ones(links: Links) -> None:
    assert links.make("follow", "C-1") != links.make("follow", "C-1")


def test_a_repeated_handler_makes_the_same_link_again(links: Links) -> None:
    first = links.make("follow", "C-1", seed="instance/element/1")

    assert links.make("follow", "C-1", seed="instance/element/1") == first
    assert links.make("follow", "C-1", seed="instance/element/2") != first


def test_a_link_serves_one_purpose_only(links: Links) -> None:
    made = links.make("follow", "C-1")

    for purpose in PURPOSES.keys() - {"follow"}:
        assert why_refused(links, made, purpose) == "forged"


def test_a_link_ends_at_its_moment(links: Links, time: Time) -> None:
    made = links.make("answer", "C-1", good_for=timedelta(hours=1))

    time.now += timedelta(minutes=59)
    assert links.read(made, "answer").subject == "C-1"
    time.now += timedelta(minutes=1)
    assert why_refused(links, made, "answer") == "expired"


def test_a_revoked_link_is_worthless_and_others_are_not(links: Links) -> None:
    revoked, other = links.make("rate", "C-1"), links.make("rate", "C-1")

    links.revoke(links.read(revoked, "rate"), by="ann")

    assert why_refused(links, revoked, "rate") == "revoked"
    assert links.read(other, "rate").subject == "C-1"


def test_all_links_of_a_case_can_be_revoked_and_new_ones_made(links: Links, time: Time) -> None:
    old, of_another = links.make("follow", "C-1"), links.make("follow", "C-2")

    links.revoke_all("C-1", by="ann")

    assert why_refused(links, old, "follow") == "revoked"
    assert links.read(of_another, "follow").subject == "C-2"
    time.now += timedelta(milliseconds=1)
    assert links.read(links.make("follow", "C-1"), "follow").subject == "C-1"


def test_another_secret_makes_other_links(links: Links, time: Time) -> None:
    foreign = Links(b"another" * 5, time, lambda: time.now).make("follow", "C-1")

    assert why_refused(links, foreign, "follow") == "forged"


@given(place=st.integers(0, 10_000), character=st.sampled_from("AZaz09-_.=\n é"))
def test_a_changed_character_makes_a_link_worthless(place: int, character: str) -> None:
    time = Time()
    links = Links(SECRET, time, lambda: time.now)
    made = links.make("follow", "C-1", seed="s")
    at = place % len(made)
    changed = made[:at] + character + made[at + 1 :]

    if changed != made:
        assert why_refused(links, changed, "follow") == "forged"


@given(text=st.text(max_size=700))
def test_any_other_text_is_no_link(text: str) -> None:
    time = Time()

    assert why_refused(Links(SECRET, time, lambda: time.now), text, "follow") == "forged"


def why_refused(links: Links, made: str, purpose: str) -> str:
    with pytest.raises(LinkRefused) as refused:
        links.read(made, purpose)
    return refused.value.why
