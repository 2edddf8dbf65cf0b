"""What comes in is checked field by field, and a refusal says which field it was."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from web.problems import WrongField, describe
from web.route import Field, read_body, read_query

BODY = (
    Field(name="name", doc="", required=True),
    Field(name="count", doc="", kind="integer", low=1, high=9),
    Field(name="share", doc="", kind="number"),
    Field(name="facts", doc="", kind="object", default={}),
    Field(name="sure", doc="", kind="boolean"),
    Field(name="names", doc="", kind="texts"),
)
QUERY = (
    Field(name="state", doc="", choices=("open", "over"), default="open"),
    Field(name="limit", doc="", kind="integer", default=50, low=1, high=500),
    Field(name="group", doc="", many=True),
    Field(name="active", doc="", kind="boolean", default=True),
)


def test_missing_members_get_their_defaults() -> None:
    assert read_body(BODY, {"name": "x"}) == {
        "name": "x", "count": None, "share": None, "facts": {}, "sure": None, "names": None,
    }  # fmt: skip


def test_a_number_may_be_whole_or_decimal() -> None:
    assert read_body(BODY, {"name": "x", "share": Decimal("0.1")})["share"] == Decimal("0.1")
    assert read_body(BODY, {"name": "x", "share": 1})["share"] == 1


@pytest.mark.parametrize(
    ("body", "path", "words"),
    [
        ([], "/", "not a JSON object"),
        ({}, "/name", "missing"),
        ({"name": None}, "/name", "missing"),
        ({"name": 1}, "/name", "not a text"),
        ({"name": ""}, "/name", "empty"),
        ({"name": "x", "colour": 1}, "/colour", "no such field"),
        ({"name": "x", "count": "1"}, "/count", "not a whole number"),
        ({"name": "x", "count": True}, "/count", "not a whole number"),
        ({"name": "x", "count": Decimal("1.5")}, "/count", "not a whole number"),
        ({"name": "x", "count": 0}, "/count", "less than 1"),
        ({"name": "x", "count": 10}, "/count", "more than 9"),
        ({"name": "x", "facts": []}, "/facts", "not an object"),
        ({"name": "x", "sure": 1}, "/sure", "not true or false"),
        ({"name": "x", "names": "a"}, "/names", "not a list of texts"),
        ({"name": "x", "names": ["a", 1]}, "/names", "not a list of texts"),
    ],
)
def test_a_wrong_member_is_refused_by_its_path(body: Any, path: str, words: str) -> None:
    with pytest.raises(WrongField, match=words) as refused:
        read_body(BODY, body)

    assert refused.value.path == path
    assert describe(refused.value)["path"] == path
    assert describe(refused.value)["status"] == 422


def test_query_parameters_are_read_by_their_kind() -> None:
    given = {"limit": ["7"], "group": ["a", "b"], "active": ["false"]}

    assert read_query(QUERY, given) == {
        "state": "open", "limit": 7, "group": ("a", "b"), "active": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"limit": ["many"]}, "limit"),
        ({"limit": ["0"]}, "limit"),
        ({"limit": ["501"]}, "limit"),
        ({"limit": ["1", "2"]}, "limit"),
        ({"state": ["lost"]}, "state"),
        ({"active": ["maybe"]}, "active"),
        ({"sort": ["id"]}, "sort"),
    ],
)
def test_a_wrong_query_parameter_is_refused(given: dict[str, list[str]], path: str) -> None:
    with pytest.raises(WrongField) as refused:
        read_query(QUERY, given)

    assert refused.value.path == path
