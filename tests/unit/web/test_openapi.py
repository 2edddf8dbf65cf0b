"""The OpenAPI document: complete against the routes, sound in itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from web import acts
from web.api import ROUTES
from web.openapi import document, path_names

METHODS = {"get", "post", "put", "patch", "delete"}


def parts(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every object inside the document."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from parts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from parts(inner)


def test_every_route_is_described_once() -> None:
    described = {
        (method.upper(), path)
        for path, operations in document()["paths"].items()
        for method in operations
    }

    assert described == {(route.method, route.path) for route in ROUTES}
    assert len({route.name for route in ROUTES}) == len(ROUTES)


def test_every_act_belongs_to_a_route() -> None:
    public = {
        value
        for name, value in vars(acts).items()
        if callable(value) and getattr(value, "__module__", "") == acts.__name__ and name != "page"
    }

    assert public == {route.act for route in ROUTES}


def test_document_has_what_openapi_3_1_requires() -> None:
    whole = document()

    assert whole["openapi"].startswith("3.1.")
    assert set(whole["info"]) >= {"title", "version"}
    for path, operations in whole["paths"].items():
        assert path.startswith("/")
        assert set(operations) <= METHODS
        for operation in operations.values():
            assert operation["responses"]
            assert all(answer["description"] for answer in operation["responses"].values())


def test_every_name_in_a_path_is_a_parameter() -> None:
    for path, operations in document()["paths"].items():
        for operation in operations.values():
            given = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
            assert given == set(path_names(path))


def test_every_reference_leads_to_a_schema_and_every_schema_is_used() -> None:
    whole = document()
    referred = {part["$ref"] for part in parts(whole) if "$ref" in part}

    schemas = {f"#/components/schemas/{name}" for name in whole["components"]["schemas"]}
    assert referred == schemas


def test_schemas_use_the_types_of_json_schema() -> None:
    known = {"string", "integer", "number", "boolean", "object", "array", "null"}
    for part in parts(document()["components"]["schemas"]):
        kind = part.get("type", "object")
        # a property may itself be called `type`; its value is a schema then
        if not isinstance(kind, dict):
            assert set([kind] if isinstance(kind, str) else kind) <= known


def test_an_instance_is_described_as_the_engine_returns_it() -> None:
    schema = document()["components"]["schemas"]["Instance"]

    assert schema["properties"]["state"]["enum"][0] == "running"
    assert schema["properties"]["ended_at"]["anyOf"][1] == {"type": "null"}
    assert "created" not in schema["required"]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_operation_names_refusals_and_the_right_it_needs(route: Any) -> None:
    operation = document()["paths"][route.path][route.method.lower()]

    assert route.right in operation["description"]
    assert {"401", "403", "422"} <= set(operation["responses"])
