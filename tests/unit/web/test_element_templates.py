"""Element templates follow the signatures of the handlers."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal, TypedDict

import pytest

from engine import HandlerContext, handler
from engine.registry import Registry
from engine.settings import Settings
from web.element_templates import SCHEMA, archive, template, templates


class Priced(TypedDict):
    """What the sample returns."""

    total: Decimal


@handler("quote.sample", retries=2, title="Price it", title_zh="报价")
def price(
    context: HandlerContext,
    customer: Annotated[str, "who asks"],
    tier: Literal["gold", "plain"],
    lines: list[dict[str, Any]],
    urgent: bool = False,
) -> Priced:
    """Return the sum of the lines.

    More is not shown.
    """
    return {"total": Decimal(0)}


@pytest.fixture
def made() -> dict[str, Any]:
    """Return the English template of the sample."""
    (entry,) = Registry.of(price)
    return template(entry, "en")


def binding(made: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """Return the properties of one kind of binding by label."""
    return {p.get("label", ""): p for p in made["properties"] if p["binding"]["type"] == kind}


def test_template_names_the_handler_and_itself(made: dict[str, Any]) -> None:
    assert (made["$schema"], made["id"], made["name"]) == (
        SCHEMA,
        "caseway.quote.sample",
        "Price it",
    )
    assert made["description"] == "Return the sum of the lines."
    tasks = binding(made, "zeebe:taskDefinition")
    assert tasks[""]["value"] == "quote.sample"
    assert tasks["Attempts after the first"]["value"] == "2"
    (label,) = binding(made, "property").values()
    assert label["binding"]["name"] == "name"


def test_inputs_are_edited_as_their_types_want(made: dict[str, Any]) -> None:
    inputs = binding(made, "zeebe:input")

    assert list(inputs) == ["customer", "tier", "lines", "urgent"]
    assert inputs["customer"]["feel"] == "optional"
    assert "who asks" in inputs["customer"]["description"]
    assert [choice["value"] for choice in inputs["tier"]["choices"]] == ["", "gold", "plain"]
    assert inputs["lines"]["feel"] == "required"
    assert [c["value"] for c in inputs["urgent"]["choices"]] == ["", "=true", "=false"]


def test_result_goes_from_its_name_to_a_variable(made: dict[str, Any]) -> None:
    """The schema does not notice the two swapped."""
    (total,) = binding(made, "zeebe:output").values()

    assert total["binding"] == {"type": "zeebe:output", "source": "=total"}
    assert "value" not in total


def test_every_shipped_handler_has_a_template_in_both_languages() -> None:
    registry = Registry.load(Settings())

    for language in ("en", "zh"):
        listed = templates(registry, language)
        assert len({one["id"] for one in listed}) == len(registry)
        assert all(one["name"] and one["properties"] for one in listed)
        for one in listed:
            groups = {group["id"] for group in one["groups"]}
            assert {p["group"] for p in one["properties"] if "group" in p} == groups


def test_archive_is_the_same_in_every_build() -> None:
    registry = Registry.of(price)

    assert archive(registry, "zh") == archive(registry, "zh")
